"""The build: accepted loads become core and marts in the work file, in one process, under one lock.

`plan` compares what the ledger accepted with what the last published build has seen; `build` makes the
work file equal to the ledger, whatever was killed before it. Nothing here is ever shown to a reader: that
is `publish`.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from loyalty import transform
from loyalty.errors import UserError
from loyalty.failpoints import hit
from loyalty.ledger import Event, Ledger, Load
from loyalty.lock import file_lock, holder_of
from loyalty.registration import DataSpan, data_span, dated_as_of, register, register_build
from loyalty.runs import recorded_run
from loyalty.settings import WORKSPACE_FILE, Settings
from loyalty.sql import quote_identifier, quote_text
from loyalty.sweeping import sweep
from loyalty.transform import (
    ModelDoc,
    Say,
    first_line,
    made_relations,
    model_docs,
    parse_project,
    run_dbt,
    unknown_vars,
)

# What is built after the estimates: models that need them, the marts, and all that stands on those.
LATE = ("tag:scored+", "path:models/marts+", "path:models/quality+")
DOCUMENTED_SCHEMAS = ("core", "marts", "quality")


@dataclass(frozen=True)
class BuildResult:
    """What a build did; `load_seq` is the newest load it has read."""

    build_id: str
    as_of: date
    load_seq: int
    is_full: bool
    new_loads: tuple[Load, ...]
    models: int
    tests: int
    warnings: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Plan:
    """What is to be done and why, in words; `build_id` is the finished build that only needs publishing."""

    needs_build: bool
    needs_publish: bool
    reasons: tuple[str, ...]
    new_loads: tuple[Load, ...] = ()
    build_id: str | None = None
    is_full: bool = field(default=False)

    @property
    def is_needed(self) -> bool:
        """Whether a run would change what readers see."""
        return self.needs_build or self.needs_publish


def lock_file(settings: Settings) -> Path:
    """The lock of the work file."""
    return settings.work_file.with_suffix(".lock")


def work_files(settings: Settings) -> list[Path]:
    """The work file and what DuckDB keeps beside it; the next build makes them again."""
    file = settings.work_file
    return [file, file.with_name(f"{file.name}.wal"), file.parent / "temp"]


@contextmanager
def lock(settings: Settings, purpose: str) -> Iterator[None]:
    """Hold the work file alone; LockBusy names the holder when that takes too long."""
    with file_lock(lock_file(settings), purpose, settings.lock_wait_seconds):
        yield


def duckdb_config(settings: Settings) -> dict[str, str | bool | int | float | list[str]]:
    """How DuckDB is opened: within the workspace's memory, and never fetching anything."""
    return {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "temp_directory": str(settings.work_file.parent / "temp"),
        "autoinstall_known_extensions": "false",
    }


def prepare_session(connection: duckdb.DuckDBPyConnection) -> None:
    """Pin the session's zone, which decides how timestamps become dates, and keep its progress bar quiet."""
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")


