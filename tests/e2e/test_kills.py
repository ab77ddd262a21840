"""Killed between any two steps, the current generation is untouched and one rerun ends as an undisturbed run."""

import os
import signal
import subprocess
import sys

import pytest

import tiny
from loyalty import failpoints, warehouse
from loyalty.generations import current_generation, generations
from loyalty.night import build_and_publish
from loyalty.publish import publish
from loyalty.verify import verify

pytest_plugins = ("tiny_fixtures",)

PUBLISH = """
import sys
from pathlib import Path
import tiny
from loyalty.publish import publish
from loyalty.settings import load_settings
publish(load_settings(Path(sys.argv[1])), say=tiny.quiet, now=tiny.NOW)
"""

BUILD = """
import sys
from pathlib import Path
import tiny
from loyalty.settings import load_settings
from loyalty.warehouse import build
build(load_settings(Path(sys.argv[1])), say=tiny.quiet)
"""

CUSTOMERS = "select * from marts.retention__customers order by customer_id"
TWO = [("ann", 2), ("bob", 1)]
THREE = [("ann", 2), ("bob", 1), ("eve", 1)]


def run_and_be_killed(code, settings, point):
    environment = os.environ | {failpoints.VARIABLE: point, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code, str(settings.workspace)], env=environment, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def seen(settings):
    return [row[:2] for row in tiny.published(settings, CUSTOMERS)]


def checksums(settings):
    return current_generation(settings).manifest["marts"]


@pytest.fixture(scope="session")
def undisturbed(built_twice, tmp_path_factory):
    """The checksums of a second night that nothing disturbed."""
    settings = tiny.copy_workspace(built_twice, tmp_path_factory.mktemp("calm") / "shop")
    build_and_publish(settings, say=tiny.quiet, now=tiny.NOW)
    return checksums(settings)


@pytest.mark.parametrize("point", failpoints.PUBLISH_POINTS)
def test_publish_killed_and_run_again(waiting, undisturbed, point):
    run_and_be_killed(PUBLISH, waiting, point)
    is_shown = failpoints.PUBLISH_POINTS.index(point) >= failpoints.PUBLISH_POINTS.index("publish.linked")
    assert seen(waiting) == (THREE if is_shown else TWO)
    build_and_publish(waiting, say=tiny.quiet, now=tiny.NOW)
    assert seen(waiting) == THREE
    assert checksums(waiting) == undisturbed
    assert [one.number for one in generations(waiting)] == [1, 2]
    assert not warehouse.plan(waiting).is_needed
    assert verify(waiting) == []


@pytest.mark.slow
@pytest.mark.parametrize("point", failpoints.BUILD_POINTS)
def test_build_killed_and_run_again(published, undisturbed, point):
    tiny.deliver(published, "2017-12-31", tiny.DAY_31)
    tiny.load(published)
    run_and_be_killed(BUILD, published, point)
    assert seen(published) == TWO
    build_and_publish(published, say=tiny.quiet, now=tiny.NOW)
    assert checksums(published) == undisturbed


def test_build_killed_halfway_is_not_published(published, undisturbed):
    tiny.deliver(published, "2017-12-31", tiny.DAY_31)
    tiny.load(published)
    run_and_be_killed(BUILD, published, "build.core_built")
    with pytest.raises(Exception, match="not completely built"):
        publish(published, say=tiny.quiet, now=tiny.NOW)
    build_and_publish(published, say=tiny.quiet, now=tiny.NOW)
    assert checksums(published) == undisturbed
