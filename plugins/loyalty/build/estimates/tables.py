"""Reading statistics from the work file and writing parameters into its schema `estimates`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

SCHEMA = "estimates"

# Columns of a parameter table and their types.
Columns = Mapping[str, str]

FITS: Columns = {
    "model": "varchar",
    "scope": "varchar",
    "status": "varchar",
    "reason": "varchar",
    "base_count": "bigint",
    "effective_count": "double",
    "log_likelihood": "double",
    "loss": "double",
    "iterations": "bigint",
    "is_converged": "boolean",
    "as_of": "date",
}

PARAMETERS: Columns = {
    "model": "varchar",
    "scope": "varchar",
    "parameter": "varchar",
    "value": "double",
    "standard_error": "double",
    "as_of": "date",
}

CHECKS: Columns = {
    "model": "varchar",
    "scope": "varchar",
    "check_name": "varchar",
    "part": "varchar",
    "rule": "varchar",
    "base_count": "bigint",
    "observed": "double",
    "expected": "double",
    "low": "double",
    "high": "double",
    "as_of": "date",
}


def read_statistics(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of a table of statistics (`schema.name`), in one order; none where it has not been built."""
    schema, name = table.split(".")
    known = connection.execute(
        "select 1 from information_schema.tables where table_schema = ? and table_name = ?", [schema, name]
    ).fetchone()
    if known is None:
        return []
    return connection.execute(f"select {', '.join(columns)} from {table} order by all").fetchall()


def create_missing(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Columns]) -> None:
    """Create every missing parameter table, typed and empty."""
    connection.execute(f"create schema if not exists {SCHEMA}")
    for name, columns in tables.items():
        connection.execute(f"create table if not exists {SCHEMA}.{name} ({_declared(columns)})")


def replace_table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Columns, rows: Iterable[Sequence[Any]]
) -> None:
    """Replace a parameter table with these rows: running a fit twice leaves one result."""
    connection.execute(f"create or replace table {SCHEMA}.{name} ({_declared(columns)})")
    batch = list(rows)
    if batch:
        by_column = [pa.array(values) for values in zip(*batch, strict=True)]
        connection.register("new_rows", pa.table(by_column, names=list(columns)))
        connection.execute(f"insert into {SCHEMA}.{name} select * from new_rows")
        connection.unregister("new_rows")


def _declared(columns: Columns) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())
