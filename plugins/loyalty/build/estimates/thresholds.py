"""Whether loyalty grows with satisfaction in a line or in three zones.

Below a least satisfaction loyalty falls, in a broad middle it hardly moves, and above a height it leaps: that is
the claim (zone of affection, Jones & Sasser 1995). It is put to the test against a straight line of the share
that buys again: both are fitted by binomial likelihood on counts, and the smaller BIC (Schwarz 1978) wins. On a
scale of five points zones are 1-2, 3-4 and 5; breakpoints are searched only where there are at least eight
different values, because five points cannot show where a curve bends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import minimize
from scipy.special import xlogy

from loyalty.build.estimates.fits import FITTED, Fit, not_fitted, shielded, significant

MODEL = "survey_thresholds"
LEAST_VALUES = 8
MOST_BREAKPOINTS = 20
LEAST_ANSWERS = 100
EDGE = 1e-6
LINE, ZONES = "line", "three zones"


@dataclass(frozen=True)
class Cell:
    """Customers with one value of satisfaction, and how many of them bought again."""

    value: float
    count: int
    hits: int


@dataclass(frozen=True)
class Curve:
    """Which shape won, where the zones meet (`low`: the first value of the middle zone on five points, else the
    breakpoint; `high` alike), and per zone the log odds a point of satisfaction adds (breakpoints) and the share
    that bought again. `gain` = BIC of the line less that of the zones: above 0 the zones win."""

    fit: Fit
    shape: str | None = None
    low: float | None = None
    high: float | None = None
    slopes: tuple[float, ...] = ()
    rates: tuple[float, ...] = ()
    gain: float | None = None


@shielded(MODEL, Curve)
def fit_curve(scope: str, cells: Sequence[Cell]) -> Curve:
    """Line against zones on values of satisfaction.

    Not fitted below 100 customers, where all or none bought again, and where the values are neither 1 to 5 nor at
    least eight.
    """
    used = sorted((cell for cell in cells if cell.count > 0), key=lambda cell: cell.value)
    n, hits = sum(cell.count for cell in used), sum(cell.hits for cell in used)
    values = np.array([cell.value for cell in used])
    if n < LEAST_ANSWERS:
        return Curve(not_fitted(MODEL, scope, n, f"{n} of the {LEAST_ANSWERS} followed-up answers needed"))
    if hits in (0, n):
        return Curve(not_fitted(MODEL, scope, n, "all or none bought again"))
    if len(values) < 3:
        return Curve(not_fitted(MODEL, scope, n, "fewer than three different scores were given"))
    if len(values) >= LEAST_VALUES:
        return _with_breakpoints(scope, used)
    if set(values) <= {1.0, 2.0, 3.0, 4.0, 5.0}:
        return _with_steps(scope, used)
    return Curve(not_fitted(MODEL, scope, n, f"{len(values)} different values show no breakpoints"))


def _with_steps(scope: str, cells: Sequence[Cell]) -> Curve:
    """A line against the steps 1-2, 3-4 and 5."""
    zones = [[c for c in cells if low <= c.value <= high] for low, high in ((1, 2), (3, 4), (5, 5))]
    n = [sum(cell.count for cell in zone) for zone in zones]
    hits = [sum(cell.hits for cell in zone) for zone in zones]
    if not all(n):
        return Curve(not_fitted(MODEL, scope, sum(n), "one of the zones 1-2, 3-4 and 5 is empty"))
    rates = np.array(hits) / np.array(n)
    likelihood = float((xlogy(hits, rates) + xlogy(np.array(n) - hits, 1 - rates)).sum())
    _, line = _bent_line(cells, (cells[0].value, cells[-1].value))
    return _judged(scope, sum(n), line, likelihood, 3, 3.0, 5.0, (), tuple(rates))


def _with_breakpoints(scope: str, cells: Sequence[Cell]) -> Curve:
    """A line against the best two breakpoints among the values (at most twenty, evenly placed)."""
    inner = [cell.value for cell in cells][1:-1]
    places = np.unique(np.linspace(0, len(inner) - 1, min(len(inner), MOST_BREAKPOINTS)).round().astype(int))
    candidates = [inner[i] for i in places]
    first, last = cells[0].value, cells[-1].value
    _, line = _bent_line(cells, (first, last))
    fitted = {(low, high): _bent_line(cells, (first, low, high, last)) for low, high in combinations(candidates, 2)}
    (low, high), (at_knots, likelihood) = max(fitted.items(), key=lambda item: (round(item[1][1], 9), item[0]))
    slopes = tuple(float(slope) for slope in np.diff(at_knots) / np.diff((first, low, high, last)))
    rates = []
    for above, upto in ((-np.inf, low), (low, high), (high, np.inf)):
        zone = [cell for cell in cells if above < cell.value <= upto]
        rates.append(sum(cell.hits for cell in zone) / sum(cell.count for cell in zone))
    # Four rates and two places.
    return _judged(scope, sum(c.count for c in cells), line, likelihood, 6, low, high, slopes, tuple(rates))


def _judged(
    scope: str,
    n: int,
    line: float,
    zones: float,
    parameters: int,
    low: float,
    high: float,
    slopes: tuple[float, ...],
    rates: tuple[float, ...],
) -> Curve:
    """BIC = parameters * ln n - 2 ln L; the smaller wins, and a tie is a line."""
    gain = (2 * np.log(n) - 2 * line) - (parameters * np.log(n) - 2 * zones)
    is_zoned = gain > 0
    fit = Fit(
        model=MODEL,
        scope=scope,
        status=FITTED,
        base_count=n,
        log_likelihood=significant(zones if is_zoned else line),
        is_converged=True,
        parameters={"gain": significant(float(gain))},
    )
    return Curve(
        fit,
        ZONES if is_zoned else LINE,
        low,
        high,
        tuple(significant(slope) for slope in slopes),
        tuple(significant(float(rate)) for rate in rates),
        significant(float(gain)),
    )


def _bent_line(cells: Sequence[Cell], knots: Sequence[float]) -> tuple[np.ndarray, float]:
    """The rates at the knots of the curve that is straight between them, and its log-likelihood.

    Rates are kept within (0, 1). The likelihood is concave in the rates at the knots, so there is one best curve.
    """
    values = np.array([cell.value for cell in cells])
    n = np.array([cell.count for cell in cells], dtype=float)
    hits = np.array([cell.hits for cell in cells], dtype=float)
    # Each value's rate is a mean of the rates at the two knots around it.
    shares = np.column_stack([np.interp(values, knots, row) for row in np.eye(len(knots))])

    def loss(rates: np.ndarray) -> tuple[float, np.ndarray]:
        p = shares @ rates
        slope = shares.T @ (hits / p - (n - hits) / (1 - p))
        return -float((xlogy(hits, p) + xlogy(n - hits, 1 - p)).sum()) / n.sum(), -slope / n.sum()

    start = np.full(len(knots), np.clip(hits.sum() / n.sum(), 0.01, 0.99))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(EDGE, 1 - EDGE)] * len(knots), tol=1e-12)
    return found.x, -float(found.fun) * float(n.sum())
