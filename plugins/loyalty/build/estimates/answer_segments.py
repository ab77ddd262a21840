"""Kinds of customers by what they answer: k-means on factor scores, the number of kinds by silhouette.

Works on cells: answers rounded to tens of 0..100 on each dimension, with the number of customers in each. Factor
scores are the rotated components of the dimensions' correlations (see `structure`), standardised. Starts are
chosen without chance (the first at the heaviest cell, each next at the cell farthest from those before), so the
same answers give the same kinds (MacQueen 1967; silhouette: Rousseeuw 1987).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loyalty.build.estimates.fits import FITTED, Fit, not_fitted, shielded, significant
from loyalty.build.estimates.structure import components

MODEL = "survey_answer_segments"
LEAST_ANSWERS = 100
LEAST_DIMENSIONS = 2
NUMBERS = range(2, 7)
ROUNDS = 200
# Distances between all cells are needed for the silhouette; of more cells the heaviest are looked at.
MOST_CELLS = 1500


@dataclass(frozen=True)
class AnswerCell:
    """The rounded place of every dimension (0, 10 .. 100), in a fixed order, and how many customers answered so."""

    places: tuple[int, ...]
    count: int


@dataclass(frozen=True)
class AnswerSegments:
    """The fit, the number of each cell's segment (1 = the least content on the whole), mean silhouette (-1..1), the
    silhouette of every number tried, and per segment its customers and mean place on each dimension."""

    fit: Fit
    of_cells: tuple[int, ...] = ()
    silhouette: float | None = None
    tried: tuple[tuple[int, float], ...] = ()
    sizes: tuple[int, ...] = ()
    centres: tuple[tuple[float, ...], ...] = ()


@shielded(MODEL, AnswerSegments)
def find_segments(scope: str, cells: Sequence[AnswerCell]) -> AnswerSegments:
    """Segments of one survey.

    Not fitted below 100 customers, two dimensions, or three different answers, and where a dimension never varies or
    only repeats others.
    """
    counts = np.array([cell.count for cell in cells], dtype=float)
    n = int(counts.sum())
    if n < LEAST_ANSWERS:
        return AnswerSegments(not_fitted(MODEL, scope, n, f"{n} of the {LEAST_ANSWERS} complete answers needed"))
    places = np.array([cell.places for cell in cells], dtype=float)
    if places.shape[1] < LEAST_DIMENSIONS:
        return AnswerSegments(not_fitted(MODEL, scope, n, "one dimension makes no segments"))
    if len(cells) < 3:
        return AnswerSegments(not_fitted(MODEL, scope, n, "fewer than three different answers were given"))
    scores = factor_scores(places, counts)
    if scores is None:
        return AnswerSegments(not_fitted(MODEL, scope, n, "the dimensions are collinear (singular)"))
    solutions = {k: kmeans(scores, counts, k) for k in NUMBERS if k < len(cells)}
    tried = {k: silhouette(scores, counts, of_cells) for k, of_cells in solutions.items()}
    best = max(tried, key=lambda k: (round(tried[k], 9), -k))
    of_cells = solutions[best]
    means = [np.average(places[of_cells == s], axis=0, weights=counts[of_cells == s]) for s in range(best)]
    order = sorted(range(best), key=lambda s: (float(means[s].mean()), s))
    number = {segment: position + 1 for position, segment in enumerate(order)}
    fit = Fit(MODEL, scope, FITTED, n, is_converged=True, parameters={"segments": float(best)})
    return AnswerSegments(
        fit,
        tuple(number[int(segment)] for segment in of_cells),
        significant(tried[best]),
        tuple((k, significant(value)) for k, value in tried.items()),
        tuple(int(counts[of_cells == s].sum()) for s in order),
        tuple(tuple(significant(float(value)) for value in means[s]) for s in order),
    )


def factor_scores(places: np.ndarray, counts: np.ndarray) -> np.ndarray | None:
    """Standardised scores on the components with an eigenvalue above 1, rotated; None where a dimension never
    varies or is a combination of others."""
    n = counts.sum()
    mean = counts @ places / n
    centred = places - mean
    covariance = (centred * counts[:, None]).T @ centred / (n - 1)
    deviation = np.sqrt(np.diag(covariance))
    if not np.all(deviation > 0):
        return None
    correlation = covariance / np.outer(deviation, deviation)
    if np.linalg.eigvalsh(correlation).min() < 1e-8:
        return None
    loadings = components(correlation, int(n)).loadings
    scores = (centred / deviation) @ np.linalg.solve(correlation, loadings)
    spread = np.sqrt(counts @ scores**2 / (n - 1))
    return np.asarray(np.round(scores / np.where(spread > 0, spread, 1.0), 9))


def kmeans(scores: np.ndarray, counts: np.ndarray, k: int) -> np.ndarray:
    """The segment of every cell after Lloyd's rounds."""
    chosen = [int(np.argmax(counts))]
    while len(chosen) < k:
        chosen.append(int(np.argmax(_distances(scores, scores[chosen]).min(axis=1))))
    centres = scores[chosen]
    of_cells = np.full(len(scores), -1)
    for _ in range(ROUNDS):
        newer = _distances(scores, centres).argmin(axis=1)
        if np.array_equal(newer, of_cells):
            break
        of_cells = newer
        for s in range(k):
            if (of_cells == s).any():
                centres[s] = np.average(scores[of_cells == s], axis=0, weights=counts[of_cells == s])
    return of_cells


def silhouette(scores: np.ndarray, counts: np.ndarray, of_cells: np.ndarray) -> float:
    """Mean of (b - a) / max(a, b): a = mean distance to one's own segment, b = to the nearest other one."""
    heaviest = np.argsort(-counts, kind="stable")[:MOST_CELLS]
    scores, counts, of_cells = scores[heaviest], counts[heaviest], of_cells[heaviest]
    present = np.unique(of_cells)
    if len(present) < 2:
        return -1.0
    distances = np.sqrt(np.maximum(_distances(scores, scores), 0))
    to = np.column_stack([distances @ (counts * (of_cells == s)) for s in present])
    sizes = np.array([counts[of_cells == s].sum() for s in present])
    own = np.searchsorted(present, of_cells)
    rows = np.arange(len(scores))
    inside = np.where(sizes[own] > 1, to[rows, own] / np.maximum(sizes[own] - 1, 1), 0.0)
    others = to / sizes
    others[rows, own] = np.inf
    nearest = others.min(axis=1)
    larger = np.maximum(inside, nearest)
    values = np.where((sizes[own] > 1) & (larger > 0), (nearest - inside) / np.where(larger > 0, larger, 1.0), 0.0)
    return float(values @ counts / counts.sum())


def _distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared distances."""
    return np.asarray(((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2))
