"""The sentences of the three answers, by hand."""

from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd
import pytest

from loyalty.read.answers import TOP_SHARE, best_cohort, newest_index, top_share
from loyalty.read.words import Words


@pytest.mark.parametrize(
    ("rate", "cohorts", "worst", "end"),
    [
        (0.66, 9, 0.3, "66.0% bought again 3 months later: the best of 9 cohorts."),
        (0.0, 9, 0.0, "0.0% bought again 3 months later."),
        (0.5, 1, 0.5, "50.0% bought again 3 months later."),
    ],
    ids=["best", "all at 0", "the only one"],
)
def test_k7_a_cohort_is_the_best_only_where_another_is_worse(rate: float, cohorts: int, worst: float, end: str) -> None:
    said = best_cohort((date(2017, 4, 1), rate, 3, 47, cohorts, worst))
    assert said == f"Of the 47 customers of April 2017, {end}"


def test_k7_the_newest_index_names_its_survey() -> None:
    said = newest_index((71.64, 69.0, 74.1, 1473, "club", "2017-12"))
    assert said == "The satisfaction index of club, wave 2017-12, is 71.6 of 100 (69.0 to 74.1, 1,473 answers)."


@pytest.mark.parametrize(
    ("basis", "value"), [("profit", "profit"), ("net_revenue", "net revenue (unit costs are unknown)")]
)
def test_no_unit_costs_the_share_of_the_best_names_what_it_is_of(basis: str, value: str) -> None:
    said = top_share((0.247, 124, 2468, "USD", basis))
    assert said == f"The best 5 % (124 of 2,468 customers) bring 24.7% of the {value} in USD."


def test_k7_a_twentieth_of_a_few_customers_is_no_answer() -> None:
    curve = pd.DataFrame({"customer_count": [29, 30], "currency_code": ["USD", "EUR"], "curve_rank": [2, 2]})
    curve = curve.assign(cumulative_value_rate=0.4, value_basis="profit")
    asked = TOP_SHARE.replace("profitability__whale_curve", "curve")
    with duckdb.connect() as connection:
        connection.register("curve", curve)
        assert connection.execute(asked).fetchall() == [(0.4, 2, 30, "EUR", "profit")]
        connection.register("curve", curve.head(1))
        assert connection.execute(asked).fetchall() == []


def test_the_answers_are_in_chinese_too() -> None:
    chinese = Words("zh")
    cohort = best_cohort((date(2017, 4, 1), 0.66, 3, 47, 9, 0.3), chinese)
    assert "首单在 2017-04 的 47 位客户中" in cohort and "66.0% 在 3 个月后再次购买" in cohort
    assert cohort.endswith("在 9 个同期群中最好。")
    best = top_share((0.247, 124, 2468, "USD", "profit"), chinese)
    assert "2,468 位中的 124 位" in best and best.endswith("带来以 USD 计的利润的 24.7%。")
    index = newest_index((71.64, 69.0, 74.1, 1473, "club", "2017-12"), chinese)
    assert index.startswith("调查 club 在 2017-12 波次的满意指数为 71.6") and "69.0 至 74.1" in index
