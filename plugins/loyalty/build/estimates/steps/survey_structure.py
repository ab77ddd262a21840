"""The structure of a survey's answers: path model, reliability, components, and kinds of answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from loyalty.build.estimates import answer_segments, structure
from loyalty.build.estimates.fits import Fit
from loyalty.build.estimates.moments import Interval, Sums, sums_of
from loyalty.build.estimates.tables import Columns, read_statistics, replace_table

SUMS = "statistics.stat_satisfaction__item_sums"
ITEMS = "statistics.stat_satisfaction__items"
PATHS = "statistics.stat_satisfaction__paths"
CELLS = "statistics.stat_satisfaction__answer_cell_counts"

TABLES: dict[str, Columns] = {
    "survey_structure": {
        "source": "varchar",
        "survey_id": "varchar",
        "model": "varchar",
        "figure": "varchar",
        "subject": "varchar",
        "object": "varchar",
        "value": "double",
        "value_low": "double",
        "value_high": "double",
        "status": "varchar",
        "reason": "varchar",
        "answer_count": "bigint",
        "as_of": "date",
    },
    "survey_answer_segments": {
        "source": "varchar",
        "survey_id": "varchar",
        "cell": "varchar",
        "answer_segment": "bigint",
        "as_of": "date",
    },
}


def fit(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Fit every survey; one row per figure, and one for every model that was not fitted."""
    sums: dict[tuple[str, str], list[Sums]] = {}
    columns = ("source", "survey_id", "person_group", "item_a", "item_b", "answer_count", "sum_a", "sum_b", "sum_ab")
    for (source, survey_id, _), group in groupby(read_statistics(connection, SUMS, columns), key=itemgetter(0, 1, 2)):
        sums.setdefault((source, survey_id), []).append(sums_of([row[3:9] for row in group]))
    of_items = read_statistics(
        connection, ITEMS, ("source", "survey_id", "item", "construct", "scale_min", "scale_max")
    )
    surveys = {
        survey: [structure.Item(row[2], row[3], float(row[4]), float(row[5])) for row in group]
        for survey, group in groupby(of_items, key=itemgetter(0, 1))
    }
    designs = _designs(connection)
    fits: list[Fit] = []
    rows: list[tuple[object, ...]] = []
    for survey, items in surveys.items():
        design = designs.get(survey, structure.USUAL)
        for result in structure.fit_structure(", ".join(survey), items, sums.get(survey, []), design):
            fits.append(result.fit)
            rows += _rows(survey, result.fit, result.figures, as_of)
    of_cells: list[tuple[object, ...]] = []
    counted = read_statistics(connection, CELLS, ("source", "survey_id", "dimensions", "cell", "answer_count"))
    for survey, group in groupby(counted, key=itemgetter(0, 1)):
        fitted = _segments(survey, list(group))
        fits.append(fitted[0])
        rows += _rows(survey, fitted[0], fitted[1], as_of)
        of_cells += [(*survey, cell, segment, as_of) for cell, segment in fitted[2].items()]
    replace_table(connection, "survey_structure", TABLES["survey_structure"], rows)
    replace_table(connection, "survey_answer_segments", TABLES["survey_answer_segments"], of_cells)
    return fits


def _designs(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], structure.Design]:
    """The path model of every survey, by source and survey."""
    columns = ("source", "survey_id", "is_own", "is_standardised", "cause", "effect")
    return {
        (source, survey_id): structure.Design(tuple(row[4:] for row in group), is_standardised, is_own)
        for (source, survey_id, is_own, is_standardised), group in groupby(
            read_statistics(connection, PATHS, columns), key=itemgetter(0, 1, 2, 3)
        )
    }


def _rows(
    survey: tuple[str, str], fit: Fit, figures: Mapping[tuple[str, str, str], Interval], as_of: date
) -> Iterator[tuple[object, ...]]:
    outcome = (fit.status, fit.reason, fit.base_count, as_of)
    if not fit.is_fitted:
        yield (*survey, fit.model, "none", "", "", None, None, None, *outcome)
    for (figure, subject, of), interval in figures.items():
        low, high = interval.rounded_ends()
        yield (*survey, fit.model, figure, subject, of, interval.rounded(), low, high, *outcome)


def _segments(
    survey: tuple[str, str], counted: Sequence[tuple[Any, ...]]
) -> tuple[Fit, dict[tuple[str, str, str], Interval], dict[str, int]]:
    """Kinds of answers of one survey: the fit, its figures, and the segment of every cell."""
    scope, dimensions = ", ".join(survey), counted[0][2].split(",")
    cells = [answer_segments.AnswerCell(tuple(int(p) for p in row[3].split(",")), row[4]) for row in counted]
    found = answer_segments.find_segments(scope, cells)
    if not found.fit.is_fitted or found.silhouette is None:
        return found.fit, {}, {}
    plain = {("silhouette", str(k), "segments"): value for k, value in found.tried}
    plain[("silhouette", "chosen", "segments")] = found.silhouette
    for number, (size, centre) in enumerate(zip(found.sizes, found.centres, strict=True), start=1):
        plain[("segment share", str(number), "answers")] = size / found.fit.base_count
        plain |= {("segment mean", str(number), name): value for name, value in zip(dimensions, centre, strict=True)}
    figures = {key: Interval(value, None, None) for key, value in plain.items()}
    return found.fit, figures, {row[3]: segment for row, segment in zip(counted, found.of_cells, strict=True)}
