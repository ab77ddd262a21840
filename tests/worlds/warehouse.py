"""A small warehouse for tests: a work file with schema `raw` as the pipeline registers it, and dbt in-process.

Rows are given as data frames or dicts with canonical columns. What a landed row has beyond them (local dates,
lineage, load) is filled in here: local date = the timestamp's own date, unless given.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from loyalty.build.estimates import ensure_tables
from loyalty.build.raw_views import TABLES
from loyalty.pull.contract import CanonicalFeed, load_contract, local_date_name

PROJECT = Path(__file__).parents[2] / "dbt_project"

RECEIVED_AT = datetime.fromisoformat("2020-01-01")

# One for all warehouses of a test run, so that the project is parsed once and not once per warehouse.
PARSED = tempfile.TemporaryDirectory(prefix="dbt-target-")

Rows = pd.DataFrame | Sequence[Mapping[str, Any]]


@dataclass
class Warehouse:
    """One work file, and the folder that dbt may write its artefacts to."""

    file: Path
    target: Path
    environment: Any  # pytest's MonkeyPatch: the file's path reaches dbt by the environment
    _loads: int = field(default=0)

    def __post_init__(self) -> None:
        with self.connect() as connection:
            connection.execute("create schema raw")
            for feed in load_contract().values():
                connection.execute(f"create table raw.{feed.name} ({_declared(_raw_columns(feed))})")
            for name, columns in TABLES.items():
                connection.execute(f"create table raw.{name} ({_declared(columns)})")
            ensure_tables(connection)

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that is closed at once afterwards: dbt needs the file for itself."""
        connection = duckdb.connect(str(self.file))
        try:
            connection.execute("set timezone = 'UTC'")
            yield connection
        finally:
            connection.close()

    def load(
        self,
        feed: str,
        rows: Rows,
        *,
        source: str = "shop",
        load_id: str | None = None,
        version_at: datetime | None = None,
    ) -> str:
        """Land rows as one accepted load of a canonical feed; returns its id."""
        self._loads += 1
        load_id = load_id or f"{feed}-{self._loads:04}"
        frame = rows.copy() if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
        frame = _with_local_dates(frame, load_contract()[feed])
        lineage = {
            "_feed": feed,
            "_source": source,
            "_file": f"{load_id}.csv",
            "_line": range(2, len(frame) + 2),
            "_loaded_at": RECEIVED_AT,
            "_version_at": version_at,
            "_time_zone": "UTC",
            "load_id": load_id,
        }
        for name, value in lineage.items():
            if name not in frame:
                frame[name] = value
        with self.connect() as connection:
            for name in (column for column in frame if column.startswith("x_")):
                connection.execute(f"alter table raw.{feed} add column if not exists {name} varchar")
            connection.register("frame", frame)
            connection.execute(f"insert into raw.{feed} by name select * from frame")
            self._register(connection, feed, source, load_id, version_at, len(frame))
        return load_id

    def withdraw(self, feed: str, load_id: str) -> None:
        """Take a load out of the accepted ones, as a superseding mapping or an erasure does."""
        with self.connect() as connection:
            connection.execute(f"delete from raw.{feed} where load_id = ?", [load_id])
            connection.execute("delete from raw.loads where feed = ? and load_id = ?", [feed, load_id])

    def set_build(self, as_of: date, *, data_start: date | None = None, currency: str | None = "USD") -> None:
        """The one row of raw.build."""
        with self.connect() as connection:
            connection.execute("delete from raw.build")
            connection.execute("insert into raw.build values ('test', ?, ?, ?, 'test')", [as_of, data_start, currency])

    def dbt(self, *arguments: str, variables: Mapping[str, Any] | None = None, check: bool = True) -> dbtRunnerResult:
        """Run a dbt command in this process; with check, a failure shows what failed."""
        self.environment.setenv("LOYALTY_WORK_FILE", str(self.file))
        self.environment.setenv("LOYALTY_KEEP_OPEN", "True")
        self.environment.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        try:
            return run_dbt(*arguments, target="work", folder=self.target, variables=variables, check=check)
        finally:
            DuckDBConnectionManager.close_all_connections()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.connect() as connection:
            return connection.execute(sql).fetchall()

    def value(self, sql: str) -> Any:
        """The one value of a query."""
        return self.query(sql)[0][0]

    def frame(self, sql: str) -> pd.DataFrame:
        """A query's result as a data frame."""
        with self.connect() as connection:
            return connection.execute(sql).df()

    def checksum(self, relation: str, *, without: Sequence[str] = ("_loaded_at",)) -> tuple[int, str]:
        """Row count and a hash over a relation's rows in any order, columns in the order of their names."""
        with self.connect() as connection:
            names = [row[0] for row in connection.execute(f"describe {relation}").fetchall()]
            kept = ", ".join(f'"{name}"' for name in sorted(names) if name not in without)
            rows = connection.execute(
                f"select count(*), md5(coalesce(string_agg(md5(row_text), '' order by row_text), ''))"
                f" from (select cast(row({kept}) as varchar) as row_text from {relation})"
            ).fetchone()
        return rows[0], rows[1]

    def _register(
        self,
        connection: duckdb.DuckDBPyConnection,
        feed: str,
        source: str,
        load_id: str,
        version_at: datetime | None,
        count: int,
    ) -> None:
        connection.execute(
            "insert into raw.loads values (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, null)",
            [
                feed,
                feed,
                source,
                load_id,
                self._loads,
                version_at,
                f"{load_id}.csv",
                count,
                RECEIVED_AT,
            ],
        )


