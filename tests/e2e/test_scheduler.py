"""A real scheduler takes new files to a new generation without a hand on it, and does nothing when nothing is new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from loyalty.common.settings import load_settings
from loyalty.operate.airflow.local import LocalAirflow
from worlds.corner_shop import make_workspace, write_answers, write_broken_till, write_members, write_till
from worlds.scheduler import Night, night_of

pytestmark = pytest.mark.slow
LOADS = ("load_crm", "load_surveys", "load_orders")


@contextmanager
def scheduler(folder: Path, load_schedule: str) -> Iterator[Night]:
    """A new workspace under a scheduler that has met every DAG."""
    shop = make_workspace(folder / "shop", load_schedule)
    with night_of(LocalAirflow(load_settings(shop), folder / "airflow"), LOADS) as night:
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
    shop, first, sent = night.settings.workspace, night.generation(), len(night.events("notify"))
    write_till(shop, date(2024, 6, 2))
    write_broken_till(shop, date(2024, 6, 3))
    assert night.states("load_orders", night.trigger("load_orders")) == {"till": "failed"}
    night.wait(lambda: len(night.events("notify")) > sent, "the alert, before any build")
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
