"""The register of metrics against the models, both ways."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from worlds.warehouse import PROJECT, project

IDS = Path(__file__).parents[1] / "metric_ids.csv"

# What the data of a shop cannot answer, wholly or in part. Everything else has to be answered by a column.
UNANSWERABLE = {
    "A34": "a lag correlation under 8 waves",
    "C12": "no longer searches, beyond what was asked",
    "D20": "rivals' promotions without a calendar of them",
    "E04": "market share without a bought total or a panel",
    "F11": "lift without a control arm or a time before",
    "G01": "the silent as an observation",
    "H01": "22 as a fact",
    "H02": "8 as a fact",
    "H03": "10 as a fact",
    "H04": "the balance of 22, 8 and 10 as a fact",
    "I04": "lift without a control arm or a time before",
    "I12": "recommendations without an export of events",
    "I14": "rivals' stock-outs without a calendar of them",
    "I17": "hours of training, which are staff data",
    "I21": "what dealers sell on",
    "I23": "shifts of the market beyond our own figures",
    "I25": "drop-off at checkout without an export of events",
    "I26": "engagement without an export of events",
}

Row = Mapping[str, str]
NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def manifest() -> Any:
    return project()


@pytest.fixture(scope="module")
def register() -> list[Row]:
    return _read(PROJECT / "seeds" / "reference" / "metric_catalogue.csv")


@pytest.fixture(scope="module")
def models(manifest: Any) -> dict[str, Any]:
    return {node.name: node for node in manifest.nodes.values() if node.resource_type == "model"}


def test_every_metric_is_in_the_register_and_no_other(register: list[Row]) -> None:
    ids = [row["id"] for row in _read(IDS)]
    assert len(ids) == len(set(ids)) == 162
    assert {row["id"] for row in register} == set(ids)


def test_a_row_is_one_column_of_one_metric(register: list[Row]) -> None:
    keys = [(row["id"], row["model"], row["column"], row["reason"]) for row in register]
    assert len(keys) == len(set(keys))


def test_every_row_is_named_and_defined_in_both_languages(register: list[Row]) -> None:
    for row in register:
        assert row["name_en"] and (row["definition"] or row["reason"]), row
        assert _is_chinese(row["name_zh"]), row
        for text in ("definition", "reason"):
            chinese = row[f"{text}_zh"]
            assert bool(row[text]) == bool(chinese), f"{text} without its Chinese, or the other way: {row}"
            assert not chinese or (_is_chinese(chinese) and chinese.endswith("。")), row


def test_both_languages_name_the_same_columns_and_vars(register: list[Row]) -> None:
    """A sentence may say as_of or attitude_cut in words; what Chinese names, English names too."""
    strangers = [
        row for row in register if set(NAME.findall(row["definition_zh"])) - set(NAME.findall(row["definition"]))
    ]
    assert strangers == []


def test_a_definition_can_be_read_alone(register: list[Row]) -> None:
    """Report and dashboard show one at a time."""
    leaning = [row["definition"] for row in register if row["definition"].startswith(("The same", "That "))]
    assert leaning == []


def test_every_answer_is_a_published_column(register: list[Row], models: dict[str, Any]) -> None:
    strangers = [
        (row["id"], row["model"], row["column"])
        for row in register
        if row["model"]
        and (
            row["model"] not in models
            or models[row["model"]].access != "public"
            or row["column"] not in models[row["model"]].columns
        )
    ]
    assert strangers == []


def test_every_answer_has_a_unit_test_of_its_model_or_of_one_that_it_reads(
    register: list[Row], models: dict[str, Any], manifest: Any
) -> None:
    tested = {(test.name, test.model) for test in manifest.unit_tests.values()}
    unproved = [
        (row["id"], row["model"], row["unit_test"])
        for row in register
        if row["model"] in models
        and not any((row["unit_test"], name) in tested for name in _ancestors(row["model"], models, manifest))
    ]
    assert unproved == []


def test_what_no_column_answers_has_a_reason_and_only_the_unanswerable_have_one(register: list[Row]) -> None:
    for row in register:
        answered = [bool(row[name]) for name in ("model", "column", "unit_test")]
        assert all(answered) or not any(answered), row
        assert any(answered) or row["reason"], row
        assert not row["reason"] or row["id"] in UNANSWERABLE, row


def test_every_mart_is_in_the_register_or_says_that_it_answers_none_of_its_metrics(
    register: list[Row], models: dict[str, Any]
) -> None:
    marts = {name: node for name, node in models.items() if node.schema == "marts"}
    outside = {name for name, node in marts.items() if node.config.meta.get("in_metric_register") is False}
    named = {row["model"] for row in register}
    assert marts.keys() - named - outside == set(), (
        "add rows to dbt_project/seeds/reference/metric_catalogue.csv, or write "
        "`config: {meta: {in_metric_register: false}}` in the mart's yml"
    )
    assert outside & named == set(), (
        "these marts are in the register: take `in_metric_register: false` out of their yml"
    )


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def _ancestors(name: str, models: Mapping[str, Any], manifest: Any) -> set[str]:
    """A model and all models before it in the lineage, by name."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in found or one not in models:
            continue
        found.add(one)
        waiting += [manifest.nodes[key].name for key in models[one].depends_on.nodes if key in manifest.nodes]
    return found
