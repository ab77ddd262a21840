"""How tables are made on DuckDB: one statement, which leaves the old table when it fails."""

from __future__ import annotations

from datetime import date

import pytest

from worlds.warehouse import Warehouse, new_warehouse

MART = "satisfaction__measurement_model"
STEP = f"int_{MART}"


@pytest.fixture
def warehouse(tmp_path, monkeypatch) -> Warehouse:
    made = new_warehouse(tmp_path / "warehouse", monkeypatch)
    made.set_build(date(2024, 6, 30))
    return made


def test_a_table_takes_the_place_of_a_view(warehouse: Warehouse) -> None:
    """`loyalty dev` makes views on what is published, and an analyst builds tables in their place."""
    with warehouse.connect() as work:
        work.execute("create schema steps")
        work.execute(f"create view steps.{STEP} as select 1 as one")
    warehouse.dbt("run", "--select", STEP)
    assert warehouse.query("select table_name from duckdb_tables() where schema_name = 'steps'") == [(STEP,)]
    assert warehouse.value(f"select count(*) from steps.{STEP}") == 0


def test_a_table_that_cannot_be_made_leaves_the_old_one(warehouse: Warehouse) -> None:
    warehouse.dbt("run", "--select", STEP)
    with warehouse.connect() as work:
        work.execute(f"insert into steps.{STEP} (structure_key) values ('kept')")
        work.execute("alter table estimates.survey_structure drop column value")
    assert not warehouse.dbt("run", "--select", STEP, check=False).success
    assert warehouse.query(f"select structure_key from steps.{STEP}") == [("kept",)]


def test_a_contract_holds_the_columns_and_their_types(warehouse: Warehouse) -> None:
    """A column that becomes a number where the contract says text is refused, and the mart stays as it is."""
    described = f"select column_name, data_type from information_schema.columns where table_name = '{MART}'"
    warehouse.dbt("run", "--select", f"+{MART}")
    types = dict(warehouse.query(described))
    assert (types["subject"], types["value"], types["answer_count"]) == ("VARCHAR", "DOUBLE", "BIGINT")
    with warehouse.connect() as work:
        work.execute(f"alter table steps.{STEP} alter column subject type integer using null::integer")
    result = warehouse.dbt("run", "--select", MART, check=False)
    assert "contract" in str(result.result[0].message) and "subject" in str(result.result[0].message)
    assert dict(warehouse.query(described)) == types
