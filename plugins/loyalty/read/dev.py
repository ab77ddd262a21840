"""An analyst's own file: the published core and marts as views, and the models that the analyst builds as tables.

The views read `serve/current`, so that the file is made in a moment, takes no room and shows the newest generation.
It holds no personal data, and no other user or process opens it. Plain dbt in `dbt_project/` uses it by default.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from loyalty.build.dbt_runner import DbtOutcome, run_dbt
from loyalty.common.counted import counted
from loyalty.common.duckdb_session import duckdb_config, prepare_session
from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.common.sql import quote_identifier, quote_text
from loyalty.common.text_table import table
from loyalty.common.workspace import Workspace
from loyalty.publish.generations import CONTENT, Generation, published_schema, require_current

FIRST_ROWS = 5
# A plain name is looked for in these schemas, in this order.
SCHEMAS = "marts,steps,core,quality,reference,main"


@dataclass(frozen=True)
class DevFile:
    """The analyst's file and the generation that its views showed when it was made."""

    file: Path
    generation: Generation


def dev_file(settings: Settings) -> Path:
    """The file of the user who asks; `dbt_project/profiles.yml` has the same default."""
    user = re.sub(r"[^A-Za-z0-9_.-]", "_", os.environ.get("USER") or "me")
    return settings.home / "dev" / f"{user}.duckdb"


def make_file(workspace: Workspace) -> DevFile:
    """Make the user's file from the current generation, in place of an older one and all that was built in it."""
    settings = workspace.settings
    generation = require_current(settings)
    file = dev_file(settings)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    for old in (draft, Path(f"{draft}.wal")):
        old.unlink(missing_ok=True)
    with duckdb.connect(str(draft), config=duckdb_config(settings)) as connection:
        prepare_session(connection)
        for part, schemas in CONTENT.items():
            connection.execute(f"attach {quote_text(generation.folder / part)} as published (read_only)")
            for schema in schemas:
                _make_views(connection, settings.serve / "current" / part, schema)
            connection.execute("detach published")
        connection.execute("checkpoint")
    Path(f"{file}.wal").unlink(missing_ok=True)
    draft.replace(file)
    workspace.progress.log(f"{file}: core and marts of generation {generation.name} as views, yours alone")
    return DevFile(file, generation)


def _make_views(connection: duckdb.DuckDBPyConnection, source: Path, schema: str) -> None:
    connection.execute(f"create schema if not exists {quote_identifier(schema)}")
    there = published_schema(schema)
    found = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'published' and schema_name = ?", [there]
    ).fetchall()
    for (name,) in found:
        arguments = f"{quote_text(source)}, schema_name = {quote_text(there)}, table_name = {quote_text(name)}"
        view = f"{quote_identifier(schema)}.{quote_identifier(name)}"
        connection.execute(f"create view {view} as select * from read_duckdb({arguments})")


def build_models(workspace: Workspace, select: str) -> DbtOutcome:
    """Build and test models in the user's file, unit tests included; makes the file when there is none.

    Shows the first rows of each model and where its compiled SQL is. Raises UserError with dbt's own message.
    """
    settings, progress = workspace.settings, workspace.progress
    file = dev_file(settings)
    if not file.exists():
        make_file(workspace)
    outcome = run_dbt(settings, "build", "--select", select, progress=progress, file=file, target="dev")
    if not outcome.models and not outcome.tests:
        raise UserError(
            f"dbt found no model `{select}` in {settings.dbt_project_dir / 'models'}: is the file saved there?"
        )
    progress.log(
        f"built {counted(outcome.models, 'model')} and {counted(outcome.tests, 'test')} of `{select}` in {file}"
    )
    for warning in outcome.warnings:
        progress.log(f"warning: {warning}")
    for schema, name, compiled in outcome.built:
        progress.log(f"{name}, compiled to {compiled}; the first rows:")
        relation = f"{quote_identifier(schema)}.{quote_identifier(name)}"
        progress.log(query_file(settings, f"from {relation} limit {FIRST_ROWS}", progress.width))
    return outcome


def query_file(settings: Settings, sql: str, width: int | None = None) -> str:
    """The answer of the user's file to a query, as a table; UserError with DuckDB's words for a wrong one."""
    file = dev_file(settings)
    if not file.exists():
        raise UserError(f"{file} does not exist yet: run `loyalty dev` first.")
    config: dict[str, Any] = {"memory_limit": settings.memory_limit, "threads": settings.threads}
    try:
        with duckdb.connect(str(file), read_only=True, config=config) as connection:
            prepare_session(connection)
            connection.execute(f"set search_path = '{_known_schemas(connection)}'")
            cursor = connection.execute(sql)
            columns = [column[0] for column in cursor.description or []]
            return table(columns, cursor.fetchmany(1000), width)
    except duckdb.Error as error:
        raise UserError(" ".join(str(error).split())) from None


def _known_schemas(connection: duckdb.DuckDBPyConnection) -> str:
    found = {row[0] for row in connection.execute("select schema_name from duckdb_schemas()").fetchall()}
    return ",".join(schema for schema in SCHEMAS.split(",") if schema in found)


def commands(settings: Settings) -> list[str]:
    """What to type to use dbt itself on the file."""
    project = settings.dbt_project_dir
    is_default = settings.home == project.parent / "var"
    export = [] if is_default else [f"export LOYALTY_DEV_FILE={dev_file(settings)}"]
    return [*export, f"cd {project} && dbt build -s my_model"]
