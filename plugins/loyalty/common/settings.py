"""Settings: flag > environment (`LOYALTY_*`) > the workspace's `loyalty.yml` > the default here.

A workspace is a folder with a `loyalty.yml`. Everything that is data lies under `home`.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from loyalty.common import strict_yaml
from loyalty.common.errors import UserError, as_found, nearest, yaml_fault

WORKSPACE_FILE = "loyalty.yml"
PRIVATE_UMASK = 0o077
PATHS = ("home", "serve_folder", "feeds", "expectations", "dbt_project")
LONGEST_DAYS = 36_500  # a hundred years; a longer time is a typing error
LEAP_DAY = datetime(2000, 2, 29, tzinfo=UTC)
MEMORY = re.compile(r"[1-9]\d*(\.\d+)?\s*([KMGT]i?B)", re.IGNORECASE)
CURRENCY = re.compile("[A-Z]{3}")
SPARK_MASTER = re.compile(r"local(\[(\*|\d+)(,\d+)?\])?|local-cluster\[\d+,\d+,\d+\]|spark://\S+|yarn|k8s://\S+")
# What the tables would come out differently without: the engine sets these for every session.
SPARK_FIXED = {
    "spark.sql.catalogImplementation": "in-memory",  # a build makes every table again; no metastore to look after
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    # The partitions of a table are the folders at its place, and a load_id stays a text.
    "spark.sql.hive.manageFilesourcePartitions": "false",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}
# These have settings of their own.
SPARK_ELSEWHERE = {"spark.master", "spark.sql.warehouse.dir"}

_PACKAGE = Path(__file__).parents[1]
_CHECKOUT = _PACKAGE.parents[1]


def shipped(name: str) -> Path:
    """A folder that ships with the project (`dbt_project`, `expectations`, `dags`), checked out or installed."""
    checkout = _CHECKOUT / name
    return checkout if (_CHECKOUT / "pyproject.toml").exists() else _PACKAGE / "bundled" / name


class SparkSettings(BaseModel):
    """Where Spark runs, and with what, when `engine` is spark."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    master: str = Field(default="local[*]", description="The cluster, such as spark://host:7077.")
    warehouse: Path | None = Field(
        default=None,
        description="A folder for the tables of a build, of this workspace alone, which the pipeline and all executors "
        "see under the same path. Default: work/spark in `home`.",
    )
    conf: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Spark's own settings, such as spark.executor.memory."
    )

    @field_validator("master")
    @classmethod
    def _known_master(cls, master: str) -> str:
        if not SPARK_MASTER.fullmatch(master):
            raise ValueError("the address of a cluster, such as spark://host:7077, or local[2] for this machine alone")
        return master

    @field_validator("warehouse")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        if folder is not None and (not folder.is_absolute() or set("*?[]=") & set(str(folder))):
            raise ValueError("an absolute path without any of *?[]=, which every executor sees as well")
        return folder

    @field_validator("conf")
    @classmethod
    def _free(cls, conf: dict[str, str | int | float | bool]) -> dict[str, str | int | float | bool]:
        for name in conf:
            if name in {*SPARK_FIXED, *SPARK_ELSEWHERE}:
                raise ValueError(f"{name} is set by the engine; take it out")
            if not name.startswith("spark."):
                raise ValueError(f"Spark's settings begin with `spark.`, and {name} does not")
        return conf


