"""Drivers of satisfaction: shares of the explained variance, of every survey, way of splitting drivers and segment."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from operator import itemgetter

import duckdb

from loyalty.build.estimates import drivers
from loyalty.build.estimates.fits import Fit, significant
from loyalty.build.estimates.moments import sums_of
from loyalty.build.estimates.tables import Columns, read_statistics, replace_table

STATISTICS = "statistics.stat_satisfaction__driver_sums"
OUTCOME = "outcome"

_SCOPE: Columns = {"source": "varchar", "survey_id": "varchar", "driver_by": "varchar", "segment": "varchar"}

TABLES: dict[str, Columns] = {
    "survey_driver_fits": {
        **_SCOPE,
        "status": "varchar",
        "reason": "varchar",
        "answer_count": "bigint",
        "r_squared": "double",
        "as_of": "date",
    },
    "survey_drivers": {
        **_SCOPE,
        "driver": "varchar",
        "lmg": "double",
        "lmg_share": "double",
        "lmg_share_low": "double",
        "lmg_share_high": "double",
        "johnson": "double",
        "johnson_share": "double",
        "as_of": "date",
    },
}


def fit(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Fit every scope; one row per scope, fitted or not, and one per driver of those that were."""
    columns = (*_SCOPE, "person_group", "item_a", "item_b", "answer_count", "sum_a", "sum_b", "sum_ab")
    least = ("least_answers", "least_answers_a_driver")
    statistics = read_statistics(connection, STATISTICS, (*columns, *least))
    fits: list[Fit] = []
    of_scopes: list[tuple[object, ...]] = []
    of_drivers: list[tuple[object, ...]] = []
    for scope, rows in groupby(statistics, key=itemgetter(0, 1, 2, 3)):
        of_scope = list(rows)
        groups = [sums_of([row[5:11] for row in group]) for _, group in groupby(of_scope, key=itemgetter(4))]
        source, survey_id, driver_by, segment = scope
        name = f"{source}, {survey_id}, by {driver_by}, {segment} customers"
        result = drivers.fit_drivers(name, OUTCOME, groups, of_scope[0][11], of_scope[0][12])
        fits.append(result.fit)
        of_scopes.append((*scope, result.fit.status, result.fit.reason, result.fit.base_count, result.r_squared, as_of))
        explained = sum(result.johnson.values())
        for driver, share in result.lmg_shares.items():
            weight = result.johnson[driver]
            shares = (
                result.lmg[driver],
                share.rounded(),
                *share.rounded_ends(),
                weight,
                significant(weight / explained),
            )
            of_drivers.append((*scope, driver, *shares, as_of))
    replace_table(connection, "survey_driver_fits", TABLES["survey_driver_fits"], of_scopes)
    replace_table(connection, "survey_drivers", TABLES["survey_drivers"], of_drivers)
    return fits
