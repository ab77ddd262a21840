"""The same project on PostgreSQL: it builds, its tables are DuckDB's cell by cell, and it keeps its own tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from loyalty.build import estimates
from loyalty.build.build import AFTER_ESTIMATES
from worlds import every_column
from worlds.postgres_server import Postgres, differences, postgres
from worlds.warehouse import Warehouse, new_warehouse

pytestmark = pytest.mark.slow

STAGING = "+stg_*"
SCHEMAS = ("core", "steps", "marts", "quality")


@dataclass(frozen=True)
class Both:
    """One and the same data, built by both engines."""

    warehouse: Warehouse
    server: Postgres

    def copy(self, *schemas: str) -> None:
        """What DuckDB has of these schemas, as tables on the server."""
        with self.warehouse.connect() as work:
            for schema in schemas:
                self.server.copy_schema(work, schema)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Two nights: the first makes the tables that remember loads, the second every_column.

    What Python has fitted from DuckDB's statistics is copied, so that SQL scores the same parameters on both.
    """
    with pytest.MonkeyPatch.context() as environment, postgres() as server:
        warehouse = new_warehouse(tmp_path_factory.mktemp("both"), environment)
        warehouse.set_build(every_column.AS_OF)
        engines = Both(warehouse, server)
        every_column.land_night(warehouse, 0)
        engines.copy("raw", "estimates")
        for engine in (warehouse, server):
            engine.dbt("run", "--select", STAGING, variables=every_column.VARIABLES)
        every_column.land_night(warehouse, 1)
        warehouse.dbt("seed")
        warehouse.dbt("run", "--exclude", AFTER_ESTIMATES, variables=every_column.VARIABLES)
        with warehouse.connect() as work:
            estimates.run(work, every_column.AS_OF)
        warehouse.dbt("run", "--select", AFTER_ESTIMATES, variables=every_column.VARIABLES)
        engines.copy("raw", "estimates")
        for resources in ("seed", "run"):
            server.dbt(resources, variables=every_column.VARIABLES)
        yield engines


def test_every_table_on_postgresql_is_duckdbs_cell_by_cell(both: Both):
    found: list[str] = []
    with both.warehouse.connect() as work:
        tables = work.execute(
            "select table_schema, table_name from information_schema.tables where table_schema in ? order by all",
            [SCHEMAS],
        ).fetchall()
        for schema, name in tables:
            found += differences(work, both.server, schema, name)
    assert len(tables) > 200
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
    result = both.server.dbt("test", "--exclude", "test_type:unit", variables=every_column.VARIABLES)
    assert len(result.result) > 300


def test_every_unit_test_holds_on_postgresql(both: Both):
    result = both.server.dbt("test", "--select", "test_type:unit")
    assert len(result.result) > 150
    assert {str(one.status) for one in result.result} == {"pass"}
