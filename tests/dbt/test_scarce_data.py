"""Hardly any data, and data that are all alike: every mart builds, holds its own tests, and says NULL where it must."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty.build import estimates
from loyalty.build.build import AFTER_ESTIMATES
from worlds.survey_rows import load_survey, question
from worlds.warehouse import Warehouse, new_warehouse

AS_OF = date(2017, 12, 31)
CURRENCIES = ("USD", "EUR", "JPY")
# What a shop of 25 customers is too small for: rates and intervals of groups.
RATES_OF_GROUPS = {
    "retention__segment_months": "churn_rate winback_rate repeat_rate repeat_rate_by_orders stable_rate",
    "retention__cohort_months": "retention_rate",
    "retention__revenue_movements": "net_revenue_retention_rate gross_revenue_retention_rate",
    "retention__survival": "survival_rate survival_low survival_high",
    "wallet__segment_periods": "share_of_wallet mean_share_of_wallet sow_stated sole_buyer_rate",
    "loyalty__early_signals": "precision_rate recall_rate usual_lapse_rate",
}
PREDICTIONS = "order_probability p_alive expected_order_count"
WITHOUT_SURVEY = (
    *("responses", "segment_months", "drivers", "measurement_model", "loyalty_curve", "loyalty_contrasts"),
    *("value_customers", "value_perception", "waves", "nonresponse", "coverage", "followups", "survey_operations"),
    *("word_of_mouth_scores", "profit_lags"),
)


def _orders(customers: int, each: int, currencies: tuple[str, ...] = ("USD",)) -> list[dict[str, Any]]:
    """Every customer buys `each` times, four weeks apart, always in the same currency."""
    return [
        {
            "order_id": f"{customer}-{number}",
            "customer_id": f"c{customer:02}",
            "ordered_at": datetime(2017, 12, 20, 12) - timedelta(days=28 * number + customer % 5),
            "currency_code": currencies[customer % len(currencies)],
        }
        for customer in range(customers)
        for number in range(each)
    ]


def _lines(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"order_id": order["order_id"], "line_number": 1, "product_id": "p", "quantity": 1, "net_amount": Decimal(10)}
        for order in orders
    ]


def _land_shop(warehouse: Warehouse, orders: list[dict[str, Any]]) -> None:
    warehouse.load("orders", orders)
    warehouse.load("order_lines", _lines(orders))
    warehouse.load("products", [{"product_id": "p", "category": "all there is", "unit_cost": Decimal(4)}])


def one_of_everything(warehouse: Warehouse) -> None:
    """One customer, one order, one product, one day, and no survey."""
    _land_shop(warehouse, _orders(customers=1, each=1))


def one_answer(warehouse: Warehouse) -> None:
    """25 customers; one of them answered one question."""
    _land_shop(warehouse, _orders(customers=25, each=4))
    load_survey(
        warehouse,
        [question("s", "overall", "overall_satisfaction", 1, 5)],
        [{"overall": 5, "_customer_id": "c01", "_submitted_at": datetime(2017, 11, 1, 12)}],
    )


def all_alike(warehouse: Warehouse) -> None:
    """25 customers in three currencies without a rate, who all answer the same to every question."""
    _land_shop(warehouse, _orders(customers=25, each=4, currencies=CURRENCIES))
    roles = ("overall_satisfaction", "recommend", "expectation", "perceived", "dimension:quality", "dimension:service")
    sheet = {f"q{position}": 8 for position in range(len(roles))}
    load_survey(
        warehouse,
        [question("s", f"q{position}", role, 0, 10) for position, role in enumerate(roles)],
        [
            {**sheet, "_customer_id": f"c{customer:02}", "_submitted_at": datetime(2017, 11, 1, 12)}
            for customer in range(25)
        ],
    )


def _build(warehouse: Warehouse) -> list[estimates.Fit]:
    """The whole night's build, its data tests included."""
    warehouse.set_build(AS_OF)
    warehouse.dbt("build", "--exclude", AFTER_ESTIMATES, "--exclude-resource-type", "unit_test")
    with warehouse.connect() as connection:
        fits = estimates.run(connection, AS_OF)
    warehouse.dbt("build", "--select", AFTER_ESTIMATES, "--exclude-resource-type", "unit_test")
    return fits


