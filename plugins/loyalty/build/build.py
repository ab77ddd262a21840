"""The build: accepted loads become core and marts in the work file, in one process, under one lock.

`plan` compares what the ledger accepted with what the last published build has seen; `build` makes the
work file equal to the ledger, whatever was killed before it. Nothing here is ever shown to a reader: that
is `publish`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import duckdb

from loyalty.build import dbt_runner
from loyalty.build.dbt_runner import (
    NOT_NOW,
    ModelDoc,
    fitted_relations,
    leave_out,
    made_relations,
    model_docs,
    parse_project,
    relation_of,
    run_dbt,
    with_descendants,
    wrong_vars,
)
from loyalty.build.engines import Engine, engine_of
from loyalty.build.idle import idle_models, is_same_code
from loyalty.build.plan import chosen_vars, code_version, history_version, last_build, needs_full
from loyalty.build.raw_views import DataSpan, data_span, register, register_build
from loyalty.build.work_file import lock, open_work_file
from loyalty.common.counted import counted
from loyalty.common.errors import UserError
from loyalty.common.failpoints import failpoint
from loyalty.common.ledger import Load
from loyalty.common.runs import recorded_run
from loyalty.common.settings import WORKSPACE_FILE, Settings
from loyalty.common.sql import quote_identifier
from loyalty.common.workspace import Workspace
from loyalty.land.redact import redact_forgotten

# What is built after the estimates: the models that read them, and everything downstream.
AFTER_ESTIMATES = "source:estimates+"
# What publishing reads of the work file, with every engine.
PUBLISHED_SCHEMAS = ("core", "steps", "marts", "quality", "reference")


@dataclass(frozen=True)
class Withheld:
    """A table that this build could not make or could not trust; publishing keeps readers' last good one."""

    schema: str
    name: str
    reason: str


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
    withheld: tuple[Withheld, ...]
    seconds: float


def refuse_wrong_vars(settings: Settings) -> None:
    """UserError, which names the var, when one is unknown, of a wrong type or out of its range."""
    if wrong := wrong_vars(settings):
        raise UserError(f"{settings.workspace / WORKSPACE_FILE}, key `vars`: {wrong[0]}; nothing was built.")


def build(workspace: Workspace, as_of: date | None = None, full: bool = False) -> BuildResult:
    """Make core and marts from the accepted loads: new loads only, or everything with `full`.

    Running it again, also after a kill, ends with the same tables. A fault stays in its topic: a table that fails, and
    all that reads it, is withheld, and the rest goes on. Raises UserError when a total of core is wrong or no mart
    could be made, LockBusy when another run holds the work file.
    """
    started = time.monotonic()
    settings, ledger, progress = workspace.settings, workspace.ledger, workspace.progress
    refuse_wrong_vars(settings)
    build_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    engine = engine_of(settings)
    with recorded_run(ledger, "build") as run, lock(settings, f"build {build_id}"), engine.session():
        run.found["build_id"] = build_id
        failpoint("build.locked")
        if redacted := redact_forgotten(workspace):
            progress.log(f"build {build_id}: forgotten people taken out of {counted(redacted, 'load')}")
        ledger_seq = ledger.last_seq()
        loads = ledger.loads()
        built = last_build(ledger)
        with open_work_file(settings) as connection:
            new_loads = _new_loads(connection, loads)
            is_full = (
                full
                or not engine.remembers
                or built is None
                or needs_full(settings, ledger, built)
                or _is_torn(connection, loads)
            )
            may_rest = not is_full and built is not None and is_same_code(connection, settings, built)
            span = _prepare(connection, workspace, loads, build_id, as_of)
        failpoint("build.registered")
        progress.log(f"build {build_id}: as of {span.as_of}, {_scope(is_full, loads, new_loads)}")
        project = parse_project(settings)
        with open_work_file(settings) as connection:
            if not engine.remembers:
                _drop(connection, made_relations(project))
            engine.show(connection, "raw", loads)
            engine.show(connection, "estimates")
        outcomes, withheld = _run_models(workspace, engine, project, span, is_full, may_rest)
        with open_work_file(settings) as connection:
            _drop_forsaken(connection, made_relations(project) - {(one.schema, one.name) for one in withheld})
            stamp = _stamp(settings, build_id, span, as_of, loads, ledger_seq)
            _write_stamp(connection, stamp, loads, model_docs(project, PUBLISHED_SCHEMAS), withheld)
        failpoint("build.stamped")
        seconds = round(time.monotonic() - started, 1)
        ledger.append("build", is_full=is_full, seconds=seconds, withheld_count=len(withheld), **stamp)
        failpoint("build.recorded")
    return BuildResult(
        build_id=build_id,
        as_of=span.as_of,
        load_seq=stamp["load_seq"],
        is_full=is_full,
        new_loads=tuple(new_loads),
        models=sum(outcome.models for outcome in outcomes),
        tests=sum(outcome.tests for outcome in outcomes),
        warnings=tuple(warning for outcome in outcomes for warning in outcome.warnings),
        withheld=withheld,
        seconds=time.monotonic() - started,
    )


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
    workspace: Workspace,
    loads: Sequence[Load],
    build_id: str,
    as_of: date | None,
) -> DataSpan:
    """Register the loads; from here until the stamp the work file counts as half built."""
    from loyalty.build.estimates import ensure_tables  # brings scipy: only when something is built

    settings = workspace.settings
    connection.execute("delete from meta.build")
    register(connection, workspace, loads)
    span = data_span(connection, settings, loads, as_of)
    register_build(connection, build_id, span, code_version(settings))
    ensure_tables(connection)
    connection.execute(
        "insert into meta.seen_loads "
        "select load_id, load_seq from raw.loads except select load_id, load_seq from meta.seen_loads"
    )
    return span


