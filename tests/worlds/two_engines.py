"""The same data and the same dbt project on DuckDB and on another engine, and where their tables differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pytest
from dbt.cli.main import dbtRunnerResult

from loyalty.build import estimates
from loyalty.build.build import AFTER_ESTIMATES
from worlds import every_column
from worlds.warehouse import Warehouse, new_warehouse

STAGING = "+stg_*"
SCHEMAS = ("core", "steps", "marts", "quality")


class Other(Protocol):
    """An engine beside DuckDB."""

    remembers: bool  # whether the tables that remember loads are there the next night

    def copy_schema(self, work: duckdb.DuckDBPyConnection, schema: str) -> None:
        """A schema of the work file, as the engine's own tables."""
        ...

    def rows(self, schema: str, name: str, types: Mapping[str, str]) -> AbstractContextManager[str]:
        """SQL of DuckDB that reads the engine's table, with these columns."""
        ...

    def dbt(self, *arguments: str, variables: Mapping[str, Any] | None = None) -> dbtRunnerResult:
        """Run a dbt command there; a failure shows what failed."""
        ...


@dataclass(frozen=True)
class Both:
    """One and the same data, built by both engines."""

    warehouse: Warehouse
    other: Other

    def copy(self, *schemas: str) -> None:
        """What DuckDB has of these schemas, as tables of the other engine."""
        with self.warehouse.connect() as work:
            for schema in schemas:
                self.other.copy_schema(work, schema)

    def tables(self) -> list[tuple[str, str]]:
        """Schema and name of everything that readers or other models see."""
        with self.warehouse.connect() as work:
            return work.execute(
                "select table_schema, table_name from information_schema.tables where table_schema in ? order by all",
                [SCHEMAS],
            ).fetchall()

    def differences(self) -> list[str]:
        """Where the tables differ: a sentence for each column, nothing when all are equal."""
        found: list[str] = []
        with self.warehouse.connect() as work:
            for schema, name in self.tables():
                types = {row[0]: row[1] for row in work.execute(f"describe {schema}.{name}").fetchall()}
                with self.other.rows(schema, name, types) as there:
                    found += differences(work, f"{schema}.{name}", there, types)
        return found


@contextmanager
def built_by_both(folder: Path, other: Other) -> Iterator[Both]:
    """Two nights: the first makes the tables that remember loads, the second every_column.

    What Python has fitted from DuckDB's statistics is copied, so that SQL scores the same parameters on both.
    """
    with pytest.MonkeyPatch.context() as environment:
        warehouse = new_warehouse(folder, environment)
        warehouse.set_build(every_column.AS_OF)
        both = Both(warehouse, other)
        every_column.land_night(warehouse, 0)
        if other.remembers:
            both.copy("raw", "estimates")
        for engine in (warehouse, other) if other.remembers else (warehouse,):
            engine.dbt("run", "--select", STAGING, variables=every_column.VARIABLES)
        every_column.land_night(warehouse, 1)
        warehouse.dbt("seed")
        warehouse.dbt("run", "--exclude", AFTER_ESTIMATES, variables=every_column.VARIABLES)
        with warehouse.connect() as work:
            estimates.run(work, every_column.AS_OF)
        warehouse.dbt("run", "--select", AFTER_ESTIMATES, variables=every_column.VARIABLES)
        both.copy("raw", "estimates")
        for resources in ("seed", "run"):
            other.dbt(resources, variables=every_column.VARIABLES)
        yield both


def differences(connection: duckdb.DuckDBPyConnection, here: str, there: str, types: Mapping[str, str]) -> list[str]:
    """Where two relations with these columns differ; nothing when they are equal.

    Every value must be the same, doubles to 1e-9 of the larger one. Rows are compared in the order of what is exact.
    """
    columns = ", ".join(f'"{column}"' for column in types)
    doubles = [column for column, kind in types.items() if kind == "DOUBLE"]
    order = ", ".join(f'"{column}"' for column in [*(one for one in types if one not in doubles), *doubles])
    for side, relation in (("here", here), ("there", there)):
        connection.execute(
            f"create or replace temp table {side} as "
            f"select row_number() over (order by {order}) as position, {columns} from {relation}"
        )
    counts = [connection.execute(f"select count(*) from {side}").fetchall()[0][0] for side in ("here", "there")]
    if counts[0] != counts[1]:
        return [f"{here}: {counts[0]} rows, {counts[1]} there"]
    tests = [f"count(*) filter (not ({_is_equal(column, column in doubles)}))" for column in types]
    found = connection.execute(f"select {', '.join(tests)} from here inner join there using (position)").fetchall()[0]
    return [
        f"{here}.{column}: {count} of {counts[0]} cells, {_example(connection, column, column in doubles)}"
        for column, count in zip(types, found, strict=True)
        if count
    ]


def _is_equal(column: str, is_double: bool) -> str:
    here, there = f'here."{column}"', f'there."{column}"'
    if not is_double:
        return f"{here} is not distinct from {there}"
    near = f"abs({here} - {there}) <= 1e-9 * greatest(abs({here}), abs({there}))"
    return f"coalesce({near}, {here} is null and {there} is null)"


def _example(connection: duckdb.DuckDBPyConnection, column: str, is_double: bool) -> Sequence[Any]:
    return connection.execute(
        f'select here."{column}", there."{column}" from here inner join there using (position) '
        f"where not ({_is_equal(column, is_double)}) order by position limit 1"
    ).fetchall()[0]