def _built(factory: pytest.TempPathFactory, scene: Callable[[Warehouse], None]) -> Iterator[Warehouse]:
    with pytest.MonkeyPatch.context() as environment:
        warehouse = new_warehouse(factory.mktemp(scene.__name__), environment)
        scene(warehouse)
        fits = _build(warehouse)
        assert [str(fit) for fit in fits if fit.is_fitted] == []
        assert all(fit.reason for fit in fits)
        yield warehouse


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    yield from _built(tmp_path_factory, one_of_everything)


@pytest.fixture(scope="module")
def answered_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    yield from _built(tmp_path_factory, one_answer)


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    yield from _built(tmp_path_factory, all_alike)


def _filled(warehouse: Warehouse, mart: str, columns: str, where: str = "true") -> list[str]:
    """Which of these columns say something in any row; a mart without rows says nothing."""
    return [
        column
        for column in columns.split()
        if warehouse.value(f'select count("{column}") from marts."{mart}" where {where}')
    ]


def _holds_everywhere(warehouse: Warehouse) -> None:
    """No infinity, nothing that is no number, and every currency earned to the cent."""
    columns = warehouse.query(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts' and data_type = 'DOUBLE'"
    )
    assert columns
    assert [
        f"{table}.{column}"
        for table, column in columns
        if warehouse.value(f'select count(*) from marts."{table}" where not isfinite("{column}")')
    ] == []
    net = warehouse.query("select currency_code, sum(net_amount) from core.fct_orders group by 1 order by 1")
    earned = warehouse.query(
        "select currency_code, sum(net_amount) from marts.profitability__customers where net_amount <> 0 "
        "group by 1 order by 1"
    )
    assert earned == net


def _says_nothing_of_groups(warehouse: Warehouse) -> None:
    for mart, columns in RATES_OF_GROUPS.items():
        assert _filled(warehouse, mart, columns) == [], mart
    assert _filled(warehouse, "retention__customers", PREDICTIONS) == []
    assert (
        warehouse.value("select count(*) from marts.retention__customers where prediction_missing_reason is null") == 0
    )
    verdicts = "select distinct verdict from marts.loyalty__claims"
    assert warehouse.query(verdicts) == [("cannot tell",)]


@pytest.mark.slow
def test_one_customer(lonely: Warehouse) -> None:
    _holds_everywhere(lonely)
    _says_nothing_of_groups(lonely)
    assert lonely.query(
        "select stage, is_left_truncated, median_order_gap_days, order_gap_cv from marts.retention__customers"
    ) == [("regular", True, None, None)]
    assert lonely.query("select tier, customer_count, base_count from marts.profitability__tiers order by tier") == [
        ("I", 1, 1),
        ("all", 1, 1),
        ("top_5", 1, 1),
        *[("unknown", 1, 1)] * 4,  # no export has age, gender, region or source
    ]
    assert (
        _filled(lonely, "retention__order_gap_curve", "returned_rate closed_p50_days p50_days p90_days regularity_k")
        == []
    )
    # who was there when the data began is in no cohort and on no curve
    for mart in ("retention__cohort_months", "retention__survival", "profitability__cohort_months"):
        assert lonely.value(f"select count(*) from marts.{mart}") == 0, mart


@pytest.mark.slow
def test_one_day_of_data(lonely: Warehouse) -> None:
    assert lonely.value("select count(distinct order_date) from core.fct_orders") == 1
    assert lonely.query("select distinct churn_rate_reason from marts.retention__segment_months") == [
        ("too soon after the data began",)
    ]
    assert _filled(lonely, "retention__segment_months", "churn_rate stable_rate repeat_revenue_rate revenue_cv") == []
    assert _filled(lonely, "loyalty__kpi_months", "change_month change_p_value mean_before mean_after") == []
    assert lonely.query("select is_lapsed, is_fading, silence_ratio from marts.retention__customers") == [
        (False, None, None)
    ]


