"""How long customers with a contract stay: the shifted beta-geometric (Fader & Hardie 2007).

At the end of every period a contract is given up with a chance that is its customer's own and beta(a, b) over
customers. Retention rises with the periods although no customer becomes more loyal: those who leave easily have left.
"How to project customer retention", Journal of Interactive Marketing 21(1):76-90.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import betaln, digamma

from loyalty.build.estimates.fits import Fit, not_fitted, shielded
from loyalty.build.estimates.likelihood import fitted, maximise

MODEL = "sbg"
LEAST_ENDED = 30
PARAMETERS = ("a", "b")


@shielded(MODEL, lambda fit: fit)
def fit_contracts(scope: str, lost: Mapping[int, int], running: Mapping[int, int]) -> Fit:
    """a and b of one plan with their standard errors.

    `lost[t]` contracts ended at the end of period t (1, 2, ...), `running[t]` have lived through t periods and
    still run. Not fitted with fewer than 30 ended contracts, where all ended in one period or none lived on, and
    where the likelihood has no maximum (all contracts seem to end with the same chance).
    """
    periods = np.array(sorted(set(lost) | set(running)), dtype=float)
    ended = np.array([lost.get(int(period), 0) for period in periods], dtype=float)
    lived = np.array([running.get(int(period), 0) for period in periods], dtype=float)
    n = int(ended.sum() + lived.sum())
    if ended.sum() < LEAST_ENDED:
        return not_fitted(MODEL, scope, n, f"{int(ended.sum())} of the {LEAST_ENDED} ended contracts needed")
    if np.count_nonzero(ended) == 1 and lived.sum() == 0:
        return not_fitted(MODEL, scope, n, "all contracts are alike")
    found = maximise(lambda values: _likelihood(values, periods, ended, lived), start=(1.0, 1.0))
    if found is None:
        return not_fitted(MODEL, scope, n, "no convergence: the contracts do not settle the parameters")
    return fitted(MODEL, scope, n, PARAMETERS, found)


def _likelihood(
    values: np.ndarray, periods: np.ndarray, ended: np.ndarray, lived: np.ndarray
) -> tuple[float, np.ndarray]:
    """Log-likelihood and slopes: P(ends in t) = B(a+1, b+t-1)/B(a, b), S(t) = B(a, b+t)/B(a, b)."""
    a, b = values
    ends, lives = ended > 0, lived > 0
    t, n = periods[ends], ended[ends]
    s, m = periods[lives], lived[lives]
    total = n.sum() + m.sum()
    likelihood = (n * betaln(a + 1, b + t - 1)).sum() + (m * betaln(a, b + s)).sum() - total * betaln(a, b)
    both = (n * digamma(a + b + t)).sum() + (m * digamma(a + b + s)).sum() - total * digamma(a + b)
    by_a = (n.sum() * digamma(a + 1)) + m.sum() * digamma(a) - total * digamma(a) - both
    by_b = (n * digamma(b + t - 1)).sum() + (m * digamma(b + s)).sum() - total * digamma(b) - both
    return float(likelihood), np.array([by_a, by_b])


def retention_rates(parameters: Mapping[str, float], periods: int) -> list[float]:
    """r_t = (b+t-1)/(a+b+t-1) for t = 1 ... periods: of those who began period t, the share that renews."""
    a, b = (parameters[name] for name in PARAMETERS)
    return [(b + t - 1) / (a + b + t - 1) for t in range(1, periods + 1)]
