"""All that a workspace says, however it is packed: bytes, cells of Parquet files, tables of DuckDB files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from loyalty.common.settings import Settings
from loyalty.common.sql import quote_identifier


def files_containing(settings: Settings, word: str) -> list[Path]:
    """The files of the data, without the exports themselves, that hold a word."""
    exports = settings.home / "exports"
    files = [file for file in sorted(settings.home.rglob("*")) if file.is_file() and exports not in file.parents]
    return [file for file in files if any(word.encode() in content for content in _contents(file))]


def _contents(file: Path) -> Iterator[bytes]:
    yield file.read_bytes()
    if file.suffix == ".parquet":
        yield str(pq.read_table(file, partitioning=None).to_pylist()).encode()
    if file.suffix == ".duckdb":
        yield from _tables(file)


def _tables(file: Path) -> Iterator[bytes]:
    with duckdb.connect(str(file), read_only=True) as connection:
        found = connection.execute("select schema_name, table_name from duckdb_tables() where not internal").fetchall()
        for schema, name in found:
            table = f"{quote_identifier(schema)}.{quote_identifier(name)}"
            yield str(connection.execute(f"select * from {table}").fetchall()).encode()
