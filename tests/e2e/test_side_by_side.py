"""Two runs at once never interleave: one goes on, the other waits or ends with a sentence that names the first."""

import os
import signal
from contextlib import contextmanager, suppress

import pytest

from loyalty.build import build, plan
from loyalty.common import failpoints
from loyalty.common.errors import LockBusy, UserError
from loyalty.common.ledger import Ledger
from loyalty.land.landing import load_feed
from loyalty.operate import nightly
from loyalty.operate.verify import verify
from loyalty.publish.generations import current_generation, generations, rollback
from loyalty.publish.publish import publish
from loyalty.pull.feeds import get_feed
from worlds import one_mart
from worlds.killing import is_hanging, start
from worlds.one_mart_steps import CUSTOMERS, THREE, TWO, build_in, load_in, night_in, publish_in, seen
from worlds.opened import opened


@contextmanager
def hanging_at(point, step, *arguments):
    """A process that hangs at the point, as one whose supervisor was killed; it goes on when the block ends."""
    process = start(step, *arguments, point=failpoints.HANG + point)
    while not is_hanging(process.pid):
        assert process.is_alive()
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, failpoints.GO_ON)
        process.join()
    assert process.exitcode in (0, -signal.SIGTERM)


@pytest.fixture
def impatient(waiting):
    """The second night, built and not published, in a workspace that waits for no one."""
    return waiting.model_copy(update={"lock_wait_seconds": 0})


def test_two_loads_of_one_file_at_once_land_it_once(tmp_path):
    settings = one_mart.make_workspace(tmp_path / "shop")
    with hanging_at("land.described", load_in, settings.workspace):
        (outcome,) = one_mart.load(settings)
        assert outcome.outcome == "accepted"
    outcomes = [event.data["outcome"] for event in Ledger(settings.ledger).events("delivery")]
    assert outcomes == ["accepted", "unchanged"]
    assert [one.load_id for one in Ledger(settings.ledger).loads()] == [outcome.load_id]
    assert verify(opened(settings)) == []


def test_a_build_beside_a_hanging_one_says_who_holds_the_lock_and_since_when(impatient):
    with hanging_at("build.locked", build_in, impatient.workspace) as hanging:
        pid = hanging.pid
        for step in (build.build, publish):
            with pytest.raises(LockBusy, match=rf"Another run \(build .*\) holds .*: process {pid} on .*, since 20"):
                step(opened(impatient))
        hanging.terminate()
    publish(opened(impatient), now=one_mart.NOW)
    assert seen(impatient) == THREE


def test_a_retry_beside_a_hanging_publish_waits_and_publishes_nothing_twice(impatient):
    with hanging_at("publish.copied", publish_in, impatient.workspace) as hanging:
        with pytest.raises(LockBusy, match=f"process {hanging.pid}"):
            publish(opened(impatient), now=one_mart.NOW)
        assert seen(impatient) == TWO
    assert seen(impatient) == THREE
    assert publish(opened(impatient), now=one_mart.NOW) is None
    assert [one.number for one in generations(impatient)] == [1, 2]


def publish_or_say(folder):
    with pytest.raises(UserError, match="Publishing is held"):
        publish_in(folder)


@pytest.mark.parametrize("point", ["publish.copied", "publish.synced"])
def test_a_rollback_during_a_publish_waits_for_nothing_and_wins(waiting, point):
    publish_in(waiting.workspace)
    one_mart.fetch(waiting.serve / "current" / "loyalty.duckdb", CUSTOMERS)
    with one_mart.duckdb.connect(str(waiting.work_file)) as connection:
        connection.execute("update marts.retention__customers set orders_count = 9")
    with hanging_at(point, publish_or_say, waiting.workspace):
        assert rollback(opened(waiting)).number == 1
        assert seen(waiting) == TWO
    assert seen(waiting) == TWO
    assert [one.number for one in generations(waiting)] == [1, 2]
    assert not list(waiting.serve.glob(".staging-*"))


def test_a_backfill_beside_the_night_changes_nothing_of_the_night_and_comes_with_the_next(published):
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    one_mart.load(published)
    with hanging_at("build.registered", night_in, published.workspace):
        one_mart.deliver(published, "2017-12-28", one_mart.HEADER + "8,kim,2017-12-28,1.00\n")
        feed = get_feed(published.feeds, "orders")
        (outcome,) = load_feed(opened(published), feed, date=one_mart.NOW.date().replace(2017, 12, 28))
        assert outcome.outcome == "accepted"
    assert seen(published) == THREE
    assert plan.make_plan(opened(published)).reasons == ("1 new load of orders",)
    before = one_mart.published(published, CUSTOMERS)
    nightly.build_and_publish(opened(published), now=one_mart.NOW)
    after = one_mart.published(published, CUSTOMERS)
    assert [row for row in after if row[0] != "kim"] == before
    assert current_generation(published).number == 3
    assert after[-1][:2] == ("kim", 1)
