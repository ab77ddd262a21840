"""The first marts on public data whose answers are known: CDNOW's cohorts and tiers, Superstore's whale curve."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from worlds.cdnow_orders import master_warehouse
from worlds.warehouse import Warehouse, new_warehouse

ORACLES = Path(__file__).parents[1] / "oracles"

# As the reference implementations counted: no one is left truncated, all time, by net revenue.
AS_THE_ORACLES = {"left_truncation": False, "value_window_months": 0, "tier_measure": "net_revenue", "min_base": 1}


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """CDNOW's master file, counted as its reference implementations count."""
    selected = (
        *("+retention__cohort_months", "+retention__customer_months", "+profitability__customer_months"),
        *("+profitability__tiers", "+profitability__whale_curve"),
    )
    with master_warehouse(tmp_path_factory.mktemp("cdnow"), *selected, variables=AS_THE_ORACLES) as warehouse:
        yield warehouse


def _oracle(name: str) -> dict[tuple[str, int], float]:
    """A published triangle: (cohort, month number) -> value; what was not observed is absent."""
    with (ORACLES / name).open() as file:
        return {
            (row["cohort"], int(number)): float(value)
            for row in csv.DictReader(file)
            for number, value in row.items()
            if number != "cohort" and value != ""
        }


@pytest.mark.parametrize(
    ("column", "oracle", "tolerance"),
    [
        ("active_count", "cdnow_cohort_counts.csv", 0),
        ("retention_rate", "cdnow_cohort_retention.csv", 5.1e-7),
        ("net_amount", "cdnow_cohort_revenue.csv", 0.005),
    ],
)
def test_cdnow_cohorts_equal_the_reference(cdnow: Warehouse, column: str, oracle: str, tolerance: float) -> None:
    rows = cdnow.query(
        f"select strftime(cohort_month, '%Y-%m'), month_number, {column}"
        f" from marts.retention__cohort_months where segment_by = 'all' and {column} is not null"
    )
    ours = {(cohort, number): float(value) for cohort, number, value in rows}
    expected = _oracle(oracle)
    assert ours.keys() == expected.keys()
    assert all(abs(ours[cell] - expected[cell]) <= tolerance for cell in expected)


def test_cdnow_months_not_yet_observed_are_null_and_not_zero(cdnow: Warehouse) -> None:
    assert (
        cdnow.value(
            "select count(*) from marts.retention__cohort_months where segment_by = 'all'"
            " and cohort_month = '1997-03-01' and month_number > 15"
            " and active_count is null and retention_rate is null and net_amount is null"
        )
        == 2
    )


def test_cdnow_revenue_tiers_hold_the_published_shares(cdnow: Warehouse) -> None:
    shares = cdnow.query(
        "select tier, round(measure_share_rate, 6), customer_count"
        " from marts.profitability__tiers where group_by = 'tier'"
    )
    assert {tier: share for tier, share, _ in shares} == {"top_5": 0.366908, "next_15": 0.310866, "last_80": 0.322226}
    assert {tier: count for tier, _, count in shares} == {"top_5": 1179, "next_15": 3535, "last_80": 18856}
    published = json.loads((ORACLES / "retention.json").read_text())["cdnow_tiers_revenue"]
    amounts = dict(cdnow.query("select tier, measure_amount from marts.profitability__tiers where group_by = 'tier'"))
    total = float(sum(amounts.values()))
    assert total == pytest.approx(published["total"], abs=0.005)
    assert float(amounts["top_5"] + amounts["next_15"]) / total == pytest.approx(published["top20"], abs=1e-12)
    exact = dict(cdnow.query("select tier, measure_share_rate from marts.profitability__tiers where group_by = 'tier'"))
    for tier, oracle in (("top_5", "vip5"), ("next_15", "imp15"), ("last_80", "ord80")):
        assert exact[tier] == pytest.approx(published[oracle], abs=1e-12)
    everyone = cdnow.query("select customer_count, gini_index from marts.profitability__tiers where group_by = 'all'")
    assert everyone == [(published["n"], pytest.approx(published["gini"], abs=1e-12))]


def test_cdnow_has_no_costs_so_profit_is_unknown_and_says_why(cdnow: Warehouse) -> None:
    rows = cdnow.query(
        "select count(distinct customer_key), count(*) filter (where profit_missing_reason is null),"
        " count(profit_amount) from marts.profitability__customer_months"
    )
    assert rows == [(23570, 0, 0)]


def test_cdnow_has_no_costs_so_the_whale_curve_is_of_net_revenue(cdnow: Warehouse) -> None:
    """Its point at a fifth of the customers is the published share of the best 20 %."""
    published = json.loads((ORACLES / "retention.json").read_text())["cdnow_tiers_revenue"]
    assert cdnow.query(
        "select distinct value_basis, customer_count, is_unprofitable from marts.profitability__whale_curve"
    ) == [("net_revenue", 23570, None)]
    fifth = "select cumulative_value_rate from marts.profitability__whale_curve where curve_rank = 4714"
    assert cdnow.value(fifth) == pytest.approx(published["top20"], abs=1e-12)


