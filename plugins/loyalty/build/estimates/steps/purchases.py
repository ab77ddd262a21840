"""Orders to come: BG/NBD, MBG/NBD and Gamma-Gamma on counts of order histories, with a hold-out.

Each is fitted on all days, and once more on the days before the hold-out, which it must then predict. Expected
orders need the hypergeometric function, which no SQL has: what a customer may do is worked out here, once for every
different history and by both models, so that all figures of a customer come from the one that dbt chooses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb
import numpy as np

from loyalty.build.estimates import btyd, holdout
from loyalty.build.estimates.fits import Check, Fit, significant, with_checks
from loyalty.build.estimates.tables import Columns, read_statistics, replace_table

WINDOWS = "core.dim_fit_windows"
HISTORIES = "statistics.stat_retention__history_cells"
VALUES = "statistics.stat_retention__value_cells"

ALL = "all"

DAYS_A_WEEK = 7.0
DAYS_A_MONTH = 365.25 / 12

TABLES: dict[str, Columns] = {
    "order_expectations": {
        "model": "varchar",
        "repeat_day_count": "bigint",
        "recency_days": "bigint",
        "age_days": "bigint",
        "p_alive": "double",
        "order_probability": "double",
        "expected_order_count": "double",
        "clv_order_count": "double",
        "discounted_order_count": "double",
        "as_of": "date",
    },
}


@dataclass(frozen=True)
class Window:
    """The last day looked at, days ahead to predict; how far, and at which yearly rate, lifetime value looks."""

    end: date
    horizon_days: int
    clv_months: int
    yearly_rate: float

    @property
    def horizon_weeks(self) -> float:
        """The horizon in weeks, the models' unit of time."""
        return self.horizon_days / DAYS_A_WEEK

    @property
    def monthly_rate(self) -> float:
        """The discount rate of a month: (1 + i)^(1/12) - 1."""
        return (1 + self.yearly_rate) ** (1 / 12) - 1


def fit(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Fit the models; one row of expectations per model and different history."""
    columns = ("fit_window", "window_end_date", "horizon_days", "clv_months", "yearly_discount_rate")
    windows = {
        row[0]: Window(row[1], row[2], row[3], float(row[4])) for row in read_statistics(connection, WINDOWS, columns)
    }
    fits: list[Fit] = []
    rows: list[tuple[Any, ...]] = []
    for name, histories, held_out in _histories(connection):
        for model in (btyd.BGNBD, btyd.MBGNBD):
            found = btyd.fit_ordering(model, name, histories)
            if found.is_fitted:
                found = with_checks(found, partial(_checks, found, windows[name], histories, held_out))
                if name == ALL:
                    rows += _expectations(found, windows[name], histories, as_of)
            fits.append(replace(found, data_until=windows[name].end))
    replace_table(connection, "order_expectations", TABLES["order_expectations"], rows)
    return fits + [replace(found, data_until=windows[window].end) for window, found in _value_fits(connection)]


def _histories(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, btyd.Histories, holdout.HeldOut]]:
    """The counts of order histories by window; times in weeks."""
    columns = (
        *("fit_window", "repeat_day_count", "recency_days", "age_days", "customer_count"),
        *("holdout_day_count", "holdout_day_squares", "holdout_customer_count"),
    )
    for name, group in groupby(read_statistics(connection, HISTORIES, columns), key=itemgetter(0)):
        cells = np.array([row[1:] for row in group], dtype=float)
        x, t_x, age, counts, days, squares, customers = cells.T
        histories = btyd.Histories(x, t_x / DAYS_A_WEEK, age / DAYS_A_WEEK, counts)
        yield name, histories, holdout.HeldOut(days, squares, customers)


def _checks(found: Fit, window: Window, histories: btyd.Histories, held_out: holdout.HeldOut) -> Iterable[Check]:
    """In sample where there is no hold-out, else by what the hold-out brought."""
    if found.scope == ALL:
        return [holdout.so_far(found, histories)]
    return holdout.predictions(found, histories, held_out, window.horizon_weeks)


def _expectations(found: Fit, window: Window, histories: btyd.Histories, as_of: date) -> Iterator[tuple[Any, ...]]:
    """P(alive), the chance of an order in the horizon, expected order days in it and over the lifetime window, plain
    and discounted."""
    month, model, parameters = DAYS_A_MONTH / DAYS_A_WEEK, found.model, found.parameters
    figures = (
        btyd.p_alive(model, parameters, histories),
        btyd.order_probability(parameters, histories, window.horizon_weeks, model),
        btyd.expected_orders(parameters, histories, window.horizon_weeks, model),
        btyd.expected_orders(parameters, histories, window.clv_months * month, model),
        btyd.discounted_orders(parameters, histories, window.clv_months, window.monthly_rate, month, model),
    )
    for index in range(len(histories.counts)):
        yield (
            model,
            round(histories.repeats[index]),
            round(histories.recency[index] * DAYS_A_WEEK),
            round(histories.age[index] * DAYS_A_WEEK),
            *(significant(float(one[index])) if np.isfinite(one[index]) else None for one in figures),
            as_of,
        )


def _value_fits(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Fit]]:
    """Gamma-Gamma by currency, on all days and before the hold-out: the window and its fit."""
    columns = (
        *("currency_code", "fit_window", "valued_day_count", "valued_amount", "customer_count"),
        *("holdout_valued_day_count", "holdout_valued_amount"),
    )
    for (currency, window), group in groupby(read_statistics(connection, VALUES, columns), key=itemgetter(0, 1)):
        x, totals, counts, days, amounts = np.array([row[2:] for row in group], dtype=float).T
        repeated = x > 0
        values = btyd.Values(x[repeated], totals[repeated], counts[repeated])
        scope = currency if window == ALL else f"{currency}, {window}"
        found = btyd.fit_values(scope, values)
        if not found.is_fitted:
            yield window, found
        elif window == ALL:
            linked = btyd.correlation(values)
            check = Check("correlation of order days and value", "all", "correlation", found.base_count, linked, 0.0)
            yield window, replace(found, checks=(check,))
        else:
            came = days > 0
            expected = (days * btyd.expected_value(found.parameters, x, totals))[came].sum()
            check = Check("hold-out value", "all", "ratio", int(counts.sum()), float(amounts.sum()), float(expected))
            yield window, replace(found, checks=(check,))
