"""Small files that are checked together land as each of them would alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.land import foresight, gate, landing
from loyalty.land.landing import load_feed
from loyalty.land.loads import load_folders, parts_of, read_manifest
from loyalty.privacy.keys import load_key
from loyalty.privacy.suppression import person_of, remember
from worlds.opened import opened
from worlds.own_feeds import Workspace, rule

NOW = datetime(2026, 6, 1, 5, tzinfo=UTC)
FILES = {
    "good": "Order,Customer,When,Total\n1,ann,2026-05-01 10:00:00,10.00\n",
    "two rows": "Order,Customer,When,Total\n2,bob,2026-05-01 10:00:00,2.00\n3,eve,2026-05-02 10:00:00,3.00\n",
    "a row twice": "Order,Customer,When,Total\n2,bob,2026-05-01 10:00:00,2.00\n2,bob,2026-05-01 10:00:00,2.00\n",
    "a warning": "Order,Customer,When,Total\n4,,2026-05-01 10:00:00,2.00\n5,bob,2026-05-01 10:00:00,9.00\n",
    "too large": "Order,Customer,When,Total\n6,ann,2026-05-01 10:00:00,2.00\n7,ann,2026-05-01 10:00:00,9999.00\n",
    "unreadable": "Order,Customer,When,Total\n8,ann,2026-05-01 10:00:00,ten\n9,ann,2026-05-01 10:00:00,1.00\n",
    "personal": "Order,Customer,When,Total,contact\n10,ann,2026-05-01 10:00:00,1.00,ann@example.org\n",
    "own column": "Order,Customer,When,Total,contact\n11,ann,2026-05-01 10:00:00,1.00,by letter\n",
    "other header": "Total,Order,When,Customer\n4.00,12,2026-05-01 10:00:00,ann\n",
    "forgotten": "Order,Customer,When,Total\n13,zoe,2026-05-01 10:00:00,4.00\n",
    "short line": "Order,Customer,When,Total\n14,ann,2026-05-01 10:00:00\n15,ann,2026-05-01 10:00:00,1.00\n",
    "own amount": "Order,Customer,When,Total,discount_amount\n17,ann,2026-05-01 10:00:00,1.00,0.50\n",
    "own amount empty": "Order,Customer,When,Total,discount_amount\n18,ann,2026-05-01 10:00:00,1.00,\n",
    "column missing": "Order,Customer,When\n16,ann,2026-05-01 10:00:00\n",
    "empty": "Order,Customer,When,Total\n",
    "no file": "",
}


def shop(folder: Path, names: list[str]) -> Workspace:
    made = Workspace(folder)
    made.suite(
        "orders",
        rows=[
            rule("plausible", "expect_column_values_to_be_between", column="total_amount", min_value=0, max_value=1000),
            rule("customer_named", "expect_column_values_to_not_be_null", severity="warning", column="customer_id"),
        ],
        load=[
            rule("not_empty", "expect_column_values_to_be_between", column="row_count", min_value=1),
            rule(
                "no_doubles",
                "expect_column_values_to_be_between",
                severity="warning",
                column="duplicate_key_count",
                max_value=0,
            ),
            rule(
                "as_usual",
                "expect_column_values_to_be_between",
                severity="warning",
                column="rows_vs_median",
                max_value=1.5,
            ),
            rule(
                "discounts_known",
                "expect_column_values_to_be_between",
                severity="warning",
                column="null_rate_discount_amount",
                max_value=0.5,
            ),
        ],
    )
    made.feed(path="exports/orders_{date}_*.csv", max_quarantine_rate=0.6)
    for number, name in enumerate(names):
        made.export(f"orders_2026-05-10_{number:03}.csv", FILES[name])
    made.settings.private.mkdir(parents=True, exist_ok=True)
    key = made.settings.private / "hash.key"
    key.write_text("00" * 32)
    key.chmod(0o600)
    remember(made.settings, person_of(load_key(made.settings), None, "zoe").codes)
    return made


def landed(made: Workspace) -> list[Any]:
    """All that landing has left: outcomes in the ledger, manifests and rows."""
    ledger = opened(made.settings).ledger
    events = [(event.kind, {**event.data, "stamp": ""}) for event in ledger.events()]
    places = (made.settings.landing, made.settings.quarantine, made.settings.rejected)
    folders = [folder for place in places for folder in load_folders(place)]
    manifests = [read_manifest(folder) for folder in folders if folder.parent.parent != made.settings.quarantine]
    return [events, manifests, [[part.to_pylist() for part in parts_of(folder)] for folder in folders]]


@given(st.lists(st.sampled_from([*FILES]), min_size=2, max_size=8))
@settings(max_examples=15, deadline=None)
def test_k8_files_land_together_as_they_land_alone(names: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        together, alone = shop(Path(folder) / "a", names), shop(Path(folder) / "b", names)
        load_feed(
            opened(together.settings),
            together.feed(path="exports/orders_{date}_*.csv", max_quarantine_rate=0.6),
            now=NOW,
        )
        feed = alone.feed(path="exports/orders_{date}_*.csv", max_quarantine_rate=0.6)
        for number in range(len(names)):
            file = alone.settings.home / "exports" / f"orders_2026-05-10_{number:03}.csv"
            load_feed(opened(alone.settings), feed, files=[str(file)], now=NOW)
        events, manifests, rows = landed(together)
        assert events == landed(alone)[0]
        assert manifests == landed(alone)[1]
        assert rows == landed(alone)[2]


def test_k8_small_files_are_checked_once_together(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "load_profile", None)  # an error if a file were counted by itself
    workspace.suite("orders", rows=[rule("named", "expect_column_values_to_not_be_null", column="total_amount")])
    feed = workspace.feed(path="exports/orders_{date}_*.csv")
    for number in range(30):
        workspace.export(f"orders_2026-05-10_{number:03}.csv", FILES["good"].replace("1,ann", f"{number},ann"))
    outcomes = load_feed(opened(workspace.settings), feed, now=NOW)
    assert [outcome.outcome for outcome in outcomes] == ["accepted"] * 30


def test_k8_a_column_that_is_not_given_makes_no_file_of_a_group_be_checked_by_itself(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_null = rule("known", "expect_column_values_to_be_between", column="null_rate_discount_amount", max_value=0)
    workspace.suite("orders", load=[of_null])
    feed = workspace.feed(path="exports/orders_{date}_*.csv")
    for number in range(5):
        workspace.export(f"orders_2026-05-10_{number:03}.csv", FILES["good"].replace("1,ann", f"{number},ann"))
    checked: list[str] = []
    validate = gate._validate
    monkeypatch.setattr(gate, "_validate", lambda *asked: checked.append("once") or validate(*asked))
    assert [outcome.outcome for outcome in load_feed(opened(workspace.settings), feed, now=NOW)] == ["accepted"] * 5
    assert checked == ["once"]


def test_k8_what_goes_wrong_for_a_group_is_left_to_its_files(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(foresight, "to_canonical", crash)
    feed = workspace.feed(path="exports/orders_{date}_*.csv")
    for name in ("good", "two rows"):
        workspace.export(f"orders_2026-05-10_{name}.csv", FILES[name])
    outcomes = load_feed(opened(workspace.settings), feed, now=NOW)
    assert [(outcome.outcome, outcome.rows) for outcome in outcomes] == [("accepted", 1), ("accepted", 2)]
