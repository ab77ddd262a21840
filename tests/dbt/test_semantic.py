"""The metrics and exposures of dbt_project/semantic against the marts, the register and the figures."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty.build.dbt_runner import fitted_relations
from loyalty.read import semantic
from loyalty.read.catalogue import read_register
from loyalty.read.exposures import exposures_file, read_by_page
from loyalty.read.figures import FIGURES
from worlds.warehouse import PROJECT, project

HOW = "change the marts' yml, then run `make lint` and `.venv/bin/python -m loyalty.read.dictionary`"


@pytest.fixture(scope="module")
def manifest() -> Any:
    """The project as analysts have it, with its metrics."""
    return project("dev")


@pytest.fixture(scope="module")
def parsed(manifest: Any) -> dict[str, Any]:
    found: dict[str, Any] = manifest.writable_manifest().to_dict(omit_none=False)
    return found


def test_the_committed_files_say_what_marts_register_and_figures_say(parsed: dict[str, Any]) -> None:
    register = read_register()
    written = {
        PROJECT / "semantic" / name: text for name, text in semantic.semantic_files(parsed, register).items()
    } | {
        PROJECT / "semantic" / "exposures.yml": exposures_file(),
        PROJECT.parent / "docs" / semantic.PAGE: semantic.metrics_page(parsed, register),
    }
    stale = [file.name for file, text in written.items() if not file.is_file() or file.read_text("utf-8") != text]
    assert stale == [], HOW
    assert set((PROJECT / "semantic").iterdir()) <= written.keys(), "these files of dbt_project/semantic belong to none"


def test_dbt_knows_every_declared_metric_under_its_name(manifest: Any, parsed: dict[str, Any]) -> None:
    declared = {one.name: one for one in semantic.metrics(parsed, read_register())}
    known = {one.name: one for one in manifest.metrics.values() if one.type.value == "derived"}
    assert declared.keys() == known.keys()
    assert {name: one.label for name, one in known.items()} == {name: one.label for name, one in declared.items()}


def test_a_metric_of_the_register_has_its_definition_and_what_is_none_has_a_reason(parsed: dict[str, Any]) -> None:
    register = read_register()
    declared = {(one.model.name, one.column): one for one in semantic.metrics(parsed, register)}
    for row in register:
        one = declared.get((row["model"], row["column"]))
        assert one is None or (row["id"] in one.ids and one.description), row
    without = semantic.not_metrics(parsed, register)
    assert all(reason for _, reason in without)
    assert len(without) + sum((row["model"], row["column"]) in declared for row in register) == len(register)
    assert len({one_id for one in declared.values() for one_id in one.ids}) > 90


def test_the_pipeline_reads_neither_metrics_nor_pages(manifest: Any) -> None:
    """The nightly run parses the project: what only analysts use is left out there."""
    work = project("work")
    assert not work.metrics and not work.semantic_models
    assert {str(one.type) for one in work.exposures.values()} == {"ml"}
    assert work.nodes.keys() == manifest.nodes.keys()


@pytest.mark.parametrize(
    ("mart", "column", "how", "says"),
    [
        ("retention__segment_months", "churn_rate", "avg", "metric is avg"),
        ("retention__survival", "event_count", "sum", "needs a mart with a date"),
    ],
)
def test_a_declaration_that_is_none_is_refused(
    parsed: dict[str, Any], mart: str, column: str, how: str, says: str
) -> None:
    node = parsed["nodes"][f"model.loyalty.{mart}"]
    before = node["columns"][column]["config"]
    try:
        node["columns"][column]["config"] = {"meta": {"metric": how}}
        with pytest.raises(ValueError, match=f"{mart}.{column}: .*{says}"):
            semantic.metrics(parsed, read_register())
    finally:
        node["columns"][column]["config"] = before


def test_each_page_is_an_exposure_of_the_marts_that_its_figures_read(manifest: Any) -> None:
    declared = {
        one.name.removeprefix("page_"): {key.rpartition(".")[2] for key in one.depends_on.nodes}
        for one in manifest.exposures.values()
        if str(one.type) == "dashboard"
    }
    assert declared == read_by_page()
    for figure in FIGURES:
        assert figure.mart in declared[figure.topic], figure.name


def test_a_page_is_no_estimate_for_which_the_pipeline_fetches_tables(manifest: Any) -> None:
    assert {schema for schema, _ in fitted_relations(manifest)} <= {"core", "statistics", "reference"}