@contextmanager
def open_work_file(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The work file, open for writing; hold the lock."""
    settings.work_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(str(settings.work_file), config=duckdb_config(settings))
    except duckdb.Error as error:
        raise UserError(
            f"{settings.work_file} cannot be opened ({first_line(error)}): if no other program holds it, delete it; "
            "the next build makes it again from the landed loads."
        ) from None
    try:
        prepare_session(connection)
        yield connection
    finally:
        connection.close()


def plan(settings: Settings, as_of: date | None = None) -> Plan:
    """Which accepted loads the last published build has not seen, and what else has changed since."""
    ledger = Ledger(settings.ledger)
    loads = ledger.loads()
    if not any(load.feed == "orders" for load in loads):
        return Plan(False, False, ("no orders have been accepted yet, so there is nothing to build",))
    built = last_build(ledger)
    if built is None:
        return Plan(True, True, ("nothing has been built yet",), tuple(loads), is_full=True)
    new_loads = tuple(load for load in loads if load.load_seq > built.data["load_seq"])
    reasons = (
        *_load_reasons(new_loads),
        *_withdrawal_reasons(ledger, built),
        *_setting_reasons(settings, loads, built, as_of),
    )
    if reasons:
        return Plan(True, True, reasons, new_loads, is_full=_needs_full(settings, ledger, built))
    build_id = built.data["build_id"]
    has_link = (settings.serve / "current").exists()
    if (is_published(ledger, build_id) and has_link) or is_held(ledger):
        return Plan(
            False, False, ("no load, setting or code has changed since the published build",), build_id=build_id
        )
    if not _is_in_work_file(settings, build_id):
        reason = f"build {build_id} was finished, but the work file does not hold it any more"
        return Plan(True, True, (reason,), is_full=_needs_full(settings, ledger, built))
    return Plan(False, True, (f"build {build_id} is finished and not published",), build_id=build_id)


def _is_in_work_file(settings: Settings, build_id: str) -> bool:
    """Whether a finished build can be published: a later one that was killed, or somebody, may have removed it.

    While another run holds the lock nothing is known, and the steps that need the file wait for it.
    """
    if holder_of(lock_file(settings)) is not None:
        return True
    if not settings.work_file.exists():
        return False
    with duckdb.connect(config=duckdb_config(settings)) as connection:
        try:
            connection.execute(f"attach {quote_text(settings.work_file)} as work (read_only)")
            return connection.execute("select build_id from work.meta.build").fetchall() == [(build_id,)]
        except duckdb.Error:
            return False


def build(settings: Settings, as_of: date | None = None, full: bool = False, say: Say = print) -> BuildResult:
    """Make core and marts from the accepted loads: new loads only, or everything with `full`.

    Running it again, also after a kill, ends with the same tables. Raises UserError with the failed model
    or test, LockBusy when another run holds the work file.
    """
    started = time.monotonic()
    if wrong := unknown_vars(settings):
        raise UserError(f"{settings.workspace / WORKSPACE_FILE}, key `vars`: {wrong[0]}; nothing was built.")
    build_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    with recorded_run(settings, "build") as run, lock(settings, f"build {build_id}"):
        run.found["build_id"] = build_id
        hit("build.locked")
        if swept := sweep(settings):
            say(f"build {build_id}: {swept} loads named people who asked to be forgotten, and were written anew")
        ledger = Ledger(settings.ledger)
        ledger_seq = ledger.events()[-1].seq if ledger.events() else 0
        loads = ledger.loads()
        built = last_build(ledger)
        with open_work_file(settings) as connection:
            new_loads = _new_loads(connection, loads)
            is_full = full or built is None or _needs_full(settings, ledger, built) or _is_torn(connection, loads)
            span = _prepare(connection, settings, ledger, loads, build_id, as_of)
        hit("build.registered")
        say(f"build {build_id}: as of {span.as_of}, {_scope(is_full, loads, new_loads)}")
        outcomes = _transform(settings, span, is_full, say)
        with open_work_file(settings) as connection:
            _drop_forsaken(connection, made_relations(settings))
            stamp = _stamp(settings, build_id, span, as_of, loads, ledger_seq)
            _write_stamp(connection, stamp, loads, model_docs(settings, DOCUMENTED_SCHEMAS))
        hit("build.stamped")
        ledger.append("build", is_full=is_full, seconds=round(time.monotonic() - started, 1), **stamp)
        hit("build.recorded")
    return BuildResult(
        build_id=build_id,
        as_of=span.as_of,
        load_seq=stamp["load_seq"],
        is_full=is_full,
        new_loads=tuple(new_loads),
        models=sum(outcome.models for outcome in outcomes),
        tests=sum(outcome.tests for outcome in outcomes),
        warnings=tuple(warning for outcome in outcomes for warning in outcome.warnings),
        seconds=time.monotonic() - started,
    )


def last_build(ledger: Ledger) -> Event | None:
    """The newest finished build."""
    return ledger.last("build")


def is_published(ledger: Ledger, build_id: str) -> bool:
    """Whether readers see this build: published, and not rolled back since."""
    since_rollback: list[Event] = []
    for event in ledger.events("publish", "rollback"):
        since_rollback = [] if event.kind == "rollback" else [*since_rollback, event]
    return any(event.data["build_id"] == build_id for event in since_rollback)


def is_held(ledger: Ledger) -> bool:
    """Whether a rollback holds publishing until someone says `loyalty publish --resume`."""
    event = ledger.last("rollback", "resume")
    return event is not None and event.kind == "rollback"


def code_version(settings: Settings) -> str:
    """A hash of all code that decides what the marts hold; what landing makes of a file is in its load_id."""
    package = Path(__file__).parent
    files = [
        *_files(settings.dbt_project_dir, "*.sql", "*.yml", "*.csv"),
        *_files(package / "estimation", "*.py"),
        *[(name, package / name) for name in ("contract.yml", "registration.py")],
    ]
    return _hash_files(files)


def history_version(settings: Settings) -> str:
    """A hash of the code that made the tables which remember loads; when it changes, they are made anew."""
    project = settings.dbt_project_dir
    folders = [project / "models" / "staging", project / "models" / "intermediate", project / "macros"]
    return _hash_files([file for folder in folders for file in _files(folder, "*.sql")])


def _files(folder: Path, *patterns: str) -> list[tuple[str, Path]]:
    found = [file for pattern in patterns for file in folder.rglob(pattern)]
    relative = [(file.relative_to(folder).as_posix(), file) for file in found]
    return sorted(pair for pair in relative if not pair[0].startswith(("target/", "logs/")))


def _hash_files(files: Sequence[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, file in files:
        digest.update(name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _chosen(settings: Settings) -> dict[str, Any]:
    """The vars that are set, and the reporting currency, as the ledger can keep them."""
    chosen = {**settings.vars, "reporting_currency": settings.reporting_currency}
    named = {name: value for name, value in chosen.items() if value is not None}
    return dict(json.loads(json.dumps(named, sort_keys=True, default=str)))


def _load_reasons(new_loads: Sequence[Load]) -> list[str]:
    by_name = sorted(new_loads, key=lambda load: load.feed_name)
    counts = [(name, len(list(loads))) for name, loads in groupby(by_name, key=lambda load: load.feed_name)]
    return [f"{count} new {'load' if count == 1 else 'loads'} of {name}" for name, count in counts]


def _withdrawal_reasons(ledger: Ledger, built: Event) -> list[str]:
    words = {
        "supersede": "a load was replaced by a reading with another mapping",
        "forget": "a person was forgotten",
        "rekey": "the key was rotated",
    }
    since = [event for event in ledger.events("delivery", *words) if event.seq > built.data["ledger_seq"]]
    kinds = {"supersede" if event.data.get("supersedes") else event.kind for event in since} - {"delivery"}
    return [words[kind] for kind in sorted(kinds)]


def _setting_reasons(settings: Settings, loads: Sequence[Load], built: Event, as_of: date | None) -> list[str]:
    reasons = []
    if built.data["code_version"] != code_version(settings):
        reasons.append("the models or the code have changed")
    if changed := _changed_vars(settings, built):
        reasons.append(f"{changed}; core, estimates and marts are made anew, landing is not read again")
    wanted = as_of or dated_as_of(loads)
    if (wanted and wanted.isoformat() != built.data["as_of"]) or (
        built.data["is_as_of_given"] and as_of is None and not wanted
    ):
        reasons.append(f"the last build was as of {built.data['as_of']}")
    return reasons


def _changed_vars(settings: Settings, built: Event) -> str:
    """Which vars differ from those of the last build, with both values; empty when none does."""
    before, now = built.data.get("chosen", {}), _chosen(settings)
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    words = [f"{name} from {before.get(name, 'the default')} to {now.get(name, 'the default')}" for name in names]
    return f"changed settings: {', '.join(words)}" if words else ""


def _needs_full(settings: Settings, ledger: Ledger, built: Event) -> bool:
    return bool(_withdrawal_reasons(ledger, built)) or built.data["history_version"] != history_version(settings)


def _new_loads(connection: duckdb.DuckDBPyConnection, loads: Sequence[Load]) -> list[Load]:
    """Loads the work file has not seen at this place in the order."""
    _ensure_meta(connection)
    seen = set(connection.execute("select load_id, load_seq from meta.seen_loads").fetchall())
    return [load for load in loads if (load.load_id, load.load_seq) not in seen]


def _is_torn(connection: duckdb.DuckDBPyConnection, loads: Sequence[Load]) -> bool:
    """Whether a build was cut short while it took out withdrawn loads: older versions may be missing then."""
    is_complete = connection.execute("select count(*) from meta.build").fetchall()[0][0] == 1
    seen = {row[0] for row in connection.execute("select load_id from meta.seen_loads").fetchall()}
    return not is_complete and bool(seen - {load.load_id for load in loads})


def _ensure_meta(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists meta")
    connection.execute("create table if not exists meta.seen_loads (load_id varchar, load_seq bigint)")
    connection.execute(
        "create table if not exists meta.build (build_id varchar, as_of date, load_seq bigint, code_version varchar)"
    )


def _prepare(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    ledger: Ledger,
    loads: Sequence[Load],
    build_id: str,
    as_of: date | None,
) -> DataSpan:
    """Register the loads; from here until the stamp the work file counts as half built."""
    from loyalty.estimation import ensure_tables

    connection.execute("delete from meta.build")
    register(connection, settings, ledger, loads)
    span = data_span(connection, settings, loads, as_of)
    register_build(connection, build_id, span, code_version(settings))
    ensure_tables(connection)
    connection.execute(
        "insert into meta.seen_loads "
        "select load_id, load_seq from raw.loads except select load_id, load_seq from meta.seen_loads"
    )
    return span


def _transform(settings: Settings, span: DataSpan, is_full: bool, say: Say) -> list[transform.DbtOutcome]:
    """dbt up to core, the estimates, dbt for what stands on them."""
    from loyalty import estimation

    common = ["--exclude-resource-type", "unit_test", *(["--full-refresh"] if is_full else [])]
    started = time.monotonic()
    project = parse_project(settings, say)
    core = run_dbt(
        settings, "build", "--exclude", *LATE, "--indirect-selection", "cautious", *common, say=say, project=project
    )
    say(f"  core: {core.models} models and {core.tests} tests in {time.monotonic() - started:.1f} s")
    hit("build.core_built")
    started = time.monotonic()
    with open_work_file(settings) as connection:
        estimation.run(connection, span.as_of, say)
    say(f"  estimates in {time.monotonic() - started:.1f} s")
    hit("build.estimated")
    started = time.monotonic()
    marts = run_dbt(settings, "build", "--select", *LATE, *common, say=say, project=project)
    say(f"  marts: {marts.models} models and {marts.tests} tests in {time.monotonic() - started:.1f} s")
    hit("build.marts_built")
    return [core, marts]


def _drop_forsaken(connection: duckdb.DuckDBPyConnection, made: set[tuple[str, str]]) -> None:
    """Drop what no model makes any more: nothing would renew it, and readers would take it for fresh."""
    found = connection.execute(
        "select 'table', schema_name, table_name from duckdb_tables() where list_contains($1, schema_name) "
        "union all select 'view', schema_name, view_name from duckdb_views() where list_contains($1, schema_name)",
        [sorted({schema for schema, _ in made})],
    ).fetchall()
    for kind, schema, name in found:
        if (schema, name) not in made:
            connection.execute(f"drop {kind} {quote_identifier(schema)}.{quote_identifier(name)}")


def _stamp(
    settings: Settings, build_id: str, span: DataSpan, as_of: date | None, loads: Sequence[Load], ledger_seq: int
) -> dict[str, Any]:
    """What the ledger remembers of a build, so that the next plan can tell what has changed."""
    return {
        "build_id": build_id,
        "as_of": span.as_of.isoformat(),
        "is_as_of_given": as_of is not None,
        "load_seq": max(load.load_seq for load in loads),
        "load_count": len(loads),
        "ledger_seq": ledger_seq,
        "code_version": code_version(settings),
        "history_version": history_version(settings),
        "chosen": _chosen(settings),
    }


def _write_stamp(
    connection: duckdb.DuckDBPyConnection, stamp: dict[str, Any], loads: Sequence[Load], docs: Sequence[ModelDoc]
) -> None:
    """Declare the work file whole, in one transaction, with the descriptions that publishing needs."""
    connection.execute("begin")
    connection.execute(
        "create or replace table meta.models (schema_name varchar, name varchar, description varchar, key varchar[])"
    )
    connection.execute(
        "create or replace table meta.columns "
        "(schema_name varchar, model varchar, name varchar, description varchar, is_personal boolean)"
    )
    for doc in docs:
        connection.execute(
            "insert into meta.models values (?, ?, ?, ?)", [doc.schema, doc.name, doc.description, list(doc.key)]
        )
        for column in doc.columns:
            connection.execute(
                "insert into meta.columns values (?, ?, ?, ?, ?)",
                [doc.schema, doc.name, column.name, column.description, column.is_personal],
            )
    connection.execute("delete from meta.seen_loads where load_id not in (select load_id from raw.loads)")
    connection.execute("delete from meta.build")
    connection.execute(
        "insert into meta.build values (?, ?, ?, ?)",
        [stamp["build_id"], stamp["as_of"], stamp["load_seq"], stamp["code_version"]],
    )
    connection.execute("commit")


def _scope(is_full: bool, loads: Sequence[Load], new_loads: Sequence[Load]) -> str:
    if is_full:
        return f"all {len(loads)} loads from landing"
    return f"{len(new_loads)} new of {len(loads)} loads"
