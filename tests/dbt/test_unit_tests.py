"""The unit tests beside the models, and a warehouse in which nothing has landed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from counts import DbtProject
from loyalty.read.figures import FIGURES
from worlds.warehouse import new_warehouse, project


def test_without_a_single_row_everything_builds_is_described_and_every_formula_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = new_warehouse(tmp_path, monkeypatch)
    warehouse.set_build(date(2026, 5, 4))
    warehouse.dbt("build", "--exclude-resource-type", "unit_test")
    assert warehouse.value("select count(*) from marts.profitability__customers") == 0
    manifest = project().writable_manifest().to_dict(omit_none=False)
    assert DbtProject(manifest).undescribed_columns(warehouse.file) == [], (
        "describe these columns in the yml of the model"
    )
    with warehouse.connect() as connection:
        for figure in FIGURES:
            for sql in (figure.sql(), *(figure.remark_sql(remark) for remark in figure.remarks)):
                assert connection.execute(sql).description, figure.name
    result = warehouse.dbt("test", "--select", "test_type:unit")
    assert len(result.result) > 15
    assert {str(one.status) for one in result.result} == {"pass"}
