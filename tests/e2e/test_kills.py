"""Killed between any two steps, the current generation is untouched and one rerun ends as an undisturbed run."""

import re
from pathlib import Path

import pytest

from loyalty.build import plan
from loyalty.common import failpoints
from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.common.settings import shipped
from loyalty.land.landing import read_manifest
from loyalty.land.quarantine import entries
from loyalty.land.release import release
from loyalty.operate.housekeeping import prune
from loyalty.operate.nightly import build_and_publish
from loyalty.operate.notify import notify
from loyalty.operate.verify import verify
from loyalty.publish.generations import generations, rollback
from loyalty.publish.publish import publish
from worlds import one_mart
from worlds.killing import kill_at
from worlds.one_mart_steps import THREE, TWO, build_in, checksums, load_in, night_in, publish_in, seen
from worlds.opened import opened

LOOSE = "max_quarantine_rate: 0.9\n"
BROKEN = one_mart.DAY_31 + "5,zoe,someday,1.00\n6,zoe,2017-12-31 10:00:00,1.00\n"


def rollback_in(folder):
    rollback(opened(one_mart.load_settings(folder)))


def release_in(folder, load_id):
    release(opened(one_mart.load_settings(folder)), load_id, [4])


def notify_in(folder):
    notify(opened(one_mart.load_settings(folder)), one_mart.NOW)


def prune_in(folder):
    prune(opened(one_mart.load_settings(folder)), one_mart.NOW.replace(year=2027))


def landed(settings):
    """The bytes of every load that counts, and what is open in quarantine: all that a build can see."""
    loads = Ledger(settings.ledger).loads()
    manifests = [read_manifest(settings.landing / load.feed / f"load_id={load.load_id}") for load in loads]
    parts = [[part["sha256"] for part in manifest["parts"]] for manifest in manifests]
    open_lines = [(entry.file, entry.line) for entry in entries(opened(settings), only_open=True)]
    return [load.load_id for load in loads], parts, open_lines


@pytest.fixture
def arrived(tmp_path):
    """A workspace with a landed day and a row of it in quarantine; the next day's file brings a good version of it."""
    settings = one_mart.make_workspace(tmp_path / "shop")
    (settings.feeds / "orders.yml").write_text(one_mart.FEED + LOOSE)
    one_mart.deliver(settings, "2017-12-29", one_mart.HEADER + "3,bob,soon,5.00\n9,bob,2017-12-29 10:00:00,5.00\n")
    one_mart.deliver(settings, "2017-12-30", one_mart.DAY_30.replace("3,bob,2017-12-30", "3,bob,someday,2017-12-30"))
    load_in(settings.workspace)
    one_mart.deliver(settings, "2017-12-31", BROKEN)
    return settings


@pytest.fixture(scope="session")
def undisturbed(built_twice, tmp_path_factory):
    """The checksums of a second night that nothing disturbed."""
    settings = one_mart.copy_workspace(built_twice, tmp_path_factory.mktemp("calm") / "shop")
    build_and_publish(opened(settings), now=one_mart.NOW)
    return checksums(settings)


def test_every_point_is_listed_and_every_listed_point_is_there():
    package = shipped("dbt_project").parent / "plugins" / "loyalty"
    code = "".join(file.read_text() for file in sorted(Path(package).rglob("*.py")))
    assert sorted(re.findall(r'^\s+failpoint\("([a-z_.]+)"\)$', code, re.MULTILINE)) == sorted(failpoints.POINTS)


@pytest.mark.parametrize("point", failpoints.LAND_POINTS)
def test_landing_killed_and_run_again(arrived, tmp_path, point):
    calm = one_mart.copy_workspace(arrived.workspace, tmp_path / "calm" / "shop")
    load_in(calm.workspace)
    kill_at(point, load_in, arrived.workspace)
    load_in(arrived.workspace)
    assert landed(arrived)[1:] == landed(calm)[1:]
    assert landed(arrived)[2]
    assert len(Ledger(arrived.ledger).loads()) == 3
    assert not [finding for finding in verify(opened(arrived)) if finding.is_damage]


@pytest.mark.parametrize("point", failpoints.REJECT_POINTS)
def test_refusing_killed_and_run_again(arrived, point):
    one_mart.deliver(arrived, "2017-12-31", "id,customer\n1,ann\n")
    kill_at(point, load_in, arrived.workspace)
    load_in(arrived.workspace)
    refused = [event for event in Ledger(arrived.ledger).events("delivery") if event.data["outcome"] == "rejected"]
    assert [event.data["file"] for event in refused] == ["orders_2017-12-31.csv"]
    assert len(list(arrived.rejected.rglob("_manifest.json"))) == 1
    assert len(Ledger(arrived.ledger).loads()) == 2


