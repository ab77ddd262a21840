"""Publishing: what readers see is one whole, checked generation, and then the next one.

    serve/.staging-<run>/            being written, never seen by readers
    serve/generations/000058/        loyalty.duckdb, core.duckdb, manifest.json, parquet/; never changed again
    serve/current -> generations/000058

The marts are copied into fresh files, read back and compared with the work file, described in a manifest,
synced, renamed into `generations/`, and only then the link is swapped, in one step. Killed anywhere, the
current generation is untouched and the next publish clears up and ends where an undisturbed one would.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from loyalty import warehouse
from loyalty.checksums import table_checksum, table_columns, table_fingerprint
from loyalty.errors import UserError
from loyalty.failpoints import hit
from loyalty.ledger import Ledger
from loyalty.lock import file_lock
from loyalty.runs import recorded_run
from loyalty.settings import Settings
from loyalty.sql import quote_identifier, quote_text
from loyalty.transform import Say, first_line

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
MARTS_FILE = "loyalty.duckdb"
CORE_FILE = "core.duckdb"
CONTENT = {MARTS_FILE: ("marts", "quality", "reference"), CORE_FILE: ("core",)}

# DuckDB names a file's catalog after the file: in core.duckdb a schema `core` would make every name ambiguous.
PUBLISHED_SCHEMA = {"core": "main"}

# Read by every client from DuckDB 1.2 on, also by those older than the one that writes.
STORAGE_VERSION = "v1.2.0"

FEWEST_GENERATIONS = 3
YOUNGEST_PRUNED = timedelta(hours=1)

# A mart that lost more than this share of its rows since the generation before is not published by itself.
LARGEST_DROP = 0.5
FEWEST_ROWS_COMPARED = 100

# What a column of personal data is called; flags such as has_email say nothing of the person.
PERSONAL_NAME = re.compile(
    r"^(?!has_|is_)(.*(_hash|e_?mail|phone|address|(first|last|full|sur|customer)_?name).*|row_json)$", re.IGNORECASE
)
EMAIL_VALUE = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}"


@dataclass(frozen=True)
class Generation:
    """A published generation: its number, its folder and what its manifest says."""

    number: int
    folder: Path
    manifest: dict[str, Any]
    is_current: bool = False

    @property
    def name(self) -> str:
        """The folder's name: the number with leading zeros."""
        return self.folder.name

    @property
    def marts_file(self) -> Path:
        """The file that BI tools read."""
        return self.folder / MARTS_FILE

    @property
    def core_file(self) -> Path:
        """The file that analysts build on; it holds no personal data."""
        return self.folder / CORE_FILE

    @property
    def mart_rows(self) -> dict[str, int]:
        """Rows of each mart."""
        return {name: table["rows"] for name, table in self.manifest["marts"].items()}


@dataclass(frozen=True)
class _Table:
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


def publish(
    settings: Settings,
    build_id: str | None = None,
    say: Say = print,
    *,
    now: datetime | None = None,
    accept_drop: bool = False,
    urgent: bool = False,
) -> Generation | None:
    """Publish the work file as a new generation; None when readers see the same marts already.

    `accept_drop` lets a mart lose most of its rows; `urgent`, for erasing a person, waits for no resume and
    no fresh orders.

    Raises UserError when another build has taken the work file since, publishing is held by a rollback,
    the newest orders are too old, or the audit finds anything. The current generation is then untouched.
    """
    now = now or datetime.now(UTC)
    ledger = Ledger(settings.ledger)
    with recorded_run(settings, "publish") as run, warehouse.lock(settings, f"publish {build_id or ''}".strip()):
        if not urgent:
            _refuse_when_held(ledger)
            _refuse_when_stale(settings, ledger, now)
        _clear_up(settings, ledger)
        with _work(settings) as connection:
            stamp = _stamp(settings, connection, build_id)
            tables = _tables(connection)
            checksums = _checksums(connection, tables)
            run.found["build_id"] = stamp["build_id"]
            before = current_generation(settings)
            if before and _is_same(before, stamp, checksums):
                _record(ledger, before, stamp["build_id"], "unchanged")
                run.found |= {"outcome": "unchanged", "generation": before.number}
                say(f"published nothing: generation {before.name} holds the same marts already")
                return None
            _refuse_drops(before, checksums, accept_drop)
            staging = settings.serve / f".staging-{stamp['build_id']}"
            try:
                manifest = _stage(connection, settings, staging, stamp, tables, checksums, now)
            except (OSError, duckdb.Error) as error:
                shutil.rmtree(staging, ignore_errors=True)
                raise UserError(
                    f"Publishing stopped while it wrote {staging} ({first_line(error)}): the current generation is "
                    "untouched; make room if the disk is full and run `loyalty publish`."
                ) from None
            except UserError:
                shutil.rmtree(staging, ignore_errors=True)
                raise
        generation = _put_in_place(settings, ledger, staging, manifest, urgent)
        run.found["generation"] = generation.number
    say(f"published generation {generation.name}: {settings.serve / 'current' / MARTS_FILE}")
    prune(settings, now=now)
    hit("publish.pruned")
    return generation


