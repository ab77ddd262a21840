"""A task whose supervisor is killed lives on beside its own retry: together they end in one generation.

The scheduler is a real one. The task hangs at a fail-point while it holds the work file, so that it outlives its
supervisor until its retry waits at the same lock, however slow the machine is; then both go on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from loyalty.build import plan, work_file
from loyalty.common import failpoints
from loyalty.common.lock import holder_of
from loyalty.common.settings import Settings
from loyalty.land.landing import load_feed
from loyalty.operate.airflow.local import LocalAirflow
from loyalty.operate.nightly import build_and_publish
from loyalty.operate.verify import verify
from loyalty.publish.generations import current_generation, generations
from loyalty.pull.feeds import get_feed
from worlds import one_mart
from worlds.killing import is_hanging
from worlds.opened import opened
from worlds.scheduler import Night, night_of

pytestmark = pytest.mark.slow
YEARLY = '"0 5 1 1 *"'
# How long a task may be silent: the scheduler's own 300 s would make the test wait, not say more.
SILENCE = {"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30"}


@pytest.fixture
def landed(tmp_path) -> Settings:
    """A workspace whose one export has just landed: orders as old as NOW would be too old to publish."""
    settings = one_mart.make_workspace(tmp_path / "shop", load_schedule=YEARLY, build_schedule=YEARLY)
    load_feed(opened(settings), get_feed(settings.feeds, "orders"))
    return settings


@pytest.mark.parametrize(("point", "task"), [("build.core_built", "build"), ("publish.copied", "publish")])
def test_a_task_that_outlives_its_supervisor_and_its_retry_end_in_one_generation(landed, tmp_path, point, task):
    calm = one_mart.copy_workspace(landed.workspace, tmp_path / "calm" / "shop")
    build_and_publish(opened(calm))
    hang = {failpoints.VARIABLE: failpoints.HANG + point}
    with night_of(LocalAirflow(landed, tmp_path / "airflow", SILENCE | hang), {"load_orders"}) as night:
        night.start("build_marts")
        with zombie_of(night) as zombie:
            night.wait(lambda: night.tries("build_marts", task) == 2, "the retry")
            night.wait(lambda: len(at_the_lock(landed)) == 2, "the retry to wait at the lock")
            assert holder(landed) == zombie.pid
            assert generations(landed) == []
        night.wait(lambda: go_on(landed) or is_over(night), "the retry to end")
        assert [state for _, _, state in night.runs("build_marts")] == ["success"] * len(night.runs("build_marts"))
    assert [one.number for one in generations(landed)] == [1]
    assert current_generation(landed).manifest["marts"] == current_generation(calm).manifest["marts"]
    assert [event["outcome"] for event in night.events("publish")].count("published") == 1
    assert verify(opened(landed)) == []
    assert not plan.make_plan(opened(landed)).is_needed


@contextmanager
def zombie_of(night: Night) -> Iterator[psutil.Process]:
    """The task that hangs at the fail-point, its supervisor killed; it goes on when the block ends."""
    night.wait(lambda: hangs(night.settings), "the task to come to its fail-point")
    zombie = psutil.Process(holder(night.settings))
    supervisor = psutil.Process(zombie.ppid())
    assert "airflow" in " ".join(supervisor.cmdline())
    supervisor.kill()
    try:
        yield zombie
    except BaseException:
        with suppress(psutil.NoSuchProcess):
            zombie.kill()
        raise
    zombie.send_signal(failpoints.GO_ON)


def holder(settings: Settings) -> int | None:
    """The process that holds the work file."""
    found = holder_of(work_file.lock_file(settings))
    return int(found["pid"]) if found else None


def hangs(settings: Settings) -> bool:
    """Whether who holds the work file hangs at its fail-point."""
    pid = holder(settings)
    return pid is not None and is_hanging(pid)


def at_the_lock(settings: Settings) -> set[int]:
    """Every process that has the work file's lock open: who holds it, and who waits."""
    pids = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(work_file.lock_file(settings)) in [file.path for file in process.open_files()]:
                pids.add(process.pid)
    return pids


def go_on(settings: Settings) -> bool:
    """Let the retry go on where it hangs as well; never what is waited for."""
    pid = holder(settings)
    if pid is not None and is_hanging(pid):
        with suppress(ProcessLookupError):
            os.kill(pid, failpoints.GO_ON)
    return False


def is_over(night: Night) -> bool:
    """Whether every run has come to an end."""
    return all(state in ("success", "failed") for _, _, state in night.runs("build_marts"))
