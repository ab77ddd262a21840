"""The maximum of a log-likelihood over parameters that are all above 0, to more digits than are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from loyalty.build.estimates.fits import ERROR_DIGITS, FITTED, Fit, significant

# Log-likelihood and its slope by each parameter.
LogLikelihood = Callable[[np.ndarray], tuple[float, np.ndarray]]

# How far a parameter may go: e^-12 to e^12. One that runs to the edge has no maximum.
EDGE = 12.0
STEP = 1e-4
SETTLED = 1e-9
NEWTON_STEPS = 30


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is highest, how high, and the standard errors by the observed information."""

    values: np.ndarray
    standard_errors: np.ndarray
    log_likelihood: float
    iterations: int


def fitted(model: str, scope: str, base_count: int, names: Sequence[str], found: Maximum) -> Fit:
    """The fit of a model whose parameters, in the order of `names`, are where the likelihood is highest."""
    return Fit(
        model=model,
        scope=scope,
        status=FITTED,
        base_count=base_count,
        log_likelihood=significant(found.log_likelihood),
        iterations=found.iterations,
        is_converged=True,
        parameters={name: significant(float(value)) for name, value in zip(names, found.values, strict=True)},
        standard_errors={
            name: significant(float(error), ERROR_DIGITS)
            for name, error in zip(names, found.standard_errors, strict=True)
        },
    )


def maximise(log_likelihood: LogLikelihood, start: Sequence[float]) -> Maximum | None:
    """The maximum, or None where there is none inside the parameters' range.

    Searches over the logarithms of the parameters (quasi-Newton), then takes Newton steps until nothing moves
    in the tenth digit, so that the result does not depend on the way there. Accepted only where the
    likelihood curves down in every direction: this separates data that do not settle a parameter from data that do.
    """

    def downhill(logs: np.ndarray) -> tuple[float, np.ndarray]:
        value, slopes = log_likelihood(np.exp(logs))
        return -value, -slopes * np.exp(logs)

    with np.errstate(all="ignore"):
        search = minimize(
            downhill,
            np.log(np.asarray(start, dtype=float)),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-EDGE, EDGE)] * len(start),
            options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-8},
        )
        settled = _settled(downhill, search.x)
    if settled is None:
        return None
    logs, curvature, steps = settled
    values = np.exp(logs)
    errors = values * np.sqrt(np.diag(np.linalg.inv(curvature)))
    return Maximum(values, errors, -downhill(logs)[0], int(search.nit) + steps)


def _settled(downhill: LogLikelihood, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Newton steps from `logs` until nothing moves: where, the curvature there, how many; None if they lead away."""
    for steps in range(1, NEWTON_STEPS + 1):
        curvature = _curvature(downhill, logs)
        if not np.all(np.isfinite(curvature)) or np.linalg.eigvalsh(curvature)[0] <= 0:
            return None
        move = np.clip(np.linalg.solve(curvature, downhill(logs)[1]), -1, 1)
        logs = logs - move
        if np.max(np.abs(logs)) > EDGE:
            return None
        if np.max(np.abs(move)) < SETTLED:
            return logs, curvature, steps
    return None


def _curvature(downhill: LogLikelihood, logs: np.ndarray) -> np.ndarray:
    """Second derivatives, by central differences of the slopes."""
    columns = []
    for index in range(len(logs)):
        aside = np.zeros(len(logs))
        aside[index] = STEP
        columns.append((downhill(logs + aside)[1] - downhill(logs - aside)[1]) / (2 * STEP))
    whole = np.column_stack(columns)
    return (whole + whole.T) / 2
