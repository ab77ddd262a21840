"""dbt, run in this process, and its outcome in words."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import yaml

from loyalty.build.variables import wrong_variables
from loyalty.common.counted import counted
from loyalty.common.errors import UserError, nearest
from loyalty.common.progress import SILENT, Progress, Steps
from loyalty.common.settings import Settings
from loyalty.common.text_table import table

FIRST_ROWS = 5
# Selects the models that a run leaves out, see `leave_out`.
NOT_NOW = "tag:not_now"
# The target of dbt_project/profiles.yml that the pipeline builds in, by the workspace's engine.
TARGETS = {"duckdb": "work", "spark": "spark"}
# What a user can do about a failure that DuckDB names so; the first one that fits.
REMEDIES = {
    "max_temp_directory_size": "make room on the disk of `home`, which takes what memory cannot hold",
    "No space left on device": "make room on the disk of `home`",
    "Out of Memory": "raise `memory_limit` in loyalty.yml, or lower `threads`",
}


@dataclass(frozen=True)
class Fault:
    """A model that cannot be used: dbt could not make it, or one of its tests failed; `reason` says which."""

    model: str
    reason: str


@dataclass(frozen=True)
class DbtOutcome:
    """How many models, seeds and tests a dbt run finished, what it warned of, and what failed.

    `built` are the models with schema, name and compiled SQL.
    """

    models: int
    tests: int
    warnings: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    built: tuple[tuple[str, str, Path], ...] = ()


@dataclass(frozen=True)
class ColumnDoc:
    """A column as its model's yml describes it."""

    name: str
    description: str
    is_personal: bool
    data_type: str = ""


@dataclass(frozen=True)
class ModelDoc:
    """A model as its yml describes it; `key` are the columns that its tests hold to be unique."""

    schema: str
    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[ColumnDoc, ...]
    owner: str = ""


def run_dbt(
    settings: Settings,
    command: str,
    *arguments: str,
    progress: Progress = SILENT,
    variables: dict[str, Any] | None = None,
    file: Path | None = None,
    target: str | None = None,
    project: Any = None,
    goes_on: bool = False,
) -> DbtOutcome:
    """Run one dbt command where the pipeline builds (or on another file) and sum up its outcome.

    `project` is what `parse_project` gave, so that several commands parse once. Raises UserError with the first
    failed model or test by name; with `goes_on`, failed models and tests are faults of the outcome, unless a total of
    core differs from what the exports say, or a seed failed: then nothing can be right.
    """
    target = target or TARGETS[settings.engine]
    folder = _folder(settings, target)
    result = _invoke(settings, [command, *arguments], progress, variables, file, target, project)
    nodes = list(getattr(result.result, "results", None) or [])
    failed = [node for node in nodes if str(node.status) in ("error", "fail", "runtime error")]
    grave = [node for node in failed if not goes_on or _holds_everything(node.node)]
    if grave and target == "dev":
        raise UserError("\n\n".join(_whole(node, file or settings.work_file) for node in grave))
    if grave:
        raise UserError(_failure(grave, folder))
    if not result.success and not failed:
        raise UserError(f"dbt {command} did not succeed; see {folder / 'logs' / 'dbt.log'}.")
    is_test = [str(node.node.resource_type) in ("test", "unit_test") for node in nodes]
    return DbtOutcome(
        models=is_test.count(False),
        tests=is_test.count(True),
        warnings=tuple(_sentence(node) for node in nodes if str(node.status) == "warn"),
        faults=tuple(Fault(model, _sentence(node)) for node in failed for model in _concerned(node.node)),
        built=tuple(
            (one.schema, one.alias, folder / "compiled" / one.package_name / one.original_file_path)
            for one in (node.node for node in nodes if str(node.status) == "success")
            if str(one.resource_type) == "model"
        ),
    )


def _whole(result: Any, file: Path) -> str:
    """dbt's own message, all of it; of a failed test also the first rows that break it."""
    node = result.node
    head = f"dbt {node.resource_type} `{node.name}` failed:\n{str(result.message or '').strip()}"
    if str(node.resource_type) != "test" or not result.failures:
        return head
    with suppress(duckdb.Error), duckdb.connect(str(file), read_only=True) as connection:
        cursor = connection.execute(f"select * from ({node.compiled_code}) limit {FIRST_ROWS}")
        head += "\n" + table([column[0] for column in cursor.description or []], cursor.fetchall())
    return head


