"""A real scheduler takes new files to a new generation without a hand on it, and does nothing when nothing is new."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pytest

from loyalty.common.ledger import Ledger
from loyalty.common.settings import Settings, load_settings
from loyalty.operate.airflow.local import LocalAirflow, running
from loyalty.publish.generations import current_generation
from small_workspace import make_workspace, write_answers, write_broken_till, write_members, write_till

pytestmark = pytest.mark.slow
# Bounds of a wait, not durations: every wait ends when what it waits for has happened.
LONGEST_SECONDS = 900
ENDED = ("success", "failed")
LOADS = ("load_crm", "load_surveys", "load_orders")


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
        """Wait until no run is under way and no event waits for one."""

        def is_quiet() -> bool:
            under_way = self._ask("select 1 from dag_run where state in ('queued', 'running')")
            waiting = self._ask("select 1 from asset_dag_run_queue")
            return not under_way and not waiting

        self.wait(is_quiet, "all runs to end")

    def wait(self, has_happened: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not has_happened():
            self.airflow.refuse_dead()
            assert time.monotonic() < deadline, f"waited in vain for {what}; logs in {self.airflow.home}"
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
def scheduler(folder: Path, load_schedule: str) -> Iterator[Night]:
    """A new workspace under a scheduler that has met every DAG."""
    shop = make_workspace(folder / "shop", load_schedule)
    with night_of(LocalAirflow(load_settings(shop), folder / "airflow"), LOADS) as night:
        yield night


@contextmanager
def night_of(airflow: LocalAirflow, loads: Collection[str]) -> Iterator[Night]:
    """A scheduler over a workspace with these load DAGs, once it has met every DAG."""
    with running(airflow):
        night = Night(airflow)
        night.wait(lambda: set(night.dags()) >= {*loads, "build_marts", "housekeeping"}, "the DAG files to be read")
        yield night


def test_files_become_a_generation_and_every_load_is_built_exactly_once(tmp_path):
    with scheduler(tmp_path, load_schedule="0 2 1 1 *") as night:
        nothing_landed_builds_nothing(night)
        new_files_become_a_generation(night)
        nothing_new_builds_nothing(night)
        a_refused_file_does_not_hold_up_the_others(night)


def nothing_landed_builds_nothing(night: Night) -> None:
    assert night.states("build_marts", night.trigger("build_marts")) == {
        "plan": "success",
        "build": "skipped",
        "publish": "skipped",
        "notify": "success",
    }
    assert night.generation() is None


def new_files_become_a_generation(night: Night) -> None:
    shop = night.settings.workspace
    write_members(shop)
    write_till(shop, date(2024, 6, 1))
    write_answers(shop, 1, date(2024, 5, 20))
    for dag_id in LOADS:
        night.trigger(dag_id)
    night.wait(lambda: night.generation() is not None, "the first generation")
    night.wait_until_quiet()
    assert_built_once(night)


def nothing_new_builds_nothing(night: Night) -> None:
    """The load is skipped, no build is woken, and one started by hand builds nothing."""
    first = night.generation()
    builds, runs = len(night.events("build")), len(night.runs("build_marts"))
    assert night.states("load_orders", night.trigger("load_orders")) == {"till": "skipped"}
    night.wait_until_quiet()
    assert len(night.runs("build_marts")) == runs
    assert night.states("build_marts", night.trigger("build_marts"))["build"] == "skipped"
    assert (len(night.events("build")), night.generation()) == (builds, first)


def a_refused_file_does_not_hold_up_the_others(night: Night) -> None:
    """Its task fails and wakes nothing; the next build takes what has landed beside it."""
    shop, first = night.settings.workspace, night.generation()
    write_till(shop, date(2024, 6, 2))
    write_broken_till(shop, date(2024, 6, 3))
    assert night.states("load_orders", night.trigger("load_orders")) == {"till": "failed"}
    night.trigger("build_marts")
    night.wait_until_quiet()
    assert night.generation() == (first or 0) + 1
    assert_built_once(night)


def test_a_backfill_loads_the_files_of_its_days(tmp_path):
    with scheduler(tmp_path, load_schedule="30 2 * * *") as night:
        assert night.airflow.run("dags", "pause", "build_marts").returncode == 0
        # A DAG's first backfill makes Airflow schedule the run that was last due as well: let that find nothing.
        night.backfill("load_orders", "2024-05-01", "2024-05-02")
        night.wait(lambda: "scheduled" in [kind for _, kind, _ in night.runs("load_orders")], "the run that was due")
        night.wait_until_quiet()
        assert night.events("delivery") == []
        for day in range(1, 5):
            write_till(night.settings.workspace, date(2024, 6, day))
        night.backfill("load_orders", "2024-06-01", "2024-06-03")  # to midnight, so before the run of the 3rd
        loaded = [data["file"] for data in night.events("delivery")]
        assert sorted(loaded) == ["till_2024-06-01.csv", "till_2024-06-02.csv"]


def assert_built_once(night: Night) -> None:
    """Every accepted load is in the marts, none was built twice, and every green run with a build has built."""
    accepted = [data for data in night.events("delivery") if data["outcome"] == "accepted"]
    assert night.published_loads() == len(accepted)
    assert night.published_orders() == sum(data["row_count"] for data in accepted if data["feed"] == "orders")
    marks = [data["load_seq"] for data in night.events("build")]
    assert marks == sorted(set(marks)), "a build has read nothing that the one before had not"
    built = [night.states("build_marts", run)["build"] for run, _, state in night.runs("build_marts")]
    assert built.count("success") == len(marks)
