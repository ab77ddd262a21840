"""However often and in whatever order exports arrive, the same version of every record counts in the end."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.common.ledger import Ledger
from loyalty.land.landing import LoadOutcome, load_feed
from loyalty.pull.feeds import FeedConfig
from worlds.opened import opened
from worlds.own_feeds import Workspace

NOW = datetime(2026, 5, 9, 2, tzinfo=UTC)
HEADER = "Order,Customer,When,Total\n"
# Three exports that overlap: a later one corrects order 2 and brings order 4.
DAYS = {
    "04": HEADER + "1,a,2026-05-01,1.00\n2,b,2026-05-01,2.00\n",
    "05": HEADER + "2,b,2026-05-01,2.50\n3,c,2026-05-04,3.00\n",
    "06": HEADER + "2,b,2026-05-01,2.75\n4,d,2026-05-05,4.00\n",
}
NEWEST = {"1": "1.0000", "2": "2.7500", "3": "3.0000", "4": "4.0000"}


def load(workspace: Workspace, feed: FeedConfig, *files: Path) -> list[LoadOutcome]:
    chosen = [str(file) for file in files] or None
    return load_feed(opened(workspace.settings), feed, chosen, now=NOW)


def current(workspace: Workspace, feed: str = "orders") -> dict[str, str]:
    """Order -> total, of the newest version: by the record's own version or the export's date, then by acceptance."""
    found: dict[str, tuple[tuple, str]] = {}
    for one in Ledger(workspace.settings.ledger).loads():
        for part in sorted((workspace.settings.landing / feed / f"load_id={one.load_id}").glob("part-*")):
            for row in pq.read_table(part, partitioning=None).to_pylist():
                rank = (row["_version_at"] or datetime.min, one.load_seq, row["_line"])
                before = found.get(row["order_id"])
                if before is None or rank > before[0]:
                    found[row["order_id"]] = (rank, str(row["total_amount"]))
    return {order: total for order, (_, total) in sorted(found.items())}


@pytest.mark.parametrize("order", list(permutations(DAYS)), ids=lambda order: "-".join(order))
def test_dated_exports_in_any_order_end_the_same(workspace: Workspace, order: tuple[str, ...]) -> None:
    feed = workspace.feed()
    for day in order:
        load(workspace, feed, workspace.export(f"orders_2026-05-{day}.csv", DAYS[day]))
    assert current(workspace) == NEWEST


@given(st.lists(st.sampled_from(sorted(DAYS)), min_size=3, max_size=7).filter(lambda days: set(days) == set(DAYS)))
@settings(max_examples=12)
def test_late_repeated_and_shuffled_exports_end_the_same(order: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "shop")
        feed = workspace.feed()
        for place, day in enumerate(order):
            copy = workspace.export(f"copy_{place}/orders_2026-05-{day}.csv", DAYS[day]) if place else None
            load(workspace, feed, copy or workspace.export(f"orders_2026-05-{day}.csv", DAYS[day]))
        assert current(workspace) == NEWEST
        assert len(Ledger(workspace.settings.ledger).loads()) == 3


def test_the_versions_column_decides_before_the_order_of_arrival(workspace: Workspace) -> None:
    feed = workspace.feed(version="Rev", path="exports/orders_*.csv")
    header = "Order,Customer,When,Total,Rev\n"
    new = workspace.export("orders_b.csv", header + "1,a,2026-05-01,9.00,2026-05-03 10:00\n")
    old = workspace.export("orders_a.csv", header + "1,a,2026-05-01,1.00,2026-05-02 10:00\n")
    load(workspace, feed, new)
    load(workspace, feed, old)
    assert current(workspace) == {"1": "9.0000"}


def test_a_corrected_export_counts_and_the_first_one_again_counts_again(workspace: Workspace) -> None:
    feed = workspace.feed()
    first, corrected = DAYS["04"], DAYS["04"].replace("2.00", "2.20")
    totals, messages = [], []
    for content in (first, corrected, first):
        (outcome,) = load(workspace, feed, workspace.export("orders_2026-05-04.csv", content))
        totals.append(current(workspace)["2"])
        messages.append(outcome.message)
    assert totals == ["2.0000", "2.2000", "2.0000"]
    assert messages[0] == ""
    assert "it restates the export that came 2026-05-09 02:00 UTC" in messages[1]
    restated = [event.data["restates"] for event in Ledger(workspace.settings.ledger).events("delivery")]
    assert [len(one) for one in restated] == [0, 1, 1]
    assert len(list(workspace.settings.landing.glob("orders/load_id=*"))) == 2  # the history is kept


def test_a_row_that_a_whole_snapshot_lacks_is_gone_and_absence_means_nothing_elsewhere(workspace: Workspace) -> None:
    names = {"orders": workspace.feed(), "whole": workspace.feed("whole", snapshot="full", source="other")}
    for name, left in (("orders", {"1", "2", "3"}), ("whole", {"2", "3"})):
        for day in ("05", "04"):  # the older one comes late
            load(workspace, names[name], workspace.export(f"{name}/orders_2026-05-{day}.csv", DAYS[day]))
        assert set(current(workspace)) == left
        for one in Ledger(workspace.settings.ledger).loads():
            Ledger(workspace.settings.ledger).append("supersede", load_id=one.load_id)
