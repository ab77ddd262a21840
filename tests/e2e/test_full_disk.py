"""No file may grow further: a clear failure, nothing half-written, the old marts stay, and with room all goes on.

A limit on the size of the process's files (RLIMIT_FSIZE) replaces a full disk: writes fail in the same places.
"""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.land.landing import load_feed
from loyalty.operate.verify import verify
from loyalty.publish.generations import generations
from loyalty.publish.publish import publish
from loyalty.pull.feeds import get_feed
from worlds import one_mart
from worlds.killing import start
from worlds.opened import opened


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may become larger than so many bytes; a write beyond fails instead of killing the process."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def land_without_room(folder, size):
    settings = one_mart.load_settings(folder)
    with room_for(size):
        (outcome,) = load_feed(opened(settings), get_feed(settings.feeds, "orders"), now=one_mart.NOW)
    assert outcome.outcome == "rejected"
    assert outcome.is_transient, outcome.message
    assert "File too large" in outcome.message


def publish_without_room(folder, size):
    settings = one_mart.load_settings(folder)
    with room_for(size), pytest.raises(UserError, match="current generation is untouched; make room"):
        publish(opened(settings), now=one_mart.NOW)


def succeeds(step: Callable[..., None], *arguments: object) -> bool:
    process = start(step, *arguments)
    process.join()
    return process.exitcode == 0


@pytest.mark.parametrize("size", [10, 2_000, 3_000])
def test_landing_without_room_lands_nothing_and_then_all(tmp_path, size):
    settings = one_mart.make_workspace(tmp_path / "shop")
    assert succeeds(land_without_room, settings.workspace, size)
    assert Ledger(settings.ledger).loads() == []
    assert not list(settings.landing.glob("*/load_id=*"))
    assert not list(settings.home.rglob(".draft*")) + list(settings.home.rglob(".copy*"))
    (outcome,) = one_mart.load(settings)
    assert outcome.outcome == "accepted"
    assert verify(opened(settings)) == []


@pytest.mark.parametrize("size", [20_000, 300_000])
def test_publishing_without_room_keeps_the_old_marts_and_then_shows_the_new(waiting, size):
    assert succeeds(publish_without_room, waiting.workspace, size)
    assert [one.number for one in generations(waiting)] == [1]
    assert not list(waiting.serve.glob(".*"))
    assert len(one_mart.published(waiting, "from marts.retention__customers")) == 2
    assert publish(opened(waiting), now=one_mart.NOW).number == 2
    assert verify(opened(waiting)) == []
