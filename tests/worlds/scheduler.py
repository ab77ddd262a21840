"""A workspace under a real Airflow scheduler, seen through Airflow's own records and the ledger."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import duckdb

from loyalty.common.ledger import Ledger
from loyalty.common.settings import Settings
from loyalty.operate.airflow.local import LocalAirflow, running
from loyalty.publish.generations import current_generation

# Bounds of a wait, not durations: every wait ends when what it waits for has happened.
LONGEST_SECONDS = 900
ENDED = ("success", "failed")


class Night:
    """A workspace under a running scheduler, seen through Airflow's own records and the ledger."""

    def __init__(self, airflow: LocalAirflow) -> None:
        self.airflow = airflow
        self.settings: Settings = airflow.settings

    def dags(self) -> list[str]:
        """The DAGs that the scheduler knows."""
        return [dag_id for (dag_id,) in self._ask("select dag_id from dag where not is_stale")]

    def runs(self, dag_id: str) -> list[tuple[str, str, str]]:
        """(run_id, kind, state) of every run of a DAG, oldest first."""
        return self._ask("select run_id, run_type, state from dag_run where dag_id = ? order by id", dag_id)

    def states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """The state of every task of a run."""
        return dict(
            self._ask("select task_id, state from task_instance where dag_id = ? and run_id = ?", dag_id, run_id)
        )

    def tries(self, dag_id: str, task_id: str) -> int:
        """The number of the newest try of a task that is under way; 0 when none is."""
        found = self._ask(
            "select max(try_number) from task_instance where dag_id = ? and task_id = ? and state = 'running'",
            dag_id,
            task_id,
        )
        return found[0][0] or 0

    def start(self, dag_id: str) -> None:
        """Start a run by hand."""
        assert self.airflow.run("dags", "trigger", dag_id).returncode == 0

    def trigger(self, dag_id: str) -> str:
        """Start a run by hand and wait for its end; returns its id."""
        before = len(self.runs(dag_id))
        self.start(dag_id)
        self.wait(lambda: len(self.runs(dag_id)) > before and self.runs(dag_id)[-1][2] in ENDED, f"{dag_id} to end")
        return self.runs(dag_id)[-1][0]

    def backfill(self, dag_id: str, start: str, end: str) -> None:
        """Run a DAG for the past days between two midnights and wait until all is quiet."""
        before = len(self.runs(dag_id))
        days = ("--from-date", start, "--to-date", end)
        assert self.airflow.run("backfill", "create", "--dag-id", dag_id, *days).returncode == 0
        self.wait(lambda: len(self.runs(dag_id)) > before, "the backfill's runs")
        self.wait_until_quiet()

    def wait_until_quiet(self) -> None:
        """Wait until no run or backfill is under way and no event waits for one."""

        def is_quiet() -> bool:
            under_way = self._ask("select 1 from dag_run where state in ('queued', 'running')")
            waiting = self._ask("select 1 from asset_dag_run_queue")
            # Airflow notices some time after its last run that a backfill is over, and allows no other before
            backfill = self._ask("select 1 from backfill where completed_at is null")
            return not under_way and not waiting and not backfill

        self.wait(is_quiet, "all runs to end")

    def wait(self, has_happened: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not has_happened():
            self.airflow.refuse_dead()
            assert time.monotonic() < deadline, f"waited too long for {what}; logs in {self.airflow.home}"
            time.sleep(0.5)

    def generation(self) -> int | None:
        current = current_generation(self.settings)
        return current.number if current else None

    def published_loads(self) -> int:
        """How many loads the current generation was built from."""
        manifest = json.loads((self.settings.serve / "current" / "manifest.json").read_text(encoding="utf-8"))
        return sum(feed["loads"] for feed in manifest["feeds"].values())

    def published_orders(self) -> int:
        """How many orders readers see."""
        with duckdb.connect(str(self.settings.serve / "current" / "core.duckdb"), read_only=True) as core:
            found = core.execute("select count(*), count(distinct order_key) from core.fct_orders").fetchone()
        assert found
        assert found[0] == found[1]
        return found[0]

    def events(self, *kinds: str) -> list[dict]:
        return [event.data for event in Ledger(self.settings.ledger).events(*kinds)]

    def _ask(self, question: str, *values: str) -> list[tuple]:
        with sqlite3.connect(f"file:{self.airflow.home / 'airflow.db'}?mode=ro", uri=True, timeout=30) as database:
            return database.execute(question, values).fetchall()


@contextmanager
def night_of(airflow: LocalAirflow, loads: Collection[str]) -> Iterator[Night]:
    """A scheduler over a workspace with these load DAGs, once it has met every DAG."""
    with running(airflow):
        night = Night(airflow)
        night.wait(lambda: set(night.dags()) >= {*loads, "build_marts", "housekeeping"}, "the DAG files to be read")
        yield night
