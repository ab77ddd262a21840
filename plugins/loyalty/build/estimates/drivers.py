"""What satisfaction depends on: each driver's share of the explained variance.

Two ways that agree when drivers are hardly correlated: LMG, the share of R2 averaged over all orders in which
drivers can enter the regression (Lindeman, Merenda & Gold 1980; Shapley 1953; Groemping 2006), and Johnson's
relative weights (2000). Both need no more than the correlations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np

from loyalty.build.estimates.fits import FITTED, Check, Fit, not_fitted, shielded, significant
from loyalty.build.estimates.moments import (
    Interval,
    Moments,
    Sums,
    added,
    cross_validated,
    is_singular,
    jackknifed,
    moments,
)

MODEL = "survey_drivers"
# Every subset of drivers is a regression: 4,096 of them with twelve.
MOST_DRIVERS = 12


@dataclass(frozen=True)
class DriverFit:
    """The fit, R2, and per driver LMG and Johnson as shares of variance explained; the intervals are those of the
    shares of R2 (`lmg_shares`, 0..1, adding up to 1)."""

    fit: Fit
    r_squared: float | None
    lmg: Mapping[str, float]
    johnson: Mapping[str, float]
    lmg_shares: Mapping[str, Interval]


def lmg(drivers: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Each driver's part of R2 from the drivers' correlations and theirs with the outcome; the parts add up to R2.

    R2 of a subset S is r' R^-1 r; driver j gets sum over S without j of |S|! (p - |S| - 1)! / p! times what it
    adds to S.
    """
    size = len(outcome)
    explained = np.zeros(1 << size)
    for subset in range(1, 1 << size):
        chosen = [j for j in range(size) if subset >> j & 1]
        r = outcome[chosen]
        explained[subset] = r @ np.linalg.solve(drivers[np.ix_(chosen, chosen)], r)
    orders = [factorial(k) * factorial(size - k - 1) / factorial(size) for k in range(size)]
    parts = np.zeros(size)
    for subset in range(1 << size):
        weight = orders[subset.bit_count()] if subset.bit_count() < size else 0.0
        for j in range(size):
            if not subset >> j & 1:
                parts[j] += weight * (explained[subset | 1 << j] - explained[subset])
    return parts


def relative_weights(drivers: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Johnson's relative weights: the drivers' closest orthogonal counterparts explain the outcome, and each hands
    its part back by how much of it every driver is. They add up to R2."""
    values, vectors = np.linalg.eigh(drivers)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    beta = np.linalg.solve(root, outcome)
    return np.asarray(root**2 @ beta**2)


@shielded(MODEL, lambda fit: DriverFit(fit, None, {}, {}, {}))
def fit_drivers(
    scope: str, outcome: str, groups: Sequence[Sums], least_answers: int = 100, least_answers_a_driver: int = 10
) -> DriverFit:
    """Shares of every item but `outcome`, with jackknife intervals.

    Not fitted below max(100, 10 p) complete answers, without drivers or with more than twelve, where an item never
    varies, and where a driver is a combination of others.
    """
    whole = added(groups)
    names = tuple(item for item in whole.items if item != outcome)
    needed = max(least_answers, least_answers_a_driver * len(names))

    def unfitted(reason: str) -> DriverFit:
        return DriverFit(not_fitted(MODEL, scope, whole.count, reason), None, {}, {}, {})

    if not names or outcome not in whole.items:
        return unfitted("there are no drivers beside an overall score")
    if len(names) > MOST_DRIVERS:
        return unfitted(f"{len(names)} drivers are more than the {MOST_DRIVERS} that one survey can separate")
    if whole.count < needed:
        return unfitted(f"{whole.count} of the {needed} complete answers needed")
    found = moments(whole)
    if found is None:
        return unfitted("a score never varies")
    drivers, effects = _split(found, outcome)
    if is_singular(drivers):
        return unfitted("the drivers are collinear (singular)")
    parts, weights = lmg(drivers, effects), relative_weights(drivers, effects)
    explained = float(parts.sum())
    if explained < 1e-12:
        return unfitted("the drivers explain nothing")
    shares = jackknifed(groups, lambda sums: _shares(sums, outcome, names)) or {}
    fit = Fit(
        model=MODEL,
        scope=scope,
        status=FITTED,
        base_count=whole.count,
        is_converged=True,
        parameters={"r_squared": significant(explained)},
        checks=[_check(groups, outcome, whole.count, explained)],
    )
    return DriverFit(
        fit,
        significant(explained),
        {name: significant(float(part)) for name, part in zip(names, parts, strict=True)},
        {name: significant(float(weight)) for name, weight in zip(names, weights, strict=True)},
        shares,
    )


def _check(groups: Sequence[Sums], outcome: str, count: int, explained: float) -> Check:
    """R2 among customers that the regression has not seen, beside R2 among those it was fitted to."""

    def regression(seen: Moments) -> tuple[np.ndarray, np.ndarray]:
        at = seen.items.index(outcome)
        target = np.eye(len(seen.items))[at]
        drivers, effects = _split(seen, outcome)
        return target, np.insert(np.linalg.lstsq(drivers, effects, rcond=None)[0], at, 0.0)

    return Check("cross-validated R2", "all", "ratio", count, cross_validated(groups, regression), explained)


def _split(found: Moments, outcome: str) -> tuple[np.ndarray, np.ndarray]:
    """The drivers' correlations, and theirs with the outcome."""
    at = found.items.index(outcome)
    rest = [i for i in range(len(found.items)) if i != at]
    return found.correlation[np.ix_(rest, rest)], found.correlation[rest, at]


def _shares(sums: Sums, outcome: str, names: Sequence[str]) -> dict[str, float] | None:
    """LMG as shares of R2, or None where it cannot be computed."""
    found = moments(sums)
    if found is None or len(found.items) != len(names) + 1:
        return None
    drivers, effects = _split(found, outcome)
    if is_singular(drivers):
        return None
    parts = lmg(drivers, effects)
    if parts.sum() < 1e-12:
        return None
    return {name: float(part / parts.sum()) for name, part in zip(names, parts, strict=True)}
