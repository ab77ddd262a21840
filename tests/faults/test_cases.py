"""Exports on which a fault was seen, with the feeds that read them right: landed, or also built.

`cases/<ids>_<what>/` holds the feeds and the exports of one workspace.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from loyalty.common.settings import load_settings, shipped
from loyalty.land.landing import load_feed
from loyalty.land.loads import landed_folder, parts_of
from loyalty.pull.feeds import usable_feeds
from worlds.opened import opened
from worlds.warehouse import Warehouse, new_warehouse

CASES = Path(__file__).parent / "cases"
NOW = datetime(2026, 11, 30, 5, tzinfo=UTC)
BUILT = ("F01_F02_shopify", "F01_status_words", "F05_woocommerce_refunds", "F05_full_refund", "F06_guests")

Landed = dict[str, pd.DataFrame]


def land(case: str, folder: Path) -> Landed:
    """The landed rows of a case by feed file; every file must be accepted whole."""
    (folder / "dags").mkdir(parents=True)
    shutil.copytree(CASES / case / "feeds", folder / "dags" / "feeds")
    shutil.copytree(CASES / case / "exports", folder / "var" / "exports")
    (folder / "loyalty.yml").touch()
    workspace = opened(load_settings(folder, expectations=shipped("expectations")))
    landed: Landed = {}
    for name, feed in usable_feeds(workspace.settings.feeds).items():
        (outcome,) = load_feed(workspace, feed, now=NOW)
        assert (outcome.outcome, outcome.quarantined) == ("accepted", 0), outcome.message
        (load,) = workspace.ledger.loads(feed_name=name)
        rows = [part.to_pandas() for part in parts_of(landed_folder(workspace.settings, load))]
        landed[name] = pd.concat(rows).assign(_feed=load.feed, _source=load.source)
    return landed


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Orders and refunds of all cases whose fault shows in core, each case a source of its own, built once."""
    with pytest.MonkeyPatch.context() as environment:
        warehouse = new_warehouse(tmp_path_factory.mktemp("cases") / "core", environment)
        for case in BUILT:
            for rows in land(case, tmp_path_factory.mktemp(case) / "shop").values():
                warehouse.load(rows["_feed"].iloc[0], rows.drop(columns=["_feed", "_source"]), source=case)
        warehouse.set_build(date(2026, 11, 29), currency=None)
        selected = ("+fct_orders", "+fct_refunds", "--exclude-resource-type", "unit_test", "test")
        warehouse.dbt("build", "--select", *selected)
        yield warehouse


def of_case(orders: Warehouse, case: str, figures: str) -> dict[str, tuple]:
    sql = f"select order_id, {figures} from core.fct_orders where source = '{case}'"
    return {row[0]: row[1:] for row in orders.query(sql)}


def test_f01_words_of_several_shop_systems_decide_what_is_a_sale(orders: Warehouse) -> None:
    counted = of_case(orders, "F01_status_words", "is_counted")
    assert [order for order, (is_counted,) in sorted(counted.items()) if is_counted] == ["S1"]


def test_f01_voided_refunded_and_pending_orders_of_shopify_are_no_sales(orders: Warehouse) -> None:
    counted = of_case(orders, "F01_F02_shopify", "is_counted")
    assert [order for order, (is_counted,) in sorted(counted.items()) if is_counted] == ["#1001", "#1002"]


def test_f02_an_order_discount_is_spread_over_the_lines(orders: Warehouse) -> None:
    figures = of_case(orders, "F01_F02_shopify", "goods_amount, discount_amount, net_amount")
    assert figures["#1001"] == (40, 10, 40)  # lines of 30 and 20, a code that takes 10 off the order, a total of 40
    lines = orders.query("select net_amount from core.fct_order_lines where order_id = '#1001' order by line_number")
    assert lines == [(24,), (16,)]


def test_f03_an_offset_of_hours_only_is_read(tmp_path: Path) -> None:
    rows = land("F03_hour_offsets", tmp_path / "shop")["orders"].set_index("order_id")["ordered_at"]
    assert rows.map(str).to_dict() == {
        "Q1": "2026-05-31 20:30:00",
        "Q2": "2026-05-31 20:30:00",
        "Q3": "2026-05-31 20:30:00",
    }


def test_f03_f10_a_copy_of_postgresql_with_offsets_and_cents(tmp_path: Path) -> None:
    rows = land("F03_F10_postgres_copy", tmp_path / "shop")["orders"].set_index("order_id")
    assert rows["ordered_at"].map(str).to_dict() == {
        "S01": "2026-05-25 10:45:50.802934",
        "S02": "2026-05-25 10:45:50.802934",
        "S03": "2026-05-25 06:45:50",
    }
    assert [*rows["total_amount"]] == [Decimal("299.97"), Decimal("99.99"), Decimal("499.95")]


