"""The result of every model, fitted or not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import wraps
from inspect import signature
from typing import Literal, ParamSpec, TypeVar

from loyalty.common.errors import first_line

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

Z = 1.959963985
SIGNIFICANT_DIGITS = 8
# Standard errors come from differences of slopes and hold fewer digits than the parameters.
ERROR_DIGITS = 5

FITTED: Literal["fitted"] = "fitted"
NOT_FITTED: Literal["not fitted"] = "not fitted"
FAILED: Literal["failed"] = "failed"


@dataclass(frozen=True)
class Check:
    """One figure by which a model is judged: the observed value beside the predicted one.

    `name` is the figure and `part` the customers (`all`, or a decile, a band, a period); `expected` is the
    model's figure, `low` and `high` the 95 % interval of the observed one where it has one. The rule says how
    the two are compared, in SQL, where the thresholds are: whether it converged, as a share that must be large
    enough, by their ratio, as a probability that may lie a little beyond the interval, or as a correlation
    that must be small.
    """

    name: str
    part: str
    rule: Literal["convergence", "share", "ratio", "probability", "correlation"]
    base_count: int
    observed: float | None
    expected: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Fit:
    """One model fitted to one scope (a survey wave, a category and period), or the reason why it was not; a
    fit may have a reason too, where something had to be assumed for it.

    `base_count` is the number of customers or answers behind it; `effective_count` Kish's (sum w)^2 / sum w^2
    where there are weights; `data_until` the last day of the data, where it is not the as-of date; `log_likelihood`
    is given where the model has one, `loss` where it minimises something else (the mean pinball loss of a quantile
    regression).
    """

    model: str
    scope: str
    status: Literal["fitted", "not fitted", "failed"]
    base_count: int
    reason: str | None = None
    effective_count: float | None = None
    log_likelihood: float | None = None
    loss: float | None = None
    iterations: int | None = None
    is_converged: bool | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    standard_errors: Mapping[str, float] = field(default_factory=dict)
    checks: Sequence[Check] = ()
    data_until: date | None = None

    @property
    def is_fitted(self) -> bool:
        """Whether the model has parameters that may be used."""
        return self.status == FITTED

    def judged(self) -> list[Check]:
        """Every figure the model is judged by: whether it converged, the effective base, and its own checks."""
        came_about = float(self.is_fitted and bool(self.is_converged))
        found = [Check("convergence", "all", "convergence", self.base_count, came_about, 1.0)]
        if self.effective_count is not None and self.base_count > 0:
            share = self.effective_count / self.base_count
            found.append(Check("effective base", "all", "share", self.base_count, share, 1.0))
        return [*found, *self.checks]

    def __str__(self) -> str:
        name = f"{self.model} of {self.scope}" if self.scope else self.model
        if self.is_fitted:
            return f"{name}: fitted on {self.base_count:,}" + (f"; {self.reason}" if self.reason else "")
        return f"{name}: {self.status}, {self.reason}"


def wilson(share: float, count: float) -> tuple[float, float]:
    """The ends of Wilson's 95 % interval (1927) of a share of `count` customers."""
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    margin = Z * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count * count)) / (1 + Z**2 / count)
    return centre - margin, centre + margin


def not_fitted(model: str, scope: str, base_count: int, reason: str) -> Fit:
    """A fit that was not made: nothing is estimated, and the reason is kept."""
    return Fit(model=model, scope=scope, status=NOT_FITTED, base_count=base_count, reason=reason)


def significant(value: float, digits: int = SIGNIFICANT_DIGITS) -> float:
    """`value` at that many significant digits, so that the same fit is the same bytes on every machine."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def failed(model: str, scope: str, error: Exception) -> Fit:
    """A fit that ended in an error: its reason is kept, and nothing is estimated."""
    reason = f"{type(error).__name__}: {first_line(error)}"
    return Fit(model=model, scope=scope, status=FAILED, base_count=0, reason=reason)


def shielded(
    model: str, empty: Callable[[Fit], Result]
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Let a function that fits one scope end in a failed fit instead of an error, so that the other fits go on.

    The function has the parameter `scope`; `model` names the fit unless the function has the parameter `model` too.
    `empty` makes the function's result from a fit without parameters.
    """

    def shield(fit_one: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        @wraps(fit_one)
        def fit_or_fail(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            try:
                return fit_one(*args, **kwargs)
            except Exception as error:  # a library may raise anything: a fault stays with its fit
                given = signature(fit_one).bind(*args, **kwargs).arguments
                return empty(failed(given.get("model", model), given["scope"], error))

        return fit_or_fail

    return shield


def with_checks(fit: Fit, checks: Callable[[], Iterable[Check]]) -> Fit:
    """The fit with the figures it is judged by; one whose checks end in an error says so and has none."""
    try:
        return replace(fit, checks=tuple(checks()))
    except Exception as error:
        return replace(fit, reason=f"its checks failed ({type(error).__name__}: {first_line(error)})")
