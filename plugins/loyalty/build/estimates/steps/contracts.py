"""How long contracts last: the shifted beta-geometric of every plan, tried on periods it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from itertools import groupby
from math import prod
from operator import itemgetter

import duckdb

from loyalty.build.estimates import contractual
from loyalty.build.estimates.fits import Check, Fit, with_checks
from loyalty.build.estimates.tables import Columns, read_statistics

STATISTICS = "statistics.stat_retention__contract_cells"

TABLES: dict[str, Columns] = {}

Counts = Mapping[int, int]


def fit(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Fit every plan; its parameters are in the table of all models."""
    columns = ("scope", "period_number", "ended_count", "running_count")
    fits = []
    for scope, group in groupby(read_statistics(connection, STATISTICS, columns), key=itemgetter(0)):
        cells = [(int(period), int(ended), int(running)) for _, period, ended, running in group]
        lost = {period: ended for period, ended, _ in cells if ended}
        running = {period: count for period, _, count in cells if count}
        found = contractual.fit_contracts(scope, lost, running)
        fits.append(with_checks(found, partial(_checks, scope, lost, running)) if found.is_fitted else found)
    return fits


def _checks(scope: str, lost: Counts, running: Counts) -> Iterator[Check]:
    """The survival that a fit on the first half of the periods predicts for the others."""
    last = max([*lost, *running])
    known = last // 2
    early = contractual.fit_contracts(
        scope,
        {period: count for period, count in lost.items() if period <= known},
        _living_through(known, lost, running),
    )
    if not early.is_fitted:
        return
    expected = contractual.retention_rates(early.parameters, last)
    survival = 1.0
    for period in range(1, last + 1):
        at_risk = sum(count for t, count in lost.items() if t >= period)
        at_risk += sum(count for t, count in running.items() if t >= period)
        survival *= 1 - lost.get(period, 0) / at_risk
        if period > known:
            yield Check("hold-out survival", f"period {period:03}", "ratio", at_risk, survival, prod(expected[:period]))


def _living_through(known: int, lost: Counts, running: Counts) -> dict[int, int]:
    """Contracts not yet ended when only `known` periods were seen, by the periods lived."""
    lived = {period: count for period, count in running.items() if period < known}
    beyond = sum(count for period, count in lost.items() if period > known)
    beyond += sum(count for period, count in running.items() if period >= known)
    return lived | {known: beyond}