def test_f05_a_full_refund_without_a_tax_column_leaves_nothing(orders: Warehouse) -> None:
    figures = of_case(orders, "F05_full_refund", "goods_amount, refunded_amount, is_kept")
    assert figures == {"V1": (100, 100, False)}  # 120 with 20 of tax, and 120 paid back


def test_f05_an_empty_tax_of_a_refund_is_the_orders_share(orders: Warehouse) -> None:
    refunded = of_case(orders, "F05_woocommerce_refunds", "goods_amount, refunded_amount")
    assert refunded == {"W1": (50, 50), "W2": (20, 0), "W3": (2000, 1000), "W4": (2000, 1000)}


def test_f06_a_map_to_an_empty_text_gives_no_value(tmp_path: Path, orders: Warehouse) -> None:
    customers = land("F06_guests", tmp_path / "guests")["orders"]["customer_id"]
    assert [customer if isinstance(customer, str) else None for customer in customers] == [None, None, None, "7"]
    scores = land("F06_scores_not_given", tmp_path / "tickets")["tickets"].set_index("ticket_id")["satisfaction_score"]
    assert scores[["101", "102"]].astype(float).to_dict() == {"101": 5, "102": 1}
    assert pd.isna(scores["103"])
    assert orders.query(
        "select customer_key is null, count(*) from core.fct_orders where source = 'F06_guests' group by 1 order by 1"
    ) == [(False, 1), (True, 3)]


def test_f07_a_kind_of_row_that_is_new_stays_out(tmp_path: Path) -> None:
    assert [*land("F07_new_kind_of_row", tmp_path / "range")["range_orders"]["order_id"]] == ["111-1", "111-2"]
    settled = land("F07_settlement", tmp_path / "settled")
    assert [*settled["amz_orders"]["order_id"]] == ["206-1", "206-2"]
    assert [*settled["amz_lines"]["net_amount"]] == [Decimal("29.99"), Decimal("20.00")]


@pytest.mark.parametrize(
    ("case", "feed", "choices"),
    [
        ("F09_google_forms", "forms_answers", ["Mugs", "Bowls", "Mugs", "Bowls", "Vases", "Mugs"]),
        ("F09_wenjuanxing", "answers", ["杯子", "碗", "杯子", "碗", "花瓶", "碗"]),
    ],
)
def test_f09_every_choice_of_a_question_in_one_cell_is_a_row(
    tmp_path: Path, case: str, feed: str, choices: list[str]
) -> None:
    rows = land(case, tmp_path / "shop")[feed]
    assert [*rows["value"]] == choices
    assert not rows.duplicated(["response_id", "question_code"]).any()


def test_f10_cents_and_seconds_since_1970(tmp_path: Path) -> None:
    rows = land("F10_cents_and_seconds", tmp_path / "shop")["charges"]
    assert [*rows["ordered_at"].map(str)] == ["2026-05-25 09:06:40", "2026-05-26 12:53:20"]
    assert [*rows["total_amount"]] == [Decimal("29.99"), Decimal("5.00")]


def test_f11_orders_of_more_than_a_million_rupiah_are_accepted(tmp_path: Path) -> None:
    rows = land("F11_rupiah", tmp_path / "shop")["orders"]
    assert rows["total_amount"].max() > 1_000_000


def test_f16_durations_in_minutes_become_times(tmp_path: Path) -> None:
    rows = land("F16_durations", tmp_path / "shop")["tickets"].set_index("ticket_id")["first_response_at"]
    assert str(rows["101"]) == "2026-05-02 10:12:00"
    assert pd.isna(rows["102"])
    assert str(rows["103"]) == "2026-05-04 10:05:00"


def test_f17_yen_margins_that_change_by_400000_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer's margin falls from 400,000 to 500 yen; such changes are squared where privileges are compared."""
    warehouse = new_warehouse(tmp_path / "core", monkeypatch)
    for rows in land("F17_yen", tmp_path / "shop").values():
        warehouse.load(rows["_feed"].iloc[0], rows.drop(columns=["_feed", "_source"]), source="jp")
    warehouse.set_build(date(2026, 9, 30), currency="JPY")
    tables = ("+profitability__tiers", "--exclude-resource-type", "unit_test")
    warehouse.dbt("build", "--select", *tables, variables={"assumed_cost_rates": False, "value_window_months": 12})
    tiers = "select tier, cm3_amount from marts.profitability__tiers where group_by = 'tier' order by tier"
    assert warehouse.query(tiers) == [("last_80", 500), ("top_5", 4000)]
