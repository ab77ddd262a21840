"""Runs every estimate on the work file: statistics in, parameters out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb

from loyalty.estimation.fits import Fit
from loyalty.estimation.steps import (
    survey_changes,
    survey_drivers,
    survey_shrinkage,
    survey_structure,
    survey_thresholds,
    survey_weights,
    wallet_coefficients,
)
from loyalty.estimation.tables import FITS, Columns, create_missing, replace_table

# In this order: a later one may read what an earlier one wrote.
STEPS = (
    survey_weights,
    survey_drivers,
    survey_structure,
    survey_thresholds,
    survey_shrinkage,
    survey_changes,
    wallet_coefficients,
)

TABLES: dict[str, Columns] = {"fits": FITS} | {name: columns for step in STEPS for name, columns in step.TABLES.items()}


def ensure_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every missing parameter table, so that `dbt build` works before any fit."""
    create_missing(connection, TABLES)


def run(connection: duckdb.DuckDBPyConnection, as_of: date, say: Callable[[str], None]) -> list[Fit]:
    """Fit every model as of a date and write its parameters; returns what was fitted and what was not.

    Reads the statistics that dbt has built into the work file, replaces the tables of the schema `estimates`,
    and says each outcome in a line. Running it again gives the same tables.
    """
    ensure_tables(connection)
    fits = [fit for step in STEPS for fit in step.fit(connection, as_of)]
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
                as_of,
            )
            for fit in fits
        ],
    )
    for fit in fits:
        say(str(fit))
    return fits
