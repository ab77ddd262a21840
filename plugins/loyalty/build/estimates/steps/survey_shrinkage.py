"""What rates of small segments are drawn towards, by survey and kind of segment."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from operator import itemgetter

import duckdb

from loyalty.build.estimates import shrinkage
from loyalty.build.estimates.fits import Fit
from loyalty.build.estimates.tables import Columns, read_statistics, replace_table

STATISTICS = "statistics.stat_satisfaction__rate_groups"
# Where a kind of segment has too few groups of its own, all kinds together are used.
ANY = "any"

TABLES: dict[str, Columns] = {
    "survey_shrinkage": {
        "source": "varchar",
        "survey_id": "varchar",
        "respondent_type": "varchar",
        "segment_by": "varchar",
        "prior_a": "double",
        "prior_b": "double",
        "as_of": "date",
    },
}


def fit(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Fit every kind of segment, and all kinds of a survey together (`any`); one row per prior that could be."""
    columns = ("source", "survey_id", "respondent_type", "segment_by", "scored_count", "top_box_count", "group_count")
    statistics = read_statistics(connection, STATISTICS, columns)
    fits, rows = [], []
    for survey, of_survey in groupby(statistics, key=itemgetter(0, 1, 2)):
        counts = list(of_survey)
        families = {kind: list(group) for kind, group in groupby(counts, key=itemgetter(3))} | {ANY: counts}
        for kind, group in families.items():
            scope = f"{', '.join(survey)}, best scores by {kind}"
            prior = shrinkage.fit_prior(scope, [shrinkage.Group(*row[4:7]) for row in group])
            fits.append(prior.fit)
            if prior.fit.is_fitted:
                rows.append((*survey, kind, prior.a, prior.b, as_of))
    replace_table(connection, "survey_shrinkage", TABLES["survey_shrinkage"], rows)
    return fits
