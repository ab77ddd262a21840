"""An analyst's private copy: the published core and marts in one file of one's own, where dbt builds models.

The copy holds no personal data, is locked by no other user, and is made again from the newest generation
by `loyalty dev`.
"""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from loyalty.build.dbt_runner import DbtOutcome, run_dbt
from loyalty.common.duckdb_session import duckdb_config, prepare_session
from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.common.sql import quote_identifier, quote_text
from loyalty.common.workspace import Workspace
from loyalty.publish.generations import CONTENT, Generation, published_schema, require_current


@dataclass(frozen=True)
class DevCopy:
    """The private file and the generation it was taken from."""

    file: Path
    generation: Generation

    def commands(self, settings: Settings) -> list[str]:
        """What to type to use dbt itself on the copy."""
        project = settings.dbt_project_dir
        variables = f" --vars '{json.dumps(settings.vars, sort_keys=True, default=str)}'" if settings.vars else ""
        return [
            f"export LOYALTY_DEV_FILE={self.file}",
            f"cd {project} && dbt build --target dev --profiles-dir {project} --target-path {self.file.parent / 'dbt'}"
            f"{variables} -s my_model",
        ]


def make_copy(workspace: Workspace) -> DevCopy:
    """Copy the current generation's core and marts into the user's private file, in place of an older copy."""
    settings = workspace.settings
    generation = require_current(settings)
    file = dev_file(settings)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    for old in (draft, Path(f"{draft}.wal")):
        old.unlink(missing_ok=True)
    with duckdb.connect(config=duckdb_config(settings)) as connection:
        prepare_session(connection)
        connection.execute(f"attach {quote_text(draft)} as mine")
        for part in CONTENT:
            connection.execute(f"attach {quote_text(generation.folder / part)} as published (read_only)")
            _copy_tables(connection, CONTENT[part])
            connection.execute("detach published")
        connection.execute("checkpoint mine")
        connection.execute("detach mine")
    Path(f"{file}.wal").unlink(missing_ok=True)
    draft.replace(file)
    workspace.progress.log(f"{file}: core and marts of generation {generation.name}, yours alone")
    return DevCopy(file, generation)


def _copy_tables(connection: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> None:
    for schema in schemas:
        connection.execute(f"create schema mine.{schema}")
        found = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'published' and schema_name = ?",
            [published_schema(schema)],
        ).fetchall()
        for (name,) in found:
            table = quote_identifier(name)
            connection.execute(
                f"create table mine.{schema}.{table} as from published.{published_schema(schema)}.{table}"
            )


def build_models(workspace: Workspace, select: str) -> DbtOutcome:
    """Build and test models on the private copy, unit tests included; makes the copy when there is none.

    Raises UserError with the model or test that failed.
    """
    settings, progress = workspace.settings, workspace.progress
    file = dev_file(settings)
    if not file.exists():
        make_copy(workspace)
    outcome = run_dbt(settings, "build", "--select", select, progress=progress, file=file, target="dev")
    if not outcome.models and not outcome.tests:
        raise UserError(
            f"dbt found no model `{select}` in {settings.dbt_project_dir / 'models'}: is the file saved there?"
        )
    progress.log(f"built {outcome.models} models and {outcome.tests} tests of `{select}` in {file}")
    for warning in outcome.warnings:
        progress.log(f"warning: {warning}")
    return outcome


def dev_file(settings: Settings) -> Path:
    """The private file of the user who asks."""
    user = re.sub(r"[^A-Za-z0-9_.-]", "_", getpass.getuser())
    return settings.home / "dev" / f"{user}.duckdb"
