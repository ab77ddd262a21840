"""Killed at sixty random moments, twenty in each step of a night, one rerun ends with an undisturbed night's marts."""

import os
import random
import signal
import time

import pytest

from loyalty.build import build
from loyalty.operate.nightly import run_nightly
from loyalty.operate.verify import is_damaged, verify
from worlds import one_mart
from worlds.killing import start
from worlds.one_mart_steps import build_in, checksums, load_in, publish_in
from worlds.opened import opened

pytestmark = pytest.mark.torture

KILLS = int(os.environ.get("LOYALTY_TORTURE_KILLS", "60"))
SEED = 20171231
STEPS = {"land": load_in, "build": build_in, "publish": publish_in}
# Enough rows, in small enough parts, for a kill to come between any two of landing's steps.
ROWS, BATCH_ROWS = 20_000, 500


def night_in(folder):
    run_nightly(opened(one_mart.load_settings(folder)), now=one_mart.NOW)


def work_for(step, settings):
    """Bring a published workspace to where this step of the second night has work to do."""
    with (settings.workspace / "loyalty.yml").open("a") as file:
        file.write(f"\nbatch_rows: {BATCH_ROWS}\n")
    rows = (f"{number},c{number % 999},2017-12-31 10:00:00,{number % 97}.50\n" for number in range(100, 100 + ROWS))
    one_mart.deliver(settings, "2017-12-31", one_mart.DAY_31 + "".join(rows))
    if step != "land":
        load_in(settings.workspace)
    if step == "publish":
        build.build(opened(settings))


def run_to_the_end(step, folder):
    """How long an undisturbed run took."""
    began = time.monotonic()
    process = start(step, folder)
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - began


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_random_moments_one_rerun_ends_as_an_undisturbed_night(published, tmp_path, step):
    before = checksums(published)
    work_for(step, published)
    calm = one_mart.copy_workspace(published.workspace, tmp_path / "calm" / "shop")
    run_to_the_end(one_mart.load_settings, calm.workspace)  # what a first process takes longer is no step's
    lasted = run_to_the_end(STEPS[step], calm.workspace)
    run_to_the_end(night_in, calm.workspace)
    expected, moments, killed = checksums(calm), random.Random(f"{SEED}{step}"), 0
    assert expected != before
    for kill in range(KILLS // len(STEPS)):
        settings = one_mart.copy_workspace(published.workspace, tmp_path / str(kill) / "shop")
        process = start(STEPS[step], settings.workspace)
        process.join(moments.uniform(0, lasted))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        assert checksums(settings) in (before, expected)
        assert not is_damaged(verify(opened(settings)))
        run_to_the_end(night_in, settings.workspace)
        assert checksums(settings) == expected, f"kill {kill}"
        assert not is_damaged(verify(opened(settings)))
    assert killed >= KILLS // len(STEPS) // 2, "most kills came too late to hit the step"
