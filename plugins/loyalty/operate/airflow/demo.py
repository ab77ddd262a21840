"""`make demo`: the nightly run through Airflow on the sample exports, in one process and without a scheduler.

Every DAG is run to its end by `dag.test()`. Airflow's output goes to a file; the terminal shows which
task runs, the progress of the build, and the result.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pluggy

from loyalty.common.errors import UserError
from loyalty.common.progress import Progress, progress_on
from loyalty.common.settings import PRIVATE_UMASK, load_settings, shipped
from loyalty.common.workspace import Workspace, open_workspace
from loyalty.operate.airflow.local import airflow_environment

ORDER = ("load_crm", "load_orders", "load_surveys", "build_marts", "housekeeping")
# Airflow's own marker, made here: importing Airflow has to wait until its home is chosen.
hookimpl = pluggy.HookimplMarker("airflow")


class TaskListener:
    """Airflow calls it when a task begins and ends; it logs each end."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.began = 0.0

    @hookimpl
    def on_task_instance_running(self, previous_state: Any, task_instance: Any) -> None:
        self.began = time.monotonic()

    @hookimpl
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
        self._log(task_instance, "done")

    @hookimpl
    def on_task_instance_failed(self, previous_state: Any, task_instance: Any, error: Any) -> None:
        self._log(task_instance, f"failed: {error}")

    @hookimpl
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:
        self._log(task_instance, "nothing new")

    def _log(self, task: Any, what: str) -> None:
        seconds = time.monotonic() - self.began
        self.progress.log(f"  {task.dag_id:<13} {task.task_id:<22} {seconds:5.1f} s  {what}")


def run_demo(workspace: Workspace) -> bool:
    """Write the sample exports where they are missing, run every DAG, and print the result.

    Returns whether the build ended well and there is a published generation.
    """
    from loyalty.build.dbt_runner import parsed_ahead
    from loyalty.demo import write_exports
    from loyalty.operate import nightly
    from loyalty.privacy.keys import use_demo_key
    from loyalty.publish.generations import current_generation
    from loyalty.read.answers import answers

    settings, progress = workspace.settings, workspace.progress
    use_demo_key(settings)
    progress.log("Writing the sample exports (about 20 s the first time) ...")
    before = workspace.ledger.events()
    with parsed_ahead(settings):
        progress.log(str(write_exports(settings.home / "exports")))
    states = run_dags(progress)
    progress.log("")
    nightly.log_feeds(delivered(workspace, before[-1].seq if before else 0), progress)
    current = current_generation(settings)
    if current is None:
        return False
    nightly.log_generation(current, progress)
    for sentence in answers(settings):
        progress.log(sentence)
    return states["build_marts"] == "success"


def run_dags(progress: Progress) -> dict[str, str]:
    """Run every DAG once, the loads first; returns the end state of each."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.listener import get_listener_manager
    from airflow.utils.db import initdb

    from loyalty.operate.airflow import tasks

    initdb()
    tasks.build_progress = progress
    get_listener_manager().add_listener(TaskListener(progress))
    dags = DagBag(dag_folder=shipped("dags")).dags
    names = sorted(dags, key=lambda name: (ORDER.index(name) if name in ORDER else -1, name))
    return {name: str(dags[name].test().state) for name in names}


def delivered(workspace: Workspace, after: int) -> list[Any]:
    """The result of each feed since event `after`, from the ledger and the manifests."""
    from loyalty.land.gate import RuleResult
    from loyalty.land.landing import LoadOutcome
    from loyalty.land.loads import load_folder, read_manifest
    from loyalty.operate.nightly import FeedResult

    feeds: dict[str, FeedResult] = {}
    for event in workspace.ledger.events("delivery"):
        data = event.data
        if event.seq <= after:
            continue
        rules = []
        if data["outcome"] == "accepted":
            manifest = read_manifest(load_folder(workspace.settings.landing, data["feed"], data["load_id"]))
            rules = [RuleResult(**rule) for rule in manifest["rules"]]
        outcome = LoadOutcome(
            data["feed_name"],
            data["uri"],
            data["load_id"],
            data["outcome"],
            data["row_count"],
            data["quarantined_count"],
            data.get("reason", ""),
            rules,
        )
        feeds.setdefault(data["feed_name"], FeedResult(data["feed_name"])).outcomes.append(outcome)
    return sorted(feeds.values(), key=lambda feed: feed.name)  # Airflow runs a DAG's tasks in any order


@contextmanager
def output_in(file: Path) -> Iterator[Progress]:
    """Send all output of this process to a file; yields progress that still goes to the terminal."""
    terminal, errors = os.dup(1), os.dup(2)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as log, os.fdopen(terminal, "w", encoding="utf-8", closefd=False) as screen:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield progress_on(screen)
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os.dup2(terminal, 1)
            os.dup2(errors, 2)


def main() -> int:
    """Run the demo in the workspace; 0 when the marts are published."""
    began = time.monotonic()
    os.umask(PRIVATE_UMASK)
    try:
        settings = load_settings()
        log = settings.home / "demo-airflow" / "demo.log"
        os.environ |= {"LOYALTY_WORKSPACE": str(settings.workspace)} | airflow_environment(log.parent)
        with output_in(log) as progress:
            is_published = run_demo(open_workspace(settings, progress))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The nightly run took {time.monotonic() - began:.0f} s; Airflow's own output is in {log}.")
    if is_published:
        print('Go on with: .venv/bin/loyalty status, or .venv/bin/loyalty query "show tables"')
    return 0 if is_published else 1


if __name__ == "__main__":
    sys.exit(main())
