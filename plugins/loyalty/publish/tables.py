"""Which tables a generation holds, and in which state each mart is.

A fault stays in its topic: a table that the build withheld, or that the audit here finds wrong, is published as it was
in the generation before (`kept`), or empty where there is none (`withheld`); all others are `fresh`. The states are
published as `quality.dq__marts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb

from loyalty.common.checksums import table_checksum, table_columns, table_fingerprint
from loyalty.common.counted import counted
from loyalty.common.errors import UserError
from loyalty.common.sql import quote_identifier, quote_text
from loyalty.publish.generations import CONTENT, Generation, published_schema

# A mart that lost more than this share of its rows since the generation before is not published by itself.
LARGEST_DROP = 0.5
FEWEST_ROWS_COMPARED = 100
FRESH, KEPT, WITHHELD = "fresh", "kept", "withheld"

# What a column of personal data is called; flags such as has_email are not personal.
PERSONAL_NAME = re.compile(
    r"^(?!has_|is_)(.*(_hash|e_?mail|phone|address|(first|last|full|sur|customer)_?name).*|row_json)$", re.IGNORECASE
)
EMAIL_VALUE = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}"

MART_STATES = {
    "mart": ("VARCHAR", "Name of the mart."),
    "state": ("VARCHAR", "fresh = of this build; kept = of an earlier generation; withheld = empty, with the reason."),
    "as_of_date": ("DATE", "As-of date of the mart's rows; empty where there are none."),
    "since_at": ("TIMESTAMP", "UTC time since when the mart is not fresh; empty where it is."),
    "reason": ("VARCHAR", "Why the mart is not fresh, and what broke."),
    "owner": ("VARCHAR", "Person or group responsible for the mart."),
}


@dataclass(frozen=True)
class Table:
    """A table to be published: where its rows come from, its documented key, and the columns that may be seen.

    `source` is the relation that the rows are copied from; None for a table that is empty for want of one.
    """

    schema: str
    name: str
    description: str
    key: tuple[str, ...]
    columns: dict[str, str]
    notes: dict[str, str]
    source: tuple[str, str, str] | None
    owner: str = ""
    state: str = FRESH
    reason: str = ""

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def note(self) -> str:
        """What the table is, and by which columns it is joined: its comment."""
        return f"{self.description.strip()} Key: {', '.join(self.key)}." if self.key else self.description.strip()

    @property
    def relation(self) -> str:
        """The relation that the rows come from, quoted."""
        return ".".join(map(quote_identifier, self.source or ()))

    @property
    def rows_sql(self) -> str:
        """A query for the rows."""
        if self.source is None:
            nothing = (f"cast(null as {kind}) as {quote_identifier(name)}" for name, kind in self.columns.items())
            return f"select {', '.join(nothing)} where false"
        return f"select {', '.join(map(quote_identifier, self.columns))} from {self.relation}"


def tables_to_publish(
    connection: duckdb.DuckDBPyConnection, before: Generation | None, accept_drop: bool, may_keep: bool
) -> list[Table]:
    """Every table of the new generation. `work` is attached, and `before_<file>` for the files of `before`.

    `may_keep` is false where the generation before must not be seen again, as when a person was forgotten. Raises
    UserError when no mart would be fresh.
    """
    docs = _documented(connection)
    reasons = _withheld_by_build(connection)
    found = [_from_work(connection, docs, schema, name) for schema, name in _built(connection)]
    tables: list[Table] = []
    for table in found:
        reason = reasons.get((table.schema, table.name)) or _fault(connection, table, before, accept_drop)
        tables.append(_instead(connection, table, before if may_keep else None, reason) if reason else table)
    there = {(table.schema, table.name) for table in found}
    for (schema, name), reason in reasons.items():
        if (schema, name) not in there and schema in {one for group in CONTENT.values() for one in group}:
            lost = replace(_documented_table(docs, schema, name), reason=reason)
            tables.append(_instead(connection, lost, before if may_keep else None, reason))
    tables = [table for table in tables if table.columns]
    marts = [table for table in tables if table.schema == "marts"]
    if not marts:
        raise UserError("The work file holds no mart: nothing was published; see `loyalty build`.")
    if not any(table.state == FRESH for table in marts):
        raise UserError(f"{marts[0].reason.rstrip('.')}: nothing was published.")
    return sorted(tables, key=lambda table: (table.schema, table.name))


def mart_states(
    tables: Iterable[Table], stamp: dict[str, Any], before: Generation | None, now: datetime
) -> dict[str, dict[str, Any]]:
    """The state of every mart; `since` goes back to the first generation in which it was not fresh."""
    known = before.manifest.get("mart_states", {}) if before else {}
    states = {}
    for table in tables:
        if table.schema != "marts":
            continue
        last = known.get(table.name, {})
        was_stale = last.get("state", FRESH) != FRESH
        as_of = {FRESH: stamp["as_of"], WITHHELD: None}.get(
            table.state, last.get("as_of") if was_stale else before and before.manifest["as_of"]
        )
        since = None if table.state == FRESH else last["since"] if was_stale else now.isoformat(timespec="seconds")
        states[table.name] = {
            "state": table.state,
            "as_of": as_of,
            "since": since,
            "reason": table.reason or None,
            "owner": table.owner or None,
        }
    return states


def states_table(connection: duckdb.DuckDBPyConnection, states: dict[str, dict[str, Any]]) -> Table:
    """The states as a table to be published."""
    columns = {name: kind for name, (kind, _) in MART_STATES.items()}
    connection.execute(
        f"create or replace table memory.main.dq__marts "
        f"({', '.join(f'{name} {kind}' for name, kind in columns.items())})"
    )
    for mart, state in states.items():
        values = [mart, *(state[key] for key in ("state", "as_of", "since", "reason", "owner"))]
        connection.execute(
            "insert into memory.main.dq__marts values (?, ?, ?, timezone('UTC', cast(? as timestamptz)), ?, ?)", values
        )
    notes = {name: note for name, (_, note) in MART_STATES.items()}
    description = "One row per mart: whether it is of the newest build, and if not, why and since when."
    return Table("quality", "dq__marts", description, ("mart",), columns, notes, ("memory", "main", "dq__marts"))


def result_checksums(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[Table], before: Generation | None
) -> dict[str, dict[str, Any]]:
    """Rows and checksum of every table that is a result; quality tables hold the run's own facts and have none."""
    found: dict[str, dict[str, Any]] = {}
    for table in tables:
        if table.state == KEPT and before is not None:
            found[table.label] = before.manifest["tables"][table.label]
            continue
        rows = connection.execute(f"select count(*) from ({table.rows_sql})").fetchall()[0][0]
        found[table.label] = {"rows": rows, "columns": table.columns, "key": list(table.key)}
        if table.schema in ("marts", "reference"):
            checksum = table_checksum(connection, *table.source) if table.source else ""
            found[table.label]["checksum"] = checksum
        if table.schema in ("core", "steps") and table.source:
            found[table.label]["fingerprint"] = table_fingerprint(connection, *table.source, table.columns)
    return found