@pytest.mark.slow
def test_no_survey(lonely: Warehouse) -> None:
    for mart in WITHOUT_SURVEY:
        assert lonely.value(f"select count(*) from marts.satisfaction__{mart}") == 0, mart
    asked = "loyalty_index satisfaction_index repurchase_index recommend_index preference_index is_attitude_high"
    assert _filled(lonely, "loyalty__customers", asked) == []
    assert lonely.query("select distinct loyalty_quadrant from marts.loyalty__customers") == [("unmeasured",)]
    assert _filled(lonely, "wallet__customer_periods", "sow_stated sow_war share_of_wallet wallet_gap_amount") == []
    # without a ticket it is not known who complained, and the silent are not 0
    estimates = "complainer_count assumed_silent_estimate most_silent_estimate own_silent_estimate"
    assert _filled(lonely, "satisfaction__silent_dissatisfied", estimates) == []


@pytest.mark.slow
def test_one_product(lonely: Warehouse) -> None:
    assert lonely.value("select count(*) from marts.loyalty__category_pairs") == 0
    assert lonely.query("select category_count from marts.retention__customers") == [(1,)]
    assert _filled(lonely, "programme__offer_months", "new_product_rate fill_rate stockout_rate") == []


@pytest.mark.slow
def test_25_customers(answered_once: Warehouse) -> None:
    _holds_everywhere(answered_once)
    _says_nothing_of_groups(answered_once)
    tiers = "select tier, customer_count from marts.profitability__tiers where group_by = 'tier' order by 2"
    assert answered_once.query(tiers) == [("top_5", 2), ("next_15", 3), ("last_80", 20)]
    assert answered_once.value("select count(parameter_value) from quality.dq__model_parameters") == 0


@pytest.mark.slow
def test_one_answer(answered_once: Warehouse) -> None:
    figures = (
        "satisfaction_index satisfaction_index_low satisfaction_index_high top_box_rate top_two_rate nps"
        " c_mean_of_ratios c_ratio_of_means index_change"
    )
    assert _filled(answered_once, "satisfaction__segment_months", figures) == []
    assert answered_once.query(
        "select response_count, is_suppressed from marts.satisfaction__segment_months where segment_by = 'all'"
    ) == [(1, True)]
    # the answer itself is shown; a single item has no spread and no ratio
    assert answered_once.query(
        "select overall_score, loyalty_class, c_ratio, mark_deviation, nps_class from marts.satisfaction__responses"
    ) == [(5.0, "loyal", None, None, None)]
    assert _filled(answered_once, "satisfaction__drivers", "lmg_share johnson_share importance_rank r_squared") == []
    assert _filled(answered_once, "satisfaction__loyalty_curve", "repurchase_rate repurchase_rate_adjusted") == []


def test_all_answers_alike(alike: Warehouse) -> None:
    _holds_everywhere(alike)
    shown = "satisfaction_index top_box_rate nps c_ratio_of_means"
    assert _filled(alike, "satisfaction__segment_months", shown) == []
    assert alike.query(
        "select distinct overall_score, c_ratio, c_state, nps_class, mark_deviation, is_straight_liner, weight"
        " from marts.satisfaction__responses"
    ) == [(8.0, 1.0, "satisfied", "passive", 0.0, False, None)], "two items are no battery"
    assert _filled(alike, "satisfaction__drivers", "lmg_share johnson_share importance_rank r_squared") == []
    assert _filled(alike, "satisfaction__measurement_model", "value value_low value_high") == []
    assert _filled(alike, "satisfaction__loyalty_contrasts", "odds_ratio risk_ratio rate_difference") == []


def test_three_currencies(alike: Warehouse) -> None:
    _says_nothing_of_groups(alike)
    amounts = (
        "select currency_code, sum(net_amount), count(*) from marts.profitability__customers"
        " where net_amount <> 0 group by 1 order by 1"
    )
    assert alike.query(amounts) == [("EUR", 320, 8), ("JPY", 320, 8), ("USD", 360, 9)]
    ranked = (
        "select currency_code, min(curve_rank), max(curve_rank) from marts.profitability__whale_curve"
        " group by 1 order by 1"
    )
    assert alike.query(ranked) == [("EUR", 1, 8), ("JPY", 1, 8), ("USD", 1, 9)]
    mixed = "select count(*) from marts.retention__revenue_movements where segment_by = 'all' group by month"
    assert {count for (count,) in alike.query(mixed)} == {3}, "a row for each currency, and none for their sum"