def current_generation(settings: Settings) -> Generation | None:
    """The generation that readers see."""
    link = settings.serve / "current"
    if not link.is_symlink():
        return None
    folder = settings.serve / link.readlink()
    return _read(folder, is_current=True)


def generations(settings: Settings) -> list[Generation]:
    """All whole generations, oldest first."""
    current = current_generation(settings)
    found = [_read(folder) for folder in _generation_folders(settings)]
    return [
        Generation(
            one.number, one.folder, one.manifest, is_current=current is not None and one.number == current.number
        )
        for one in found
        if one is not None
    ]


def rollback(settings: Settings, number: int | None = None, say: Say = print) -> Generation:
    """Point `current` at an older generation and hold publishing until `resume`.

    Without a number: the newest one before the current. Readers that are connected keep what they have open.
    """
    with _serve_lock(settings, "rollback"):
        current = current_generation(settings)
        if current is None:
            raise UserError(f"Nothing has been published yet in {settings.serve}, so there is nothing to roll back.")
        known = {one.number: one for one in generations(settings)}
        older = [one for one in known if one < current.number]
        target = number if number is not None else max(older, default=None)
        if target is None or target not in known:
            there = ", ".join(str(one) for one in known)
            wanted = f"generation {number}" if number is not None else "generation before the current one"
            raise UserError(f"There is no {wanted}; there are: {there}.")
        Ledger(settings.ledger).append(
            "rollback",
            generation=target,
            from_generation=current.number,
            build_id=known[target].manifest["build_id"],
        )
        _point_current_at(settings, known[target].folder)
    say(
        f"rolled back to generation {known[target].name}; publishing is held until `loyalty publish --resume`, "
        "so that the next night does not undo this"
    )
    return known[target]


def resume(settings: Settings, say: Say = print) -> None:
    """Let publishing go on after a rollback."""
    ledger = Ledger(settings.ledger)
    if not warehouse.is_held(ledger):
        say("publishing was not held")
        return
    ledger.append("resume")
    say("publishing goes on")


def prune(
    settings: Settings, keep: int | None = None, now: datetime | None = None, min_age: timedelta = YOUNGEST_PRUNED
) -> list[str]:
    """Remove old generations: all but the newest `keep`, the current one, and those younger than an hour."""
    now = now or datetime.now(UTC)
    keep = max(settings.keep_generations if keep is None else keep, FEWEST_GENERATIONS)
    with _serve_lock(settings, "prune"):
        old = generations(settings)[:-keep]
        gone = [
            one
            for one in old
            if not one.is_current and now - datetime.fromisoformat(one.manifest["published_at"]) >= min_age
        ]
        for one in gone:
            _remove(settings, one.folder)
    return [one.name for one in gone]


def remove_all_but_current(settings: Settings) -> list[str]:
    """Remove every generation but the current one at once: what erasing a person needs."""
    with _serve_lock(settings, "erase"):
        current = current_generation(settings)
        gone = [folder for folder in _generation_folders(settings) if current is None or folder.name != current.name]
        for folder in gone:
            _remove(settings, folder)
        _remove_leftovers(settings)
    return [folder.name for folder in gone]


def published_schema(schema: str) -> str:
    """The schema in the published file of what is built in `schema`."""
    return PUBLISHED_SCHEMA.get(schema, schema)


def is_personal_name(name: str) -> bool:
    """Whether a column is called as personal data are; such columns are never published."""
    return PERSONAL_NAME.match(name) is not None


