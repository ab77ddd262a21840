"""Weights of survey answers: every wave of every survey raked to the base that could have been asked."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from operator import itemgetter

import duckdb

from loyalty.build.estimates import raking
from loyalty.build.estimates.fits import Fit
from loyalty.build.estimates.tables import Columns, read_statistics, replace_table

STATISTICS = "statistics.stat_satisfaction__raking_cells"

TABLES: dict[str, Columns] = {
    "survey_weights": {
        "source": "varchar",
        "survey_id": "varchar",
        "wave": "varchar",
        "age_band": "varchar",
        "tenure_band": "varchar",
        "spend_tercile": "varchar",
        "weight": "decimal(18,8)",
        "as_of": "date",
    },
}


def fit(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Rake every wave; one row per cell of a wave that could be weighted."""
    columns = ("source", "survey_id", "wave", *raking.MARGINS, "base_count", "response_count")
    statistics = read_statistics(connection, STATISTICS, columns)
    fits, rows = [], []
    for (source, survey_id, wave), group in groupby(statistics, key=itemgetter(0, 1, 2)):
        cells = [raking.Cell(row[3:6], row[6], row[7]) for row in group]
        result = raking.weigh_cells(f"{source}, {survey_id}, wave {wave}", cells)
        fits.append(result.fit)
        rows += [(source, survey_id, wave, *levels, weight, as_of) for levels, weight in result.weights.items()]
    replace_table(connection, "survey_weights", TABLES["survey_weights"], rows)
    return fits