@pytest.mark.parametrize("point", ["land.described", "land.renamed", "land.recorded"])
def test_a_changed_mapping_killed_and_run_again_counts_no_file_twice(arrived, point):
    load_in(arrived.workspace)
    before = len(Ledger(arrived.ledger).loads())
    (arrived.feeds / "orders.yml").write_text(one_mart.FEED.replace("EUR", "CHF") + LOOSE)
    kill_at(point, load_in, arrived.workspace, True)
    assert len(Ledger(arrived.ledger).loads()) == before
    load_in(arrived.workspace, again=True)
    loads = Ledger(arrived.ledger).loads()
    assert len(loads) == before
    assert len({load.data["mapping_id"] for load in loads}) == 1


@pytest.mark.parametrize("point", failpoints.RELEASE_POINTS)
def test_releasing_killed_and_run_again_lands_the_row_once(arrived, point):
    (arrived.expectations / "orders.yml").write_text(
        "feed: orders\nrows:\n  - name: small\n    severity: critical\n    because: Small totals only.\n"
        "    expectation: {type: expect_column_values_to_be_between, kwargs: {column: total_amount, max_value: 6.5}}\n"
    )
    one_mart.deliver(
        arrived, "2017-12-31", one_mart.DAY_31 + one_mart.DAY_31.splitlines()[2].replace("4,", "5,") + "\n"
    )
    load_in(arrived.workspace)
    found = entries(opened(arrived), only_open=True)
    (load_id,) = {one.load_id for one in found if one.file == "orders_2017-12-31.csv"}
    kill_at(point, release_in, arrived.workspace, load_id)
    if point == "release.recorded":
        with pytest.raises(UserError, match="line 4 is not open"):
            release(opened(arrived), load_id, [4])
    else:
        release(opened(arrived), load_id, [4])
    assert [load.row_count for load in Ledger(arrived.ledger).loads() if load.released_from == load_id] == [1]


@pytest.mark.parametrize("point", failpoints.PUBLISH_POINTS)
def test_publish_killed_and_run_again(waiting, undisturbed, point):
    kill_at(point, publish_in, waiting.workspace)
    is_shown = failpoints.PUBLISH_POINTS.index(point) >= failpoints.PUBLISH_POINTS.index("publish.linked")
    assert seen(waiting) == (THREE if is_shown else TWO)
    shown = (waiting.serve / "current").resolve().stat().st_ino
    build_and_publish(opened(waiting), now=one_mart.NOW)
    assert seen(waiting) == THREE
    assert not is_shown or (waiting.serve / "current").resolve().stat().st_ino == shown  # readers keep what they have
    assert checksums(waiting) == undisturbed
    assert [one.number for one in generations(waiting)] == [1, 2]
    assert not plan.make_plan(opened(waiting)).is_needed
    assert verify(opened(waiting)) == []


def test_rolling_back_killed_holds_publishing_and_is_run_again(waiting):
    publish_in(waiting.workspace)
    kill_at("rollback.recorded", rollback_in, waiting.workspace)
    assert seen(waiting) == THREE
    with pytest.raises(UserError, match="Publishing is held"):
        publish_in(waiting.workspace)
    rollback(opened(waiting))
    assert seen(waiting) == TWO


def test_a_message_whose_sender_was_killed_is_sent_again_rather_than_never(published):
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    kill_at("notify.sent", notify_in, published.workspace)
    assert notify(opened(published), one_mart.NOW) is not None
    assert notify(opened(published), one_mart.NOW) is None


def test_housekeeping_killed_and_run_again(published):
    assert list(published.raw.glob("*/*"))
    kill_at("prune.removed", prune_in, published.workspace)
    prune_in(published.workspace)
    assert not list(published.raw.glob("*/*"))
    assert verify(opened(published)) == []


@pytest.mark.slow
@pytest.mark.parametrize("point", ["plan.made", *failpoints.BUILD_POINTS])
def test_build_killed_and_run_again(published, undisturbed, point):
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    one_mart.load(published)
    kill_at(point, night_in, published.workspace)
    assert seen(published) == TWO
    build_and_publish(opened(published), now=one_mart.NOW)
    assert checksums(published) == undisturbed


def test_build_killed_halfway_is_not_published(published, undisturbed):
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    one_mart.load(published)
    kill_at("build.core_built", build_in, published.workspace)
    with pytest.raises(UserError, match="not completely built"):
        publish(opened(published), now=one_mart.NOW)
    build_and_publish(opened(published), now=one_mart.NOW)
    assert checksums(published) == undisturbed
