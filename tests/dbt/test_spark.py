"""The same project on Apache Spark: it builds, its tables are DuckDB's cell by cell, and it keeps its own tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from worlds import every_column
from worlds.spark_session import master, spark
from worlds.two_engines import Both, built_by_both

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module", params=[master()])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The same data on DuckDB and Spark; the name of each test says on which cluster."""
    with spark(request.param) as session, built_by_both(tmp_path_factory.mktemp("both"), session) as built:
        yield built


def test_every_table_on_spark_is_duckdbs_cell_by_cell(both: Both):
    found = both.differences()
    assert len(both.tables()) > 200
    assert not found, "\n".join(found)


def test_every_data_test_holds_on_spark(both: Both):
    result = both.other.dbt("test", "--exclude", "test_type:unit", variables=every_column.VARIABLES)
    assert len(result.result) > 300


def test_every_unit_test_holds_on_spark(both: Both):
    result = both.other.dbt("test", "--select", "test_type:unit")
    assert len(result.result) > 150
    assert {str(one.status) for one in result.result} == {"pass"}
