"""Publishing: what readers see is one whole, checked generation, and then the next one.

    serve/.staging-<build>/          being written, never seen by readers
    serve/generations/000058/        loyalty.duckdb, core.duckdb, manifest.json, parquet/; never changed again
    serve/current -> generations/000058

The marts are copied into fresh files, read back and compared with the work file, described in a manifest,
synced, renamed into `generations/`, and only then the link is swapped, in one step. Killed anywhere, the
current generation is untouched and the next publish clears up and ends where an undisturbed one would.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from loyalty.build import work_file
from loyalty.build.plan import rolled_back_builds
from loyalty.build.raw_views import dated_loads
from loyalty.common import duckdb_session
from loyalty.common.checksums import file_sha256, table_columns
from loyalty.common.counted import counted
from loyalty.common.disk import sync
from loyalty.common.errors import UserError, first_line
from loyalty.common.failpoints import failpoint
from loyalty.common.ledger import Ledger
from loyalty.common.runs import recorded_run
from loyalty.common.settings import Settings
from loyalty.common.sql import quote_text
from loyalty.common.workspace import Workspace
from loyalty.publish.generations import (
    MANIFEST,
    MARTS_FILE,
    Generation,
    current_generation,
    generation_folders,
    point_current_at,
    prune,
    remove_generation,
    remove_leftovers,
    serve_lock,
    wrong_files,
)
from loyalty.publish.handled import handled
from loyalty.publish.stage import AddPages, stage
from loyalty.publish.tables import FRESH, attach_before, mart_states, result_checksums, states_table, tables_to_publish


def publish(
    workspace: Workspace,
    build_id: str | None = None,
    *,
    now: datetime | None = None,
    accept_drop: bool = False,
    urgent: bool = False,
    add_pages: AddPages = lambda *_: None,
) -> Generation | None:
    """Publish the work file as a new generation; None when readers see the same marts already.

    A mart that was not built, or that the audit finds wrong, stays as readers have it; the others are published.
    `accept_drop` lets a mart lose most of its rows; `urgent`, for erasing a person, waits for no resume and
    no fresh orders, and keeps no mart of the generation before. `add_pages` writes the report into the generation.

    Raises UserError when another build has taken the work file since, publishing is held by a rollback, the newest
    orders are too old, no mart is fresh, or a copy differs. The current generation is then untouched.
    """
    now = now or datetime.now(UTC)
    settings, ledger = workspace.settings, workspace.ledger
    with recorded_run(ledger, "publish") as run, work_file.lock(settings, f"publish {build_id or ''}".strip()):
        if not urgent:
            _refuse_when_held(ledger)
            _refuse_when_stale(settings, ledger, now)
        failpoint("publish.locked")
        _clear_up(settings, ledger)
        failpoint("publish.cleared")
        before = current_generation(settings)
        with _work(settings) as connection:
            stamp = _stamp(settings, connection, build_id)
            run.found["build_id"] = stamp["build_id"]
            if stamp["build_id"] in rolled_back_builds(ledger):
                raise UserError(
                    f"Build {stamp['build_id']} was rolled back and is not published again: correct what was wrong, "
                    "for example with `loyalty withdraw`, and run `loyalty run`, which builds anew. If nothing was "
                    "wrong, `loyalty rollback NUMBER` shows its generation again; see `loyalty generations`."
                )
            if before and not urgent:
                attach_before(connection, before)
            tables = tables_to_publish(connection, before, accept_drop, may_keep=not urgent)
            checksums = result_checksums(connection, tables, before)
            states = mart_states(tables, stamp, before, now)
            if before and _is_same(before, stamp, checksums, states) and _is_whole(before):
                _record(ledger, before, stamp["build_id"], "unchanged")
                run.found |= {"outcome": "unchanged", "generation": before.number}
                workspace.progress.log(f"published nothing: generation {before.name} holds the same marts already")
                return None
            stamp |= {
                "before": before.number if before else None,
                "handled": handled(ledger, stamp["build_id"], before),
            }
            tables.append(states_table(connection, states))
            checksums |= result_checksums(connection, tables[-1:], before)
            staging = settings.serve / f".staging-{stamp['build_id']}"
            try:
                name = f"{_next_number(settings, ledger):06d}"

                def pages(manifest: dict[str, Any]) -> None:
                    add_pages(settings, staging, manifest, name, before)

                manifest = stage(connection, workspace, staging, stamp, tables, checksums, states, now, pages)
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
    workspace.progress.log(f"published generation {generation.name}: {settings.serve / 'current' / MARTS_FILE}")
    for sentence in generation.withheld:
        workspace.progress.log(sentence)
    prune(settings, now=now)
    failpoint("publish.pruned")
    return generation


def _refuse_when_held(ledger: Ledger) -> None:
    event = ledger.last("rollback", "resume")
    if event is not None and event.kind == "rollback":
        raise UserError(
            f"Publishing is held: on {event.at:%Y-%m-%d %H:%M} UTC `loyalty rollback` chose generation "
            f"{event.data['generation']}. `loyalty publish --resume` allows it again."
        )


def _refuse_when_stale(settings: Settings, ledger: Ledger, now: datetime) -> None:
    dated = dated_loads(ledger.load_totals(now))
    if not dated:
        raise UserError("Nothing with a date has been accepted, so there is nothing to publish: see `loyalty status`.")
    newest = max(dated, key=lambda total: total.last_received_at)
    age = now - newest.last_received_at
    if age > timedelta(days=settings.max_age_days):
        raise UserError(
            f"The newest accepted {newest.feed} came {counted(age.days, 'day')} ago "
            f"({newest.last_received_at:%Y-%m-%d %H:%M} UTC), more than max_age_days ({settings.max_age_days:g}): "
            f"the published marts stay as they are. Deliver {newest.feed}, see why they were rejected with "
            "`loyalty status`, or raise max_age_days in loyalty.yml."
        )


def _clear_up(settings: Settings, ledger: Ledger) -> None:
    """Take away what a killed publish left, and remember a generation that it published without saying so."""
    with serve_lock(settings, "publish"):
        remove_leftovers(settings)
        recorded = {event.data["generation"] for event in ledger.events("publish")}
        current = current_generation(settings)
        if current is not None and current.number not in recorded:
            _record(ledger, current, current.manifest["build_id"], "published")
            recorded.add(current.number)
        for folder in generation_folders(settings):
            if int(folder.name) not in recorded:
                remove_generation(settings, folder)


@contextmanager
def _work(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory with the work file attached, read-only, as `work`."""
    if not settings.work_file.exists():
        raise UserError(f"{settings.work_file} does not exist: run `loyalty build` first.")
    with duckdb.connect(config=duckdb_session.duckdb_config(settings)) as connection:
        duckdb_session.prepare_session(connection)
        connection.execute(f"attach {quote_text(settings.work_file)} as work (read_only)")
        yield connection


