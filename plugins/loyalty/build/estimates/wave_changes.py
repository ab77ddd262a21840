"""The change from one wave to the next where many people answered both: a bootstrap by customer.

Two waves that share people are not two independent samples. Customers are drawn again, each with the answers of
both waves (Efron & Tibshirani 1993). It runs on counts of (answer before, answer after), so that a draw is one
multinomial, and with a fixed seed, so that the same answers give the same interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loyalty.build.estimates.fits import FITTED, Fit, not_fitted, shielded, significant

MODEL = "survey_changes"
# From this share of the smaller wave's people on, answering both is not left out of account.
SHARED_RATE = 0.2
DRAWS = 2000
SEED = 20171231


@dataclass(frozen=True)
class Pair:
    """Customers with this answer in the wave before and this one after; None where they did not answer."""

    before: float | None
    after: float | None
    count: int


@dataclass(frozen=True)
class Change:
    """The fit, the change of the mean, its 95 % interval and two-sided p-value, and the share of the smaller wave's
    people who answered both."""

    fit: Fit
    shared_rate: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


@shielded(MODEL, Change)
def fit_change(scope: str, pairs: Sequence[Pair], least_answers: int = 30) -> Change:
    """Bootstrap the change of the mean answer.

    Not fitted below `least_answers` in either wave, where no answer varies, and where at most a fifth of the people
    answered both: then the plain test for independent waves holds.
    """
    counts = np.array([pair.count for pair in pairs], dtype=np.int64)
    is_before = np.array([pair.before is not None for pair in pairs], dtype=float)
    is_after = np.array([pair.after is not None for pair in pairs], dtype=float)
    people = int(counts.sum())
    waves = (float(counts @ is_before), float(counts @ is_after))
    if min(waves) < least_answers:
        return Change(not_fitted(MODEL, scope, people, f"{int(min(waves))} of the {least_answers} answers needed"))
    shared = float(counts @ (is_before * is_after)) / min(waves)
    if shared <= SHARED_RATE:
        reason = f"the waves share {shared:.0%} of their people, so they count as independent"
        return Change(not_fitted(MODEL, scope, people, reason), significant(shared))
    before = np.array([pair.before or 0.0 for pair in pairs])
    after = np.array([pair.after or 0.0 for pair in pairs])

    def difference(drawn: np.ndarray) -> np.ndarray:
        return np.asarray((drawn @ after) / (drawn @ is_after) - (drawn @ before) / (drawn @ is_before))

    draws = np.random.default_rng(SEED).multinomial(people, counts / people, size=DRAWS)
    changes = difference(draws)
    if np.ptp(changes) == 0:
        return Change(not_fitted(MODEL, scope, people, "no answer varies"), significant(shared))
    low, high = np.quantile(changes, [0.025, 0.975])
    tail = min(float((changes <= 0).mean()), float((changes >= 0).mean()))
    return Change(
        Fit(MODEL, scope, FITTED, people, is_converged=True),
        significant(shared),
        significant(float(difference(counts[None, :])[0])),
        significant(float(low)),
        significant(float(high)),
        significant(min(1.0, max(2 * tail, 1 / DRAWS))),
    )