def _run_models(
    workspace: Workspace, engine: Engine, project: Any, span: DataSpan, is_full: bool, may_rest: bool
) -> tuple[list[dbt_runner.DbtOutcome], tuple[Withheld, ...]]:
    """Run dbt on what needs no estimate, the estimates, dbt on what reads them; and name the tables that failed.

    With `may_rest`, models of feeds that were never delivered are not made again.
    """
    from loyalty.build import estimates

    settings, progress = workspace.settings, workspace.progress
    common = ["--exclude-resource-type", "unit_test", *(["--full-refresh"] if is_full else [])]
    started = time.monotonic()
    run = partial(run_dbt, settings, "build", progress=progress, project=project, goes_on=True)
    if may_rest:
        with open_work_file(settings) as connection:
            leave_out(project, idle_models(connection, project))
    before = run("--exclude", AFTER_ESTIMATES, NOT_NOW, "--indirect-selection", "cautious", *common)
    seconds = time.monotonic() - started
    progress.log(
        f"  before estimates: {counted(before.models, 'model')} and {counted(before.tests, 'test')} in {seconds:.1f} s"
    )
    failpoint("build.core_built")
    lost = with_descendants(project, before.faults)
    leave_out(project, lost)
    with open_work_file(settings) as connection:
        engine.bring(connection, fitted_relations(project))
        _drop(connection, [relation_of(project, model) for model in lost])
        started = time.monotonic()
        estimates.run(connection, span.as_of, progress, settings.home / "logs")
        engine.show(connection, "estimates")
    progress.log(f"  estimates in {time.monotonic() - started:.1f} s")
    failpoint("build.estimated")
    started = time.monotonic()
    after = run("--select", AFTER_ESTIMATES, "--exclude", NOT_NOW, *common)
    seconds = time.monotonic() - started
    progress.log(
        f"  after estimates: {counted(after.models, 'model')} and {counted(after.tests, 'test')} in {seconds:.1f} s"
    )
    failpoint("build.marts_built")
    lost = with_descendants(project, [*before.faults, *after.faults])
    with open_work_file(settings) as connection:
        lost_relations = {relation_of(project, model) for model in lost}
        published = (one for one in made_relations(project) if one[0] in PUBLISHED_SCHEMAS)
        engine.bring(connection, sorted(set(published) - lost_relations))
    withheld = tuple(Withheld(*relation_of(project, model), reason) for model, reason in lost.items())
    _refuse_when_nothing_is_left(project, withheld)
    for reason in dict.fromkeys(one.reason for one in withheld):
        names = [one.name for one in withheld if one.reason == reason and one.schema == "marts"]
        progress.log(f"  withheld: {', '.join(names) or 'no mart'}: {reason}")
    return [before, after], withheld


def _refuse_when_nothing_is_left(project: Any, withheld: Sequence[Withheld]) -> None:
    marts = {name for schema, name in made_relations(project) if schema == "marts"}
    if marts and marts <= {one.name for one in withheld if one.schema == "marts"}:
        raise UserError(f"No mart could be made: {withheld[0].reason}. Nothing was published.")


def _drop(connection: duckdb.DuckDBPyConnection, relations: Iterable[tuple[str, str]]) -> None:
    """Take away what the last build left of tables that this one could not make: nothing may read it as fresh."""
    for schema, name in relations:
        found = connection.execute(
            "select table_type from information_schema.tables where table_schema = ? and table_name = ?", [schema, name]
        ).fetchall()
        if found:
            kind = "view" if found[0][0] == "VIEW" else "table"
            connection.execute(f"drop {kind} {quote_identifier(schema)}.{quote_identifier(name)}")


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
    """What the ledger keeps of a build, so that the next plan can find what has changed."""
    return {
        "build_id": build_id,
        "as_of": span.as_of.isoformat(),
        "is_as_of_given": as_of is not None,
        "load_seq": max(load.load_seq for load in loads),
        "load_count": len(loads),
        "ledger_seq": ledger_seq,
        "code_version": code_version(settings),
        "history_version": history_version(settings),
        "chosen": chosen_vars(settings),
    }


def _write_stamp(
    connection: duckdb.DuckDBPyConnection,
    stamp: dict[str, Any],
    loads: Sequence[Load],
    docs: Sequence[ModelDoc],
    withheld: Sequence[Withheld],
) -> None:
    """Declare the work file whole, in one transaction, with the descriptions that publishing needs."""
    connection.execute("begin")
    connection.execute(
        "create or replace table meta.models "
        "(schema_name varchar, name varchar, description varchar, key varchar[], owner varchar)"
    )
    connection.execute(
        "create or replace table meta.columns (schema_name varchar, model varchar, name varchar, "
        "description varchar, is_personal boolean, data_type varchar)"
    )
    connection.execute("create or replace table meta.withheld (schema_name varchar, name varchar, reason varchar)")
    for one in withheld:
        connection.execute("insert into meta.withheld values (?, ?, ?)", [one.schema, one.name, one.reason])
    for doc in docs:
        connection.execute(
            "insert into meta.models values (?, ?, ?, ?, ?)",
            [doc.schema, doc.name, doc.description, list(doc.key), doc.owner],
        )
        for column in doc.columns:
            connection.execute(
                "insert into meta.columns values (?, ?, ?, ?, ?, ?)",
                [doc.schema, doc.name, column.name, column.description, column.is_personal, column.data_type],
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
        return f"all from landing, {counted(len(loads), 'load')}"
    return f"{len(new_loads)} new of {counted(len(loads), 'load')}"
