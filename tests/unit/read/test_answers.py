"""The sentence for the best cohort, by hand."""

from __future__ import annotations

from datetime import date

import pytest

from loyalty.read.answers import best_cohort


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