def _stamp(settings: Settings, connection: duckdb.DuckDBPyConnection, build_id: str | None) -> dict[str, Any]:
    """The work file's stamp; UserError when it is half built, or another build's than the caller's."""
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


def _is_same(
    before: Generation, stamp: dict[str, Any], checksums: dict[str, dict[str, Any]], states: dict[str, dict[str, Any]]
) -> bool:
    """Whether the generation holds the same results of the same code; quality tables do not count."""
    known = before.manifest.get("mart_states", {})
    return (
        all(before.manifest[name] == stamp[name] for name in ("code_version", "as_of"))
        and _results(before.manifest["tables"]) == _results(checksums)
        and {mart: known.get(mart, {}).get("state", FRESH) for mart in states}
        == {mart: state["state"] for mart, state in states.items()}
    )


def _is_whole(generation: Generation) -> bool:
    """Whether readers get the bytes that were published, and no stranger's log beside them."""
    return not wrong_files(generation.folder) and not list(generation.folder.rglob("*.wal"))


def _results(tables: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {
        name: table.get("checksum") or table["fingerprint"]
        for name, table in tables.items()
        if "checksum" in table or "fingerprint" in table
    }


def _put_in_place(
    settings: Settings, ledger: Ledger, staging: Path, manifest: dict[str, Any], urgent: bool
) -> Generation:
    """Rename the staged folder into `generations/` and swap the link; a rollback in the meantime wins."""
    with serve_lock(settings, "publish"):
        try:
            if not urgent:
                _refuse_when_held(ledger)
        except UserError:
            shutil.rmtree(staging)
            raise
        number = _next_number(settings, ledger)
        folder = settings.serve / "generations" / f"{number:06d}"
        staging.rename(folder)
        sync(folder.parent)
        failpoint("publish.renamed")
        point_current_at(settings, folder)
        failpoint("publish.linked")
        generation = Generation(number, folder, manifest, is_current=True)
        _record(ledger, generation, manifest["build_id"], "published")
        failpoint("publish.recorded")
    return generation


def _next_number(settings: Settings, ledger: Ledger) -> int:
    """The number of the next generation: no number is given twice."""
    recorded = [event.data["generation"] for event in ledger.events("publish")]
    present = [int(folder.name) for folder in generation_folders(settings)]
    return max([*recorded, *present], default=0) + 1


def _record(ledger: Ledger, generation: Generation, build_id: str, outcome: str) -> None:
    ledger.append(
        "publish",
        generation=generation.number,
        build_id=build_id,
        outcome=outcome,
        manifest_sha256=file_sha256(generation.folder / MANIFEST),
    )
