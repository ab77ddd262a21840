"""What a published table and its columns mean, from the comments that BI tools show."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import duckdb

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.publish.generations import CONTENT, require_current


@dataclass(frozen=True)
class Described:
    """A published table: its name with schema, its comment, and (name, type, comment) of its columns in order."""

    name: str
    comment: str
    columns: list[tuple[str, str, str]]


def describe(settings: Settings, name: str) -> Described:
    """A table of the current generation, by its name with or without schema.

    Raises UserError where there is no such table, with the nearest names.
    """
    folder = require_current(settings).folder
    known: list[str] = []
    for file in CONTENT:
        with duckdb.connect(str(folder / file), read_only=True) as connection:
            tables = connection.execute(
                "select schema_name, table_name, coalesce(comment, '') from duckdb_tables() where not internal"
            ).fetchall()
            known += [table for _, table, _ in tables]
            for schema, table, comment in tables:
                if name in {table, f"{schema}.{table}"}:
                    columns = connection.execute(
                        "select column_name, lower(data_type), coalesce(comment, '') from duckdb_columns() "
                        "where schema_name = ? and table_name = ? order by column_index",
                        [schema, table],
                    ).fetchall()
                    return Described(f"{schema}.{table}", comment, columns)
    near = get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else 'list them with `loyalty query "show all tables"`.'
    raise UserError(f"No published table is called {name}: {hint}")
