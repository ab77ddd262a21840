"""Retention on random orders: every figure counted again in plain Python, and the parts add up to the whole."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worlds.warehouse import Warehouse, new_warehouse

START = date(2024, 1, 1)
AS_OF = date(2024, 8, 20)
CHURN_DAYS = 40
REGIONS = ("north", "south", None)
MONTHS = [date(2024, month, 1) for month in range(1, 9)]
HORIZON_DAYS = 60
VARIABLES = {
    "churn_days": CHURN_DAYS,
    "left_truncation": False,
    "min_base": 1,
    "survival_horizon_days": HORIZON_DAYS,
}
SELECTION = (
    "+retention__segment_months +retention__revenue_movements +retention__survival +retention__order_gap_curve"
    " +fct_customer_retention"
)

Days = dict[str, list[date]]
Order = dict[str, Any]


def _draw(seed: int, customers: int = 60) -> list[Order]:
    """Orders at random: some customers come often, some once, some twice a day, a few only after the as-of date."""
    chance = random.Random(seed)
    orders = []
    for number in range(customers):
        for _ in range(chance.choice([1, 1, 2, 3, 8, 20])):
            day = START + timedelta(days=chance.randrange(0, 250))
            orders.append(
                {
                    "order_id": str(len(orders)),
                    "customer_id": None if number == 0 else f"c{number}",
                    "ordered_at": datetime.combine(day, datetime.min.time()) + timedelta(hours=chance.randrange(24)),
                    "status": chance.choice(["completed"] * 9 + ["cancelled"]),
                    "kind": chance.choice(["sale"] * 9 + ["gift"]),
                    "currency_code": "USD",
                    "total_amount": chance.randrange(0, 10_000) / 100,
                }
            )
    return orders


def _refunds(seed: int, orders: list[Order]) -> list[Order]:
    chance = random.Random(seed + 1)
    return [
        {
            "refund_id": f"r{order['order_id']}",
            "order_id": order["order_id"],
            "refunded_at": order["ordered_at"] + timedelta(days=chance.randrange(1, 60)),
            "amount": chance.randrange(1, 3000) / 100,
        }
        for order in orders
        if chance.random() < 0.15
    ]


def _built(folder: Path, environment: pytest.MonkeyPatch, seed: int) -> tuple[Warehouse, Days]:
    """A warehouse of random orders, and the order days of its customers by their id."""
    orders = _draw(seed)
    warehouse = new_warehouse(folder, environment)
    warehouse.load("orders", orders)
    warehouse.load("refunds", _refunds(seed, orders))
    people = sorted({str(order["customer_id"]) for order in orders if order["customer_id"]})
    regions = [{"customer_id": one, "region": REGIONS[place % 3]} for place, one in enumerate(people)]
    warehouse.load("customers", regions)
    warehouse.set_build(AS_OF)
    warehouse.dbt("build", "--select", SELECTION, "--exclude-resource-type", "unit_test", variables=VARIABLES)
    days: Days = {}
    for order in orders:
        day = order["ordered_at"].date()
        if order["customer_id"] and order["status"] == "completed" and order["kind"] == "sale" and day <= AS_OF:
            days.setdefault(str(order["customer_id"]), []).append(day)
    return warehouse, {customer: sorted(set(found)) for customer, found in days.items()}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> tuple[Warehouse, Days]:
    return _built(tmp_path_factory.mktemp("random"), environment, seed=5)


def _is_active(days: list[date], day: date) -> bool:
    """An order in (day - churn_days, day]."""
    return any(day - timedelta(days=CHURN_DAYS) < one <= day for one in days)


def _lapses(days: list[date]) -> list[date]:
    """Days on which an active customer no longer is one, found by walking through the calendar."""
    walked = [START + timedelta(days=n) for n in range((AS_OF - START).days + 1)]
    return [day for day in walked if _is_active(days, day - timedelta(days=1)) and not _is_active(days, day)]


def check_months(warehouse: Warehouse, days: Days) -> None:
    """Active, lapsed, new and repeat customers of every month, counted again day by day."""
    rows = warehouse.query(
        "select month, customer_count, active_start_count, lapsed_count, new_count, repeat_customer_count,"
        " ordering_count, active_end_count from marts.retention__segment_months where segment_by = 'all' order by month"
    )
    expected = []
    for place, month in enumerate(MONTHS):
        after = MONTHS[place + 1] if place + 1 < len(MONTHS) else AS_OF + timedelta(days=1)
        last = after - timedelta(days=1)
        until = {customer: [day for day in found if day <= last] for customer, found in days.items()}
        expected.append(
            (
                month,
                sum(bool(found) for found in until.values()),
                sum(_is_active(found, month - timedelta(days=1)) for found in days.values()),
                sum(month <= lapse <= last for found in days.values() for lapse in _lapses(found)),
                sum(month <= found[0] <= last for found in days.values()),
                sum(len(found) > 1 for found in until.values()),
                sum(any(month <= day <= last for day in found) for found in days.values()),
                sum(_is_active(found, last) for found in days.values()),
            )
        )
    assert rows == expected


def check_customers(warehouse: Warehouse, days: Days) -> None:
    """Gaps and standing of every customer, counted again."""
    rows = warehouse.query(
        "select customer_id, retention.order_day_count, median_order_gap_days, lapse_count, is_lapsed, tenure_days"
        " from core.fct_customer_retention as retention inner join core.dim_customers using (customer_key)"
        " where retention.first_order_date is not null"
    )
    found = {row[0]: row[1:] for row in rows}
    expected = {}
    for customer, ordered in days.items():
        gaps = [(later - earlier).days for earlier, later in pairwise(ordered)]
        expected[customer] = (
            len(ordered),
            median(gaps) if gaps else None,
            len(_lapses(ordered)),
            not _is_active(ordered, AS_OF),
            (AS_OF - ordered[0]).days,
        )
    assert found == expected


def check_survival(warehouse: Warehouse, days: Days) -> None:
    """The restricted mean of the lapse curve from its definition, product by product."""
    lapses = [_lapses(ordered) for ordered in days.values()]
    ended = [bool(found) for found in lapses]
    times = [
        ((found[0] if found else AS_OF) - ordered[0]).days for ordered, found in zip(days.values(), lapses, strict=True)
    ]
    survival, area = 1.0, 0.0
    for day in range(HORIZON_DAYS):
        at_risk = sum(time >= day for time in times)
        if at_risk:
            survival *= 1 - sum(time == day and end for time, end in zip(times, ended, strict=True)) / at_risk
        area += survival
    assert warehouse.value(
        "select max(restricted_mean_days) from marts.retention__survival where curve = 'lapse' and segment_by = 'all'"
    ) == pytest.approx(area, abs=1e-7)


def check_sums(warehouse: Warehouse) -> None:
    """Whatever is counted or summed, the segments of an attribute add up to all; what is not observed is NULL."""
    for relation, columns in {
        "retention__segment_months": ("active_end_count", "lapsed_count", "new_count", "stable_count", "order_amount"),
        "retention__revenue_movements": ("opening_amount", "lapsed_amount", "expansion_amount", "closing_amount"),
    }.items():
        for column in columns:
            different = warehouse.query(
                f"select month from marts.{relation} group by month"
                f" having sum(case when segment_by = 'all' then {column} else 0 end)"
                f" <> sum(case when segment_by = 'region' then {column} else 0 end)"
            )
            assert different == [], (relation, column)
    for relation, rate in {
        "retention__segment_months": "churn_rate",
        "retention__revenue_movements": "net_revenue_retention_rate",
    }.items():
        assert warehouse.value(f"select count({rate}) from marts.{relation} where is_partial_month") == 0
    assert warehouse.value("select max(month) from marts.retention__revenue_movements") <= AS_OF


def test_months_are_what_the_calendar_says(shop: tuple[Warehouse, Days]) -> None:
    check_months(*shop)


def test_customers_are_what_their_days_say(shop: tuple[Warehouse, Days]) -> None:
    check_customers(*shop)


def test_the_curve_is_what_its_definition_says(shop: tuple[Warehouse, Days]) -> None:
    check_survival(*shop)


def test_segments_add_up_to_all_and_the_unobserved_is_null(shop: tuple[Warehouse, Days]) -> None:
    check_sums(shop[0])


@pytest.mark.slow
@settings(max_examples=4, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(6, 10_000))
def test_all_of_it_for_any_orders(
    tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch, seed: int
) -> None:
    warehouse, days = _built(tmp_path_factory.mktemp("any"), environment, seed)
    check_months(warehouse, days)
    check_customers(warehouse, days)
    check_survival(warehouse, days)
    check_sums(warehouse)
