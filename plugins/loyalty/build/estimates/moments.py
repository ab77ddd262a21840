"""Means, covariances and correlations from exact sums, and how sure a figure made of them is.

SQL adds up scores and products of scores as decimals, in sixteen groups of customers (the first digit of the
hash of the customer's key). Sums of groups add up to the whole; leaving out one group at a time gives the
grouped jackknife (Quenouille 1956, Tukey 1958): an interval that holds for any figure, whatever the answers'
distribution, and although one customer answers several times.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

import numpy as np
from scipy.stats import t as student

from loyalty.build.estimates.fits import significant

Exact = Decimal | int | Fraction
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Sums:
    """Exact sums over complete answers: their number, the sum of each item, and of each product of two items
    (`products[a, b]`, a before or equal to b in the order of `items`)."""

    items: tuple[str, ...]
    count: int
    totals: Mapping[str, Fraction]
    products: Mapping[tuple[str, str], Fraction]


@dataclass(frozen=True)
class Moments:
    """What follows of the sums: means, standard deviations (n - 1) and the correlation matrix."""

    items: tuple[str, ...]
    count: int
    means: np.ndarray
    deviations: np.ndarray
    correlation: np.ndarray


@dataclass(frozen=True)
class Interval:
    """A figure with the ends of its 95 % interval; the ends are None where there are not two groups."""

    value: float
    low: float | None
    high: float | None

    def rounded(self) -> float:
        """The figure at the digits that parameters keep."""
        return significant(self.value)

    def rounded_ends(self) -> tuple[float | None, float | None]:
        """The ends of the interval at those digits."""
        if self.low is None or self.high is None:
            return None, None
        return significant(self.low), significant(self.high)


def sums_of(rows: Sequence[tuple[str, str, int, Exact, Exact, Exact]]) -> Sums:
    """Sums from rows (item a, item b, answers, sum of a, sum of b, sum of a * b), one per pair and per item with
    itself."""
    items = tuple(sorted({row[0] for row in rows} | {row[1] for row in rows}))
    totals: dict[str, Fraction] = {}
    products: dict[tuple[str, str], Fraction] = {}
    for first, second, _, total_first, total_second, product in rows:
        totals[first], totals[second] = Fraction(total_first), Fraction(total_second)
        products[min(first, second), max(first, second)] = Fraction(product)
    return Sums(items, max((row[2] for row in rows), default=0), totals, products)


def added(parts: Sequence[Sums]) -> Sums:
    """The sums of several groups together."""
    items = tuple(sorted({item for part in parts for item in part.items}))
    zero = Fraction(0)
    return Sums(
        items,
        sum(part.count for part in parts),
        {item: sum((part.totals.get(item, zero) for part in parts), zero) for item in items},
        {
            (a, b): sum((part.products.get((a, b), zero) for part in parts), zero)
            for i, a in enumerate(items)
            for b in items[i:]
        },
    )


def moments(sums: Sums) -> Moments | None:
    """The moments of the sums, computed exactly and only then as floats; None below two answers or where an item
    never varies (it has no correlation)."""
    n = sums.count
    if n < 2:
        return None
    size = len(sums.items)
    scaled = np.empty((size, size))
    for i, a in enumerate(sums.items):
        for j, b in enumerate(sums.items[i:], start=i):
            exact = n * sums.products[a, b] - sums.totals[a] * sums.totals[b]
            scaled[i, j] = scaled[j, i] = float(exact)
    spread = np.sqrt(np.diag(scaled))
    if not np.all(spread > 0):
        return None
    correlation = scaled / np.outer(spread, spread)
    means = np.array([float(sums.totals[item] / n) for item in sums.items])
    return Moments(sums.items, n, means, spread / np.sqrt(n * (n - 1)), correlation)


def is_singular(correlation: np.ndarray) -> bool:
    """Whether an item is (nearly) a combination of others: the smallest eigenvalue is nought to eight digits."""
    return bool(len(correlation) and np.linalg.eigvalsh(correlation).min() < 1e-8)


def jackknifed(
    groups: Sequence[Sums], figures: Callable[[Sums], Mapping[Name, float] | None]
) -> dict[Name, Interval] | None:
    """Figures of all groups together, each with the interval of the delete-a-group jackknife:
    variance = (G - 1) / G * sum (figure without group g - their mean)^2, ends by Student's t with G - 1 degrees.

    None where the figures cannot be computed from all groups together; no interval where leaving out a group
    leaves nothing to compute.
    """
    whole = figures(added(groups))
    if whole is None:
        return None
    used = [group for group in groups if group.count]
    left_out = [figures(added([*used[:i], *used[i + 1 :]])) for i in range(len(used))] if len(used) > 1 else [None]
    if any(one is None for one in left_out):
        return {name: Interval(value, None, None) for name, value in whole.items()}
    quantile = float(student.ppf(0.975, len(used) - 1))
    intervals = {}
    for name, value in whole.items():
        values = np.array([one[name] for one in left_out if one is not None])
        error = float(np.sqrt((len(used) - 1) * np.mean((values - values.mean()) ** 2)))
        intervals[name] = Interval(value, value - quantile * error, value + quantile * error)
    return intervals


def cross_validated(
    groups: Sequence[Sums], predict: Callable[[Moments], tuple[np.ndarray, np.ndarray]]
) -> float | None:
    """R2 of customers that the fit has not seen: each group is predicted by a fit on all others (Stone 1974).

    `predict` makes of the others' moments two weights per item, as standardised by those moments: of the figure
    that is predicted, and of its predictors. 1 - sum of squares missed / sum of squares; below 0 where the
    others' mean would have predicted better. None below two groups, and where the others cannot be fitted.
    """
    missed = whole = 0.0
    used = [group for group in groups if group.count]
    for group in used:
        seen = moments(added([one for one in used if one is not group]))
        if seen is None or seen.items != group.items:
            return None
        target, predicted = predict(seen)
        squares = _products_around(group, seen)
        missed += float((target - predicted) @ squares @ (target - predicted))
        whole += float(target @ squares @ target)
    return 1 - missed / whole if whole > 0 else None


def _products_around(group: Sums, seen: Moments) -> np.ndarray:
    """Sums of products of the group's items, standardised by the means and deviations of others."""
    totals = np.array([float(group.totals[item]) for item in group.items])
    products = np.array([[float(group.products[min(a, b), max(a, b)]) for b in group.items] for a in group.items])
    shift = np.outer(totals, seen.means)
    around = products - shift - shift.T + group.count * np.outer(seen.means, seen.means)
    return np.asarray(around / np.outer(seen.deviations, seen.deviations))
