"""A row in quarantine is open once: in the newest load that counts and has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from loyalty.build.raw_views import _quarantined_rows
from loyalty.common.errors import UserError
from loyalty.land.landing import load_feed
from loyalty.land.quarantine import entries
from loyalty.land.release import release
from loyalty.land.withdraw import withdraw
from loyalty.operate.notify import _quarantined
from loyalty.operate.status import feed_states, load_states
from worlds.opened import opened
from worlds.own_feeds import Workspace

NOW = datetime(2026, 5, 10, 2, tzinfo=UTC)
HEADER = "Order,Customer,When,Total\n"
GOOD = "1,a,2026-05-04 10:00:00,1.50\n"
BAD = "3,c,yesterday,1.75\n"
WITHOUT_KEY = ",c,2026-05-04,1.75\n"
SHORT = "4,c\n"


def land(workspace: Workspace, day: str, rows: str, again: bool = False, **changes: object) -> str:
    feed = workspace.feed(max_quarantine_rate=0.9, **changes)
    if not again:
        workspace.export(f"orders_2026-05-{day}.csv", HEADER + GOOD + rows)
    (outcome,) = load_feed(opened(workspace.settings), feed, again=again, now=NOW)
    return outcome.load_id or ""


def open_rows(workspace: Workspace) -> list[tuple[str, int]]:
    """Load and line of the open rows. List, feeds, loads, marts and alert agree on their number."""
    the_workspace = opened(workspace.settings)
    listed = entries(the_workspace, only_open=True)
    (state,) = feed_states(the_workspace, NOW)
    of_loads = {load.load_id: load.open_rows for load in load_states(the_workspace) if load.open_rows}
    in_marts = [row for row in _quarantined_rows(the_workspace, the_workspace.ledger.loads()) if row[-1] == "open"]
    assert state.quarantined == sum(of_loads.values()) == len(listed) == len(in_marts)
    assert sum(len(rows) for rows in _quarantined(the_workspace).values()) == len(listed)
    return [(entry.load_id, entry.line) for entry in listed]


def loaded_again(workspace: Workspace, rows: str) -> str:
    land(workspace, "04", rows)
    return land(workspace, "04", rows, again=True, currency="CHF")


def exported_again(workspace: Workspace, rows: str) -> str:
    land(workspace, "04", rows)
    return land(workspace, "05", "2,b,2026-05-05 10:00:00,2.50\n" + rows)


def delivered_corrected_and_delivered_again(workspace: Workspace, rows: str) -> str:
    first = land(workspace, "04", rows)
    land(workspace, "04", "2,b,2026-05-05 10:00:00,2.50\n" + rows)
    assert land(workspace, "04", rows) == first
    return first


WAYS = [loaded_again, exported_again, delivered_corrected_and_delivered_again]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("row", [BAD, WITHOUT_KEY, SHORT], ids=["bad", "without key", "short"])
def test_a_row_that_comes_again_is_open_once(
    workspace: Workspace, way: Callable[[Workspace, str], str], row: str
) -> None:
    newest = way(workspace, row)
    assert [load_id for load_id, _ in open_rows(workspace)] == [newest]
    older = {entry.load_id for entry in entries(opened(workspace.settings))} - {newest}
    for load_id in older:
        with pytest.raises(UserError, match="no row is open any more"):
            release(opened(workspace.settings), load_id)


def test_two_rows_without_a_key_are_two(workspace: Workspace) -> None:
    land(workspace, "04", WITHOUT_KEY)
    land(workspace, "05", WITHOUT_KEY.replace("1.75", "9.99"))
    assert len(open_rows(workspace)) == 2


def test_a_withdrawn_load_has_no_open_rows_and_its_row_is_open_where_it_still_counts(workspace: Workspace) -> None:
    first, second = land(workspace, "04", BAD), land(workspace, "05", BAD)
    withdraw(opened(workspace.settings), second)
    assert open_rows(workspace) == [(first, 3)]
    withdraw(opened(workspace.settings), first)
    assert open_rows(workspace) == []
    withdraw(opened(workspace.settings), second, undo=True)
    assert open_rows(workspace) == [(second, 3)]


def test_of_whole_snapshots_only_the_newest_has_open_rows(workspace: Workspace) -> None:
    land(workspace, "04", BAD, snapshot="full")
    newest = land(workspace, "05", SHORT, snapshot="full")
    assert [load_id for load_id, _ in open_rows(workspace)] == [newest]


def test_an_older_export_that_comes_late_opens_no_row_again(workspace: Workspace) -> None:
    newest = land(workspace, "05", BAD)
    land(workspace, "04", BAD)
    assert open_rows(workspace) == [(newest, 3)]


def test_a_released_row_is_not_open_in_an_older_load(workspace: Workspace) -> None:
    land(workspace, "04", WITHOUT_KEY.replace(",c", "7,c", 1).replace("2026-05-04", "soon"))
    newest = land(workspace, "05", "7,c,soon,1.75\n")
    corrected = workspace.folder / "corrected.csv"
    corrected.write_text("_line,_rules,Order,Customer,When,Total\n3,x,7,c,2026-05-04,1.75\n", encoding="utf-8")
    release(opened(workspace.settings), newest, corrected=corrected)
    assert open_rows(workspace) == []
