"""What is past its time goes, and nothing else does."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.land.landing import load_feed
from loyalty.operate.housekeeping import prune
from worlds.opened import opened

NOW = datetime.now(UTC)


@pytest.fixture
def loaded(workspace):
    """A workspace with one landed file."""
    feed = workspace.feed()
    workspace.export("orders_2024-06-01.csv", "Order,Customer,When,Total\n1,7,2024-06-01 10:00:00,5.00\n")
    load_feed(opened(workspace.settings), feed, now=NOW)
    return workspace


def test_raw_files_stay_for_raw_days_after_their_last_delivery(loaded):
    raw = loaded.settings.raw / "orders"
    assert prune(opened(loaded.settings), now=NOW + timedelta(days=30)) == []
    assert len(list(raw.iterdir())) == 1
    prune(opened(loaded.settings), now=NOW + timedelta(days=31))
    assert list(raw.iterdir()) == []


def test_landed_loads_outlive_their_raw_files(loaded):
    prune(opened(loaded.settings), now=NOW + timedelta(days=4000))
    assert len(list((loaded.settings.landing / "orders").glob("load_id=*/_manifest.json"))) == 1


def test_a_draft_of_a_killed_run_goes_after_a_day_and_one_of_a_running_load_stays(loaded):
    draft = loaded.settings.landing / "orders" / ".draft-killed"
    draft.mkdir()
    assert prune(opened(loaded.settings), now=NOW + timedelta(hours=1)) == []
    assert prune(opened(loaded.settings), now=NOW + timedelta(hours=30)) == [draft]
    assert not draft.exists()
