"""Workspaces without orders: surveys only, a panel only, contracts only. Each is built, published and shows figures."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from loyalty.common.settings import Settings, load_settings, shipped
from loyalty.operate import nightly
from loyalty.publish.generations import current_generation
from loyalty.read.query import query
from worlds.opened import opened

pytestmark = pytest.mark.slow

NOW = datetime(2026, 5, 11, 6, tzinfo=UTC)
FIRST = date(2026, 3, 2)


def _workspace(folder: Path, feeds: dict[str, list[dict[str, Any]]]) -> Settings:
    """A workspace with an export for each of these canonical feeds, whose columns have our names."""
    (folder / "dags" / "feeds").mkdir(parents=True)
    (folder / "var" / "exports").mkdir(parents=True)
    (folder / "loyalty.yml").write_text(f"expectations: {shipped('expectations')}\n", encoding="utf-8")
    for name, rows in feeds.items():
        declared = {
            "feed": name,
            "source": "web",
            "group": "surveys",
            "owner": "research",
            "description": f"The export {name}.",
            "path": f"exports/{name}.csv",
            "time_zone": "Europe/Berlin",
        }
        (folder / "dags" / "feeds" / f"{name}.yml").write_text(yaml.safe_dump(declared), encoding="utf-8")
        with (folder / "var" / "exports" / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return load_settings(folder)


def _survey() -> dict[str, list[dict[str, Any]]]:
    """Forty people on 1..7, five a day: 10 give a 7, 20 a 6 and 10 a 3."""
    scores = [7] * 10 + [6] * 20 + [3] * 10
    moments = [f"{FIRST + timedelta(days=number // 5)}T12:00:00Z" for number in range(len(scores))]
    return {
        "survey_questions": [
            {
                "survey_id": "club",
                "question_code": "Q1",
                "role": "overall_satisfaction",
                "scale_min": 1,
                "scale_max": 7,
            }
        ],
        "survey_responses": [
            {"response_id": number, "survey_id": "club", "customer_id": f"c{number}", "submitted_at": at}
            for number, at in enumerate(moments)
        ],
        "survey_answers": [
            {"response_id": number, "question_code": "Q1", "value": score} for number, score in enumerate(scores)
        ],
    }


def _panel() -> dict[str, list[dict[str, Any]]]:
    """Forty households buy coffee for 10 each: ours at every second one, a rival's at all."""
    return {
        "panel_purchases": [
            {
                "purchase_id": f"{household}-{brand}",
                "household_id": f"h{household}",
                "category": "coffee",
                "brand": brand,
                "is_us": brand == "ours",
                "purchased_at": f"{FIRST + timedelta(days=household % 30)}T12:00:00Z",
                "quantity": 1,
                "amount": 10,
            }
            for household in range(40)
            for brand in ("ours", "rival")
            if brand == "rival" or household % 2 == 0
        ]
    }


def _contracts() -> dict[str, list[dict[str, Any]]]:
    """Sixty contracts of one day; thirty ended a month later, and one is to end in a year."""
    return {
        "contracts": [
            {
                "contract_id": number,
                "customer_id": f"c{number}",
                "plan": "basic",
                "started_at": f"{FIRST}T12:00:00Z",
                "ended_at": "2026-04-02T12:00:00Z" if number < 30 else "2027-04-02T12:00:00Z" if number == 59 else "",
                "period_amount": 20,
            }
            for number in range(60)
        ]
    }


def _published(folder: Path, feeds: dict[str, list[dict[str, Any]]]) -> tuple[Settings, str]:
    settings = _workspace(folder, feeds)
    said: list[str] = []
    assert nightly.run_nightly(opened(settings, said.append), now=NOW) == nightly.CLEAN, "\n".join(said)
    current = current_generation(settings)
    assert current is not None
    return settings, current.manifest["as_of"]


def test_k6_a_workspace_with_surveys_only_is_published(tmp_path: Path) -> None:
    settings, as_of = _published(tmp_path / "shop", _survey())
    assert as_of == "2026-03-09", "the newest answer"
    figures = "scored_count, top_box_rate, satisfied_rate, hostile_rate"
    found = query(settings, f"select {figures} from satisfaction__segment_months where segment_by = 'all'")
    assert found == [(40, 0.25, 0.75, 0.25)]


def test_k6_a_workspace_with_a_panel_only_is_published(tmp_path: Path) -> None:
    settings, as_of = _published(tmp_path / "shop", _panel())
    assert as_of == "2026-03-31", "the newest purchase"
    assert query(settings, "select count(*) from wallet__brand_periods") != [(0,)]


def test_k6_a_workspace_with_contracts_only_is_published(tmp_path: Path) -> None:
    settings, as_of = _published(tmp_path / "shop", _contracts())
    assert as_of == "2026-04-02", "the newest end; the one that is planned has not come"
    found = query(
        settings,
        "select round(survival_rate, 6) from retention__survival "
        "where curve = 'contract' and segment_by = 'all' order by duration_days desc limit 1",
    )
    assert found == [(0.5,)]
