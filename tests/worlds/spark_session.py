"""The dbt project on Apache Spark: the engine's own session, on a cluster within this machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import duckdb
from dbt.cli.main import dbtRunnerResult

from loyalty.build.engines.spark import SparkEngine, reader
from loyalty.common.settings import SparkSettings
from worlds.warehouse import PARSED, run_dbt

# The data are small: many partitions, plans that adapt and code made for each query would only cost time.
CONF = {
    "spark.sql.shuffle.partitions": 2,
    "spark.default.parallelism": 2,
    "spark.sql.adaptive.enabled": False,
    "spark.sql.codegen.wholeStage": False,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}


def master() -> str:
    """The cluster: threads of one process, or what `make spark MASTER=...` names."""
    return os.environ.get("LOYALTY_SPARK_MASTER", "local[2]")


@dataclass(frozen=True)
class Spark:
    """A running session."""

    engine: SparkEngine
    remembers: ClassVar[bool] = False

    def copy_schema(self, work: duckdb.DuckDBPyConnection, schema: str) -> None:
        """Every table of a schema of the work file."""
        self.engine.show(work, schema)

    @contextmanager
    def rows(self, schema: str, name: str, types: Mapping[str, str]) -> Iterator[str]:
        """SQL of DuckDB that reads a table of Spark."""
        files = self.engine.files_of(schema, name)
        assert files, f"Spark has no table {schema}.{name}"
        yield reader(files)

    def dbt(self, *arguments: str, variables: Mapping[str, Any] | None = None) -> dbtRunnerResult:
        """Run a dbt command in this session; a failure shows what failed."""
        return run_dbt(*arguments, target="spark", folder=Path(PARSED.name) / "spark", variables=variables)


@contextmanager
def spark(address: str) -> Iterator[Spark]:
    """A session until the end, with a warehouse of its own."""
    with tempfile.TemporaryDirectory(prefix="spark-") as name:
        folder = Path(name)
        engine = SparkEngine(
            SparkSettings(master=address, conf=CONF), folder / "warehouse", folder / "landing", folder / "logs"
        )
        with engine.session():
            yield Spark(engine)
