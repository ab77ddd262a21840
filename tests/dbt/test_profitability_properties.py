"""What profit must keep for any shop: parts add up, months make the whole, pools are given away to the cent."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worlds.random_shop import AS_OF, FIRST_DAY, draw_loads, land
from worlds.warehouse import Warehouse, new_warehouse

ORACLES = Path(__file__).parents[1] / "oracles"

SELECTION = (
    "+profitability__customer_months +profitability__cost_drivers +profitability__cost_reconciliation"
    " +profitability__tiers +profitability__whale_curve +int_programme__tier_moves"
)
# Prices of half a year: there is a window before the one that counts.
SHORT_WINDOWS = {"value_window_months": 2}

PARTS = """
    net_amount - (gross_amount - discount_amount + shipping_amount - refund_amount) as net,
    cm1_amount - (net_amount - goods_cost_amount) as cm1,
    cm2_amount - (cm1_amount - order_cost_amount) as cm2,
    cm3_amount - (cm2_amount - customer_cost_amount) as cm3,
    profit_amount - (cm3_amount - sustaining_cost_amount) as profit
"""
COSTS = "net_amount, goods_cost_amount, order_cost_amount, customer_cost_amount, sustaining_cost_amount"


def _built(
    factory: pytest.TempPathFactory,
    environment: pytest.MonkeyPatch,
    seed: int,
    *,
    without: frozenset[str] = frozenset(),
) -> Warehouse:
    """A shop drawn from a seed, built with every dbt test on; some feeds may be missing."""
    warehouse = new_warehouse(factory.mktemp("profit"), environment)
    warehouse.set_build(AS_OF)
    land(warehouse, [load for load in draw_loads(seed) if load.feed not in without])
    warehouse.dbt(*("build", "--select", SELECTION, "--exclude-resource-type", "unit_test"), variables=SHORT_WINDOWS)
    return warehouse


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Warehouse:
    """One shop in three currencies, one of them without a rate, with cost pools."""
    return _built(tmp_path_factory, environment, seed=5)


def _holds(warehouse: Warehouse) -> None:
    """Everything that must hold, whatever was sold."""
    broken = warehouse.query(
        f"select * from (select {PARTS} from marts.profitability__customer_months)"
        " where not (net = 0 and coalesce(cm1, 0) = 0 and coalesce(cm2, 0) = 0 and coalesce(cm3, 0) = 0"
        " and coalesce(profit, 0) = 0)"
    )
    assert broken == []
    sums = ", ".join(f"sum({name})" for name in COSTS.split(", "))
    apart = warehouse.query(
        f"select customer_key, {sums} from marts.profitability__customer_months group by customer_key except"
        f" select base_key, {COSTS} from steps.int_profitability__customer_profits"
    )
    assert apart == [], "the months of a customer make its row"
    uneven = warehouse.query(
        "select cost_id from marts.profitability__cost_reconciliation"
        " where allocated_amount + unallocated_amount <> pool_amount or allocated_amount * 100 % 1 <> 0"
    )
    assert uneven == []
    shares = warehouse.query(
        "select group_by, currency_code, sum(customer_share_rate), sum(measure_share_rate)"
        " from marts.profitability__tiers group by group_by, currency_code"
    )
    for group_by, currency, customers, measure in shares:
        assert customers is None or customers == pytest.approx(1), (group_by, currency)
        assert measure is None or measure == pytest.approx(1), (group_by, currency)


def test_parts_months_pools_and_shares_add_up(shop: Warehouse) -> None:
    _holds(shop)
    groups = {row[0] for row in shop.query("select distinct group_by from marts.profitability__tiers")}
    standing = {"all", "tier", "level", "tier_prior", "level_prior", "stage_prior"}
    # the segments of the settings that this shop's customers have
    assert groups == standing | {"age_band", "gender", "region", "acquisition_source"}


def test_currencies_are_ranked_and_added_up_apart(shop: Warehouse) -> None:
    ranks = shop.query(
        "select currency_code, max(value_rank), count(value_rank) from core.fct_customer_value_windows"
        " where window_number = 0 group by currency_code order by currency_code"
    )
    assert [row[0] for row in ranks] == ["EUR", "USD"], "CHF has a rate and is converted, EUR has none"
    assert [last or 0 for _, last, _ in ranks] == [count for _, _, count in ranks], "each currency begins at 1"
    mixed = shop.query(
        "select base_key from steps.int_profitability__customer_profits where base = 'customer' group by base_key"
        " having count(distinct currency_code) > 1"
    )
    assert mixed == []


def test_delivered_pools_and_assumed_rates_are_never_mixed(shop: Warehouse) -> None:
    assert shop.query("select cost_basis, is_assumed from core.dim_cost_basis") == [("delivered pools", False)]
    assert shop.value("select count(*) from marts.profitability__cost_reconciliation where is_assumed") == 0


def test_without_a_costs_feed_assumed_rates_are_used_and_marked(
    tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch
) -> None:
    warehouse = _built(tmp_path_factory, environment, seed=5, without=frozenset({"costs"}))
    _holds(warehouse)
    assert warehouse.query("select distinct cost_basis from marts.profitability__customer_months") == [
        ("assumed default rates",)
    ]
    pools = warehouse.query(
        "select distinct pool, is_assumed from marts.profitability__cost_reconciliation"
        " where driver_quantity > 0 order by pool"
    )
    assert pools == [("picking", True), ("returns_handling", True)], "orders state their payment fees themselves"
    lines, cost = warehouse.query(
        "select sum(driver_quantity), sum(allocated_amount) from marts.profitability__cost_reconciliation"
        " where pool = 'picking'"
    )[0]
    months = warehouse.value("select count(*) from marts.profitability__cost_reconciliation where pool = 'picking'")
    assert abs(cost - lines * Decimal("0.08")) <= Decimal("0.005") * months, "8 cents a line, whole cents a month"


@pytest.mark.slow
@settings(max_examples=4, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(10, 10_000))
def test_parts_add_up_whatever_the_shop_does(
    tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch, seed: int
) -> None:
    _holds(_built(tmp_path_factory, environment, seed))


def _tiers(count: int) -> dict[str, int]:
    """Integer ceilings of 5 and 20 percent of so many customers, with exact fractions."""
    top, upper = (-(-Fraction(count * percent, 100) // 1) for percent in (5, 20))
    return {"top_5": int(top), "next_15": int(upper - top), "last_80": int(count - upper)}


@pytest.mark.parametrize("count", [1, 3, 19, 20, 21, 25, 99, 100, 101])
def test_tiers_of_any_number_of_customers_are_rounded_up(ranked: Warehouse, count: int) -> None:
    found: dict[str, Any] = dict(
        ranked.query(
            "select tier, customer_count from marts.profitability__tiers"
            f" where group_by = 'tier' and currency_code = '{_currency(count)}'"
        )
    )
    assert found == {tier: number for tier, number in _tiers(count).items() if number}


def test_the_textbooks_tiers_come_out_of_its_customers(ranked: Warehouse) -> None:
    published = json.loads((ORACLES / "seed_arithmetic.json").read_text(encoding="utf-8"))["tiers"]
    rows = ranked.query(
        "select customer_share_rate, measure_share_rate, profit_index_ratio, share_gap_rate"
        " from marts.profitability__tiers where group_by = 'tier' and currency_code = 'XTB'"
        " order by profit_index_ratio desc"
    )
    ours = [[row[place] for row in rows] for place in range(3)]
    expected = [published["customer_share"], published["profit_share"], published["profit_index"]]
    assert ours == [pytest.approx(values) for values in expected]
    assert all(abs(gap) < 1e-9 for *_, gap in rows)


def test_no_unit_costs_the_tables_say_net_revenue_and_have_no_profit(ranked: Warehouse) -> None:
    measures = ranked.query("select distinct measure, cm3_amount, profit_amount from marts.profitability__tiers")
    assert measures == [("net_revenue", None, None)]
    curve = ranked.query(
        "select value_basis, max(curve_rank), sum(value_amount), max(profit_amount)"
        " from marts.profitability__whale_curve where currency_code = 'XTB' group by 1"
    )
    assert curve == [("net_revenue", 100, 100, None)]


def _currency(count: int) -> str:
    """Currencies are ranked apart, so that one warehouse holds populations of many sizes."""
    return f"X{count:02}"[-3:] if count < 100 else f"{count}"


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Warehouse:
    """Populations of 1 to 101 customers, each in a currency of its own without a rate; all alike, so ties decide."""
    warehouse = new_warehouse(tmp_path_factory.mktemp("ranked"), environment)
    warehouse.set_build(AS_OF, currency="USD")
    orders = [
        {
            "order_id": f"{count}-{number}",
            "customer_id": f"{count}-{number}",
            "ordered_at": FIRST_DAY + timedelta(days=number % 30),
            "currency_code": _currency(count),
            "total_amount": 10,
        }
        for count in (1, 3, 19, 20, 21, 25, 99, 100, 101)
        for number in range(count)
    ]
    textbook = [
        {
            "order_id": f"textbook-{number}",
            "customer_id": f"textbook-{number}",
            "ordered_at": FIRST_DAY,
            "currency_code": "XTB",
            "total_amount": amount,
        }
        for number, amount in enumerate([10] * 5 + [2] * 15 + [0.25] * 80)
    ]
    warehouse.load("orders", orders + textbook)
    tables = "+profitability__tiers +profitability__whale_curve"
    warehouse.dbt("build", "--select", tables, "--exclude-resource-type", "unit_test")
    assert warehouse.value("select max(window_end_date) from marts.profitability__tiers") == date(2024, 6, 15)
    return warehouse