def _holds_everything(node: Any) -> bool:
    """Whether a failed node makes every mart wrong: a seed, or a total of core against that of the orders."""
    metadata = getattr(node, "test_metadata", None)
    is_total = metadata is not None and metadata.name == "reconcile_total"
    attached = getattr(node, "attached_node", None) or ""
    is_of_core = attached.rpartition(".")[2].startswith(("fct_", "dim_", "stg_"))
    held_against = [one.rpartition(".")[2] for one in node.depends_on.nodes if one != attached] if is_total else []
    is_of_orders = any(name.startswith(("fct_order", "int_order", "stg_order")) for name in held_against)
    return str(node.resource_type) == "seed" or (is_total and is_of_core and is_of_orders)


def _concerned(node: Any) -> list[str]:
    """The models that a failed node is about: itself, or the one that a test belongs to."""
    if str(node.resource_type) == "model":
        return [node.unique_id]
    attached = getattr(node, "attached_node", None)
    return [attached] if attached else [one for one in node.depends_on.nodes if one.startswith("model.")]


def with_descendants(project: Any, faults: Sequence[Fault]) -> dict[str, str]:
    """Every model that has a fault or reads, directly or not, one that has: its id, and the reason."""
    found: dict[str, str] = {}
    for fault in faults:
        found.setdefault(fault.model, fault.reason)
    todo = list(found)
    while todo:
        model = todo.pop(0)
        for child in project.child_map.get(model, []):
            if child.startswith("model.") and child not in found:
                found[child] = found[model]
                todo.append(child)
    return found


def relation_of(project: Any, model: str) -> tuple[str, str]:
    """Schema and name of a model by its id."""
    node = project.nodes[model]
    return node.schema, node.alias


def leave_out(project: Any, models: Iterable[str]) -> None:
    """Mark models for `--exclude NOT_NOW`: with a criterion for each name dbt would look at every node as often."""
    for model in models:
        project.nodes[model].tags.append(NOT_NOW.removeprefix("tag:"))


def parse_project(settings: Settings) -> Any:
    """dbt's manifest of the project, read once for the several commands of a build.

    Raises UserError when it cannot be read.
    """
    project = _invoke(settings, ["parse"], SILENT, None, None, TARGETS[settings.engine], None).result
    project.build_parent_and_child_maps()
    return project


@contextmanager
def parsed_ahead(settings: Settings) -> Iterator[None]:
    """Another process reads the dbt project meanwhile, so that the build's own reading is short."""
    reader = multiprocessing.get_context("spawn").Process(target=_parse_quietly, args=(settings,), daemon=True)
    reader.start()
    try:
        yield
    finally:
        reader.join()


def _parse_quietly(settings: Settings) -> None:
    with suppress(UserError):  # the build reads it again and reports the error
        parse_project(settings)


def _invoke(
    settings: Settings,
    command: Sequence[str],
    progress: Progress,
    variables: dict[str, Any] | None,
    file: Path | None,
    target: str,
    project: Any,
) -> Any:
    from dbt.cli.main import dbtRunner  # takes seconds to import: only when dbt is really run

    folder = _folder(settings, target)
    folder.mkdir(parents=True, exist_ok=True)
    where = str(settings.dbt_project_dir)
    call = [
        *command,
        *("--project-dir", where, "--profiles-dir", where, "--target", target),
        *("--target-path", str(folder), "--log-path", str(folder / "logs")),
        *("--vars", json.dumps({**settings.vars, **(variables or {})}, sort_keys=True, default=str)),
        *("--log-level", "none", "--log-level-file", "info", "--no-use-colors", "--no-version-check"),
        "--no-write-json",  # what is asked of the manifest is asked of the one in memory
    ]
    with (
        _environment(_variables(settings, file or settings.work_file)),
        _one_connection(),
        progress.steps("  dbt") as steps,
    ):
        result = dbtRunner(manifest=project, callbacks=[partial(_count, steps)]).invoke(call)
    if isinstance(result.exception, KeyboardInterrupt):
        raise KeyboardInterrupt
    if result.exception is not None:
        message = str(result.exception)
        unknown = re.search(r"depends on a node named '(\w+)'", message)
        near = nearest(unknown[1], (one.stem for one in settings.dbt_project_dir.rglob("*.sql"))) if unknown else ""
        message = f"{message.strip()}{near}" if target == "dev" else f"{_one_line(message)}{near}"
        raise UserError(f"dbt could not start: {message} (log: {folder / 'logs' / 'dbt.log'}).")
    return result


