"""The wallet a customer could have: an upper quantile of what comparable customers spend.

A quantile regression (Koenker & Bassett 1978; of wallets: Rosset et al. 2007) of log spend on the levels of
a few attributes. It runs on counts of (cell, spend) bins, each bin weighing as many customers as it holds,
so its cost does not grow with the customers. Solved exactly, as the linear programme it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, identity

from loyalty.build.estimates.fits import FITTED, Check, Fit, not_fitted, shielded, significant, wilson

MODEL = "wallet_coefficients"
QUANTILE = 0.9
LEAST_CUSTOMERS = 100
LEAST_CUSTOMERS_A_COEFFICIENT = 10
INTERCEPT = ("intercept", "")


@dataclass(frozen=True)
class SpendBin:
    """Customers of one cell with about the same spend: the attribute levels in a fixed order, the spend
    (reporting currency, above 0), how many customers, and whether they are of the half of all customers (drawn by
    the hash of their key) that the other half's fit has to predict."""

    levels: tuple[str, ...]
    amount: float
    customer_count: int
    is_held_out: bool = False


@dataclass(frozen=True)
class WalletFit:
    """The fit and its coefficients on log spend: (attribute, level) -> addition; a level that is not named is
    the reference and adds 0."""

    fit: Fit
    coefficients: dict[tuple[str, str], float]


def quantile_regression(
    response: np.ndarray, design: np.ndarray, counts: np.ndarray, quantile: float
) -> np.ndarray | None:
    """The coefficients b that minimise sum counts * pinball(response - design b), or None without a solution.

    The linear programme of Koenker & Bassett: min q*u + (1-q)*v with design b + u - v = response, u, v >= 0.
    """
    rows, columns = design.shape
    equalities = hstack([csr_matrix(design), identity(rows), -identity(rows)], format="csr")
    cost = np.concatenate([np.zeros(columns), quantile * counts, (1 - quantile) * counts])
    limits = [(None, None)] * columns + [(0, None)] * (2 * rows)
    solution = linprog(cost, A_eq=equalities, b_eq=response, bounds=limits, method="highs")
    return solution.x[:columns] if solution.success else None


def pinball(residuals: np.ndarray, counts: np.ndarray, quantile: float) -> float:
    """The mean pinball loss: what a quantile regression minimises."""
    losses = np.maximum(quantile * residuals, (quantile - 1) * residuals)
    return float((losses * counts).sum() / counts.sum())


@shielded(MODEL, lambda fit: WalletFit(fit, {}))
def fit_wallet(scope: str, attributes: Sequence[str], bins: Sequence[SpendBin]) -> WalletFit:
    """The 90th percentile of spend as a product of attribute levels.

    The commonest level of an attribute is its reference. Not fitted below 100 customers or 10 a coefficient, and
    where the attributes are collinear.
    """
    n = sum(spend.customer_count for spend in bins)
    names, design = _design(attributes, bins)
    needed = max(LEAST_CUSTOMERS, LEAST_CUSTOMERS_A_COEFFICIENT * len(names))
    if n < needed:
        return WalletFit(not_fitted(MODEL, scope, n, f"{n} of the {needed} customers with spend needed"), {})
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return WalletFit(not_fitted(MODEL, scope, n, "the attributes are collinear (singular)"), {})
    counts = np.array([spend.customer_count for spend in bins], dtype=float)
    response = np.log([spend.amount for spend in bins])
    solution = quantile_regression(response, design, counts, QUANTILE)
    if solution is None:
        return WalletFit(not_fitted(MODEL, scope, n, "no convergence"), {})
    coefficients = {name: significant(float(value)) for name, value in zip(names, solution, strict=True)}
    fit = Fit(
        model=MODEL,
        scope=scope,
        status=FITTED,
        base_count=n,
        loss=significant(pinball(response - design @ solution, counts, QUANTILE)),
        is_converged=True,
        parameters={f"{attribute} {level}".strip(): value for (attribute, level), value in coefficients.items()},
        checks=_checks(response, design, counts, np.array([spend.is_held_out for spend in bins])),
    )
    return WalletFit(fit, coefficients)


def _checks(response: np.ndarray, design: np.ndarray, counts: np.ndarray, held_out: np.ndarray) -> list[Check]:
    """Of the customers held out, the share that spends at most the quantile which the others predict them."""
    n = float(counts[held_out].sum())
    seen = None if n in (0, counts.sum()) else ~held_out
    if seen is None:
        return []
    solution = quantile_regression(response[seen], design[seen], counts[seen], QUANTILE)
    if solution is None:
        return []
    share = float(counts[held_out & (response <= design @ solution)].sum()) / n
    return [
        Check("hold-out share within the quantile", "all", "probability", int(n), share, QUANTILE, *wilson(share, n))
    ]


def _design(attributes: Sequence[str], bins: Sequence[SpendBin]) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Names and columns of the design: an intercept, and a 0/1 column a level but the commonest. An attribute
    that only repeats an earlier one (the peers' column may be the age band) adds nothing and is left out."""
    names: list[tuple[str, str]] = [INTERCEPT]
    columns = [np.ones(len(bins))]
    seen: set[tuple[str, ...]] = set()
    for position, attribute in enumerate(attributes):
        of_bins = tuple(spend.levels[position] for spend in bins)
        if of_bins in seen:
            continue
        seen.add(of_bins)
        sizes: dict[str, int] = {}
        for spend in bins:
            sizes[spend.levels[position]] = sizes.get(spend.levels[position], 0) + spend.customer_count
        reference = min(sizes, key=lambda level: (-sizes[level], level), default="")
        for level in sorted(set(sizes) - {reference}):
            names.append((attribute, level))
            columns.append(np.array([float(spend.levels[position] == level) for spend in bins]))
    return names, np.column_stack(columns)
