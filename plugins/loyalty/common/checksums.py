"""Checksums of files and tables; a table's does not depend on row order, the run, or a double's last digits."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb

from loyalty.common.sql import quote_identifier

# What differs from run to run although the data are the same.
RUN_COLUMNS = frozenset({"_loaded_at", "_load_seq", "load_seq", "load_id", "build_id", "run_id"})


def table_columns(connection: duckdb.DuckDBPyConnection, database: str, schema: str, table: str) -> dict[str, str]:
    """The columns of a table and their types, in their order; none where there is no such table."""
    place = ".".join(quote_identifier(part) for part in (database, schema, table))
    try:
        rows = connection.execute(f"select column_name, column_type from (describe {place})").fetchall()
    except duckdb.CatalogException:
        return {}
    return dict(rows)


def table_checksum(connection: duckdb.DuckDBPyConnection, database: str, schema: str, table: str) -> str:
    """SHA-256 over a table's column names, types, row count and the sum of its rows' hashes.

    Columns are taken in the order of their names, doubles at 9 significant digits, without what a run adds.
    """
    columns = {
        name: kind
        for name, kind in sorted(table_columns(connection, database, schema, table).items())
        if name not in RUN_COLUMNS
    }
    row = ", ".join(_cell(name, kind) for name, kind in columns.items()) or "''"
    count, low, high = connection.execute(
        f"""
        with rows as (
            select concat_ws(chr(31), {row}) as content
            from {quote_identifier(database)}.{quote_identifier(schema)}.{quote_identifier(table)}
        )
        select count(*), sum(md5_number_lower(content)), sum(md5_number_upper(content))
        from rows
        """
    ).fetchall()[0]
    content = json.dumps([list(columns.items()), count, str(low), str(high)])
    return hashlib.sha256(content.encode()).hexdigest()


def table_fingerprint(
    connection: duckdb.DuckDBPyConnection, database: str, schema: str, table: str, columns: dict[str, str]
) -> str:
    """A quick checksum over these columns as they are, comparable within one version of DuckDB only."""
    names = ", ".join(quote_identifier(name) for name in sorted(columns) if name not in RUN_COLUMNS) or "0"
    count, total = connection.execute(
        f"select count(*), sum(hash({names})) "
        f"from {quote_identifier(database)}.{quote_identifier(schema)}.{quote_identifier(table)}"
    ).fetchall()[0]
    content = json.dumps([sorted(columns.items()), count, str(total), duckdb.__version__])
    return hashlib.sha256(content.encode()).hexdigest()


def file_sha256(file: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def wrong_file(file: Path, sha256: str) -> list[str]:
    """A sentence when a file is missing or its bytes are others than were written; none when it is whole."""
    if not file.is_file():
        return [f"{file} is missing"]
    return [] if file_sha256(file) == sha256 else [f"{file}: its bytes are not those that were written"]


def _cell(name: str, kind: str) -> str:
    """A cell as text, NULL as a dash; a text has its length before it, so that no two rows read the same."""
    column = quote_identifier(name)
    if kind in ("DOUBLE", "FLOAT"):
        # -0.0 + 0.0 is 0.0: the sign of zero is no result
        text = f"format('{{:.8e}}', cast({column} as double) + 0.0)"
    elif kind == "VARCHAR":
        text = f"length({column}) || ':' || {column}"
    else:
        text = f"cast({column} as varchar)"
    return f"coalesce({text}, '-')"
