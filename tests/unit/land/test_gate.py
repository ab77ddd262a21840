"""Rows that are well written and wrong: money, dates and volumes that cannot be; by the suites that are shipped."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.common.settings import shipped
from loyalty.land.gate import load_suite
from loyalty.land.landing import LoadOutcome, load_feed
from loyalty.land.quarantine import entries
from loyalty.pull.contract import load_contract
from loyalty.pull.feeds import FeedConfig
from worlds.opened import opened
from worlds.own_feeds import Workspace

NOW = datetime(2026, 5, 6, 2, tzinfo=UTC)
COLUMNS = {"order_id": "o", "customer_id": "c", "ordered_at": "w", "total_amount": "t", "currency_code": "cur"}
HEADER = "o,c,w,t,cur\n"


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    return with_suites(workspace)


def with_suites(workspace: Workspace) -> Workspace:
    shutil.copytree(shipped("expectations"), workspace.folder / "expectations", dirs_exist_ok=True)
    return workspace


def feed_of(workspace: Workspace) -> FeedConfig:
    return workspace.feed(columns=COLUMNS, currency=None, max_quarantine_rate=0.9)


def load(workspace: Workspace, day: str, *rows: str) -> LoadOutcome:
    file = workspace.export(f"orders_2026-05-{day}.csv", HEADER + "".join(f"{row}\n" for row in rows))
    return load_feed(opened(workspace.settings), feed_of(workspace), [str(file)], now=NOW)[0]


def landed(workspace: Workspace) -> list[dict]:
    parts = sorted(workspace.settings.landing.glob("orders/load_id=*/part-*"))
    return [row for part in parts for row in pq.read_table(part, partitioning=None).to_pylist()]


def test_rows_from_a_wrong_clock_are_held_back(shop: Workspace) -> None:
    load(shop, "05", "1,a,2026-05-04,1,EUR", "2,a,2027-01-01,1,EUR", "3,a,1900-01-01,1,EUR", "4,a,0001-01-01,1,EUR")
    held = {entry.line: entry.rules for entry in entries(opened(shop.settings))}
    assert [row["order_id"] for row in landed(shop)] == ["1"]
    assert held == {3: "ordered_at_not_in_future", 4: "ordered_at_not_before_1990", 5: "readable_ordered_at"}


def test_a_clock_that_is_ahead_is_measured_against_the_delivery_and_never_against_today(shop: Workspace) -> None:
    load(shop, "05", "1,a,2026-05-06 03:59:00,1,EUR", "2,a,2026-05-06 04:01:00,1,EUR")  # Berlin: 02:00 UTC is 04:00
    assert [row["order_id"] for row in landed(shop)] == ["1"]


def test_an_unknown_or_missing_currency_is_held_back(shop: Workspace) -> None:
    load(shop, "05", "1,a,2026-05-04,1,EUR", "2,a,2026-05-04,1,XYZ", "3,a,2026-05-04,1,", "4,a,2026-05-04,1,eur")
    assert [(row["order_id"], row["currency_code"]) for row in landed(shop)] == [("1", "EUR"), ("4", "EUR")]
    assert {entry.line: entry.rules for entry in entries(opened(shop.settings))} == {
        3: "currency_is_iso",
        4: "required_currency_code",
    }


def test_f11_the_limit_of_an_amount_goes_by_its_currency(shop: Workspace) -> None:
    load(
        shop,
        "05",
        "1,a,2026-05-04,1875000,IDR",
        "2,a,2026-05-04,1875000.50,EUR",
        "3,a,2026-05-04,99000000000,VND",
        "4,a,2026-05-04,4915112345678,IDR",
        "5,a,2026-05-04,-80,EUR",
    )
    assert [row["order_id"] for row in landed(shop)] == ["1", "3", "5"]
    because = "An order's total is no larger than any shop sells; a negative one is a return; the limit for amounts in "
    assert {entry.line: entry.reason for entry in entries(opened(shop.settings))} == {
        3: f"{because}EUR is 1,000,000, and total_amount is 1,875,000.50.",
        5: f"{because}IDR is 100,000,000,000.",  # it may be a telephone number
    }


def test_f11_lines_are_in_the_currency_of_their_feed_or_of_the_warehouse(shop: Workspace) -> None:
    for name, currency in (("in_rupiah", "IDR"), ("unsaid", None)):
        feed = shop.feed(
            name, feed="order_lines", path=f"exports/{name}_{{date}}.csv", columns={}, currency=currency, source=name
        )
        rows = "o1,1,p,1,1875000.00\no2,1,p,-1,-5.00\no3,1,p,1,-5.00\no4,1,p,-1,5.00\no5,1,p,2,9.00\n"
        file = shop.export(f"{name}_2026-05-05.csv", "order_id,line_number,product_id,quantity,net_amount\n" + rows)
        load_feed(opened(shop.settings), feed.model_copy(update={"max_quarantine_rate": 0.9}), [str(file)], now=NOW)
    held = {(entry.source, entry.line): entry.rules for entry in entries(opened(shop.settings))}
    wrong_signs = {4: "sign_of_amount_fits_quantity", 5: "returned_goods_bring_no_money"}
    assert held == {
        **{(source, line): name for source in ("in_rupiah", "unsaid") for line, name in wrong_signs.items()},
        ("unsaid", 2): "net_amount_plausible",
    }


DIGITS = {"EUR": 2, "JPY": 0, "KWD": 3}
MONEY = st.lists(st.tuples(st.sampled_from(sorted(DIGITS)), st.integers(1, 900_000)), min_size=1, max_size=20)


@given(MONEY)
@settings(max_examples=8)
def test_the_sum_of_every_currency_is_kept_to_the_last_digit(money: list[tuple[str, int]]) -> None:
    expected: dict[str, Decimal] = defaultdict(Decimal)
    rows = []
    for number, (currency, minor) in enumerate(money):
        amount = Decimal(minor).scaleb(-DIGITS[currency])
        expected[currency] += amount
        rows.append(f"{number},a,2026-05-04,{amount:f},{currency}")
    with tempfile.TemporaryDirectory() as folder:
        workspace = with_suites(Workspace(Path(folder) / "shop"))
        assert load(workspace, "05", *rows).outcome == "accepted"
        found: dict[str, Decimal] = defaultdict(Decimal)
        for row in landed(workspace):
            found[row["currency_code"]] += row["total_amount"]
    assert found == expected


@pytest.mark.parametrize(
    ("rows", "outcome", "is_odd"), [(1, "rejected", True), (9, "accepted", True), (100, "accepted", False)]
)
def test_a_volume_that_cannot_be_is_refused_and_an_odd_one_is_flagged(
    shop: Workspace, rows: int, outcome: str, is_odd: bool
) -> None:
    def order(day: int, number: int) -> str:
        return f"{day}-{number},a,2026-04-04,1,EUR"

    for day in range(1, 6):
        load(shop, f"0{day}", *(order(day, number) for number in range(100)))
    last = load(shop, "06", *(order(6, number) for number in range(rows)))
    broken = {rule.rule for rule in last.rules if rule.failed}
    assert last.outcome == outcome, last.message
    assert ("volume_as_usual" in broken) is is_odd
    assert ("volume_possible" in last.message) is (outcome == "rejected")


def test_the_same_files_a_year_later_become_the_same_rows(tmp_path: Path) -> None:
    found = []
    for year in (2026, 2027):
        workspace = with_suites(Workspace(tmp_path / str(year) / "shop"))
        file = workspace.export("orders_2026-05-05.csv", HEADER + "1,a,2026-05-04 10:00,1,EUR\n2,b,2026-02-28,2,JPY\n")
        (outcome,) = load_feed(opened(workspace.settings), feed_of(workspace), [str(file)], now=NOW.replace(year=year))
        rows = [{name: cell for name, cell in row.items() if name != "_loaded_at"} for row in landed(workspace)]
        found.append((outcome.load_id, rows))
    assert found[0] == found[1]


NULL_RATES = [
    (feed, rule.name, rule.expectation.column.removeprefix("null_rate_"))
    for feed in load_contract()
    for rule in load_suite(shipped("expectations"), feed).load
    if rule.expectation.column.startswith("null_rate_")
]
ONE_ROW = {
    "orders": ("order_id,ordered_at,total_amount,currency_code", "1,2026-05-04,1,EUR"),
    "order_lines": ("order_id,line_number,product_id,quantity,net_amount", "1,1,p,1,1"),
    "products": ("product_id", "p"),
    "survey_answers": ("response_id,question_code", "1,q"),
}


@pytest.mark.parametrize(("feed", "name", "column"), NULL_RATES)
def test_a_check_of_empty_cells_is_silent_until_the_column_was_given(
    shop: Workspace, feed: str, name: str, column: str
) -> None:
    """One file without the column, one that has it, and two without it again: only the first of these has lost it."""
    group = "surveys" if feed.startswith("survey") else "orders"
    read = shop.feed("x", feed=feed, group=group, path="exports/x_{date}.csv", columns={}, currency=None)
    header, cells = ONE_ROW[feed]
    without, given = f"{header}\n{cells}\n", f"{header},{column}\n{cells},1\n"
    found = []
    for day, content in enumerate((without, given, without, without), start=1):
        file = shop.export(f"x_2026-05-0{day}.csv", content)
        (outcome,) = load_feed(opened(shop.settings), read, [str(file)], now=NOW)
        assert (outcome.outcome, outcome.rows, outcome.quarantined) == ("accepted", 1, 0), outcome.message
        found += [result.failed for result in outcome.rules if result.rule == name]
    assert found == [0, 0, 1, 0]