def test_cdnow_keeps_every_line_and_cent(cdnow: Warehouse) -> None:
    assert cdnow.query("select count(*), count(distinct customer_key) from core.fct_orders") == [(69659, 23570)]
    assert cdnow.query("select sum(order_count), sum(net_amount) from marts.retention__customer_months") == [
        (69659, Decimal("2500315.63"))
    ]
    nothing = "select count(*) from core.fct_orders where is_counted and net_amount = 0"
    assert cdnow.value(nothing) == 80, "a line of zero dollars is a purchase"


@pytest.fixture(scope="module")
def superstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Superstore's 793 customers, one order and line each, whose cost is sales less profit."""
    curve = pd.read_csv(ORACLES / "superstore_whale_curve.csv")
    orders = pd.DataFrame(
        {
            "order_id": curve["Customer ID"],
            "customer_id": curve["Customer ID"],
            "ordered_at": pd.Timestamp("2017-06-01"),
            "currency_code": "USD",
        }
    )
    sales = curve["sales"].round(4)
    lines = pd.DataFrame(
        {
            "order_id": curve["Customer ID"],
            "line_number": 1,
            "product_id": "all",
            "quantity": 1,
            "net_amount": sales,
            "cost_amount": (sales - curve["profit"]).round(4),
        }
    )
    with pytest.MonkeyPatch.context() as environment:
        warehouse = new_warehouse(tmp_path_factory.mktemp("superstore"), environment)
        warehouse.load("orders", orders, source="superstore")
        warehouse.load("order_lines", lines, source="superstore")
        warehouse.set_build(date(2017, 12, 31))
        # the published profit is sales less the cost of goods: nothing is assumed for serving customers
        warehouse.dbt(
            *("build", "--select", "+profitability__whale_curve +profitability__tiers"),
            variables={"assumed_cost_rates": False, "min_base": 1},
        )
        yield warehouse


def test_superstore_whale_curve_equals_the_reference(superstore: Warehouse) -> None:
    expected = pd.read_csv(ORACLES / "superstore_whale_curve.csv")
    ours = superstore.frame(
        "select customer_id, profit_amount, cumulative_value_rate"
        " from marts.profitability__whale_curve order by curve_rank"
    )
    assert len(ours) == 793
    assert (ours["profit_amount"].astype(float) - expected["profit"]).abs().max() < 1e-4
    assert (ours["cumulative_value_rate"] - expected["cum_share"]).abs().max() < 1e-5


def test_superstore_peak_and_loss_makers(superstore: Warehouse) -> None:
    published = json.loads((ORACLES / "superstore.json").read_text())["whale"]
    peak_share, peak_rate, unprofitable_rate = superstore.query(
        "select customer_share_rate, peak_value_rate, unprofitable_rate"
        " from marts.profitability__whale_curve where is_peak"
    )[0]
    assert peak_share == pytest.approx(published["peak_at_customer_share"], abs=1e-9)
    assert peak_rate == pytest.approx(published["peak_pct"], abs=1e-6)
    assert unprofitable_rate == pytest.approx(published["unprofitable"] / published["customers"])
    top = superstore.query(
        "select max(cumulative_value_rate) filter (where curve_rank = 159), max(curve_rank)"
        " from marts.profitability__whale_curve"
    )[0]
    assert top == (pytest.approx(published["top20"], abs=1e-6), 793)
    assert superstore.value(
        "select cumulative_value_rate from marts.profitability__whale_curve where curve_rank = 40"
    ) == pytest.approx(published["top5"], abs=1e-6)


def test_superstore_amounts_are_the_references(superstore: Warehouse) -> None:
    everything = json.loads((ORACLES / "superstore.json").read_text())
    published = everything["whale"]
    profitable, unprofitable, profit, losses, peak = superstore.query(
        "select count(*) filter (where profit_amount > 0), count(*) filter (where is_unprofitable),"
        " sum(profit_amount), sum(profit_amount) filter (where is_unprofitable), max(cumulative_value_amount)"
        " from marts.profitability__whale_curve"
    )[0]
    assert (profitable, unprofitable) == (published["profitable"], published["unprofitable"])
    amounts = [float(profit), float(losses), float(peak)]
    # the feed has four decimals, the file up to five: 793 roundings of a twenty-thousandth at most
    expected = [everything["profit"], published["loss_sum"], published["peak_profit"]]
    assert amounts == pytest.approx(expected, abs=1e-3)
    sales = "select net_amount from marts.profitability__tiers where group_by = 'all'"
    assert float(superstore.value(sales)) == pytest.approx(everything["sales"], abs=1e-3)


def test_superstore_best_twentieth_by_tier(superstore: Warehouse) -> None:
    published = json.loads((ORACLES / "superstore.json").read_text())["whale"]
    share, warning = superstore.query(
        "select measure_share_rate, warning from marts.profitability__tiers where tier = 'top_5' and group_by = 'tier'"
    )[0]
    assert share == pytest.approx(published["top5"], abs=1e-6)
    assert "leads it by construction" in warning


def test_superstore_pyramid_counts_are_rounded_up(superstore: Warehouse) -> None:
    levels = superstore.query(
        "select tier, customer_count from marts.profitability__tiers where group_by = 'level' order by tier"
    )
    assert levels == [("I", 8), ("II", 32), ("III", 119), ("IV", 634)]
