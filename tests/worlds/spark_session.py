"""The dbt project on Apache Spark: the engine's own session, on two executors in processes of their own."""

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

ENOUGH_MEMORY = 8_000_000_000

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
    """A cluster of two executors where the machine has the memory for it; else threads of one process."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return "local-cluster[2,1,1024]" if memory >= ENOUGH_MEMORY else "local[2]"


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
