"""`make demo`: the whole night through Airflow on the sample exports, in one process and without a scheduler.

Every DAG is run to its end by `dag.test()`. What Airflow says goes to a file; the terminal gets which
task runs, how far the build is, and at the end what came of it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pluggy

from loyalty.common.errors import UserError
from loyalty.common.settings import PRIVATE_UMASK, Settings, load_settings, shipped
from loyalty.operate.airflow.local import airflow_environment

ORDER = ("load_crm", "load_orders", "load_surveys", "build_marts", "housekeeping")
Say = Callable[[str], None]
# Airflow's own marker, made here: importing Airflow has to wait until its home is chosen.
hookimpl = pluggy.HookimplMarker("airflow")


class Progress:
    """Airflow tells it when a task begins and ends; it tells the terminal."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.began = 0.0

    @hookimpl
    def on_task_instance_running(self, previous_state: Any, task_instance: Any) -> None:
        self.began = time.monotonic()

    @hookimpl
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
        self._tell(task_instance, "done")

    @hookimpl
    def on_task_instance_failed(self, previous_state: Any, task_instance: Any, error: Any) -> None:
        self._tell(task_instance, f"failed: {error}")

    @hookimpl
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:
        self._tell(task_instance, "nothing new")

    def _tell(self, task: Any, what: str) -> None:
        self.say(f"  {task.dag_id:<13} {task.task_id:<22} {time.monotonic() - self.began:5.1f} s  {what}")


def run_demo(settings: Settings, say: Say) -> bool:
    """Write the sample exports where they are missing, run every DAG, and say what came of it.

    Returns whether the build ended well and there is a published generation.
    """
    from loyalty.build.dbt_runner import parsed_ahead
    from loyalty.common.ledger import Ledger
    from loyalty.demo import write_exports
    from loyalty.operate import nightly
    from loyalty.privacy.keys import use_demo_key
    from loyalty.publish.generations import current_generation
    from loyalty.read.answers import answers

    use_demo_key(settings)
    say("Writing the sample exports (about 20 s the first time) ...")
    before = Ledger(settings.ledger).events()
    with parsed_ahead(settings):
        say(str(write_exports(settings.home / "exports")))
    states = run_dags(say)
    say("")
    nightly.say_feeds(delivered(settings, before[-1].seq if before else 0), say)
    current = current_generation(settings)
    if current is None:
        return False
    nightly.say_generation(current, say)
    for sentence in answers(settings):
        say(sentence)
    return states["build_marts"] == "success"


def run_dags(say: Say) -> dict[str, str]:
    """Run every DAG once, the loads first; returns the end state of each."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.listener import get_listener_manager
    from airflow.utils.db import initdb

    from loyalty.operate.airflow import tasks

    initdb()
    tasks.say = say
    get_listener_manager().add_listener(Progress(say))
    dags = DagBag(dag_folder=shipped("dags")).dags
    names = sorted(dags, key=lambda name: (ORDER.index(name) if name in ORDER else -1, name))
    return {name: str(dags[name].test().state) for name in names}


def delivered(settings: Settings, after: int) -> list[Any]:
    """What each feed brought since event `after`, as the ledger and the manifests tell it."""
    from loyalty.common.ledger import Ledger
    from loyalty.land.gate import RuleResult
    from loyalty.land.landing import LoadOutcome
    from loyalty.land.loads import load_folder, read_manifest
    from loyalty.operate.nightly import FeedNight

    feeds: dict[str, FeedNight] = {}
    for event in Ledger(settings.ledger).events("delivery"):
        data = event.data
        if event.seq <= after:
            continue
        rules = []
        if data["outcome"] == "accepted":
            manifest = read_manifest(load_folder(settings.landing, data["feed"], data["load_id"]))
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
        feeds.setdefault(data["feed_name"], FeedNight(data["feed_name"])).outcomes.append(outcome)
    return sorted(feeds.values(), key=lambda feed: feed.name)  # Airflow runs a DAG's tasks in any order


@contextmanager
def noise_in(file: Path) -> Iterator[Say]:
    """Send all output of this process to a file; yields a function that still writes to the terminal."""
    terminal, errors = os.dup(1), os.dup(2)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as log, os.fdopen(terminal, "w", encoding="utf-8", closefd=False) as screen:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield lambda text: print(text, file=screen, flush=True)
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
        with noise_in(log) as say:
            is_published = run_demo(settings, say)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The night took {time.monotonic() - began:.0f} s; Airflow's own words are in {log}.")
    if is_published:
        print('Go on with: .venv/bin/loyalty status, or .venv/bin/loyalty query "show tables"')
    return 0 if is_published else 1


if __name__ == "__main__":
    sys.exit(main())
