"""Complaints and survey work by the project's own path: published intervals, and hardly any data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from worlds.survey_rows import DAY, SCENE, build, load_survey, question
from worlds.warehouse import Warehouse, new_warehouse

SURVEY = json.loads((Path(__file__).parents[1] / "oracles" / "survey.json").read_text(encoding="utf-8"))
OPENED = datetime(2017, 6, 1, 10)
CASES = ("81/263", "15/148", "0/20", "1/29")
TICKET_MARTS = (
    "satisfaction__complaints",
    "satisfaction__complaint_funnel",
    "satisfaction__complaint_steps",
    "satisfaction__silent_dissatisfied",
    "satisfaction__response_times",
    "satisfaction__feedback_quarters",
    "satisfaction__issue_months",
    "satisfaction__failure_months",
)
SURVEY_MARTS = (
    "satisfaction__recovery",
    "satisfaction__waves",
    "satisfaction__word_of_mouth_scores",
    "satisfaction__profit_lags",
    "satisfaction__nonresponse",
    "satisfaction__coverage",
    "satisfaction__followups",
    "satisfaction__survey_operations",
)


def _ticket(number: int, *, hours: float | None = None, **more: Any) -> dict[str, Any]:
    """A complaint, solved after so many hours, or still open."""
    return {
        "ticket_id": f"t{number:05}",
        "opened_at": OPENED,
        "resolved_at": None if hours is None else OPENED + timedelta(hours=hours),
        "status": "open" if hours is None else "resolved",
        "kind": "complaint",
        **more,
    }


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """One order; the tests load more, in their order."""
    with pytest.MonkeyPatch.context() as environment:
        made = new_warehouse(tmp_path_factory.mktemp("complaints"), environment)
        made.load("orders", SCENE)
        yield made


def test_one_ticket_and_one_answer(warehouse: Warehouse) -> None:
    """They say little, and are no error. (A warehouse without any row is built in test_unit_tests.)"""
    warehouse.load("tickets", [_ticket(0, hours=1, customer_id="someone", severity="one of one")])
    people = question("s", "people", "wom_told_count", 0, None)
    overall = question("s", "overall", "overall_satisfaction", 1, 5)
    load_survey(warehouse, [overall, people], [{"overall": 1, "people": 3, "_customer_id": "someone"}])
    warehouse.load(
        "survey_sends",
        [{"send_id": "1", "survey_id": "s", "wave": "w1", "customer_id": "someone", "mode": "mail", "sent_at": DAY}],
    )
    build(warehouse, *TICKET_MARTS, *SURVEY_MARTS)
    silent = (
        "select complainer_count, assumed_silent_estimate, is_assumed_rate_refuted, own_complaint_rate"
        " from marts.satisfaction__silent_dissatisfied where segment_by = 'all'"
    )
    assert warehouse.query(silent) == [(1, 0.0, True, None)], "24 silent of one customer"
    funnel = (
        "select ticket_count, landmark_count, in_time_count, is_suppressed, in_time_rate, outcome_count,"
        " bought_again_count, repurchase_rate, odds_ratio from marts.satisfaction__complaint_funnel"
        " where severity = 'all' and speed = 'all'"
    )
    assert warehouse.query(funnel) == [(1, 1, 1, True, None, 1, 0, None, None)]
    mouth = "select dissatisfied_count, net_heard_scenario, dissatisfied_told_mean from marts.satisfaction__waves"
    assert warehouse.query(mouth) == [(1, None, None)], "one answer is no base for a scenario"
    work = (
        "select sent_count, completed_count, answered_count, response_rate, mode_effect"
        " from marts.satisfaction__survey_operations where mode = 'all'"
    )
    assert warehouse.query(work) == [(1, None, 1, None, None)], "the outcome of the letter was not delivered"
    followed = "select unhappy_count, due_count, in_time_rate from marts.satisfaction__followups where contact = 'all'"
    assert warehouse.query(followed) == [(1, 0, None)], "the exports have no contact"


def test_published_intervals_and_tickets_all_alike(warehouse: Warehouse) -> None:
    """Newcombe's intervals as shares solved in time; forty tickets that are all alike have no spread and no odds."""
    tickets = []
    for case in CASES:
        hits, count = (int(part) for part in case.split("/"))
        tickets += [
            _ticket(len(tickets) + i + 1, hours=1 if i < hits else 100, severity=case, category=case)
            for i in range(count)
        ]
    alike = [_ticket(10_000 + i, hours=24, severity="alike", customer_id=f"c{i}") for i in range(40)]
    warehouse.load("tickets", tickets + alike)
    shown = ("satisfaction__complaint_funnel", "satisfaction__response_times")
    selected = [f"stg_tickets__tickets+,+{mart}" for mart in shown]
    warehouse.dbt("build", "--select", *selected, "--exclude", "test_type:unit", variables={"min_base": 1})
    for case in CASES:
        low, high = warehouse.query(
            "select round(in_time_rate_low, 4), round(in_time_rate_high, 4)"
            f" from marts.satisfaction__complaint_funnel where severity = '{case}' and speed = 'all'"
        )[0]
        assert [low, high] == SURVEY["wilson"][case]
        low, high = warehouse.query(
            "select round(in_time_rate_low, 4), round(in_time_rate_high, 4) from marts.satisfaction__response_times"
            f" where segment_by = 'severity' and segment = '{case}' and measure = 'resolution'"
        )[0]
        assert [low, high] == SURVEY["wilson"][case]
    times = (
        "select median_hours, p90_hours, textbook_median_hours, open_count from marts.satisfaction__response_times"
        " where segment = 'alike' and measure = 'resolution'"
    )
    assert warehouse.query(times) == [(24.0, 24.0, 24.0, 0)]
    odds = "select count(odds_ratio) from marts.satisfaction__complaint_funnel where severity = 'alike'"
    assert warehouse.value(odds) == 0
