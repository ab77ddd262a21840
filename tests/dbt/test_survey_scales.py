"""Surveys on any scale: classes by one rule, no rate without a class, and every satisfaction mart builds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from loyalty.build import estimates
from loyalty.build.build import AFTER_ESTIMATES
from worlds.survey_rows import load_survey, question
from worlds.warehouse import Warehouse, new_warehouse

AS_OF = date(2017, 12, 31)
CUSTOMERS = 40
# survey -> its scale, and the scores that are dissatisfied, neither, merely satisfied, loyal
SCALES: dict[str, tuple[tuple[float, float], str]] = {
    "of_5": ((1, 5), "1-2 3-3 4-4 5-5"),
    "of_10": ((1, 10), "1-4 5-6 7-8 9-10"),
    "of_7": ((1, 7), "1-3 4-4 5-6 7-7"),
    "nought_to_10": ((0, 10), "0-3 4-6 7-8 9-10"),
    "nought_to_4": ((0, 4), "0-1 2-2 3-3 4-4"),
    "of_100": ((1, 100), "1-40 41-60 61-80 81-100"),
    "of_4": ((1, 4), "1-2 3-2 3-3 4-4"),
    "around_0": ((-2, 2), "-2--1 0-0 1-1 2-2"),
}
BY_ORDER = "of_10"
TOPICS = ("path:models/marts/satisfaction", "path:models/marts/loyalty", "dq__data_warnings")


def _orders() -> list[dict[str, Any]]:
    return [
        {
            "order_id": f"{customer}-{number}",
            "customer_id": f"c{customer:02}",
            "ordered_at": datetime(2017, 12, 20, 12) - timedelta(days=28 * number + customer % 5),
            "currency_code": "USD",
            "total_amount": 10,
            "channel": "web",
            "promised_at": datetime(2017, 12, 24) - timedelta(days=28 * number),
            "delivered_at": datetime(2017, 12, 24 if customer >= CUSTOMERS // 2 else 26) - timedelta(days=28 * number),
        }
        for customer in range(CUSTOMERS)
        for number in range(6 + customer % 2)
    ]


def _sheets(low: float, high: float, named: bool = True) -> list[dict[str, Any]]:
    """Every customer once, over the whole scale, the late half lowest; by name, or only by the order asked about."""
    width = int(high - low) + 1
    return [
        {
            "overall": int(low) + customer * width // CUSTOMERS,
            "item": int(low) + customer % width,
            **({"_customer_id": f"c{customer:02}"} if named else {"_order_id": f"{customer}-3"}),
            "_submitted_at": datetime(2017, 10, 1, 12),
        }
        for customer in range(CUSTOMERS)
    ]


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A survey on each scale, one on an open scale, and in each an answer off the scale."""
    with pytest.MonkeyPatch.context() as environment:
        made = new_warehouse(tmp_path_factory.mktemp("scales"), environment)
        made.load("orders", _orders())
        for survey, ((low, high), _) in SCALES.items():
            questions = [
                question(survey, "overall", "overall_satisfaction", low, high),
                question(survey, "item", "dimension:quality", low, high),
            ]
            off = {"overall": high + 1, "_submitted_at": datetime(2017, 10, 1, 12)}
            load_survey(made, questions, [*_sheets(low, high, named=survey != BY_ORDER), off])
        load_survey(made, [question("open", "overall", "overall_satisfaction", None, None)], _sheets(0, 50))
        made.set_build(AS_OF)
        parents = [f"+{topic}" for topic in TOPICS]
        made.dbt("build", "--select", *parents, "--exclude", AFTER_ESTIMATES, "--exclude-resource-type", "unit_test")
        with made.connect() as connection:
            estimates.run(connection, AS_OF)
        chosen = [f"{topic},{AFTER_ESTIMATES}" for topic in parents]
        made.dbt("build", "--select", *chosen, "--exclude-resource-type", "unit_test")
        yield made


@pytest.mark.parametrize("survey", SCALES)
def test_b2_any_scale_has_its_classes(surveyed: Warehouse, survey: str) -> None:
    classes = {
        "dissatisfied": ("hostile", "dissatisfied"),
        "neither": ("at_risk", "neither"),
        "satisfied": ("at_risk", "satisfied"),
        "loyal": ("loyal", "satisfied"),
    }
    found = {
        float(score): tuple(of_score)
        for score, *of_score in surveyed.query(
            "select distinct overall_score, loyalty_class, satisfaction_class from marts.satisfaction__responses "
            f"where survey_id = '{survey}' and overall_score is not null"
        )
    }
    assert found
    for said, span in zip(classes.values(), SCALES[survey][1].split(), strict=True):
        low, high = (int(end) for end in _ends(span))
        for score in set(found) & set(map(float, range(low, high + 1))):
            assert found.pop(score) == said, score
    assert not found


def _ends(span: str) -> tuple[str, str]:
    """The two ends of `low-high`; either may be negative."""
    cut = span.index("-", 1)
    return span[:cut], span[cut + 1 :]


def test_b2_an_open_scale_has_scores_and_no_classes(surveyed: Warehouse) -> None:
    """Forty scores of people who all gave one: their mean is there; what wants a best score or a class is empty."""
    figures = (
        "scored_count, overall_mean is null, satisfaction_index, top_box_rate, top_box_rate_weighted, top_two_rate, "
        "satisfied_rate, loyal_rate"
    )
    of_all = f"select {figures} from marts.satisfaction__segment_months where survey_id = 'open' and segment_by = 'all'"
    assert surveyed.query(of_all) == [(40, False, *[None] * 6)]
    assert surveyed.query(
        "select distinct top_box_rate, satisfied_rate from marts.satisfaction__value_customers "
        "where survey_id = 'open' and factor = 'overall'"
    ) == [(None, None)]


def test_k6_a_question_without_a_scale_is_named(surveyed: Warehouse) -> None:
    named = surveyed.query(
        "select detail, row_count, severity from quality.dq__data_warnings where warning like '%without a scale'"
    )
    assert named == [("open, overall", CUSTOMERS, "notice")]


def test_k6_answers_about_orders_are_their_customers(surveyed: Warehouse) -> None:
    """Forty answers name an order and no customer: all are followed up; 1..5 of late orders are compared with 6..10."""
    answers = "select count(*) from marts.satisfaction__responses where survey_id = '{}' and customer_key is not null"
    assert surveyed.value(answers.format(BY_ORDER)) == CUSTOMERS
    followed = "select sum(customer_count) from marts.satisfaction__loyalty_curve where segment_by = 'all' "
    assert surveyed.value(f"{followed} and survey_id = '{BY_ORDER}'") == CUSTOMERS
    figures = "segment, answer_count, mean_score, rest_mean_score, difference"
    assert surveyed.query(
        f"select {figures} from marts.satisfaction__order_segments "
        "where segment_by = 'delivery' and question_role = 'overall_satisfaction' order by segment"
    ) == [("late", 20, None, None, None), ("on time", 20, None, None, None)], "20 are fewer than min_base"


def test_k6_an_answer_off_the_scale_is_no_score_and_a_warning(surveyed: Warehouse) -> None:
    assert surveyed.value("select count(*) from marts.satisfaction__responses where has_off_scale") == len(SCALES)
    assert (
        surveyed.value("select count(*) from marts.satisfaction__responses where has_off_scale and overall_score >= 0")
        == 0
    )
    warned = surveyed.query(
        "select detail, row_count from quality.dq__data_warnings where warning = 'answer off the scale' order by 1"
    )
    assert warned == sorted((f"{survey}, overall: {int(high) + 1}", 1) for survey, ((_, high), _) in SCALES.items())
