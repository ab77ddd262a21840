"""What every model says of itself, fitted or not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SIGNIFICANT_DIGITS = 8

FITTED: Literal["fitted"] = "fitted"
NOT_FITTED: Literal["not fitted"] = "not fitted"


@dataclass(frozen=True)
class Fit:
    """One model fitted to one scope (a survey wave, a category and period), or the reason why it was not.

    `base_count` is the number of customers or answers behind it; `effective_count` Kish's (sum w)^2 / sum w^2
    where there are weights; `log_likelihood` is given where the model has one, `loss` where it minimises
    something else (the mean pinball loss of a quantile regression).
    """

    model: str
    scope: str
    status: Literal["fitted", "not fitted"]
    base_count: int
    reason: str | None = None
    effective_count: float | None = None
    log_likelihood: float | None = None
    loss: float | None = None
    iterations: int | None = None
    is_converged: bool | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_fitted(self) -> bool:
        """Whether the model has parameters that may be used."""
        return self.status == FITTED

    def __str__(self) -> str:
        told = f"{self.model} of {self.scope}" if self.scope else self.model
        if self.is_fitted:
            return f"{told}: fitted on {self.base_count:,}"
        return f"{told}: not fitted, {self.reason}"


def not_fitted(model: str, scope: str, base_count: int, reason: str) -> Fit:
    """A polite refusal: nothing is estimated, and the reason is kept."""
    return Fit(model=model, scope=scope, status=NOT_FITTED, base_count=base_count, reason=reason)


def significant(value: float, digits: int = SIGNIFICANT_DIGITS) -> float:
    """`value` at that many significant digits, so that the same fit is the same bytes on every machine."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))
