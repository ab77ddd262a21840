"""Staging a generation: the marts are copied, exported, read back and compared, and described in a manifest.

All of it happens in `serve/.staging-<build>/`, which readers never see.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from loyalty.common.checksums import file_sha256, table_checksum, table_columns, table_fingerprint
from loyalty.common.disk import sync
from loyalty.common.errors import UserError
from loyalty.common.failpoints import failpoint
from loyalty.common.progress import Progress, Steps
from loyalty.common.sql import quote_identifier, quote_text
from loyalty.common.workspace import Workspace
from loyalty.publish.generations import CONTENT, MANIFEST, MARTS_FILE, published_schema

MANIFEST_VERSION = 1

# Read by every client from DuckDB 1.2 on, also by those older than the one that writes.
STORAGE_VERSION = "v1.2.0"

# What a column of personal data is called; flags such as has_email are not personal.
PERSONAL_NAME = re.compile(
    r"^(?!has_|is_)(.*(_hash|e_?mail|phone|address|(first|last|full|sur|customer)_?name).*|row_json)$", re.IGNORECASE
)
EMAIL_VALUE = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}"


@dataclass(frozen=True)
class Table:
    """A table to be published, with its documented key and the columns that may be seen."""

    schema: str
    name: str
    description: str
    key: tuple[str, ...]
    columns: dict[str, str]
    notes: dict[str, str]

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}"


def tables_to_publish(connection: duckdb.DuckDBPyConnection) -> list[Table]:
    """All tables to be published. A mart with a personal column is an error; other tables are published without it."""
    schemas = tuple(schema for group in CONTENT.values() for schema in group)
    found = connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = 'work' and list_contains(?, schema_name) order by all",
        [list(schemas)],
    ).fetchall()
    models = {
        (schema, name): (description, tuple(key))
        for schema, name, description, key in connection.execute("select * from work.meta.models").fetchall()
    }
    columns = {
        (schema, model, name): (description, is_personal)
        for schema, model, name, description, is_personal in connection.execute(
            "select * from work.meta.columns"
        ).fetchall()
    }
    tables = []
    for schema, name in found:
        types = table_columns(connection, "work", schema, name)
        personal = {
            column
            for column in types
            if is_personal_name(column) or columns.get((schema, name, column), ("", False))[1]
        }
        if personal and schema == "marts":
            raise UserError(
                f"Mart `{name}` has the personal column `{min(personal)}`: a mart never shows personal data; "
                "take the column out of the model."
            )
        description, key = models.get((schema, name), ("", ()))
        tables.append(
            Table(
                schema,
                name,
                description,
                key,
                {column: kind for column, kind in types.items() if column not in personal},
                {column: columns[schema, name, column][0] for column in types if (schema, name, column) in columns},
            )
        )
    if not any(table.schema == "marts" for table in tables):
        raise UserError("The work file holds no mart: nothing was published; see `loyalty build`.")
    return tables


def is_personal_name(name: str) -> bool:
    """Whether a column is called as personal data are; such columns are never published."""
    return PERSONAL_NAME.match(name) is not None


def result_checksums(connection: duckdb.DuckDBPyConnection, tables: list[Table]) -> dict[str, dict[str, Any]]:
    """Rows and checksum of every table that is a result; quality tables hold the run's own facts and have none."""
    found: dict[str, dict[str, Any]] = {}
    for table in tables:
        name = f"work.{quote_identifier(table.schema)}.{quote_identifier(table.name)}"
        rows = connection.execute(f"select count(*) from {name}").fetchall()[0][0]
        found[table.label] = {"rows": rows, "columns": table.columns, "key": list(table.key)}
        if table.schema in ("marts", "reference"):
            found[table.label]["checksum"] = table_checksum(connection, "work", table.schema, table.name)
        if table.schema in ("core", "steps"):
            found[table.label]["fingerprint"] = table_fingerprint(
                connection, "work", table.schema, table.name, table.columns
            )
    return found


