"""A wrong load is taken out of what counts, and comes back on demand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from loyalty.build.plan import make_plan
from loyalty.common.errors import UserError
from loyalty.land.landing import load_feed
from loyalty.land.quarantine import entries, export
from loyalty.land.release import release
from loyalty.land.withdraw import loads_without_their_feed, withdraw
from worlds import one_mart
from worlds.opened import opened
from worlds.own_feeds import Workspace

NOW = datetime(2026, 5, 10, 5, tzinfo=UTC)
HEAD = "Order,Customer,When,Total\n"


def load(workspace: Workspace, day: str, rows: str, **changes: object) -> str:
    workspace.export(f"orders_2026-05-{day}.csv", HEAD + rows)
    (outcome,) = load_feed(opened(workspace.settings), workspace.feed(**changes), now=NOW)
    assert outcome.load_id is not None
    return outcome.load_id


def counting(workspace: Workspace) -> list[str]:
    return [one.load_id for one in opened(workspace.settings).ledger.loads()]


def test_a_withdrawn_load_does_not_count_until_it_is_brought_back(workspace: Workspace) -> None:
    first, second = load(workspace, "01", "1,a,2026-05-01,5\n"), load(workspace, "02", "999,TEST,2026-05-02,999999\n")
    done = withdraw(opened(workspace.settings), second[:8])
    assert f"load {second} of feed orders" in done.sentence and "--undo" in done.sentence
    assert counting(workspace) == [first]
    assert "counts again" in withdraw(opened(workspace.settings), second, undo=True).sentence
    assert counting(workspace) == [first, second]


def test_a_second_delivery_of_a_withdrawn_file_does_not_bring_it_back(workspace: Workspace) -> None:
    wrong = load(workspace, "02", "999,TEST,2026-05-02,999999\n")
    withdraw(opened(workspace.settings), wrong)
    good = load(workspace, "02", "1,a,2026-05-02,5\n")
    assert load(workspace, "02", "999,TEST,2026-05-02,999999\n") == wrong
    assert counting(workspace) == [good]


def test_what_was_released_from_a_load_goes_with_it(workspace: Workspace) -> None:
    wrong = load(workspace, "02", "1,a,2026-05-02,5\n2,b,2026-05-02,abc\n", max_quarantine_rate=1)
    corrected = workspace.folder / "corrected.csv"
    export(opened(workspace.settings), wrong, corrected)
    corrected.write_text(corrected.read_text().replace("abc", "7"))
    release(opened(workspace.settings), wrong, corrected=corrected)
    assert len(counting(workspace)) == 2
    assert len(withdraw(opened(workspace.settings), wrong).loads) == 2
    assert counting(workspace) == []


@pytest.mark.parametrize(("load_id", "sentence"), [("nothing", "no accepted load"), ("", "no accepted load")])
def test_an_unknown_load_is_named(workspace: Workspace, load_id: str, sentence: str) -> None:
    load(workspace, "01", "1,a,2026-05-01,5\n")
    with pytest.raises(UserError, match=sentence):
        withdraw(opened(workspace.settings), load_id)


def test_twice_is_refused_and_so_is_bringing_back_what_counts(workspace: Workspace) -> None:
    first = load(workspace, "01", "1,a,2026-05-01,5\n")
    with pytest.raises(UserError, match="it counts"):
        withdraw(opened(workspace.settings), first, undo=True)
    withdraw(opened(workspace.settings), first)
    with pytest.raises(UserError, match="withdrawn already"):
        withdraw(opened(workspace.settings), first)


def test_the_next_run_builds_without_it(published) -> None:
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    (outcome,) = one_mart.load(published)
    workspace = opened(published)
    withdraw(workspace, outcome.load_id or "")
    made = make_plan(workspace)
    assert made.is_full
    assert "a load was withdrawn or brought back" in made.reasons


def test_loads_whose_yaml_is_gone_or_names_another_source_are_listed(workspace: Workspace) -> None:
    load(workspace, "01", "1,a,2026-05-01,5\n")
    assert loads_without_their_feed(opened(workspace.settings)) == []
    workspace.feed(source="shop_berlin")
    (renamed,) = loads_without_their_feed(opened(workspace.settings))
    assert "under the source shop, and its YAML says shop_berlin" in renamed
    (workspace.settings.feeds / "orders.yml").rename(workspace.settings.feeds / "sales.yml")
    (gone,) = loads_without_their_feed(opened(workspace.settings))
    assert "there is no orders.yml any more" in gone


def test_an_older_export_does_not_close_the_entry_of_a_newer_one(workspace: Workspace) -> None:
    load(workspace, "08", "7,ann,2026-05-01,abc\n8,ann,2026-05-01,1\n", max_quarantine_rate=1)
    load(workspace, "01", "7,ann,2026-05-01,5\n", max_quarantine_rate=1)
    assert [entry.status for entry in entries(opened(workspace.settings))] == ["open"]
    load(workspace, "09", "7,ann,2026-05-01,6\n", max_quarantine_rate=1)
    assert [entry.status for entry in entries(opened(workspace.settings))] == ["corrected"]
