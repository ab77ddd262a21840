"""`engine: spark`: exports become the generation that DuckDB makes, at the same address, and nothing is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from loyalty.build.build import build
from loyalty.build.engines.spark import left_folders
from loyalty.common.settings import Settings, load_settings
from loyalty.operate.erase import forget
from loyalty.operate.nightly import CLEAN, run_nightly
from loyalty.publish.publish import publish
from worlds import corner_shop, one_mart
from worlds.opened import opened
from worlds.spark_session import CONF, master
from worlds.two_engines import differences
from worlds.written_bytes import files_containing

pytestmark = pytest.mark.spark

SETTINGS = {"master": master(), "conf": CONF}
LAST_DAY = date(2024, 6, 30)
NOW = datetime(2024, 7, 1, 5, tzinfo=UTC)
FORGOTTEN = "bob"  # no other word holds these letters, as `channel` holds ann's
MART = "select * from marts.retention__customers order by all"


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    """One feed and one mart, on Spark."""
    settings = one_mart.make_workspace(tmp_path / "on_spark")
    return on_spark(settings)


def on_spark(settings: Settings) -> Settings:
    """The workspace with Spark chosen in its loyalty.yml."""
    file = settings.workspace / "loyalty.yml"
    file.write_text(f"{file.read_text()}\nengine: spark\nspark: {json.dumps(SETTINGS)}\n")
    return load_settings(settings.workspace)


def night(settings: Settings) -> None:
    """Load, build, publish."""
    one_mart.load(settings)
    publish(opened(settings), build(opened(settings)).build_id, now=one_mart.NOW)


def test_files_are_checked_in_a_process_without_a_main_file(shop: Settings):
    """Such as a worker of a pool: there a part of pyspark would end the process as if all was done."""
    loading = "from loyalty.operate.cli.main import app; app(['load', 'orders'])"
    subprocess.run([sys.executable, "-c", loading], cwd=shop.workspace, check=True)
    assert list(shop.landing.glob("orders/load_id=*"))


def test_two_nights_publish_what_duckdb_publishes_and_then_a_person_is_forgotten(shop: Settings, waiting: Settings):
    night(shop)
    one_mart.deliver(shop, "2017-12-31", one_mart.DAY_31)
    night(shop)
    publish(opened(waiting), now=one_mart.NOW)
    assert one_mart.published(shop, MART) == one_mart.published(waiting, MART)
    assert (shop.serve / "current" / "loyalty.duckdb").is_file()
    assert left_folders(shop.spark_warehouse) == []
    assert files_containing(shop, FORGOTTEN)
    (shop.spark_warehouse / "build-killed").mkdir()
    forget(opened(shop), FORGOTTEN)
    assert files_containing(shop, FORGOTTEN) == []
    assert left_folders(shop.spark_warehouse) == []
    assert [row[0] for row in one_mart.published(shop, MART)] == ["ann", "eve", None]


def test_all_marts_of_a_shop_are_those_of_duckdb(tmp_path: Path):
    files = {}
    for engine in ("duckdb", "spark"):
        folder = corner_shop.make_workspace(tmp_path / engine)
        settings = load_settings(folder) if engine == "duckdb" else on_spark(load_settings(folder))
        corner_shop.write_members(folder)
        corner_shop.write_till(folder, LAST_DAY)
        corner_shop.write_answers(folder, 1, LAST_DAY)
        assert run_nightly(opened(settings), now=NOW) == CLEAN
        files[engine] = settings.serve / "current" / "loyalty.duckdb"
    with duckdb.connect() as connection:
        for engine, file in files.items():
            connection.execute(f"attach '{file}' as on_{engine} (read_only)")
        found: list[str] = []
        names = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'on_duckdb' and schema_name = 'marts'"
        ).fetchall()
        for (name,) in names:
            described = connection.execute(f"describe on_duckdb.marts.{name}").fetchall()
            types = {row[0]: row[1] for row in described}
            assert connection.execute(f"describe on_spark.marts.{name}").fetchall() == described, name
            found += differences(connection, f"on_duckdb.marts.{name}", f"on_spark.marts.{name}", types)
    assert len(names) > 30
    assert not found, "\n".join(found)
