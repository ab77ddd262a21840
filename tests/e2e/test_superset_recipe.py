"""Superset, installed as docs/bi-tools.md says, shows the bundle's charts with the numbers of `loyalty query`."""

from __future__ import annotations

from pathlib import Path

import pytest

import superset as recipe
from worlds import few_marts

pytestmark = pytest.mark.slow


def test_every_chart_has_the_rows_of_its_mart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    monkeypatch.chdir(settings.workspace)
    recipe.try_recipe(tmp_path / "superset")  # a chart without rows, or with others, is an error
    said = capsys.readouterr().out
    assert said.count("as loyalty query says") == len(list((recipe.BUNDLE / "charts").glob("*.yaml")))
    assert (tmp_path / "superset" / "loyalty.png").stat().st_size > 50_000
