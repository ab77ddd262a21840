"""dbt on Apache Spark: the same project, for data that one machine cannot hold.

The session is of this process: dbt's adapter takes the one that is running. Its catalog lives in its memory and its
tables in a folder of the build, so a build begins with nothing and leaves nothing. Executors read the landed Parquet
where it lies and write into the warehouse; both must be folders that they see under the same path.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from loyalty.common.disk import remove
from loyalty.common.errors import UserError, first_line
from loyalty.common.ledger import Load
from loyalty.common.settings import SPARK_FIXED, SparkSettings
from loyalty.common.sql import quote_identifier, quote_text, text_list
from loyalty.land.loads import load_folder

DEFAULTS = {
    "spark.driver.memory": "4g",  # the driver keeps plans and broadcast tables: 1g, Spark's own, is soon full
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.constraintPropagation.enabled": "false",  # with it a model of many joins is planned ten times as long
}
# What DuckDB calls otherwise.
TYPES = {"VARCHAR": "string", "TIMESTAMP": "timestamp_ntz"}
GET_JAVA = "install Java 17 or newer (Debian: apt install openjdk-17-jre-headless), or set JAVA_HOME"
BUILDS = "build-*"


@dataclass
class SparkEngine:
    """A session on the cluster that the settings name, with its tables under `warehouse`."""

    spark: SparkSettings
    warehouse: Path
    landing: Path
    logs: Path
    remembers: bool = field(default=False, init=False)
    _session: Any = field(default=None, init=False)
    _gateway: Any = field(default=None, init=False)
    _folder: Path = field(default=Path(), init=False)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Start Spark; at the end stop it, and remove what it has written.

        Raises UserError when packages or Java are missing, or the cluster does not answer.
        """
        require_packages()
        remove(left_folders(self.warehouse))  # of builds that were killed: the caller holds the work file's lock
        self._folder = self.warehouse / BUILDS.replace("*", secrets.token_hex(6))
        try:
            self._folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise UserError(
                f"{self.warehouse}, Spark's warehouse, cannot be written ({error.strerror}): set `spark.warehouse`."
            ) from None
        try:
            self._session = self._start()
            yield
        finally:
            self._stop()
            remove([self._folder])

    def show(self, connection: duckdb.DuckDBPyConnection, schema: str, loads: Sequence[Load] = ()) -> None:
        """Tables are copied as Parquet; a feed becomes a table whose partitions are links to the landed loads."""
        self._sql(f"create schema if not exists {schema}")
        relations = connection.execute(
            "select table_name, table_type from information_schema.tables where table_schema = ? order by 1", [schema]
        ).fetchall()
        for name, kind in relations:
            self._sql(f"drop table if exists {schema}.{name}")
            if kind == "VIEW":
                self._show_landed(connection, schema, name, [load for load in loads if load.feed == name])
            else:
                self._show_copied(connection, schema, name)

    def bring(self, connection: duckdb.DuckDBPyConnection, tables: Iterable[tuple[str, str]]) -> None:
        """Read the Parquet that Spark has written."""
        for schema, name in tables:
            if files := self.files_of(schema, name):
                connection.execute(f"create schema if not exists {quote_identifier(schema)}")
                connection.execute(
                    f"create or replace table {quote_identifier(schema)}.{quote_identifier(name)} as "
                    f"select * from {reader(files)}"
                )

    def files_of(self, schema: str, name: str) -> list[Path]:
        """The Parquet files of a table that Spark has made whole; none where it has not."""
        folder = self._folder / f"{schema}.db" / name
        return sorted(folder.glob("*.parquet")) if (folder / "_SUCCESS").exists() else []

    def _show_landed(
        self, connection: duckdb.DuckDBPyConnection, schema: str, feed: str, loads: Sequence[Load]
    ) -> None:
        folder = self._folder / "shown" / schema / feed
        folder.mkdir(parents=True)
        for load in loads:
            (folder / f"load_id={load.load_id}").symlink_to(load_folder(self.landing, feed, load.load_id))
        self._create(connection, schema, feed, folder, "partitioned by (load_id)")

    def _show_copied(self, connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> None:
        folder = self._folder / "shown" / schema / name
        folder.mkdir(parents=True, exist_ok=True)
        relation = f"{quote_identifier(schema)}.{quote_identifier(name)}"
        connection.execute(f"copy {relation} to {quote_text(folder / 'rows.parquet')} (format parquet)")
        self._create(connection, schema, name, folder)

    def _create(
        self, connection: duckdb.DuckDBPyConnection, schema: str, name: str, folder: Path, layout: str = ""
    ) -> None:
        """A table of Spark over the files of a folder, with the columns of the work file's relation."""
        described = connection.execute(f"describe {quote_identifier(schema)}.{quote_identifier(name)}").fetchall()
        columns = ", ".join(f"{_quoted(row[0])} {TYPES.get(row[1], row[1])}" for row in described)
        self._sql(f"create table {schema}.{name} ({columns}) using parquet {layout} location {_text(folder.as_uri())}")

    def _sql(self, statement: str) -> None:
        self._session.sql(statement)

    def _start(self) -> Any:
        # Nothing here uses its pandas side.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        from pyspark import SparkConf, SparkContext
        from pyspark.errors import PySparkRuntimeError
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession

        conf = SparkConf().setAll(list(self._conf().items())).setMaster(self.spark.master).setAppName("loyalty")
        log = self.logs / "spark.log"
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with log.open("ab") as output:
                self._gateway = launch_gateway(conf, {"stdout": output, "stderr": output})
            session = SparkSession(SparkContext(conf=conf, gateway=self._gateway))
        except PySparkRuntimeError:
            raise UserError(f"Java did not start, its log is {log}: {GET_JAVA}.") from None
        except Exception as error:
            raise UserError(
                f"Spark at {self.spark.master} did not start ({first_line(error)}): check `spark` in loyalty.yml; "
                f"its log is {log}."
            ) from None
        session.sparkContext.setLogLevel("ERROR")
        return session

    def _stop(self) -> None:
        """Stop the session and its Java process, which would keep the folders that it has once used."""
        if self._session is not None:
            self._session.stop()
        if self._gateway is not None:
            from pyspark import SparkContext

            SparkContext._gateway = SparkContext._jvm = None
            self._gateway.shutdown()
            self._gateway.proc.stdin.close()
            self._gateway.proc.wait()
            if self.spark.master.startswith("local-cluster"):  # its executors log into the package itself
                import pyspark

                remove([Path(pyspark.__file__).parent / "work"])
        self._session = self._gateway = None

    def _conf(self) -> dict[str, str]:
        given = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in self.spark.conf.items()
        }
        own = {"spark.sql.warehouse.dir": self._folder.as_uri()}
        if self.spark.master.startswith("local"):  # what does not fit into memory holds rows as well
            own["spark.local.dir"] = str(self._folder / "spilled")
        return {**DEFAULTS, **own, **given, **SPARK_FIXED}


def require_packages() -> None:
    """UserError when the packages of the extra `spark`, or Java, are not installed."""
    missing = [name for name in ("dbt.adapters.spark", "pyspark.sql") if not _is_installed(name)]
    if missing:
        raise UserError("engine: spark needs dbt-spark and pyspark: `pip install 'loyalty-warehouse[spark]'`.")
    if not java():
        raise UserError(f"engine: spark needs Java: {GET_JAVA}.")


def java() -> str | None:
    """The program `java` that Spark would start."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin" if home else None)


def left_folders(warehouse: Path) -> list[Path]:
    """The tables of builds, of one that runs and of those that were killed."""
    return sorted(warehouse.glob(BUILDS))


def reader(files: Iterable[Path]) -> str:
    """SQL of DuckDB that reads a table of Spark."""
    return f"read_parquet({text_list(files)}, hive_partitioning = false)"


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(value: str) -> str:
    """A text of Spark's SQL, in which a backslash escapes."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
