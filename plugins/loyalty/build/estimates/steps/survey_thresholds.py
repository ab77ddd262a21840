"""The curve of loyalty over satisfaction: a line or three zones, for every survey."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from operator import itemgetter

import duckdb

from loyalty.build.estimates import thresholds
from loyalty.build.estimates.fits import Fit
from loyalty.build.estimates.tables import Columns, read_statistics, replace_table

STATISTICS = "statistics.stat_satisfaction__score_cells"

TABLES: dict[str, Columns] = {
    "survey_thresholds": {
        "source": "varchar",
        "survey_id": "varchar",
        "measure": "varchar",
        "status": "varchar",
        "reason": "varchar",
        "customer_count": "bigint",
        "shape": "varchar",
        "threshold_low": "double",
        "threshold_high": "double",
        **{f"slope_{zone}": "double" for zone in (1, 2, 3)},
        **{f"rate_{zone}": "double" for zone in (1, 2, 3)},
        "bic_gain": "double",
        "as_of": "date",
    },
}


def fit(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Fit the score and the index of every survey; one row each, fitted or not."""
    columns = ("source", "survey_id", "measure", "score", "customer_count", "again_count")
    statistics = read_statistics(connection, STATISTICS, columns)
    fits, rows = [], []
    for scope, group in groupby(statistics, key=itemgetter(0, 1, 2)):
        cells = [thresholds.Cell(float(row[3]), row[4], row[5]) for row in group]
        curve = thresholds.fit_curve(", ".join(scope), cells)
        fits.append(curve.fit)
        slopes, rates = curve.slopes or (None,) * 3, curve.rates or (None,) * 3
        outcome = (curve.fit.status, curve.fit.reason, curve.fit.base_count, curve.shape, curve.low, curve.high)
        rows.append((*scope, *outcome, *slopes, *rates, curve.gain, as_of))
    replace_table(connection, "survey_thresholds", TABLES["survey_thresholds"], rows)
    return fits
