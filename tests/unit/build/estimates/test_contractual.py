"""The shifted beta-geometric on the two published survival tables (Fader & Hardie 2007), and its refusals."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from loyalty.build.estimates.contractual import fit_contracts, retention_rates

PUBLISHED = json.loads((Path(__file__).parents[3] / "oracles" / "btyd.json").read_text(encoding="utf-8"))
DIGITS = {"sbg_regular": (0.70408, 1.18204, -1680.265), "sbg_highend": (0.66809, 3.80609, -1611.158)}


def _lost(survivors: list[int]) -> dict[int, int]:
    return {period: before - after for period, (before, after) in enumerate(pairwise(survivors), start=1)}


@pytest.mark.parametrize("name", DIGITS)
def test_sbg_is_the_published_fit(name: str) -> None:
    oracle = PUBLISHED[name]
    survivors = oracle["survivors"]
    fit = fit_contracts(name, _lost(survivors), {len(survivors) - 1: survivors[-1]})
    a, b, log_likelihood = DIGITS[name]
    assert fit.base_count == 1000
    assert [fit.parameters["a"], fit.parameters["b"]] == pytest.approx([a, b], abs=5.1e-6)
    assert fit.log_likelihood is not None
    assert round(fit.log_likelihood, 3) == log_likelihood
    assert round(fit.log_likelihood, 1) == oracle["published"]["loglik"]
    assert [round(fit.parameters[name], 3) for name in ("a", "b")] == [
        oracle["published"][name] for name in ("alpha", "beta")
    ]
    assert [fit.parameters["a"], fit.parameters["b"]] == pytest.approx([oracle["alpha"], oracle["beta"]], rel=1e-6)
    rates = retention_rates(fit.parameters, 12)
    assert rates == pytest.approx(oracle["retention_rates_1_12"], abs=1e-6)
    assert np.cumprod(rates) == pytest.approx(oracle["survival_0_12"][1:], abs=1e-6)


def test_contracts_of_different_age_are_one_likelihood() -> None:
    """Half of the customers are looked at three periods after their start: the parameters stay where they were."""
    a, b = 0.7, 1.2
    survivors = [1e6 * share for share in np.cumprod([1.0, *retention_rates({"a": a, "b": b}, 7)])]
    lost = _lost([round(one) for one in survivors])
    young = {period: round(count / 2) for period, count in lost.items() if period <= 3}
    both = {period: count + young.get(period, 0) for period, count in lost.items()}
    fit = fit_contracts("both", both, {7: round(survivors[7]), 3: round(survivors[3] / 2)})
    assert (fit.parameters["a"], fit.parameters["b"]) == pytest.approx((a, b), rel=1e-3)


def test_too_few_ended_contracts_are_not_fitted() -> None:
    fit = fit_contracts("plan", {1: 29}, {1: 500})
    assert (fit.status, fit.reason) == ("not fitted", "29 of the 30 ended contracts needed")


def test_contracts_that_all_ended_in_one_period_are_not_fitted() -> None:
    assert fit_contracts("plan", {1: 100}, {}).reason == "all contracts are alike"


def test_one_period_does_not_settle_two_parameters() -> None:
    fit = fit_contracts("plan", {1: 100}, {1: 300})
    assert fit.reason == "no convergence: the contracts do not settle the parameters"


def test_a_constant_chance_to_leave_has_no_spread_to_estimate() -> None:
    """Geometric lives: a tenth leaves in every period, and a and b could be anything in that proportion."""
    survivors = [round(1000 * 0.9**period) for period in range(9)]
    fit = fit_contracts("plan", _lost(survivors), {8: survivors[-1]})
    assert not fit.is_fitted
    assert fit.reason is not None