def file_sha256(file: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _refuse_when_held(ledger: Ledger) -> None:
    event = ledger.last("rollback", "resume")
    if event is not None and event.kind == "rollback":
        raise UserError(
            f"Publishing is held: on {event.at:%Y-%m-%d %H:%M} UTC someone rolled back to generation "
            f"{event.data['generation']}. Run `loyalty publish --resume` when it may go on."
        )


def _refuse_when_stale(settings: Settings, ledger: Ledger, now: datetime) -> None:
    received = [load.received_at for load in ledger.loads() if load.feed == "orders"]
    if not received:
        raise UserError("No orders have been accepted, so there is nothing to publish: see `loyalty status`.")
    age = now - max(received)
    if age > timedelta(days=settings.max_age_days):
        raise UserError(
            f"The newest accepted orders came {age.days} days ago ({max(received):%Y-%m-%d %H:%M} UTC), more than "
            f"max_age_days ({settings.max_age_days:g}): the published marts stay as they are. Deliver orders, see why "
            "they were refused with `loyalty status`, or raise max_age_days in loyalty.yml."
        )


def _clear_up(settings: Settings, ledger: Ledger) -> None:
    """Take away what a killed publish left, and remember a generation that it published without saying so."""
    with _serve_lock(settings, "publish"):
        _remove_leftovers(settings)
        recorded = {event.data["generation"] for event in ledger.events("publish")}
        current = current_generation(settings)
        if current is not None and current.number not in recorded:
            _record(ledger, current, current.manifest["build_id"], "published")
            recorded.add(current.number)
        for folder in _generation_folders(settings):
            if int(folder.name) not in recorded:
                _remove(settings, folder)


def _remove_leftovers(settings: Settings) -> None:
    for pattern in (".staging-*", ".removed-*"):
        for folder in settings.serve.glob(pattern):
            shutil.rmtree(folder)
    for link in settings.serve.glob(".current-*"):
        link.unlink()


@contextmanager
def _work(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory with the work file attached, read-only, as `work`."""
    if not settings.work_file.exists():
        raise UserError(f"{settings.work_file} does not exist: run `loyalty build` first.")
    with duckdb.connect(config=warehouse.duckdb_config(settings)) as connection:
        warehouse.prepare_session(connection)
        connection.execute(f"attach {quote_text(settings.work_file)} as work (read_only)")
        yield connection


def _stamp(settings: Settings, connection: duckdb.DuckDBPyConnection, build_id: str | None) -> dict[str, Any]:
    """The work file's stamp; refused when it is half built, or another build's than the caller's."""
    has_stamp = table_columns(connection, "work", "meta", "build")
    rows = connection.execute("select * from work.meta.build").fetchall() if has_stamp else []
    if not rows:
        raise UserError(f"{settings.work_file} is not completely built: run `loyalty build` first.")
    stamp = dict(zip(("build_id", "as_of", "load_seq", "code_version"), rows[0], strict=True))
    if build_id is not None and stamp["build_id"] != build_id:
        raise UserError(
            f"Build {build_id} is no longer in the work file, build {stamp['build_id']} is: "
            "nothing was published; the other run publishes its own, or run `loyalty publish`."
        )
    return stamp | {"as_of": stamp["as_of"].isoformat()}


def _tables(connection: duckdb.DuckDBPyConnection) -> list[_Table]:
    """All tables to be published. A mart with a personal column is refused, other tables go without it."""
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
            _Table(
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


def _checksums(connection: duckdb.DuckDBPyConnection, tables: list[_Table]) -> dict[str, dict[str, Any]]:
    """Rows and checksum of every table that is a result; quality tables hold the run's own facts and have none."""
    found: dict[str, dict[str, Any]] = {}
    for table in tables:
        name = f"work.{quote_identifier(table.schema)}.{quote_identifier(table.name)}"
        rows = connection.execute(f"select count(*) from {name}").fetchall()[0][0]
        found[table.label] = {"rows": rows, "columns": table.columns, "key": list(table.key)}
        if table.schema in ("marts", "reference"):
            found[table.label]["checksum"] = table_checksum(connection, "work", table.schema, table.name)
        if table.schema == "core":
            found[table.label]["fingerprint"] = table_fingerprint(
                connection, "work", table.schema, table.name, table.columns
            )
    return found


def _is_same(before: Generation, stamp: dict[str, Any], checksums: dict[str, dict[str, Any]]) -> bool:
    """Whether the generation holds the same results of the same code; quality tables do not count."""
    return before.manifest["code_version"] == stamp["code_version"] and _results(before.manifest["tables"]) == _results(
        checksums
    )


def _results(tables: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {
        name: table.get("checksum") or table["fingerprint"]
        for name, table in tables.items()
        if "checksum" in table or "fingerprint" in table
    }


def _refuse_drops(before: Generation | None, checksums: dict[str, dict[str, Any]], accept_drop: bool) -> None:
    if before is None or accept_drop:
        return
    for name, table in before.manifest["marts"].items():
        rows = checksums.get(f"marts.{name}", {"rows": 0})["rows"]
        if table["rows"] >= FEWEST_ROWS_COMPARED and rows < table["rows"] * LARGEST_DROP:
            raise UserError(
                f"Mart `{name}` would fall from {table['rows']:,} to {rows:,} rows since generation {before.name}: "
                "nothing was published. If that is right, run `loyalty publish --accept-drop`."
            )


def _stage(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    staging: Path,
    stamp: dict[str, Any],
    tables: list[_Table],
    checksums: dict[str, dict[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """Write, read back and describe the new generation; every byte of it is on disk when this returns."""
    _make_readable_folder(settings.serve)
    _make_readable_folder(settings.serve / "generations")
    _make_readable_folder(staging)
    _make_readable_folder(staging / "parquet")
    hit("publish.staging_made")
    for name, schemas in CONTENT.items():
        _copy(connection, staging / name, [table for table in tables if table.schema in schemas])
    hit("publish.copied")
    _export(connection, staging, tables)
    hit("publish.exported")
    _audit(connection, staging, tables, checksums)
    hit("publish.audited")
    manifest = _manifest(connection, staging, stamp, checksums, now)
    content = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
    (staging / MANIFEST).write_text(content, encoding="utf-8")
    hit("publish.manifest_written")
    for path in [*staging.rglob("*"), staging]:
        if path.is_file():
            path.chmod(0o444)
        _sync(path)
    hit("publish.synced")
    return manifest


def _copy(connection: duckdb.DuckDBPyConnection, file: Path, tables: list[_Table]) -> None:
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
    connection.execute("checkpoint staged")
    connection.execute("detach staged")
    if Path(f"{file}.wal").exists():
        raise UserError(f"{file}.wal was left beside the staged file: nothing was published; report this.")


def _export(connection: duckdb.DuckDBPyConnection, staging: Path, tables: list[_Table]) -> None:
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
    tables: list[_Table],
    checksums: dict[str, dict[str, Any]],
) -> None:
    """Read the staged files back and compare them, table by table, with the work file."""
    for name, schemas in CONTENT.items():
        connection.execute(f"attach {quote_text(staging / name)} as staged (read_only)")
        for table in tables:
            if table.schema in schemas:
                _audit_table(connection, table, checksums[table.label])
        connection.execute("detach staged")


def _audit_table(connection: duckdb.DuckDBPyConnection, table: _Table, expected: dict[str, Any]) -> None:
    schema = published_schema(table.schema)
    staged = f"staged.{quote_identifier(schema)}.{quote_identifier(table.name)}"
    columns = table_columns(connection, "staged", schema, table.name)
    rows = connection.execute(f"select count(*) from {staged}").fetchall()[0][0]
    built, copied = (
        table_fingerprint(connection, database, place, table.name, table.columns)
        for database, place in (("work", table.schema), ("staged", schema))
    )
    if columns != table.columns or rows != expected["rows"] or built != copied:
        raise UserError(
            f"The copy of `{table.label}` differs from the work file: nothing was published; check the disk "
            "and run `loyalty publish` again."
        )
    if table.schema == "marts":
        _audit_mart(connection, table, staged, rows)


def _audit_mart(connection: duckdb.DuckDBPyConnection, table: _Table, staged: str, rows: int) -> None:
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


def _put_in_place(
    settings: Settings, ledger: Ledger, staging: Path, manifest: dict[str, Any], urgent: bool
) -> Generation:
    """Rename the staged folder into `generations/` and swap the link; a rollback in the meantime wins."""
    with _serve_lock(settings, "publish"):
        try:
            if not urgent:
                _refuse_when_held(ledger)
        except UserError:
            shutil.rmtree(staging)
            raise
        recorded = [event.data["generation"] for event in ledger.events("publish")]
        present = [int(folder.name) for folder in _generation_folders(settings)]
        number = max([*recorded, *present], default=0) + 1
        folder = settings.serve / "generations" / f"{number:06d}"
        staging.rename(folder)
        _sync(folder.parent)
        hit("publish.renamed")
        _point_current_at(settings, folder)
        hit("publish.linked")
        generation = Generation(number, folder, manifest, is_current=True)
        _record(ledger, generation, manifest["build_id"], "published")
        hit("publish.recorded")
    return generation


def _record(ledger: Ledger, generation: Generation, build_id: str, outcome: str) -> None:
    ledger.append(
        "publish",
        generation=generation.number,
        build_id=build_id,
        outcome=outcome,
        manifest_sha256=file_sha256(generation.folder / MANIFEST),
    )


def _point_current_at(settings: Settings, folder: Path) -> None:
    link = settings.serve / f".current-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("generations") / folder.name)
    link.replace(settings.serve / "current")
    _sync(settings.serve)


def _remove(settings: Settings, folder: Path) -> None:
    """Remove a generation so that it is never seen half removed; readers that have it open keep it."""
    aside = settings.serve / f".removed-{folder.name}"
    folder.rename(aside)
    shutil.rmtree(aside)


def _generation_folders(settings: Settings) -> list[Path]:
    return sorted(path for path in (settings.serve / "generations").glob("[0-9]*") if path.name.isdigit())


def _read(folder: Path, is_current: bool = False) -> Generation | None:
    """A generation from its folder; None when its manifest is missing or damaged."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Generation(int(folder.name), folder, manifest, is_current)


def _serve_lock(settings: Settings, purpose: str) -> Any:
    """Held for moments only, so that a rollback never waits for a build."""
    return file_lock(settings.home / "work" / "serve.lock", purpose, wait_seconds=60)


def _make_readable_folder(folder: Path) -> None:
    """Readers are other users: what is served is open to them whatever the umask is."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
