"""The wallet's quantile regression: against statsmodels, against plain percentiles, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.regression.quantile_regression import QuantReg

from loyalty.build.estimates.wallet import QUANTILE, SpendBin, fit_wallet, pinball, quantile_regression


def _sample(n: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    design = np.column_stack([np.ones(n), random.integers(0, 2, n), random.integers(0, 2, n)])
    response = design @ np.array([4.0, 0.5, -0.3]) + random.normal(0, 0.6, n)
    return response, design.astype(float)


def test_agrees_with_statsmodels() -> None:
    response, design = _sample(400)
    ours = quantile_regression(response, design, np.ones(400), QUANTILE)
    theirs = QuantReg(response, design).fit(q=QUANTILE, max_iter=5000)
    assert ours is not None
    assert ours == pytest.approx(theirs.params, abs=1e-3)
    ones = np.ones(400)
    assert pinball(response - design @ ours, ones, QUANTILE) <= pinball(
        response - design @ theirs.params, ones, QUANTILE
    )


def test_a_bin_counts_as_often_as_it_holds_customers() -> None:
    response, design = _sample(60)
    counts = np.arange(60) % 4 + 1
    binned = quantile_regression(response, design, counts.astype(float), QUANTILE)
    whole = quantile_regression(
        np.repeat(response, counts), np.repeat(design, counts, axis=0), np.ones(counts.sum()), QUANTILE
    )
    assert binned == pytest.approx(whole)


def test_one_attribute_gives_each_levels_own_percentile() -> None:
    bins = [
        SpendBin((level,), amount * scale, 1) for level, scale in (("a", 1.0), ("b", 3.0)) for amount in range(1, 102)
    ]
    result = fit_wallet("all, year", ("age_band",), bins)
    base = np.exp(result.coefficients[("intercept", "")])
    assert base == pytest.approx(91, rel=0.02)
    assert np.exp(result.coefficients[("age_band", "b")]) == pytest.approx(3, rel=1e-6)
    assert result.fit.base_count == 202


def test_a_wallet_is_judged_by_customers_that_its_fit_has_not_seen() -> None:
    alike = [SpendBin((), float(amount), 1, amount % 2 == 0) for amount in range(1, 401)]
    check = fit_wallet("all", (), alike).fit.checks[0]
    assert (check.base_count, check.expected) == (200, 0.9)
    assert check.observed == pytest.approx(0.9, abs=0.01)
    richer = [SpendBin((), amount * (1 + amount % 2), 1, amount % 2 == 1) for amount in range(1, 401)]
    check = fit_wallet("all", (), richer).fit.checks[0]
    # the others' 90th percentile is 360; of 2, 6, 10 .. 798 every second odd number's double is within it
    assert check.observed == pytest.approx(0.45, abs=0.01)
    assert check.high is not None and check.high < 0.6


def test_no_one_held_out_is_no_check() -> None:
    bins = [SpendBin((), float(amount), 1, True) for amount in range(1, 201)]
    assert fit_wallet("all", (), bins).fit.checks == []


def test_an_attribute_that_repeats_another_is_left_out() -> None:
    bins = [SpendBin((level, level), float(amount), 1) for level in "ab" for amount in range(1, 101)]
    assert set(fit_wallet("all", ("peer_level", "age_band"), bins).coefficients) == {
        ("intercept", ""),
        ("peer_level", "b"),
    }


def test_too_few_customers_are_not_fitted() -> None:
    fit = fit_wallet("all", ("age_band",), [SpendBin(("a",), 10.0, 99)]).fit
    assert fit.reason == "99 of the 100 customers with spend needed"


def test_no_customer_at_all_is_not_fitted() -> None:
    assert not fit_wallet("all", ("age_band",), []).fit.is_fitted


def test_collinear_attributes_are_not_fitted() -> None:
    # the third level of each attribute comes only together with the other's
    bins = [
        SpendBin(levels, float(amount), 1)
        for levels in (("a", "x"), ("b", "y"), ("a", "z"))
        for amount in range(1, 101)
    ]
    fit = fit_wallet("all", ("age_band", "tenure_band"), bins).fit
    assert fit.reason == "the attributes are collinear (singular)"
