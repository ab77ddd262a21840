"""Runs every estimate on the work file: statistics in, parameters out."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from types import ModuleType

import duckdb

from loyalty.build.estimates.fits import Check, Fit, failed, significant
from loyalty.build.estimates.steps import (
    contracts,
    purchases,
    survey_changes,
    survey_drivers,
    survey_shrinkage,
    survey_structure,
    survey_thresholds,
    survey_weights,
    wallet_coefficients,
)
from loyalty.build.estimates.tables import CHECKS, FITS, PARAMETERS, Columns, create_missing, replace_table
from loyalty.common.errors import keep_traceback
from loyalty.common.progress import SILENT, Progress

# In this order: a later one may read what an earlier one wrote.
STEPS = (
    survey_weights,
    survey_drivers,
    survey_structure,
    survey_thresholds,
    survey_shrinkage,
    survey_changes,
    wallet_coefficients,
    purchases,
    contracts,
)

TABLES: dict[str, Columns] = {"fits": FITS, "parameters": PARAMETERS, "checks": CHECKS} | {
    name: columns for step in STEPS for name, columns in step.TABLES.items()
}


def ensure_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every missing parameter table, so that `dbt build` works before any fit."""
    create_missing(connection, TABLES)


def run(
    connection: duckdb.DuckDBPyConnection, as_of: date, progress: Progress = SILENT, logs: Path | None = None
) -> list[Fit]:
    """Fit every model as of a date and write its parameters; returns what was fitted and what was not.

    Reads the statistics that dbt has built into the work file, replaces the tables of the schema `estimates`,
    and logs each outcome in a line. Running it again gives the same tables. A step that ends in an error is a failed
    fit with empty tables, and its traceback goes to the folder `logs`.
    """
    ensure_tables(connection)
    fits: list[Fit] = []
    with progress.steps("estimates", len(STEPS)) as steps:
        for step in STEPS:
            fits += _fit(connection, step, as_of, logs)
            steps.next(step.__name__.rpartition(".")[2])
    replace_table(
        connection,
        "fits",
        FITS,
        [
            (
                fit.model,
                fit.scope,
                fit.status,
                fit.reason,
                fit.base_count,
                fit.effective_count,
                fit.log_likelihood,
                fit.loss,
                fit.iterations,
                fit.is_converged,
                fit.data_until or as_of,
            )
            for fit in fits
        ],
    )
    replace_table(
        connection,
        "parameters",
        PARAMETERS,
        [
            (fit.model, fit.scope, name, value, fit.standard_errors.get(name), fit.data_until or as_of)
            for fit in fits
            for name, value in fit.parameters.items()
        ],
    )
    replace_table(
        connection,
        "checks",
        CHECKS,
        [(fit.model, fit.scope, *_figures(check), fit.data_until or as_of) for fit in fits for check in fit.judged()],
    )
    for fit in fits:
        progress.log(str(fit))
    return fits


def _fit(connection: duckdb.DuckDBPyConnection, step: ModuleType, as_of: date, logs: Path | None) -> list[Fit]:
    """The fits of one step; where the step itself ends in an error, one failed fit, and nothing stale in its tables."""
    try:
        return list(step.fit(connection, as_of))
    except Exception as error:
        name = step.__name__.rpartition(".")[2]
        if logs is not None:
            keep_traceback(logs, f"estimate_{name}")
        for table, columns in step.TABLES.items():
            replace_table(connection, table, columns, [])
        return [failed(name.replace("_", " "), "", error)]


def _figures(check: Check) -> tuple[str | int | float | None, ...]:
    """A check as a row of the table, with figures cut to the digits that are the same everywhere."""
    figures = (check.observed, check.expected, check.low, check.high)
    cut = (significant(one) if one is not None and math.isfinite(one) else None for one in figures)
    return (check.name, check.part, check.rule, check.base_count, *cut)