def run_dbt(
    *arguments: str, target: str, folder: Path, variables: Mapping[str, Any] | None = None, check: bool = True
) -> dbtRunnerResult:
    """Run a dbt command on a target of the project's profile, in this process."""
    command = [
        *arguments,
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", target),
        # what failed is in the result; writing events that are not read is a sixth of a build
        *("--target-path", str(folder), "--log-path", str(folder)),
        *("--log-level", "none", "--log-level-file", "none"),
    ]
    if arguments[0] in {"build", "test"}:
        # a test that also reads a model outside the selection is left out
        command += ["--indirect-selection", "buildable"]
    if variables:
        command += ["--vars", yaml.safe_dump(dict(variables))]
    result = dbtRunner(manifest=project(target)).invoke(command)
    if check:
        assert result.success, _failures(result)
    return result


@cache
def _parsed(target: str) -> bytes:
    folder = Path(PARSED.name) / target
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LOYALTY_WORK_FILE", str(folder / "work.duckdb"))
        result = dbtRunner().invoke(
            [
                *("parse", "--quiet", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                *("--target", target, "--target-path", str(folder), "--log-path", str(folder)),
            ]
        )
    assert result.success, result.exception
    return pickle.dumps(result.result)


def project(target: str = "work") -> Manifest:
    """The dbt project, read once in a test process for a target; each caller gets a copy: dbt writes into it."""
    manifest: Manifest = pickle.loads(_parsed(target))
    return manifest


def new_warehouse(folder: Path, environment: Any) -> Warehouse:
    """An empty warehouse in a folder; `environment` is pytest's MonkeyPatch."""
    folder.mkdir(parents=True, exist_ok=True)
    return Warehouse(folder / "work.duckdb", Path(PARSED.name), environment)


def _raw_columns(feed: CanonicalFeed) -> dict[str, str]:
    return feed.landed_columns | {"load_id": "varchar"}


def _declared(columns: Mapping[str, str]) -> str:
    return ", ".join(f'"{name}" {kind}' for name, kind in columns.items())


def _with_local_dates(frame: pd.DataFrame, feed: CanonicalFeed) -> pd.DataFrame:
    for column in feed.columns.values():
        name = local_date_name(column.name)
        if column.type == "timestamp" and column.name in frame and name not in frame:
            frame[name] = pd.to_datetime(frame[column.name]).dt.date
    return frame


def _failures(result: dbtRunnerResult) -> str:
    if result.exception is not None:
        return str(result.exception)
    failed = [one for one in result.result if str(one.status) in {"error", "fail", "runtime error"}]
    return "\n".join(f"{one.node.unique_id}: {one.status}: {one.message}" for one in failed)
