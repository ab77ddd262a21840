"""Exact sums of a data frame of answers, as SQL gives them to the estimators."""

from __future__ import annotations

from fractions import Fraction

import pandas as pd

from loyalty.build.estimates.moments import Sums, sums_of


def sums(frame: pd.DataFrame) -> Sums:
    """The exact sums of whole or decimal answers, as SQL would add them up."""
    columns = {name: [Fraction(str(value)) for value in frame[name]] for name in frame}
    names = sorted(columns)
    rows = [
        (a, b, len(frame), sum(columns[a]), sum(columns[b]), _product(columns[a], columns[b]))
        for i, a in enumerate(names)
        for b in names[i:]
    ]
    return sums_of(rows)


def _product(first: list[Fraction], second: list[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(first, second, strict=True)), Fraction(0))


def in_groups(frame: pd.DataFrame, groups: int = 16) -> list[Sums]:
    """The sums of as many groups of rows."""
    return [sums(frame.iloc[start::groups]) for start in range(groups)]