def stage(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    staging: Path,
    stamp: dict[str, Any],
    tables: list[Table],
    checksums: dict[str, dict[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """Write, read back and describe the new generation; every byte of it is on disk when this returns."""
    serve, progress = workspace.settings.serve, workspace.progress
    _make_readable_folder(serve)
    _make_readable_folder(serve / "generations")
    _make_readable_folder(staging)
    _make_readable_folder(staging / "parquet")
    failpoint("publish.staging_made")
    with progress.steps("  copy tables", len(tables)) as steps:
        for name, schemas in CONTENT.items():
            _copy(connection, staging / name, [table for table in tables if table.schema in schemas], steps)
    failpoint("publish.copied")
    _export(connection, staging, tables)
    failpoint("publish.exported")
    _audit(connection, staging, tables, checksums, progress)
    failpoint("publish.audited")
    manifest = _manifest(connection, staging, stamp, checksums, now)
    content = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
    (staging / MANIFEST).write_text(content, encoding="utf-8")
    failpoint("publish.manifest_written")
    for path in [*staging.rglob("*"), staging]:
        if path.is_file():
            path.chmod(0o444)
        sync(path)
    failpoint("publish.synced")
    return manifest


def _make_readable_folder(folder: Path) -> None:
    """Readers are other users: what is served is open to them whatever the umask is."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def _copy(connection: duckdb.DuckDBPyConnection, file: Path, tables: list[Table], steps: Steps) -> None:
    """Copy tables into a fresh file, closed without a write-ahead log, so that any client may open it read-only."""
    connection.execute(f"attach {quote_text(file)} as staged (storage_version {quote_text(STORAGE_VERSION)})")
    for schema in sorted({published_schema(table.schema) for table in tables}):
        connection.execute(f"create schema if not exists staged.{quote_identifier(schema)}")
    for table in tables:
        built = f"work.{quote_identifier(table.schema)}.{quote_identifier(table.name)}"
        name = f"{quote_identifier(published_schema(table.schema))}.{quote_identifier(table.name)}"
        columns = ", ".join(quote_identifier(column) for column in table.columns)
        order = ", ".join(quote_identifier(column) for column in table.key)
        sorted_by = f"order by {order}" if order and table.schema == "marts" else ""
        connection.execute(f"create table staged.{name} as select {columns} from {built} {sorted_by}")
        if table.description:
            connection.execute(f"comment on table staged.{name} is {quote_text(table.description)}")
        for column in table.columns:
            if note := table.notes.get(column):
                connection.execute(f"comment on column staged.{name}.{quote_identifier(column)} is {quote_text(note)}")
        steps.next(table.label)
    connection.execute("checkpoint staged")
    connection.execute("detach staged")
    if Path(f"{file}.wal").exists():
        raise UserError(f"{file}.wal was left beside the staged file: nothing was published; report this.")


def _export(connection: duckdb.DuckDBPyConnection, staging: Path, tables: list[Table]) -> None:
    """One Parquet file per mart, for readers without DuckDB."""
    connection.execute(f"attach {quote_text(staging / MARTS_FILE)} as staged (read_only)")
    for table in tables:
        if table.schema == "marts":
            target = staging / "parquet" / f"{table.name}.parquet"
            connection.execute(
                f"copy staged.marts.{quote_identifier(table.name)} to {quote_text(target)} "
                "(format parquet, compression zstd)"
            )
    connection.execute("detach staged")


def _audit(
    connection: duckdb.DuckDBPyConnection,
    staging: Path,
    tables: list[Table],
    checksums: dict[str, dict[str, Any]],
    progress: Progress,
) -> None:
    """Read the staged files back and compare them, table by table, with the work file."""
    with progress.steps("  compare tables", len(tables)) as steps:
        for name, schemas in CONTENT.items():
            connection.execute(f"attach {quote_text(staging / name)} as staged (read_only)")
            for table in tables:
                if table.schema in schemas:
                    _audit_table(connection, table, checksums[table.label])
                    steps.next(table.label)
            connection.execute("detach staged")


def _audit_table(connection: duckdb.DuckDBPyConnection, table: Table, expected: dict[str, Any]) -> None:
    schema = published_schema(table.schema)
    staged = f"staged.{quote_identifier(schema)}.{quote_identifier(table.name)}"
    columns = table_columns(connection, "staged", schema, table.name)
    rows = connection.execute(f"select count(*) from {staged}").fetchall()[0][0]
    copied = table_fingerprint(connection, "staged", schema, table.name, table.columns)
    built = expected.get("fingerprint") or table_fingerprint(
        connection, "work", table.schema, table.name, table.columns
    )
    if columns != table.columns or rows != expected["rows"] or built != copied:
        raise UserError(
            f"The copy of `{table.label}` differs from the work file: nothing was published; check the disk "
            "and run `loyalty publish` again."
        )
    if table.schema == "marts":
        _audit_mart(connection, table, staged, rows)


def _audit_mart(connection: duckdb.DuckDBPyConnection, table: Table, staged: str, rows: int) -> None:
    if table.key:
        key = ", ".join(quote_identifier(column) for column in table.key)
        distinct = connection.execute(f"select count(*) from (select distinct {key} from {staged})").fetchall()[0][0]
        if distinct != rows:
            raise UserError(
                f"Mart `{table.name}` has {rows - distinct:,} rows too many for its key ({', '.join(table.key)}): "
                "nothing was published."
            )
    texts = [quote_identifier(column) for column, kind in table.columns.items() if kind == "VARCHAR"]
    if texts:
        looks = " or ".join(f"regexp_matches({text}, {quote_text(EMAIL_VALUE)})" for text in texts)
        if connection.execute(f"select count(*) from {staged} where {looks}").fetchall()[0][0]:
            raise UserError(
                f"Mart `{table.name}` holds a text that looks like an e-mail address: nothing was published; "
                "take the column out of the model, or map it as a personal column of the feed."
            )


def _manifest(
    connection: duckdb.DuckDBPyConnection,
    staging: Path,
    stamp: dict[str, Any],
    checksums: dict[str, dict[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    feeds = connection.execute(
        """
        select feed_name, feed, count(*), sum(row_count), sum(quarantined_count), max(received_at), max(export_date)
        from work.raw.loads
        group by feed_name, feed
        order by feed_name
        """
    ).fetchall()
    names = ("feed", "loads", "rows", "quarantined", "newest_received_at", "newest_export_date")
    marts = {
        label.removeprefix("marts."): {"rows": table["rows"], "checksum": table["checksum"]}
        for label, table in checksums.items()
        if label.startswith("marts.")
    }
    files = [path for path in sorted(staging.rglob("*")) if path.is_file()]
    return {
        "manifest_version": MANIFEST_VERSION,
        **stamp,
        "published_at": now.isoformat(),
        "duckdb_version": duckdb.__version__,
        "storage_version": STORAGE_VERSION,
        "marts": marts,
        "tables": checksums,
        "feeds": {row[0]: {key: _plain(value) for key, value in zip(names, row[1:], strict=True)} for row in feeds},
        "files": {
            path.relative_to(staging).as_posix(): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
            for path in files
        },
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
