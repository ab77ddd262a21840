"""Staging a generation: the marts are copied, exported, read back and compared, and described in a manifest.

All of it happens in `serve/.staging-<build>/`, which readers never see.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from loyalty.common.checksums import file_sha256, table_columns, table_fingerprint
from loyalty.common.disk import sync
from loyalty.common.errors import UserError, first_line
from loyalty.common.failpoints import failpoint
from loyalty.common.progress import Progress, Steps
from loyalty.common.settings import Settings
from loyalty.common.sql import quote_identifier, quote_text
from loyalty.common.workspace import Workspace
from loyalty.publish.generations import CONTENT, MANIFEST, MARTS_FILE, Generation, published_schema
from loyalty.publish.tables import Table

MANIFEST_VERSION = 1

# Read by every client from DuckDB 1.2 on, also by those older than the one that writes.
STORAGE_VERSION = "v1.2.0"

# Writes what people look at into a staged folder: settings, folder, manifest, name and the generation before.
AddPages = Callable[[Settings, Path, dict[str, Any], str, Generation | None], Any]


def stage(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    staging: Path,
    stamp: dict[str, Any],
    tables: list[Table],
    checksums: dict[str, dict[str, Any]],
    states: dict[str, dict[str, Any]],
    now: datetime,
    pages: Callable[[dict[str, Any]], Any],
) -> dict[str, Any]:
    """Write, read back and describe the new generation; every byte of it is on disk when this returns.

    `pages` gets the manifest and writes what people look at; without it the marts are published all the same.
    """
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
    try:
        pages({**stamp, "published_at": now.isoformat(), "mart_states": states})
    except Exception as error:
        progress.log(f"the report could not be made ({first_line(error)}): the marts are published without it")
    manifest = _manifest(connection, staging, stamp, checksums, states, now)
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
        name = f"{quote_identifier(published_schema(table.schema))}.{quote_identifier(table.name)}"
        order = ", ".join(quote_identifier(column) for column in table.key if column in table.columns)
        sorted_by = f"order by {order}" if order and table.schema == "marts" else ""
        connection.execute(f"create table staged.{name} as {table.rows_sql} {sorted_by}")
        steps.next(table.label)
    _describe(connection, tables)
    connection.execute("checkpoint staged")
    connection.execute("detach staged")
    if Path(f"{file}.wal").exists():
        raise UserError(f"{file}.wal was left beside the staged file: nothing was published; report this.")


def _describe(connection: duckdb.DuckDBPyConnection, tables: list[Table]) -> None:
    """Write the descriptions beside the tables, thousands of statements in one transaction."""
    connection.execute("begin")
    for table in tables:
        name = f"staged.{quote_identifier(published_schema(table.schema))}.{quote_identifier(table.name)}"
        if table.note:
            connection.execute(f"comment on table {name} is {quote_text(table.note)}")
        for column in table.columns:
            if note := table.notes.get(column):
                connection.execute(f"comment on column {name}.{quote_identifier(column)} is {quote_text(note)}")
    connection.execute("commit")


def _export(connection: duckdb.DuckDBPyConnection, staging: Path, tables: list[Table]) -> None:
    """One Parquet file per mart, for readers without DuckDB; its metadata say what table and columns mean."""
    connection.execute(f"attach {quote_text(staging / MARTS_FILE)} as staged (read_only)")
    for table in tables:
        if table.schema == "marts":
            target = staging / "parquet" / f"{table.name}.parquet"
            notes = json.dumps(table.notes, ensure_ascii=False)
            metadata = f"description: {quote_text(table.note)}, columns: {quote_text(notes)}"
            connection.execute(
                f"copy staged.marts.{quote_identifier(table.name)} to {quote_text(target)} "
                f"(format parquet, compression zstd, kv_metadata {{{metadata}}})"
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
    columns = table_columns(connection, "staged", schema, table.name)
    staged = f"staged.{quote_identifier(schema)}.{quote_identifier(table.name)}"
    rows = connection.execute(f"select count(*) from {staged}").fetchall()[0][0]
    is_equal = list(columns) == list(table.columns) and rows == expected["rows"]
    if is_equal and table.source is not None:
        copied = table_fingerprint(connection, "staged", schema, table.name, table.columns)
        built = expected.get("fingerprint") or table_fingerprint(connection, *table.source, table.columns)
        is_equal = columns == table.columns and copied == built
    if not is_equal:
        raise UserError(
            f"The copy of `{table.label}` differs from the work file: nothing was published; check the disk "
            "and run `loyalty publish` again."
        )


def _manifest(
    connection: duckdb.DuckDBPyConnection,
    staging: Path,
    stamp: dict[str, Any],
    checksums: dict[str, dict[str, Any]],
    states: dict[str, dict[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    feeds = connection.execute(
        """
        with open_rows as (
            select feed_name, feed, count(*) as open_count
            from work.raw.quarantined_rows
            where status = 'open'
            group by feed_name, feed
        )
        select
            feed_name, feed, count(*), sum(row_count), coalesce(max(open_count), 0), max(received_at),
            max(export_date)
        from work.raw.loads
        left join open_rows using (feed_name, feed)
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
        "mart_states": states,
        "tables": checksums,
        "feeds": {row[0]: {key: _plain(value) for key, value in zip(names, row[1:], strict=True)} for row in feeds},
        "files": {
            path.relative_to(staging).as_posix(): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
            for path in files
        },
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