class Settings(BaseSettings):
    """What a workspace may set. Every field can be set by `LOYALTY_<FIELD>` or in `loyalty.yml`."""

    model_config = SettingsConfigDict(env_prefix="LOYALTY_", extra="forbid", env_ignore_empty=True)

    workspace: Path = Field(description="The folder that holds loyalty.yml.")
    home: Path = Field(default=Path("var"), description="Where the data are; relative to the workspace.")
    serve_folder: Path | None = Field(
        default=None, description="Where readers find the generations; default: `serve` in `home`."
    )
    feeds: Path = Field(default=Path("dags/feeds"), description="The folder of feed YAMLs.")
    expectations: Path = Field(default=Path("expectations"), description="The folder of check suites.")
    dbt_project: Path | None = Field(default=None, description="The dbt project; default: the one shipped.")

    batch_rows: int = Field(default=250_000, ge=1, description="Rows checked at a time; bounds memory.")
    max_file_bytes: int = Field(default=20_000_000_000, ge=1, description="Larger unpacked exports are rejected.")
    raw_days: int = Field(
        default=30, ge=0, le=LONGEST_DAYS, description="Days the raw files are kept, in a restricted folder."
    )
    keep_generations: int = Field(default=7, ge=3, description="Published generations kept; never fewer than 3.")
    max_age_days: float = Field(
        default=3,
        gt=0,
        le=LONGEST_DAYS,
        description="Publishing stops when the last accepted orders delivery is older.",
    )
    lock_wait_seconds: float = Field(
        default=600, ge=0, le=86_400, description="How long a build waits for another one."
    )
    memory_limit: str = Field(default="4GB", description="DuckDB's memory limit while building.")
    threads: int = Field(default=2, ge=1, le=1024, description="DuckDB's threads while building.")
    engine: Literal["duckdb", "spark"] = Field(default="duckdb", description="Where dbt builds the tables.")
    spark: SparkSettings = Field(
        default_factory=SparkSettings, description="Of the engine spark: master, warehouse, conf."
    )
    reporting_currency: str | None = Field(default=None, description="Default: the only currency of the orders.")

    load_schedule: str = Field(default="0 2 * * *", description="Cron of the load DAGs, in `time_zone`.")
    build_schedule: str = Field(default="0 5 * * *", description="Cron of the timed build, in `time_zone`.")
    build_on: Literal["assets", "time"] = Field(
        default="assets",
        description="`assets`: after any feed and at the set time; `time`: at the set time only.",
    )
    time_zone: str = Field(default="UTC", description="IANA zone of the two schedules.")
    owner: str = Field(default="data-engineering", description="Owner of what has no owner of its own.")
    runbook: str = Field(default="docs/runbooks.md", description="Where an alert sends its reader.")
    notify_url: str | None = Field(default=None, repr=False, description="Webhook or mail server that gets the alerts.")
    notify_format: Literal["json", "slack", "teams"] = Field(
        default="json", description="What the webhook expects; e-mail needs none."
    )
    postgres_url: str | None = Field(
        default=None, repr=False, description="PostgreSQL database that gets a copy of each generation, for BI tools."
    )
    vars: dict[str, Any] = Field(default_factory=dict, description="Windows and thresholds of the metrics.")

    @field_validator("memory_limit")
    @classmethod
    def _known_size(cls, limit: str) -> str:
        if not MEMORY.fullmatch(limit.strip()):
            raise ValueError("a size with its unit, such as 4GB or 800MB")
        return limit.strip()

    @field_validator("load_schedule", "build_schedule")
    @classmethod
    def _known_schedule(cls, cron: str) -> str:
        from croniter import CroniterError, croniter  # the library that Airflow reads a cron with

        try:
            croniter(cron, LEAP_DAY).get_next()  # rejects a day that never comes as well
        except CroniterError:
            raise ValueError("a cron of five fields (minute, hour, day, month, weekday), such as 0 2 * * *") from None
        return cron

    @field_validator("reporting_currency")
    @classmethod
    def _currency_code(cls, code: str | None) -> str | None:
        if code is not None and not CURRENCY.fullmatch(code):
            raise ValueError("three capital letters, such as CHF")
        return code

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such IANA time zone; an example: Europe/Berlin") from None
        return zone

    @property
    def landing(self) -> Path:
        """Accepted loads: landing/<canonical feed>/load_id=<id>/."""
        return self.home / "landing"

    @property
    def rejected(self) -> Path:
        """Rejected loads, one folder each, with the reason in their manifest."""
        return self.home / "rejected"

    @property
    def quarantine(self) -> Path:
        """Quarantined rows, one folder per load."""
        return self.home / "quarantine"

    @property
    def raw(self) -> Path:
        """The export files as they came, kept `raw_days`; only the pipeline's user may read them."""
        return self.home / "raw"

    @property
    def ledger(self) -> Path:
        """The append-only memory of deliveries, builds and publishes."""
        return self.home / "ledger"

    @property
    def work_file(self) -> Path:
        """The one DuckDB file the pipeline builds in; only the pipeline opens it."""
        return self.home / "work" / "loyalty_work.duckdb"

    @property
    def spark_warehouse(self) -> Path:
        """Where Spark keeps the tables of a build while it runs."""
        return self.spark.warehouse or self.home / "work" / "spark"

    @property
    def serve(self) -> Path:
        """What readers see: generations/ and the link `current`."""
        return self.serve_folder or self.home / "serve"

    @property
    def private(self) -> Path:
        """Keys and other secrets of the workspace, mode 0700."""
        return self.home / "private"

    @property
    def dbt_project_dir(self) -> Path:
        """The dbt project that is built."""
        return self.dbt_project or shipped("dbt_project")