def is_personal_name(name: str) -> bool:
    """Whether a column is called as personal data are; such columns are never published."""
    return PERSONAL_NAME.match(name) is not None


def _built(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    schemas = [schema for group in CONTENT.values() for schema in group]
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = 'work' and list_contains(?, schema_name) order by all",
        [schemas],
    ).fetchall()


def _withheld_by_build(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    rows = connection.execute("select schema_name, name, reason from work.meta.withheld").fetchall()
    return {(schema, name): reason for schema, name, reason in rows}


@dataclass(frozen=True)
class _Docs:
    """What the models' yml say, by schema and name; columns as (description, is_personal, data_type)."""

    models: dict[tuple[str, str], tuple[str, tuple[str, ...], str]]
    columns: dict[tuple[str, str], dict[str, tuple[str, bool, str]]]


def _documented(connection: duckdb.DuckDBPyConnection) -> _Docs:
    models = {
        (schema, name): (description, tuple(key), owner)
        for schema, name, description, key, owner in connection.execute(
            "select schema_name, name, description, key, owner from work.meta.models"
        ).fetchall()
    }
    columns: dict[tuple[str, str], dict[str, tuple[str, bool, str]]] = {}
    for schema, model, name, description, is_personal, data_type in connection.execute(
        "select schema_name, model, name, description, is_personal, data_type from work.meta.columns"
    ).fetchall():
        columns.setdefault((schema, model), {})[name] = (description, is_personal, data_type)
    return _Docs(models, columns)


def _from_work(connection: duckdb.DuckDBPyConnection, docs: _Docs, schema: str, name: str) -> Table:
    """A built table; personal columns are left out, but in a mart they are a fault."""
    types = table_columns(connection, "work", schema, name)
    documented = docs.columns.get((schema, name), {})
    personal = {column for column in types if is_personal_name(column) or documented.get(column, ("", False, ""))[1]}
    description, key, owner = docs.models.get((schema, name), ("", (), ""))
    table = Table(
        schema,
        name,
        description,
        key,
        {column: kind for column, kind in types.items() if column not in personal},
        {column: note for column, (note, _, _) in documented.items() if column in types},
        ("work", schema, name),
        owner,
    )
    if personal and schema == "marts":
        reason = (
            f"Mart `{name}` has the personal column `{min(personal)}`: a mart never shows personal data; "
            "take the column out of the model."
        )
        return replace(table, reason=reason)
    return table


def _documented_table(docs: _Docs, schema: str, name: str) -> Table:
    """A table that was not built, as its yml describes it."""
    documented = docs.columns.get((schema, name), {})
    description, key, owner = docs.models.get((schema, name), ("", (), ""))
    columns = {column: kind for column, (_, is_personal, kind) in documented.items() if kind and not is_personal}
    notes = {column: note for column, (note, _, _) in documented.items()}
    return Table(schema, name, description, key, columns, notes, None, owner)


def _instead(connection: duckdb.DuckDBPyConnection, table: Table, before: Generation | None, reason: str) -> Table:
    """The table as readers have it now, or empty and typed where they have none."""
    if before is not None and table.label in before.manifest["tables"]:
        database = next(_alias(file) for file, schemas in CONTENT.items() if table.schema in schemas)
        source = (database, published_schema(table.schema), table.name)
        if types := table_columns(connection, *source):
            was_empty = before.manifest.get("mart_states", {}).get(table.name, {}).get("state") == WITHHELD
            state = WITHHELD if was_empty and table.schema == "marts" else KEPT
            return replace(table, columns=types, source=source, state=state, reason=reason)
    return replace(table, source=None, state=WITHHELD, reason=reason)


def _alias(file: str) -> str:
    return f"before_{file.partition('.')[0]}"


def attach_before(connection: duckdb.DuckDBPyConnection, before: Generation) -> None:
    """Attach the files of the generation before, read-only, as `before_loyalty` and `before_core`."""
    for file in CONTENT:
        if (before.folder / file).is_file():
            connection.execute(f"attach {quote_text(before.folder / file)} as {_alias(file)} (read_only)")


def _fault(connection: duckdb.DuckDBPyConnection, table: Table, before: Generation | None, accept_drop: bool) -> str:
    """Why a built table must not be published; empty when it may."""
    if table.reason:
        return table.reason
    if table.schema == "quality":
        return ""
    drop = "" if accept_drop else _drop(connection, table, before)
    return drop or _doubled_key(connection, table) or _email(connection, table)


def _drop(connection: duckdb.DuckDBPyConnection, table: Table, before: Generation | None) -> str:
    last = before.manifest["marts"].get(table.name) if before and table.schema == "marts" else None
    if before is None or last is None or last["rows"] < FEWEST_ROWS_COMPARED:
        return ""
    rows = connection.execute(f"select count(*) from {table.relation}").fetchall()[0][0]
    if rows >= last["rows"] * LARGEST_DROP:
        return ""
    return (
        f"Mart `{table.name}` would fall from {last['rows']:,} to {counted(rows, 'row')} since generation "
        f"{before.name}; if that is right, run `loyalty publish --accept-drop`."
    )


def _doubled_key(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    if not table.key or table.schema != "marts":
        return ""
    key = ", ".join(map(quote_identifier, table.key))
    doubled = connection.execute(f"select count(*) - count(distinct ({key}, 1)) from {table.relation}").fetchall()[0][0]
    if not doubled:
        return ""
    return f"Mart `{table.name}` has {counted(doubled, 'row')} too many for its key ({', '.join(table.key)})."


def _email(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    """Every published text is looked through, whatever its column is called."""
    texts = [column for column, kind in table.columns.items() if kind == "VARCHAR"]
    if not texts:
        return ""
    looks = ", ".join(
        f"count_if(contains({text}, '@') and regexp_matches({text}, {quote_text(EMAIL_VALUE)}))"
        for text in map(quote_identifier, texts)
    )
    counts = connection.execute(f"select {looks} from {table.relation}").fetchall()[0]
    for column, count in zip(texts, counts, strict=True):
        if count:
            kind = "Mart" if table.schema == "marts" else "Table"
            remedy = "take the column out of the model, or map it as a personal column of the feed"
            if column.endswith("customer_id"):
                remedy = f"write `{column}: {{from: ..., hash: true}}` in all feeds of its source, and load again"
            return f"{kind} `{table.name}` holds a text that looks like an e-mail address in `{column}`; {remedy}."
    return ""
