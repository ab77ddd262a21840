"""How well orders were predicted: orders in days that the fit has not seen, beside the orders it expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from loyalty.build.estimates.btyd import Histories, expected_orders, order_probability
from loyalty.build.estimates.fits import Check, Fit, Z, wilson

MOST_REPEATS_SHOWN = 7
HIGH, LOW = 0.7, 0.3


@dataclass(frozen=True)
class HeldOut:
    """What the customers of every history did in the hold-out: order days, the sum of their squares, and how
    many customers came at all."""

    days: np.ndarray
    squares: np.ndarray
    customers: np.ndarray


def so_far(fit: Fit, histories: Histories) -> Check:
    """In sample: all repeat order days so far, beside those expected of newcomers in as many weeks."""
    nothing = np.zeros(len(histories.counts))
    newcomers = Histories(nothing, nothing, nothing, histories.counts)
    expected = expected_orders(fit.parameters, newcomers, histories.age, fit.model)
    observed = float((histories.counts * histories.repeats).sum())
    return Check(
        "repeat order days so far", "all", "ratio", fit.base_count, observed, float((histories.counts * expected).sum())
    )


def predictions(fit: Fit, histories: Histories, held_out: HeldOut, weeks: float) -> Iterator[Check]:
    """All order days of the hold-out; those by earlier repeats; who came at all, by decile and band of the
    order probability."""
    counts = histories.counts
    expected = expected_orders(fit.parameters, histories, weeks, fit.model)
    chance = order_probability(fit.parameters, histories, weeks, fit.model)
    total = float((counts * expected).sum())
    yield Check("hold-out order days", "all", "ratio", fit.base_count, float(held_out.days.sum()), total)
    for repeats in range(MOST_REPEATS_SHOWN):
        yield from _means(str(repeats), histories.repeats == repeats, counts, expected, held_out)
    many = histories.repeats >= MOST_REPEATS_SHOWN
    yield from _means(f"{MOST_REPEATS_SHOWN} and more", many, counts, expected, held_out)
    deciles = _deciles(chance, histories)
    for decile in range(1, 11):
        yield from _shares("decile", f"{decile:02}", deciles == decile, counts, chance, held_out)
    rounded = np.round(chance, 6)
    for band, of_it in (
        ("low", rounded < LOW),
        ("medium", (rounded >= LOW) & (rounded <= HIGH)),
        ("high", rounded > HIGH),
    ):
        yield from _shares("band", band, of_it, counts, chance, held_out)


def _deciles(chance: np.ndarray, histories: Histories) -> np.ndarray:
    """Tenths of the customers from the least likely on; equal histories stay together."""
    order = np.lexsort((histories.age, histories.recency, histories.repeats, chance))
    sorted_counts = histories.counts[order]
    middle = (np.cumsum(sorted_counts) - sorted_counts / 2) / sorted_counts.sum()
    deciles = np.empty(len(chance), dtype=int)
    deciles[order] = np.floor(10 * middle).astype(int) + 1
    return deciles


def _means(part: str, of_it: np.ndarray, counts: np.ndarray, expected: np.ndarray, held: HeldOut) -> Iterator[Check]:
    """Mean order days of these customers with the normal interval of a mean; nothing where there are none."""
    n = float(counts[of_it].sum())
    if n == 0:
        return
    mean = float(held.days[of_it].sum()) / n
    variance = max(float(held.squares[of_it].sum()) / n - mean**2, 0.0)
    margin = Z * float(np.sqrt(variance / n))
    predicted_mean = float((counts * expected)[of_it].sum()) / n
    name = "hold-out order days by repeats"
    yield Check(name, part, "ratio", int(n), mean, predicted_mean, mean - margin, mean + margin)


def _shares(
    by: str, part: str, of_it: np.ndarray, counts: np.ndarray, chance: np.ndarray, held: HeldOut
) -> Iterator[Check]:
    """Share of these customers who came, with Wilson's interval, beside the mean of their probabilities."""
    n = float(counts[of_it].sum())
    if n == 0:
        return
    share = float(held.customers[of_it].sum()) / n
    predicted_share = float((counts * chance)[of_it].sum()) / n
    name = f"hold-out order probability by {by}"
    yield Check(name, part, "probability", int(n), share, predicted_share, *wilson(share, n))
