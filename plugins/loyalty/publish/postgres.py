"""The current generation in PostgreSQL, for BI tools that read no DuckDB file.

    loyalty            the schema that readers ask: marts, quality and reference tables of one generation
    loyalty_000057     the generation shown before it, so that queries that are running can end

A generation is copied, described and checked in one transaction; in a second one the shown schema is renamed away and
the new one gets its name. Killed anywhere, readers see the generation before, and the next call ends the work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from loyalty.common.counted import counted
from loyalty.common.errors import UserError, first_line
from loyalty.common.progress import Progress
from loyalty.common.settings import Settings
from loyalty.common.sql import quote_identifier, quote_text
from loyalty.common.workspace import Workspace
from loyalty.publish.generations import Generation, current_generation

SCHEMA = "loyalty"
READERS = "loyalty_readers"

# PostgreSQL's types of DuckDB's; decimals keep their digits, and a type that is not here is written as text.
TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "INTEGER": "integer",
    "TIMESTAMP": "timestamp",
    "VARCHAR": "text",
}
# In CSV no quoted text can be taken for it.
NULL = r"\N"
# One number for all who publish into a database: only one of them does so at a time.
ADVISORY_LOCK = 7_064_129
SHORTEST_WAIT, LONGEST_WAIT = "1s", "10s"


def show_current(workspace: Workspace, only: bool = False) -> None:
    """Let the schema `loyalty` of PostgreSQL show the current generation; nothing without the setting `postgres_url`.

    One older generation stays, under its own name; with `only` none does, as erasing a person needs it. Raises
    UserError when the server cannot be reached or forbids it: its readers then still see what they saw.
    """
    settings = workspace.settings
    current = current_generation(settings)
    if settings.postgres_url is None or current is None:
        return
    with _connected(settings) as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [ADVISORY_LOCK])
        shown = _mark(cursor, SCHEMA)
        before = f"{SCHEMA}_{_number(shown)}" if shown is not None else None
        if shown != _mark_of(current):
            place = f"{SCHEMA}_{current.name}"
            if _mark(cursor, place) != _mark_of(current):
                _copy(cursor, settings, current, place, workspace.progress)
            _swap(cursor, place, before)
            workspace.progress.log(f"PostgreSQL shows generation {current.name} in the schema {SCHEMA}")
        _drop_old(cursor, None if only else before, must=only, progress=workspace.progress)


@contextmanager
def _connected(settings: Settings) -> Iterator[Any]:
    """A cursor that commits each statement, or each block of `_transaction`; every fault of the server as UserError."""
    try:
        import psycopg2  # an extra: needed only to publish to PostgreSQL
    except ImportError:
        raise UserError(
            "postgres_url is set, but psycopg2 is not installed: `pip install 'loyalty-warehouse[postgres]'`."
        ) from None
    try:
        connection = psycopg2.connect(settings.postgres_url, connect_timeout=10, application_name="loyalty publish")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise UserError(
            f"PostgreSQL does not show the current generation ({first_line(error)}): its readers still see the one "
            "before. Correct postgres_url, or the rights of its user, and run `loyalty publish`."
        ) from None


@contextmanager
def _transaction(cursor: Any) -> Iterator[None]:
    cursor.execute("begin")
    try:
        yield
    except BaseException:
        cursor.execute("rollback")
        raise
    cursor.execute("commit")


def _mark_of(generation: Generation) -> str:
    """What the comment of a schema says of the generation in it."""
    manifest = generation.manifest
    return f"Loyalty warehouse, generation {generation.name}, build {manifest['build_id']}, as of {manifest['as_of']}"


def _number(mark: str) -> str:
    found = re.match(r"Loyalty warehouse, generation (\d+), ", mark)
    if found is None:
        raise UserError(
            f"The schema {SCHEMA} of this database was not made by the warehouse and is left alone: rename it, or "
            "give postgres_url a database of its own."
        )
    return found[1]


def _mark(cursor: Any, schema: str) -> str | None:
    """The comment of a schema; None when there is no such schema."""
    cursor.execute(
        "select coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace where nspname = %s", [schema]
    )
    found = cursor.fetchone()
    return found[0] if found else None


def _copy(cursor: Any, settings: Settings, generation: Generation, place: str, progress: Progress) -> None:
    """Make a schema with all tables of a generation, their keys and descriptions, readable by the readers' role."""
    tables = _tables(generation)
    _ensure_readers(cursor)
    with (
        duckdb.connect(str(generation.marts_file), read_only=True) as marts,
        TemporaryDirectory(dir=settings.home / "work") as folder,
        progress.steps("  copy to PostgreSQL", len(tables)) as steps,
        _transaction(cursor),
    ):
        cursor.execute(f"drop schema if exists {place} cascade")  # of a build that was never shown
        cursor.execute(f"create schema {place}")
        for (schema, name), table in tables.items():
            _copy_table(cursor, marts, schema, name, table, place, Path(folder) / "rows.csv")
            steps.next(name)
        cursor.execute(f"grant usage on schema {place} to {READERS}")
        cursor.execute(f"grant select on all tables in schema {place} to {READERS}")
        cursor.execute(f"comment on schema {place} is {quote_text(_mark_of(generation))}")


