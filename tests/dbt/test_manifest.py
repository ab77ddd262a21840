"""Rules of the dbt project that a reader may rely on, held over the parsed manifest."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from loyalty.build.estimates.runner import TABLES
from loyalty.pull.contract import load_contract
from worlds.warehouse import PROJECT, project

# A sum over doubles, a choice among equals, or a clock comes out differently from run to run.
UNSTABLE = re.compile(
    r"""\b(stddev\w*|var_samp|var_pop|variance|corr|covar\w*|regr_\w+|any_value|first|last|arbitrary|mode|approx_\w+|median
        |rand|random|setseed|uuid\w*|gen_random_uuid|nextval|now|today|getdate|sysdate
        |(get_)?current_(date|time|timestamp)\w*|(transaction|statement|clock)_timestamp|local_timestamp)\s*\(
    |\bage\s*\([^,()]*\)|\bunix_timestamp\s*\(\s*\)
    |\b(current_(date|time|timestamp|localtime|localtimestamp)|localtime|localtimestamp|sysdate)\b(?!\s*\.)
    |'(now|today|tomorrow|yesterday)'\s*(::|as)\s*(date|time)|\b(date|timestamp)\s+'(now|today|tomorrow|yesterday)'
    |\b(run_started_at|invocation_id|modules|env_var|thread_id)\b""",
    re.IGNORECASE | re.VERBOSE,
)
RANKED_WITHOUT_ORDER = re.compile(
    r"\b(row_number|lag|lead)\s*\([^()]*\)\s*over\s*\(\s*(?:partition(?:(?!order by)[^()])*)?\)", re.IGNORECASE
)


@pytest.fixture(scope="module")
def nodes() -> dict[str, Any]:
    """The project's models and sources by unique id."""
    manifest = project()
    models = {key: node for key, node in manifest.nodes.items() if node.resource_type == "model"}
    return models | dict(manifest.sources)


def _models(nodes: dict[str, Any], folder: str) -> list[Any]:
    return [node for node in nodes.values() if node.original_file_path.startswith(f"models/{folder}/")]


def test_marts_read_core_only(nodes: dict[str, Any]) -> None:
    strangers = [
        (mart.name, parent)
        for mart in _models(nodes, "marts")
        for parent in mart.depends_on.nodes
        if not (parent in nodes and nodes[parent].original_file_path.startswith("models/core/"))
    ]
    assert strangers == []


def test_staging_only_types_and_renames(nodes: dict[str, Any]) -> None:
    for model in _models(nodes, "staging"):
        assert model.config.materialized == "view"
        assert len(model.depends_on.nodes) == 1
        assert not re.search(r"\b(over|group by|distinct|join)\b", model.raw_code, re.IGNORECASE), model.name


def test_every_model_ends_in_its_last_step(nodes: dict[str, Any]) -> None:
    """Whoever looks into a model runs any of its steps by changing its last word."""
    for model in (node for node in nodes.values() if node.resource_type == "model"):
        steps = re.findall(r"^    (\w+) as \(", model.raw_code, re.MULTILINE)
        if steps:  # an int_<feed>__current is one macro
            assert re.search(rf"select \*\s+from {steps[-1]}\s*$", model.raw_code), model.name


@pytest.mark.parametrize(
    "sql",
    [
        *("current_date", "CURRENT_DATE()", "current_timestamp", "localtimestamp", "current_localtimestamp()", "now()"),
        *("today()", "get_current_timestamp()", "get_current_time ()", "'now'::timestamp", "cast('today' as date)"),
        *("age(ordered_at)", "date 'today'", "transaction_timestamp()", "unix_timestamp()"),
        *("{{ run_started_at }}", "{{ modules.datetime.datetime.now() }}", "{{ dbt.current_timestamp() }}"),
        *("{{ current_timestamp_backcompat() }}", "{{ env_var('TODAY') }}", "{{ invocation_id }}"),
        *("uuid()", "random()", "median(amount)", "first(name)", "stddev_pop(x)", "any_value(name)"),
    ],
)
def test_every_clock_and_every_draw_is_seen(sql: str) -> None:
    assert UNSTABLE.search(f"select {sql} from t")


@pytest.mark.parametrize(
    "sql", ["first_date", "max(ordered_date)", "age(a, b)", "known_since_date", "is_now", "unix_timestamp(day)"]
)
def test_a_date_of_the_data_is_no_clock(sql: str) -> None:
    assert not UNSTABLE.search(f"select {sql} from t")


def test_results_are_the_same_in_every_run(nodes: dict[str, Any]) -> None:
    files = [*PROJECT.glob("models/**/*.sql"), *PROJECT.glob("macros/*.sql")]
    found = {
        (file.name, match.group())
        for file in files
        for match in (*UNSTABLE.finditer(_code(file)), *RANKED_WITHOUT_ORDER.finditer(_code(file)))
    }
    assert found == set()


def test_intermediate_models_are_tables_where_several_models_read_them(nodes: dict[str, Any]) -> None:
    """A table costs a night three times a view; a view that several read is computed several times."""
    models = [node for node in nodes.values() if node.resource_type == "model"]
    read_by = Counter(parent for model in models for parent in model.depends_on.nodes)
    wrong = {
        model.name: model.config.materialized
        for model in _models(nodes, "intermediate")
        if model.config.materialized != "incremental"
        and (model.config.materialized == "table") != (read_by[model.unique_id] > 1)
    }
    assert wrong == {}


def test_marts_are_public_contracts_with_an_owner(nodes: dict[str, Any]) -> None:
    for mart in _models(nodes, "marts"):
        assert mart.contract.enforced, mart.name
        assert mart.access == "public", mart.name
        assert mart.group == mart.name.split("__")[0], mart.name
        assert mart.description.startswith("One row per"), mart.name
        undescribed = [name for name, column in mart.columns.items() if not column.description]
        assert undescribed == [], mart.name


def test_every_feed_of_the_contract_is_a_source(nodes: dict[str, Any]) -> None:
    declared = {node.name for key, node in nodes.items() if key.startswith("source.") and node.source_name == "raw"}
    assert declared >= set(load_contract())


def test_every_parameter_table_is_a_source(nodes: dict[str, Any]) -> None:
    declared = {
        node.name for key, node in nodes.items() if key.startswith("source.") and node.source_name == "estimates"
    }
    assert declared == set(TABLES)


def test_every_var_is_explained_where_it_is_declared() -> None:
    text = (PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
    declared = text[text.index("vars:") : text.index("\nmodels:")]
    unexplained = [
        line for line in declared.splitlines() if line.startswith("    ") and ": " in line and "#" not in line
    ]
    assert unexplained == []


def test_every_var_is_read() -> None:
    """A threshold that nothing asks for would change nothing, in silence."""
    declared = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]["loyalty"]
    files = [*PROJECT.glob("models/**/*.sql"), *PROJECT.glob("macros/*.sql")]
    read = {name for file in files for name in re.findall(r"\bvar\(\s*[\"'](\w+)", _code(file))}
    assert read == set(declared)


def _code(file: Path) -> str:
    """A file's SQL without its comments."""
    text = re.sub(r"\{#.*?#\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"--[^\n]*", "", text)