def find_workspace(start: Path | None = None) -> Path:
    """The workspace: `LOYALTY_WORKSPACE`, else the nearest folder upwards with a loyalty.yml; UserError outside."""
    if named := os.environ.get("LOYALTY_WORKSPACE"):
        return Path(named).resolve()
    here = (start or Path.cwd()).resolve()
    for folder in [here, *here.parents]:
        if (folder / WORKSPACE_FILE).is_file():
            return folder
    raise UserError(
        f"There is no {WORKSPACE_FILE} in {here} or above it: change into a workspace, "
        "name one with --workspace, or make one with `loyalty init DIR`."
    )


def load_settings(workspace: Path | None = None, **flags: object) -> Settings:
    """The settings that apply; flags given as None are ignored.

    Raises UserError naming file, key and what was expected.
    """
    folder = workspace.resolve() if workspace else find_workspace()
    file = folder / WORKSPACE_FILE
    if not file.is_file():
        raise UserError(f"{folder} is not a workspace: it has no {WORKSPACE_FILE}; make one with `loyalty init DIR`.")
    written = _read(file)
    from_environment = {name for name in Settings.model_fields if os.environ.get(f"LOYALTY_{name.upper()}")}
    given = {name: value for name, value in flags.items() if value is not None}
    chosen = {name: value for name, value in written.items() if name not in from_environment} | given
    try:
        settings = Settings(**{**chosen, "workspace": folder})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        where = f"LOYALTY_{key.upper()}" if key in from_environment else f"{file}, key `{key}`"
        expected = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":  # the value may be a secret under a misspelt key
            raise UserError(f"{where}: there is no such setting{nearest(key, Settings.model_fields)}.") from None
        is_shown = Settings.model_fields[str(first["loc"][0])].repr
        raise UserError(f"{where}: {expected}{as_found(first['input']) if is_shown else ''}.") from None
    settings = settings.model_copy(update=_resolved_paths(settings))
    for place in (settings.home, settings.serve):
        if pattern := set("*?[]=") & set(str(place)):
            raise UserError(
                f"{place}: the folder's name has `{min(pattern)}`, which DuckDB takes for a pattern or for the "
                "name of a partition; give it another name."
            )
    for private in (settings.home, settings.workspace):
        if private.is_relative_to(settings.serve):
            raise UserError(
                f"{settings.serve} is to be open to readers, and {private} is in it: set `serve_folder` to a folder "
                "for the published generations alone."
            )
    return settings


def _read(file: Path) -> dict[str, Any]:
    try:
        written = strict_yaml.load(file.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is not valid YAML: {yaml_fault(error)}.") from None
    if not isinstance(written, dict):
        raise UserError(f"{file} must hold `key: value` lines, one setting each.")
    return written


def _resolved_paths(settings: Settings) -> dict[str, Path]:
    """Paths are relative to the workspace, never to the current folder."""
    paths = {name: getattr(settings, name) for name in PATHS}
    return {
        name: (settings.workspace / path.expanduser()).resolve() for name, path in paths.items() if path is not None
    }