def wrong_vars(settings: Settings) -> list[str]:
    """A sentence for each var of the workspace that no model reads, or that no model can use."""
    declared = yaml.safe_load((settings.dbt_project_dir / "dbt_project.yml").read_text(encoding="utf-8"))
    found = declared.get("vars", {})
    known = {*found, *found.get(declared["name"], {})} - {declared["name"]}
    return wrong_variables(settings.vars, known)


def _folder(settings: Settings, target: str) -> Path:
    """Where dbt writes what it compiled."""
    return settings.home / ("dev" if target == "dev" else "work") / "dbt"


@contextmanager
def _one_connection() -> Iterator[None]:
    """Let dbt keep the file open from model to model, three times as fast, and close it when dbt is done."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    try:
        yield
    finally:
        DuckDBConnectionManager.close_all_connections()


def model_docs(project: Any, schemas: Sequence[str]) -> list[ModelDoc]:
    """The documentation of the tables that the project builds into these schemas."""
    owners = {name: group.owner.name or "" for name, group in project.groups.items()}
    keys = _keys(project)
    return [
        ModelDoc(
            schema=node.schema,
            name=node.alias,
            description=" ".join(node.description.split()),
            key=keys.get(node.unique_id, ()),
            columns=tuple(
                ColumnDoc(
                    column.name,
                    " ".join(column.description.split()),
                    bool((column.config.meta or column.meta).get("personal")),
                    column.data_type or "",
                )
                for column in node.columns.values()
            ),
            owner=owners.get(node.config.group or "", ""),
        )
        for node in project.nodes.values()
        if node.resource_type in ("model", "seed")
        and node.schema in schemas
        and node.config.materialized in ("table", "incremental", "seed")
    ]


def made_relations(project: Any) -> set[tuple[str, str]]:
    """Schema and name of everything that the project makes."""
    return {(node.schema, node.alias) for node in project.nodes.values() if node.resource_type in ("model", "seed")}


def fitted_relations(project: Any) -> set[tuple[str, str]]:
    """Schema and name of everything that the estimates read."""
    fits = (exposure for exposure in project.exposures.values() if str(exposure.type) == "ml")
    read = {key for exposure in fits for key in exposure.depends_on.nodes}
    return {relation_of(project, key) for key in read}


def _keys(project: Any) -> dict[str, tuple[str, ...]]:
    """The key of each model: of its uniqueness tests, the one over the fewest columns."""
    keys: dict[str, tuple[str, ...]] = {}
    for node in project.nodes.values():
        test = getattr(node, "test_metadata", None)
        if test is None or node.config.where:
            continue
        arguments = {**test.kwargs, **test.kwargs.get("arguments", {})}
        if test.name in ("unique", "is_key"):
            columns = (arguments["column_name"],)
        elif test.name == "unique_combination":
            columns = tuple(arguments["columns"])
        else:
            continue
        model = node.attached_node
        if model and (model not in keys or (len(columns), columns) < (len(keys[model]), keys[model])):
            keys[model] = columns
    return keys


def _count(steps: Steps, event: Any) -> None:
    """Count a model or test that dbt has finished; the total comes with the start of each."""
    if event.info.name == "LogStartLine":
        steps.total = event.data.total
    elif event.info.name == "NodeFinished":
        steps.next(event.data.node_info.node_name)


def _variables(settings: Settings, file: Path) -> dict[str, str]:
    return {
        "LOYALTY_WORK_FILE": str(file),
        "LOYALTY_DEV_FILE": str(file),
        "LOYALTY_KEEP_OPEN": "True",
        "LOYALTY_MEMORY_LIMIT": settings.memory_limit,
        "LOYALTY_TEMP_DIRECTORY": str(settings.home / "work" / "temp"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _failure(failed: Sequence[Any], folder: Path) -> str:
    others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{_sentence(failed[0])}{others}. Nothing was published; the log is {folder / 'logs' / 'dbt.log'}."


def _sentence(result: Any) -> str:
    node = result.node
    if str(node.resource_type) == "test" and result.failures:
        test = node.test_metadata.name if getattr(node, "test_metadata", None) else node.name
        where = (getattr(node, "attached_node", None) or ".").rpartition(".")[2]
        place = f" of model `{where}`" if where else ""
        return f"dbt test `{test}`{place} found {counted(result.failures, 'wrong row')} ({node.original_file_path})"
    message = _one_line(result.message or str(result.status))
    remedy = next((f": {remedy}" for reason, remedy in REMEDIES.items() if reason in message), "")
    return f"dbt {node.resource_type} `{node.name}` failed: {message}{remedy}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:400].rstrip(".")
