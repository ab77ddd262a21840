"""Rows of survey feeds for tests: questions, questionnaires and answers, as an export would bring them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from loyalty.build import estimates
from worlds.warehouse import Warehouse

DAY = datetime(2017, 6, 30, 12)

# Orders that only set the scene: somebody bought something.
SCENE = [
    {
        "order_id": "o1",
        "customer_id": "someone",
        "ordered_at": DAY,
        "kind": "sale",
        "status": "completed",
        "currency_code": "USD",
        "total_amount": 10,
    }
]


def question(survey: str, code: str, role: str, low: float | None, high: float | None, **more: Any) -> dict[str, Any]:
    """One row of survey_questions."""
    return {
        "survey_id": survey,
        "question_code": code,
        "role": role,
        "scale_min": low,
        "scale_max": high,
        **more,
    }


def answered(survey: str, sheets: Iterable[Mapping[str, Any]], **of_response: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Questionnaires of a survey and their answers. A sheet maps question codes to values; what begins with `_`
    is of the response itself (`_customer_id`, `_submitted_at` ...)."""
    responses: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for number, sheet in enumerate(sheets, start=1):
        response = {
            "response_id": f"{survey}-{number:05}",
            "survey_id": survey,
            "wave": "w1",
            "submitted_at": DAY + timedelta(seconds=number),
            "mode": "mail",
            "status": "complete",
            **of_response,
            **{name[1:]: value for name, value in sheet.items() if name.startswith("_")},
        }
        responses.append(response)
        answers += [
            {"response_id": response["response_id"], "question_code": code, "value": str(value)}
            for code, value in sheet.items()
            if not code.startswith("_")
        ]
    return pd.DataFrame(responses), pd.DataFrame(answers)


def load_survey(
    warehouse: Warehouse,
    questions: Sequence[Mapping[str, Any]],
    sheets: Iterable[Mapping[str, Any]],
    source: str = "shop",
    **of_response: Any,
) -> None:
    """Land a survey's questions, questionnaires and answers."""
    responses, answers = answered(questions[0]["survey_id"], sheets, **of_response)
    warehouse.load("survey_questions", questions, source=source)
    warehouse.load("survey_responses", responses, source=source)
    warehouse.load("survey_answers", answers, source=source)


def whole_numbers(mean: float, count: int) -> list[int]:
    """So many whole numbers with exactly this mean, as even as can be."""
    total = round(mean * count)
    assert abs(total - mean * count) < 1e-6, "no whole numbers have this mean"
    return [int(value) for value in np.diff(np.arange(count + 1) * total // count)]


def build(
    warehouse: Warehouse,
    *selected: str,
    as_of: date = date(2017, 12, 31),
    variables: Mapping[str, Any] | None = None,
) -> None:
    """Build the named models with everything that they read, and test the named ones; nothing is fitted."""
    warehouse.set_build(as_of)
    parents = [f"+{name}" for name in selected]
    untested = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    warehouse.dbt("build", "--select", *parents, *untested, variables=variables)
    warehouse.dbt("test", "--select", *selected, "--exclude", "test_type:unit", variables=variables)


def build_fitted(
    warehouse: Warehouse,
    *selected: str,
    as_of: date = date(2017, 12, 31),
    variables: Mapping[str, Any] | None = None,
) -> list[estimates.Fit]:
    """The same with the estimates: all once, then the fits, then what reads them again."""
    statistics = (
        "stat_satisfaction__raking_cells",
        "stat_satisfaction__driver_sums",
        "stat_satisfaction__item_sums",
        "stat_satisfaction__answer_cell_counts",
        "stat_satisfaction__score_cells",
        "stat_satisfaction__rate_groups",
        "stat_satisfaction__wave_pairs",
        "stat_wallet__spend_bins",
    )
    build(warehouse, *selected, *statistics, as_of=as_of, variables=variables)
    with warehouse.connect() as connection:
        fits = estimates.run(connection, as_of)
    scored = [f"+{name},source:estimates+" for name in selected]
    warehouse.dbt("run", "--select", *scored, *selected, variables=variables)
    return fits
