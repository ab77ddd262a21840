"""The Superset bundle against the marts: its datasets, and the columns that its charts name."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

import superset as recipe
from loyalty.read.superset import bundle_id, dataset_files
from worlds.warehouse import project

CHARTS = sorted((recipe.BUNDLE / "charts").glob("*.yaml"))
HOW = "run `make lint` and `.venv/bin/python -m loyalty.read.dictionary`"


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def datasets() -> dict[str, dict[str, Any]]:
    """The datasets by their id."""
    return {one["uuid"]: one for one in map(_read, recipe.BUNDLE.glob("datasets/*/*.yaml"))}


def test_the_committed_datasets_are_the_marts() -> None:
    written = dataset_files(project().writable_manifest().to_dict(omit_none=False), recipe.BUNDLE)
    committed = {
        str(file.relative_to(recipe.BUNDLE)): file.read_text(encoding="utf-8")
        for file in recipe.BUNDLE.glob("datasets/*/*.yaml")
    }
    assert committed == written, HOW


@pytest.mark.parametrize("file", CHARTS, ids=lambda file: file.stem)
def test_a_chart_names_columns_of_its_mart(file: Path, datasets: dict[str, dict[str, Any]]) -> None:
    chart = _read(file)
    assert chart["uuid"] == bundle_id("chart", file.stem)
    columns = {one["column_name"] for one in datasets[chart["dataset_uuid"]]["columns"]}
    query = recipe.chart_query(chart["params"])
    named = {one for one in query["columns"] if isinstance(one, str)}
    texts = [one["sqlExpression"] for one in query["columns"] if not isinstance(one, str)]
    texts += [one["sqlExpression"] for one in query.get("metrics", ())] + [query["extras"]["where"]]
    words = set(re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", re.sub(r"'[^']*'", "", " ".join(texts))))
    assert named | words <= columns


def test_the_dashboard_shows_every_chart() -> None:
    dashboard = _read(recipe.BUNDLE / "dashboards" / "loyalty.yaml")
    shown = {
        one["meta"]["uuid"]
        for one in dashboard["position"].values()
        if isinstance(one, dict) and one["type"] == "CHART"
    }
    assert shown == {_read(file)["uuid"] for file in CHARTS}
    assert all(
        _read(file)["database_uuid"] == bundle_id("database", "loyalty")
        for file in recipe.BUNDLE.glob("datasets/*/*.yaml")
    )


def test_the_zip_has_every_file_and_the_given_database(tmp_path: Path) -> None:
    uri = "duckdb:////elsewhere/loyalty.duckdb?access_mode=read_only"
    recipe.write_zip(tmp_path / "loyalty.zip", uri)
    with zipfile.ZipFile(tmp_path / "loyalty.zip") as archive:
        names = {name.removeprefix("loyalty/") for name in archive.namelist()}
        database = yaml.safe_load(archive.read("loyalty/databases/loyalty.yaml"))
    assert names == {str(file.relative_to(recipe.BUNDLE)) for file in recipe.BUNDLE.rglob("*.yaml")}
    assert database["sqlalchemy_uri"] == uri
    assert json.dumps(database) == json.dumps(
        _read(recipe.BUNDLE / "databases" / "loyalty.yaml") | {"sqlalchemy_uri": uri}
    )
