"""Runs every model on the work file: statistics in, parameters out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from loyalty.estimation import raking, wallet
from loyalty.estimation.fits import Fit
from loyalty.estimation.tables import ensure_tables, replace_table

RAKING_CELLS = "intermediate.int_survey__raking_cells"
WALLET_BINS = "intermediate.int_wallet__spend_bins"


def run(connection: duckdb.DuckDBPyConnection, as_of: date, say: Callable[[str], None]) -> list[Fit]:
    """Fit every model as of a date and write its parameters; returns what was fitted and what was not.

    Reads the statistics that dbt has built into the work file, replaces the tables of the schema `estimates`,
    and says each outcome in a line. Running it again gives the same tables.
    """
    ensure_tables(connection)
    fits = [*_survey_weights(connection, as_of), *_wallet_coefficients(connection, as_of)]
    replace_table(
        connection,
        "fits",
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


def _survey_weights(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Rake every wave of every survey to the base that could have been asked."""
    columns = ("source", "survey_id", "wave", *raking.MARGINS, "base_count", "response_count")
    statistics = _read(connection, RAKING_CELLS, columns)
    fits, rows = [], []
    for (source, survey_id, wave), group in groupby(statistics, key=itemgetter(0, 1, 2)):
        cells = [raking.Cell(row[3:6], row[6], row[7]) for row in group]
        result = raking.weigh_cells(f"{source}, {survey_id}, wave {wave}", cells)
        fits.append(result.fit)
        rows += [(source, survey_id, wave, *levels, weight, as_of) for levels, weight in result.weights.items()]
    replace_table(connection, "survey_weights", rows)
    return fits


def _wallet_coefficients(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Regress spend on the peers' attributes, for every category and period."""
    attributes = ("peer_level", "age_band", "tenure_band")
    columns = ("source", "category", "period_grain", "period_start_date", *attributes, "amount", "customer_count")
    statistics = _read(connection, WALLET_BINS, columns)
    fits, rows = [], []
    for (source, category, grain, start), group in groupby(statistics, key=itemgetter(0, 1, 2, 3)):
        bins = [wallet.SpendBin(row[4:7], float(row[7]), row[8]) for row in group]
        result = wallet.fit_wallet(f"{source}, {category}, {grain} from {start}", attributes, bins)
        fits.append(result.fit)
        rows += [
            (source, category, grain, start, attribute, level, coefficient, as_of)
            for (attribute, level), coefficient in result.coefficients.items()
        ]
    replace_table(connection, "wallet_coefficients", rows)
    return fits


def _read(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of a table of statistics, in one order; none where it has not been built."""
    schema, name = table.split(".")
    known = connection.execute(
        "select 1 from information_schema.tables where table_schema = ? and table_name = ?", [schema, name]
    ).fetchone()
    if known is None:
        return []
    return connection.execute(f"select {', '.join(columns)} from {table} order by all").fetchall()
