"""The same project on PostgreSQL: it builds, its tables are DuckDB's cell by cell, and it keeps its own tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from worlds import every_column
from worlds.postgres_server import postgres
from worlds.two_engines import SCHEMAS, Both, built_by_both

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The same data on DuckDB and PostgreSQL."""
    with postgres() as server, built_by_both(tmp_path_factory.mktemp("both"), server) as built:
        yield built


def test_every_table_on_postgresql_is_duckdbs_cell_by_cell(both: Both):
    found = both.differences()
    assert len(both.tables()) > 200
    assert not found, "\n".join(found)


def test_the_compared_data_fill_every_table_and_nearly_every_column(both: Both):
    empty: list[str] = []
    count = 0
    with both.warehouse.connect() as work:
        columns = work.execute(
            "select table_schema, table_name, list(column_name) from information_schema.columns "
            "where table_schema in ? group by all order by all",
            [SCHEMAS],
        ).fetchall()
        for schema, table, names in columns:
            counted = ", ".join(f'count("{name}")' for name in names)
            filled = work.execute(f"select count(*), {counted} from {schema}.{table}").fetchall()[0]
            assert filled[0], f"{schema}.{table} is empty"
            empty += [f"{table}.{name}" for name, rows in zip(names, filled[1:], strict=True) if not rows]
            count += len(names)
    assert len(empty) < count * 0.05, "\n".join(empty)


def test_every_data_test_holds_on_postgresql(both: Both):
    result = both.other.dbt("test", "--exclude", "test_type:unit", variables=every_column.VARIABLES)
    assert len(result.result) > 300


def test_every_unit_test_holds_on_postgresql(both: Both):
    result = both.other.dbt("test", "--select", "test_type:unit")
    assert len(result.result) > 150
    assert {str(one.status) for one in result.result} == {"pass"}
