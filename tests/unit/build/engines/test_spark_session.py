"""What is said when Spark cannot start, before anything is read or written."""

from __future__ import annotations

from pathlib import Path

import pytest

from loyalty.build.build import build
from loyalty.build.engines import engine_of, spark
from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.common.settings import Settings
from worlds.opened import opened


@pytest.fixture
def on_spark(published: Settings) -> Settings:
    """A published workspace that has chosen Spark."""
    return published.model_copy(update={"engine": "spark"})


def test_missing_packages_are_named_and_nothing_changes(on_spark: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "_is_installed", lambda name: name != "dbt.adapters.spark")
    before = on_spark.work_file.read_bytes()
    with pytest.raises(UserError, match=r"needs dbt-spark and pyspark: `pip install 'loyalty-warehouse\[spark\]'`"):
        build(opened(on_spark))
    assert on_spark.work_file.read_bytes() == before
    assert len(Ledger(on_spark.ledger).events("build")) == 1


def test_missing_java_is_said(on_spark: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spark, "_is_installed", lambda name: True)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with (
        pytest.raises(UserError, match="needs Java: install Java 17 or newer .* or set JAVA_HOME"),
        engine_of(on_spark).session(),
    ):
        pass


def test_a_warehouse_that_cannot_be_written_is_named(on_spark: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "require_packages", lambda: None)
    on_spark.spark_warehouse.write_text("a file where a folder is meant")
    said = r"spark, Spark's warehouse, cannot be written .*: set `spark.warehouse`"
    with pytest.raises(UserError, match=said), engine_of(on_spark).session():
        pass
