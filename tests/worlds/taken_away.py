"""What becomes of the marts, and of dbt's data tests, when a feed, or an optional column of it, was not delivered.

The shop of `every_column.py` is built once by dbt. For each thing that is taken away, the compiled statements of the
models that rest on it are run again on a copy, without dbt, so that a hundred columns can be tried. Fits stay as they
are: what rests on them may stay too. Then the compiled data tests of these models are asked.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pytest

from loyalty.build import estimates
from loyalty.build.build import AFTER_ESTIMATES
from loyalty.pull.contract import load_contract
from loyalty.read.catalogue import models
from worlds import every_column
from worlds.warehouse import new_warehouse, project

DELIVERED = "model.loyalty.dim_delivered"  # its readers ask for single rows of it
NUMBERS = ("DOUBLE", "BIGINT", "INTEGER", "DECIMAL")


@dataclass(frozen=True)
class Change:
    """A figure that became 0, or 1, in every row although it was not observed: in how many it was another before."""

    taken: str
    mart: str
    column: str
    rows: int


@dataclass(frozen=True)
class Statement:
    """One model as the warehouse makes it: its relation, its SQL, and the relations that it reads."""

    name: str
    relation: str
    kind: str
    sql: str
    parents: tuple[str, ...]

    @property
    def is_mart(self) -> bool:
        """Whether it is published to be read."""
        return ".marts." in self.relation.replace('"', "")


@dataclass(frozen=True)
class DataTest:
    """One data test that withholds marts: SQL for the rows that break it, what is counted of them, what it reads."""

    name: str
    sql: str
    counted: str
    parents: frozenset[str]


@dataclass(frozen=True)
class Missing:
    """What follows from something that was taken away: figures that became 0 or 1, and data tests that fail."""

    changes: list[Change]
    failed_tests: list[str]


@dataclass
class Shop:
    """A built shop, the statements of its models in the order in which they are made, and their data tests."""

    file: Path
    statements: list[Statement]
    tests: list[DataTest]
    keys: dict[str, tuple[str, ...]]

    @cached_property
    def copy(self) -> duckdb.DuckDBPyConnection:
        """A copy of the shop, in which things are taken away, with the shop as `built` beside it."""
        copy = self.file.parent / "without" / self.file.name  # the statements name the file
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(self.file, copy)
        connection = duckdb.connect(str(copy))
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach '{self.file}' as built (read_only)")
        return connection

    @cached_property
    def sums(self) -> dict[str, tuple[int, int]]:
        """The checksum of each model as it was built."""
        return {one.name: self._sum(one.relation) for one in self.statements}

    def without(self, feed: str, column: str | None = None) -> Missing:
        """Take a feed away, or a column of it, and list the figures that became 0 or 1 and the tests that fail."""
        taken = f"{feed}.{column}" if column else feed
        built = self.sums
        self.copy.execute("begin")
        try:
            self._take(feed, column)
            made = self._remake(f"source.loyalty.raw.{feed}", built)
            changes = [change for one in made if one.is_mart for change in self._changes(self.copy, taken, one)]
            return Missing(changes, self._failed({f"source.loyalty.raw.{feed}", *(one.name for one in made)}))
        finally:
            self.copy.execute("rollback")  # so that the next thing is taken from the whole shop

    def _failed(self, touched: set[str]) -> list[str]:
        """The data tests that fail, of those that read what was made anew."""
        return [
            test.name
            for test in self.tests
            if touched & test.parents
            and self.copy.execute(f"select {test.counted} from ({test.sql}) as broken").fetchall() != [(0,)]
        ]

    def _take(self, feed: str, column: str | None) -> None:
        if column:
            landed = list(load_contract()[feed].columns[column].landed)
            self.copy.execute(f"update raw.{feed} set {', '.join(f'{one} = null' for one in landed)}")
        else:
            self.copy.execute(f"delete from raw.{feed}")
            self.copy.execute(f"delete from raw.loads where feed = '{feed}'")

    def _remake(self, source: str, built: dict[str, tuple[int, int]]) -> list[Statement]:
        """Make the models anew that rest on a source; of one that stays as it was, the models behind it stay too."""
        touched = {source}
        changed: list[str] = []
        made: list[Statement] = []
        for one in self.statements:
            asks = DELIVERED in one.parents and any(f"'{what}'" in one.sql for what in changed)
            if not (one.name == DELIVERED or asks or touched & set(one.parents) - {DELIVERED}):
                continue
            self.copy.execute(f"create or replace {one.kind} {one.relation} as {one.sql}")
            if one.name == DELIVERED:
                before = self.copy.execute("select what from built.core.dim_delivered").fetchall()
                now = self.copy.execute(f"select what from {one.relation}").fetchall()
                changed = [what for (what,) in {*before} ^ {*now}]
            if self._sum(one.relation) != built[one.name]:
                touched.add(one.name)
                made.append(one)
        return made

    def _sum(self, relation: str) -> tuple[int, int]:
        """How many rows, and a sum of what they say in whatever order."""
        found = self.copy.execute(f"select count(*), coalesce(sum(hash(one)), 0) from {relation} as one").fetchone()
        assert found is not None
        return found

    def _changes(self, connection: duckdb.DuckDBPyConnection, taken: str, mart: Statement) -> Iterator[Change]:
        name = mart.name.rpartition(".")[2]
        keys = self.keys[name]
        kinds = dict(row[:2] for row in connection.execute(f"describe marts.{name}").fetchall())
        numbers = [one for one, kind in kinds.items() if kind.startswith(NUMBERS) and one not in keys]
        if not keys or not numbers:
            return
        same = " and ".join(f"new.{key} is not distinct from old.{key}" for key in keys)
        # a figure of fewer cases may become 0 in a row; one that was not observed becomes it in all
        counted = ", ".join(
            f"case when bool_and(new.{one} = 0) or bool_and(new.{one} = 1) "
            f"then count(*) filter (where new.{one} <> old.{one}) else 0 end"
            for one in numbers
        )
        found = connection.execute(
            f"select {counted} from marts.{name} as new join built.marts.{name} as old on {same}"
        ).fetchone()
        for column, rows in zip(numbers, found or (), strict=True):
            if rows:
                yield Change(taken, name, column, rows)


def build(folder: Path, environment: pytest.MonkeyPatch) -> Shop:
    """The shop with everything."""
    warehouse = new_warehouse(folder, environment)
    warehouse.set_build(every_column.AS_OF)
    every_column.land_night(warehouse, 0)
    warehouse.dbt("seed")
    variables = every_column.VARIABLES
    nodes = [one.node for one in warehouse.dbt("run", "--exclude", AFTER_ESTIMATES, variables=variables).result]
    with warehouse.connect() as connection:
        estimates.run(connection, every_column.AS_OF)
    nodes += [one.node for one in warehouse.dbt("run", "--select", AFTER_ESTIMATES, variables=variables).result]
    asked = warehouse.dbt("test", "--exclude-resource-type", "unit_test", variables=variables).result
    tests = [
        DataTest(one.node.name, one.node.compiled_code, one.node.config.fail_calc, frozenset(one.node.depends_on.nodes))
        for one in asked
        if str(one.node.config.severity).lower() == "error"  # a warning withholds nothing
    ]
    made = {
        node.unique_id: Statement(
            node.unique_id,
            node.relation_name,
            "view" if node.config.materialized == "view" else "table",
            node.compiled_code,
            tuple(node.depends_on.nodes),
        )
        for node in nodes
        if node.resource_type == "model"
    }
    manifest = json.loads(json.dumps(project().writable_manifest().to_dict(omit_none=False), default=str))
    return Shop(warehouse.file, _in_order(made), tests, {one.name: one.key for one in models(manifest)})


def _in_order(made: dict[str, Statement]) -> list[Statement]:
    """The models, parents before children."""
    placed: dict[str, Statement] = {}

    def place(one: Statement) -> None:
        for parent in one.parents:
            if parent in made and parent not in placed:
                place(made[parent])
        placed[one.name] = one

    for one in made.values():
        if one.name not in placed:
            place(one)
    return list(placed.values())
