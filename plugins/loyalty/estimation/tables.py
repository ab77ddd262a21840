"""The parameter tables of the schema `estimates`, typed once, here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

SCHEMA = "estimates"

# Every table dbt reads as a source; empty until something is fitted.
TABLES: dict[str, dict[str, str]] = {
    "fits": {
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
    },
    "survey_weights": {
        "source": "varchar",
        "survey_id": "varchar",
        "wave": "varchar",
        "age_band": "varchar",
        "tenure_band": "varchar",
        "spend_tercile": "varchar",
        "weight": "decimal(18,8)",
        "as_of": "date",
    },
    "wallet_coefficients": {
        "source": "varchar",
        "category": "varchar",
        "period_grain": "varchar",
        "period_start_date": "date",
        "attribute": "varchar",
        "level": "varchar",
        "coefficient": "double",
        "as_of": "date",
    },
}


def ensure_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every missing parameter table, typed and empty, so that `dbt build` works before any fit."""
    connection.execute(f"create schema if not exists {SCHEMA}")
    for name, columns in TABLES.items():
        connection.execute(f"create table if not exists {SCHEMA}.{name} ({_declared(columns)})")


def replace_table(connection: duckdb.DuckDBPyConnection, name: str, rows: Iterable[Sequence[Any]]) -> None:
    """Make a parameter table anew with these rows: running a fit twice leaves one result."""
    columns = TABLES[name]
    connection.execute(f"create or replace table {SCHEMA}.{name} ({_declared(columns)})")
    batch = [list(row) for row in rows]
    if batch:
        places = ", ".join("?" * len(columns))
        connection.executemany(f"insert into {SCHEMA}.{name} values ({places})", batch)


def _declared(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())
