"""Killed at sixty random moments of a night, each time one rerun ends with the marts of an undisturbed night."""

import os
import random
import signal
import time

import pytest

import tiny
from killing import start
from loyalty.generations import current_generation
from loyalty.night import run_night
from loyalty.verify import is_damaged, verify

pytest_plugins = ("tiny_fixtures",)
pytestmark = pytest.mark.torture

KILLS = int(os.environ.get("LOYALTY_TORTURE_KILLS", "60"))
SEED = 20171231


def night_in(folder):
    run_night(tiny.load_settings(folder), say=tiny.quiet, now=tiny.NOW)


def second_night(published, folder):
    settings = tiny.copy_workspace(published.workspace, folder / "shop")
    tiny.deliver(settings, "2017-12-31", tiny.DAY_31)
    return settings


def marts(settings):
    return current_generation(settings).manifest["marts"]


def test_killed_at_random_moments_one_rerun_ends_as_an_undisturbed_night(published, tmp_path):
    calm = second_night(published, tmp_path / "calm")
    began = time.monotonic()
    process = start(night_in, calm.workspace)
    process.join()
    lasted, expected, before = time.monotonic() - began, marts(calm), marts(published)
    assert expected != before
    moments = random.Random(SEED)
    for kill in range(KILLS):
        settings = second_night(published, tmp_path / str(kill))
        process = start(night_in, settings.workspace)
        process.join(moments.uniform(0, lasted))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert marts(settings) in (before, expected)
        assert not is_damaged(verify(settings))
        again = start(night_in, settings.workspace)
        again.join()
        assert marts(settings) == expected, f"kill {kill}"
        assert not is_damaged(verify(settings))