def _tables(generation: Generation) -> dict[tuple[str, str], dict[str, Any]]:
    """What the manifest says of the tables in the file of the marts, by schema and name."""
    found = {tuple(label.split(".", 1)): table for label, table in generation.manifest["tables"].items()}
    return {
        (schema, name): table for (schema, name), table in found.items() if schema in ("marts", "quality", "reference")
    }


def _ensure_readers(cursor: Any) -> None:
    """The role that may read, which logins are made members of."""
    cursor.execute("select 1 from pg_roles where rolname = %s", [READERS])
    if cursor.fetchone() is None:
        cursor.execute(f"create role {READERS}")


def _copy_table(
    cursor: Any,
    marts: duckdb.DuckDBPyConnection,
    schema: str,
    name: str,
    table: dict[str, Any],
    place: str,
    file: Path,
) -> None:
    relation = f"{quote_identifier(schema)}.{quote_identifier(name)}"
    target = f"{place}.{quote_identifier(name)}"
    described = marts.execute(f"describe {relation}").fetchall()
    columns = [f"{quote_identifier(column)} {_type(kind)}" for column, kind, *_ in described]
    cursor.execute(f"create table {target} ({', '.join(columns)})")
    marts.execute(f"copy {relation} to {quote_text(file)} (format csv, header false, nullstr {quote_text(NULL)})")
    with file.open("rb") as rows:
        cursor.copy_expert(f"copy {target} from stdin (format csv, null {quote_text(NULL)})", rows)
    if cursor.rowcount != table["rows"]:
        raise UserError(
            f"PostgreSQL took {counted(cursor.rowcount, 'row')} of {name} instead of {table['rows']}: its readers "
            "still see the generation before; run `loyalty publish`."
        )
    if table["key"]:
        cursor.execute(f"alter table {target} add {_key(marts, relation, table['key'])}")
    for (comment,) in marts.execute(
        "select comment from duckdb_tables() where schema_name = ? and table_name = ?", [schema, name]
    ).fetchall():
        cursor.execute(f"comment on table {target} is %s", [comment])
    for column, comment in marts.execute(
        "select column_name, comment from duckdb_columns() where schema_name = ? and table_name = ?", [schema, name]
    ).fetchall():
        cursor.execute(f"comment on column {target}.{quote_identifier(column)} is %s", [comment])
    cursor.execute(f"analyze {target}")


def _type(kind: str) -> str:
    return kind.lower().replace("decimal", "numeric") if kind.startswith("DECIMAL") else TYPES.get(kind, "text")


def _key(marts: duckdb.DuckDBPyConnection, relation: str, key: list[str]) -> str:
    """The constraint that BI tools join by: a primary key, or a unique one where a part of the key may be empty."""
    columns = [quote_identifier(column) for column in key]
    empty = " or ".join(f"{column} is null" for column in columns)
    has_empty = marts.execute(f"select count(*) > 0 from {relation} where {empty}").fetchall()[0][0]
    return f"{'unique' if has_empty else 'primary key'} ({', '.join(columns)})"


def _swap(cursor: Any, place: str, before: str | None) -> None:
    """Give the shown name to another schema; a query that is running goes on with the tables it began with."""
    with _transaction(cursor):
        if before is not None:
            cursor.execute(f"alter schema {SCHEMA} rename to {before}")
        cursor.execute(f"alter schema {place} rename to {SCHEMA}")


def _drop_old(cursor: Any, keep: str | None, must: bool, progress: Progress) -> None:
    """Drop the generations that were shown earlier; one that is being read stays until next time, unless it must go."""
    import psycopg2

    cursor.execute(f"set lock_timeout = '{LONGEST_WAIT if must else SHORTEST_WAIT}'")
    cursor.execute("select nspname from pg_namespace where nspname ~ %s order by 1", [rf"^{SCHEMA}_\d{{6}}$"])
    for (schema,) in cursor.fetchall():
        if schema == keep:
            continue
        try:
            cursor.execute(f"drop schema {schema} cascade")
        except psycopg2.errors.LockNotAvailable:
            if must:
                raise UserError(
                    f"The schema {schema} in PostgreSQL is being read and could not be dropped: end these queries and "
                    "run the command again."
                ) from None
            progress.log(f"the schema {schema} in PostgreSQL is still read: the next run drops it")
