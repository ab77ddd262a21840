"""Retention and wallets where there is hardly anything: one customer, one order; and several currencies at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from worlds.random_shop import AS_OF, FIRST_DAY, Load, draw_loads, land
from worlds.warehouse import Warehouse, new_warehouse

MARTS = "+path:models/marts/retention +path:models/marts/wallet"
ORDER = {
    "order_id": "1",
    "customer_id": "only",
    "ordered_at": datetime.fromisoformat("2024-06-01T10:00"),
    "currency_code": "USD",
    "total_amount": 10,
}


def _built(folder: Path, loads: list[Load], selection: str) -> Iterator[Warehouse]:
    with pytest.MonkeyPatch.context() as environment:
        warehouse = new_warehouse(folder, environment)
        warehouse.set_build(AS_OF)
        land(warehouse, loads)
        warehouse.dbt("build", "--select", selection, "--exclude-resource-type", "unit_test")
        yield warehouse


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """One customer with one order a fortnight ago, and no other feed."""
    only = Load("orders", (ORDER,), FIRST_DAY)
    yield from _built(tmp_path_factory.mktemp("lonely"), [only], MARTS)


def test_one_order_makes_one_customer_without_gaps_or_habits(lonely: Warehouse) -> None:
    # alone, the customer is in the middle of all who are alike
    assert lonely.query(
        "select order_count, tenure_days, order_gap_count, median_order_gap_days, order_gap_cv, is_regular,"
        " is_fading, is_lapsed,"
        " stickiness_rate, recency_score, order_value_growth_rate, stated_band from marts.retention__customers"
    ) == [(1, 14, 0, None, None, None, None, False, None, 3, None, None)]


def test_one_customer_is_too_few_for_any_rate(lonely: Warehouse) -> None:
    assert lonely.query(
        "select customer_count, churn_rate, churn_rate_reason, winback_rate, repeat_rate, stable_rate, revenue_cv"
        " from marts.retention__segment_months where segment_by = 'all'"
    ) == [(1, None, "the month is still running", None, None, None, None)]
    assert lonely.query(
        "select new_amount, closing_amount from marts.retention__revenue_movements where segment_by = 'all'"
    ) == [(10, 10)]
    for relation in ("retention__survival", "retention__order_gap_curve"):
        assert lonely.value(f"select bool_and(is_suppressed) from marts.{relation}") is not False


def test_what_no_feed_speaks_of_has_no_rows(lonely: Warehouse) -> None:
    for relation in ("retention__obstacles", "retention__churn_reasons", "wallet__brand_periods"):
        assert lonely.value(f"select count(*) from marts.{relation}") == 0


def test_a_wallet_without_a_statement_is_unknown(lonely: Warehouse) -> None:
    assert lonely.query(
        "select own_amount, share_count, share_of_wallet, sow_stated, wallet_amount"
        " from marts.wallet__segment_periods where segment_by = 'all' and period_grain = 'year'"
    ) == [(10, 0, None, None, None)]


@pytest.fixture(scope="module")
def currencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The made-up shop, whose customers pay in USD, CHF (which has a rate) and EUR (which has none)."""
    selection = "+retention__revenue_movements +retention__segment_months +retention__order_gap_curve"
    yield from _built(tmp_path_factory.mktemp("currencies"), draw_loads(seed=1), selection)


def test_currencies_are_rows_of_their_own_and_never_added_up(currencies: Warehouse) -> None:
    found = currencies.query(
        "select currency_code, sum(closing_amount) from marts.retention__revenue_movements"
        " where segment_by = 'all' group by currency_code order by currency_code"
    )
    expected = currencies.query(
        "select currency_code, sum(goods_amount + shipping_amount - refund_amount) from core.fct_customer_months"
        " where base = 'customer' group by currency_code order by currency_code"
    )
    assert [currency for currency, _ in found] == ["EUR", "USD"]
    assert found == expected


def test_a_segment_of_several_currencies_has_no_amount(currencies: Warehouse) -> None:
    rows = currencies.query(
        "select count(*), count(order_amount), count(revenue_cv) from marts.retention__segment_months"
        " where segment_by = 'all'"
    )
    assert rows == [(6, 0, 0)]
