"""Changes between waves that share people: every segment, measure and pair of waves."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from operator import itemgetter

import duckdb

from loyalty.build.estimates import wave_changes
from loyalty.build.estimates.fits import Fit
from loyalty.build.estimates.tables import Columns, read_statistics, replace_table

STATISTICS = "statistics.stat_satisfaction__wave_pairs"

_SCOPE: Columns = {
    "source": "varchar",
    "survey_id": "varchar",
    "wave": "varchar",
    "respondent_type": "varchar",
    "segment_by": "varchar",
    "segment": "varchar",
    "measure": "varchar",
}

TABLES: dict[str, Columns] = {
    "survey_changes": {
        **_SCOPE,
        "shared_rate": "double",
        "change": "double",
        "change_low": "double",
        "change_high": "double",
        "p_value": "double",
        "as_of": "date",
    },
}


def fit(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Bootstrap what shares more than a fifth of its people; what shares less has its share and no interval.

    The fits that are logged are those of whole surveys: there are hundreds of segments.
    """
    statistics = read_statistics(connection, STATISTICS, (*_SCOPE, "answer_before", "answer_after", "person_count"))
    fits, rows = [], []
    for scope, group in groupby(statistics, key=itemgetter(*range(len(_SCOPE)))):
        pairs = [wave_changes.Pair(_number(row[7]), _number(row[8]), row[9]) for row in group]
        result = wave_changes.fit_change(", ".join(scope), pairs)
        if scope[4] == "all":
            fits.append(result.fit)
        if result.shared_rate is not None:
            figures = (result.shared_rate, result.change, result.low, result.high, result.p_value)
            rows.append((*scope, *figures, as_of))
    replace_table(connection, "survey_changes", TABLES["survey_changes"], rows)
    return fits


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
