"""Rates of small groups, drawn towards the rate of their kind: empirical Bayes on counts.

Hits in a group of n are beta-binomial: every group has a rate of its own, drawn from Beta(a, b). Fitted by
maximum likelihood over groups; the shrunk rate of a group is (hits + a) / (n + a + b), so that a group of three
says little, and a group of three thousand needs no help (Casella 1985).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, expit, logit

from loyalty.build.estimates.fits import FITTED, Fit, not_fitted, shielded, significant

MODEL = "survey_shrinkage"
LEAST_GROUPS = 5
# A prior worth more answers than this means that the groups do not differ beyond chance.
MOST_PRIOR_ANSWERS = 1e5


@dataclass(frozen=True)
class Group:
    """So many groups (`repeated`) with `hits` among `count` answers."""

    count: int
    hits: int
    repeated: int = 1


@dataclass(frozen=True)
class Prior:
    """The fit and Beta(a, b): a / (a + b) is the rate of the kind, a + b how many answers it is worth."""

    fit: Fit
    a: float | None
    b: float | None


def log_likelihood(groups: Sequence[Group], a: float, b: float) -> float:
    """Beta-binomial log-likelihood, without the binomial coefficients, which no parameter moves."""
    n, hits, repeated = _columns(groups)
    return float((repeated * (betaln(hits + a, n - hits + b) - betaln(a, b))).sum())


@shielded(MODEL, lambda fit: Prior(fit, None, None))
def fit_prior(scope: str, groups: Sequence[Group]) -> Prior:
    """Beta(a, b) by maximum likelihood.

    Not fitted below five groups with answers, and where no customer or every customer hit. Groups that differ no more
    than chance makes them get the strongest prior there is, worth 100,000 answers.
    """
    used = [group for group in groups if group.count > 0]
    base = sum(group.count * group.repeated for group in used)
    number = sum(group.repeated for group in used)
    if number < LEAST_GROUPS:
        return Prior(not_fitted(MODEL, scope, base, f"{number} of the {LEAST_GROUPS} groups needed"), None, None)
    hits = sum(group.hits * group.repeated for group in used)
    if hits in (0, base):
        return Prior(not_fitted(MODEL, scope, base, "all groups are alike: all or none"), None, None)

    def loss(parameters: np.ndarray) -> float:
        rate, strength = expit(parameters[0]), np.exp(parameters[1])
        return -log_likelihood(used, float(rate * strength), float((1 - rate) * strength))

    bounds = [(-12.0, 12.0), (np.log(0.1), np.log(MOST_PRIOR_ANSWERS))]
    starts = [np.array([logit(hits / base), np.log(strength)]) for strength in (3.0, 30.0, 3000.0)]
    solutions = [minimize(loss, start, method="L-BFGS-B", bounds=bounds, tol=1e-12) for start in starts]
    best = min(solutions, key=lambda solution: float(solution.fun))
    rate, strength = float(expit(best.x[0])), float(np.exp(best.x[1]))
    a, b = significant(rate * strength, 6), significant((1 - rate) * strength, 6)
    fit = Fit(
        model=MODEL,
        scope=scope,
        status=FITTED,
        base_count=base,
        log_likelihood=significant(log_likelihood(used, a, b)),
        iterations=int(best.nit),
        is_converged=bool(best.success),
        parameters={"a": a, "b": b},
    )
    return Prior(fit, a, b)


def _columns(groups: Sequence[Group]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([group.count for group in groups], dtype=float),
        np.array([group.hits for group in groups], dtype=float),
        np.array([group.repeated for group in groups], dtype=float),
    )
