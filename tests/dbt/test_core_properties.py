"""What must hold for any data: totals reconcile, twice is once, incremental equals full, order does not matter."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worlds.random_shop import AS_OF, LONG_CHAIN, Load, draw_loads, land, refunds, sold
from worlds.warehouse import Warehouse, new_warehouse

SELECTION = (
    "+retention__cohort_months +retention__customer_months +profitability__customer_months +profitability__cost_drivers"
    " +profitability__cost_reconciliation +int_profitability__customer_profits"
)
RELATIONS = (
    "core.dim_customers",
    "core.fct_orders",
    "core.fct_order_lines",
    "core.fct_refunds",
    "core.fct_cost_allocations",
    "core.fct_customer_days",
    "marts.retention__customer_months",
    "marts.retention__cohort_months",
    "steps.int_profitability__customer_profits",
    "marts.profitability__customer_months",
    "marts.profitability__cost_drivers",
)


def _checksums(warehouse: Warehouse) -> dict[str, tuple[int, str]]:
    return {relation: warehouse.checksum(relation) for relation in RELATIONS}


def _run(warehouse: Warehouse, *flags: str) -> dict[str, tuple[int, str]]:
    without_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    warehouse.dbt("build", "--select", SELECTION, *without_tests, *flags)
    return _checksums(warehouse)


def _started(folder: Path, environment: pytest.MonkeyPatch) -> Warehouse:
    warehouse = new_warehouse(folder, environment)
    warehouse.set_build(AS_OF)
    return warehouse


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Warehouse:
    """The shop, all its loads built at once, every dbt test passed."""
    warehouse = _started(tmp_path_factory.mktemp("shop"), environment)
    land(warehouse, draw_loads(seed=1))
    warehouse.dbt("build", "--select", SELECTION)
    return warehouse


def test_nights_end_where_a_full_build_ends(built: Warehouse, tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    nightly = _started(tmp_path / "nightly", environment)
    loads = draw_loads(seed=1)
    for start, end in ((0, 5), (5, len(loads))):
        land(nightly, loads[start:end])
        result = _run(nightly)
    assert result == _checksums(built)
    assert _run(nightly) == result, "the same loads again change nothing"


def test_the_order_of_acceptance_does_not_matter_when_versions_are_dated(
    built: Warehouse, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    shuffled = _started(tmp_path / "shuffled", environment)
    loads = draw_loads(seed=1)
    random.Random(7).shuffle(loads)
    land(shuffled, loads[:6])
    _run(shuffled)
    land(shuffled, loads[6:])
    assert _run(shuffled) == _checksums(built)


def test_a_withdrawn_load_gives_back_the_version_before(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    warehouse = _started(tmp_path / "withdrawn", environment)
    *earlier, last = [load for load in draw_loads(seed=2) if load.feed in {"orders", "order_lines"}]
    land(warehouse, earlier)
    before = _run(warehouse)
    land(warehouse, [last])
    assert _run(warehouse) != before
    warehouse.withdraw(last.feed, f"{last.feed}-{last.source}-{last.version_at:%Y%m%d}")
    assert _run(warehouse) == before


def test_guests_resellers_and_staff_are_rows_of_their_own(built: Warehouse) -> None:
    bases = {row[0] for row in built.query("select distinct base from steps.int_profitability__customer_profits")}
    assert bases >= {"customer", "guest", "reseller", "internal", "after_as_of"}
    outside = built.query("select base_key from steps.int_profitability__customer_profits where base = 'guest'")
    assert set(outside) == {("guest:USD",), ("guest:EUR",)}


def test_chains_of_merges_end_at_their_last_record_and_circles_are_refused(built: Warehouse) -> None:
    rows = built.query(
        "select customer_id, record_count, is_in_merge_cycle from core.dim_customers"
        " where source = 'north' and customer_id in ('c3', 'c4', 'c5', 'c6', 'c7') order by customer_id"
    )
    assert rows == [("c5", 3, False), ("c6", 1, True), ("c7", 1, True)]


def test_a_merge_that_was_undone_merges_no_one(built: Warehouse) -> None:
    assert built.query(
        "select customer_id, record_count from core.dim_customers"
        " where source = 'north' and customer_id in ('c0', 'c1') order by customer_id"
    ) == [("c0", 1), ("c1", 1)]


def test_a_long_chain_of_merges_ends_at_its_last_record(built: Warehouse) -> None:
    rows = built.query("select customer_id, record_count from core.dim_customers where customer_id like 'd%'")
    assert rows == [(f"d{LONG_CHAIN}", LONG_CHAIN + 1)]


def _money_holds(warehouse: Warehouse, loads: list[Load]) -> None:
    """What core says was sold and given back is what the exports say, by source, day and currency."""
    query = (
        "select source, {day}, currency_code, sum({amount}) from core.{table} group by all having sum({amount}) <> 0"
    )
    orders = warehouse.query(query.format(table="fct_orders", day="order_date", amount="net_amount"))
    assert {(source, day, currency): amount for source, day, currency, amount in orders} == sold(loads)
    expected: dict[tuple[str, date, str], Decimal] = defaultdict(Decimal)
    for refund in refunds(loads):
        expected[refund.source, refund.day, refund.currency] += refund.amount
    given = warehouse.query(query.format(table="fct_refunds", day="refund_date", amount="refund_amount"))
    assert {(source, day, currency): amount for source, day, currency, amount in given} == {
        key: amount for key, amount in expected.items() if amount
    }
    assert warehouse.value("select count(*) from core.fct_refunds") == len(refunds(loads))


def test_what_was_sold_and_given_back_is_what_the_exports_say(built: Warehouse) -> None:
    """Among them refunds of cancelled, unknown and later orders, of another currency, and above what was sold."""
    loads = draw_loads(seed=1)
    _money_holds(built, loads)
    assert any(refund.order is None and refund.amount for refund in refunds(loads))


def test_two_shops_with_the_same_ids_are_two_sets_of_customers(built: Warehouse) -> None:
    assert built.query(
        "select count(*), count(distinct customer_key), count(distinct source)"
        " from core.dim_customers where customer_id = 'c0'"
    ) == [(2, 2, 2)]


def test_amounts_without_a_rate_stay_in_their_currency_and_are_never_added_up(built: Warehouse) -> None:
    shown = built.query(
        "select original_currency_code, currency_code, count(*) > 0 from core.fct_orders"
        " group by original_currency_code, currency_code order by original_currency_code"
    )
    assert shown == [("CHF", "USD", True), ("EUR", "EUR", True), ("USD", "USD", True)]
    rates = built.query(
        "select distinct round(fct_orders.net_amount / (recorded.net_amount + shipping_amount / 1.25), 2)"
        " from core.fct_orders inner join (select order_key, sum(recorded_net_amount) as net_amount"
        " from core.fct_order_lines group by order_key) as recorded using (order_key)"
        " where original_currency_code = 'CHF' and is_booked and order_date >= '2024-02-01'"
        " and shipping_amount = 0 and recorded.net_amount > 0"
    )
    assert {float(rate) for (rate,) in rates} <= {1.25}
    outside = {row[0] for row in built.query("select base_key from steps.int_profitability__customer_profits")}
    assert "other_currency:USD" in outside, "a EUR customer's orders in USD are outside the customer's row"


def test_a_users_own_columns_reach_the_core(built: Warehouse) -> None:
    assert built.value("select count(*) from core.dim_customers where x_club = 'gold'") > 0


@pytest.mark.slow
@settings(max_examples=5, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(3, 10_000), nights=st.integers(1, 4))
def test_totals_reconcile_whatever_the_shop_does(
    tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch, seed: int, nights: int
) -> None:
    warehouse = _started(tmp_path_factory.mktemp("any"), environment)
    land(warehouse, draw_loads(seed, nights=nights))
    warehouse.dbt("build", "--select", SELECTION)  # the reconciling tests are dbt's own
    _money_holds(warehouse, draw_loads(seed, nights=nights))
