"""Survey weights by raking: the answers are weighted until they look like those who could have been asked.

Iterative proportional fitting (Deming & Stephan 1940) of the respondents to the one-way margins of the
eligible base. Weights are kept within bounds around their mean of 1; a level with very few answers
is merged with its smallest neighbour, because a margin cannot be met from no answers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loyalty.build.estimates.fits import FITTED, Fit, not_fitted, shielded, significant

MODEL = "survey_weights"
MARGINS = ("age_band", "tenure_band", "spend_tercile")
BOUNDS = (0.3, 3.0)
TOLERANCE = 1e-6
ROUNDS = 50
LEAST_ANSWERS = 30
LEAST_ANSWERS_OF_A_LEVEL = 5


@dataclass(frozen=True)
class Raked:
    """Weights per cell and how the fit went. `margin_gap` is the largest relative miss of a target that is
    left: nought without bounds, more where the bounds held a weight back."""

    weights: np.ndarray
    rounds: int
    is_converged: bool
    margin_gap: float


@dataclass(frozen=True)
class Cell:
    """One combination of margin levels: how many of the base and of the answers fall in it."""

    levels: tuple[str, ...]
    base_count: int
    response_count: int


@dataclass(frozen=True)
class CellWeights:
    """What raking a wave gives: the fit, and a weight for each cell with answers."""

    fit: Fit
    weights: Mapping[tuple[str, ...], float]


def rake(
    design: np.ndarray,
    levels: Sequence[Sequence[Hashable]],
    targets: Sequence[Mapping[Hashable, float]],
    bounds: tuple[float, float] | None = None,
    tolerance: float = TOLERANCE,
    rounds: int = ROUNDS,
    counts: np.ndarray | None = None,
) -> Raked:
    """Scale `design` weights until every margin's weighted totals equal its targets.

    `levels[m][i]` is the level of row i on margin m, `targets[m]` that margin's population totals; `counts`
    says how many answers a row represents (1 each by default). With `bounds`, every round keeps the weights
    between them, relative to their mean. Converged = no weight moved by more than `tolerance` in a round.
    """
    repeated = np.ones(len(design)) if counts is None else counts.astype(float)
    weights = design.astype(float)
    margins = [_margin(of_rows, wanted) for of_rows, wanted in zip(levels, targets, strict=True)]
    done = 0
    moved = np.inf
    while done < rounds and moved > tolerance:
        before = weights
        for codes, wanted in margins:
            have = np.bincount(codes, weights=weights * repeated, minlength=len(wanted))
            weights = weights * (wanted / have)[codes]
        if bounds is not None:
            weights = _bounded(weights, repeated, bounds)
        moved = float(np.max(np.abs(weights / before - 1)))
        done += 1
    gaps = [
        np.abs(np.bincount(codes, weights=weights * repeated, minlength=len(wanted)) / wanted - 1)
        for codes, wanted in margins
    ]
    return Raked(weights, done, moved <= tolerance, float(max(gap.max() for gap in gaps)))


def _bounded(weights: np.ndarray, counts: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """The weights clipped to the bounds around their mean, what was cut off spread over the others."""
    mean = (weights * counts).sum() / counts.sum()
    for _ in range(ROUNDS):
        clipped = np.clip(weights, bounds[0] * mean, bounds[1] * mean)
        weights = clipped * mean * counts.sum() / (clipped * counts).sum()
        if np.allclose(weights, clipped, rtol=TOLERANCE, atol=0):
            break
    return clipped


def _margin(of_rows: Sequence[Hashable], targets: Mapping[Hashable, float]) -> tuple[np.ndarray, np.ndarray]:
    """The rows' level numbers and the totals wanted, in one order."""
    names = sorted(set(of_rows), key=str)
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[level] for level in of_rows]), np.array([float(targets[name]) for name in names])


def kish(weights: np.ndarray, counts: np.ndarray) -> float:
    """Kish's effective sample size, (sum w)^2 / sum w^2."""
    return float((weights * counts).sum() ** 2 / (weights**2 * counts).sum())


def merged_levels(cells: Sequence[Cell], margin: int, least: int = LEAST_ANSWERS_OF_A_LEVEL) -> dict[str, str]:
    """Each level of a margin -> the group it is raked in.

    The smallest groups are merged until every one has at least `least` answers.
    """
    answers: dict[str, int] = {}
    for cell in cells:
        answers[cell.levels[margin]] = answers.get(cell.levels[margin], 0) + cell.response_count
    groups: dict[str, tuple[str, ...]] = {level: (level,) for level in answers}
    while len(set(groups.values())) > 1:
        sizes = {group: sum(answers[level] for level in group) for group in set(groups.values())}
        smallest, neighbour = sorted(sizes, key=lambda group: (sizes[group], group))[:2]
        if sizes[smallest] >= least:
            break
        merged = tuple(sorted(smallest + neighbour))
        groups |= dict.fromkeys(merged, merged)
    return {level: " + ".join(group) for level, group in groups.items()}


@shielded(MODEL, lambda fit: CellWeights(fit, {}))
def weigh_cells(scope: str, cells: Sequence[Cell]) -> CellWeights:
    """Weights of one wave's cells, with mean 1 over its answers.

    Not fitted where fewer than 30 answers can be placed in the base, or where the rounds do not converge.
    """
    answered = [cell for cell in cells if cell.response_count > 0]
    counts = np.array([cell.response_count for cell in answered], dtype=float)
    n = int(counts.sum())
    if n < LEAST_ANSWERS:
        reason = f"{n} of the {LEAST_ANSWERS} answers needed from the base"
        return CellWeights(not_fitted(MODEL, scope, n, reason), {})
    levels, targets = [], []
    for margin in range(len(MARGINS)):
        group = merged_levels(cells, margin)
        levels.append([group[cell.levels[margin]] for cell in answered])
        totals: dict[Hashable, float] = {}
        for cell in cells:
            name = group[cell.levels[margin]]
            totals[name] = totals.get(name, 0.0) + cell.base_count
        base = sum(totals.values())
        targets.append({name: total * n / base for name, total in totals.items()})
    if any(wanted == 0 for totals in targets for wanted in totals.values()):
        return CellWeights(not_fitted(MODEL, scope, n, "answers come from outside the base"), {})
    raked = rake(np.ones(len(answered)), levels, targets, BOUNDS, counts=counts)
    if not raked.is_converged:
        return CellWeights(not_fitted(MODEL, scope, n, f"no convergence in {ROUNDS} rounds"), {})
    weights = raked.weights * n / (raked.weights * counts).sum()
    fit = Fit(
        model=MODEL,
        scope=scope,
        status=FITTED,
        base_count=n,
        effective_count=significant(kish(weights, counts)),
        loss=significant(raked.margin_gap),
        iterations=raked.rounds,
        is_converged=True,
    )
    return CellWeights(
        fit, {cell.levels: significant(float(weight)) for cell, weight in zip(answered, weights, strict=True)}
    )
