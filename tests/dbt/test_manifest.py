"""Rules of the dbt project that a reader may rely on, held over the parsed manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from loyalty.build.dbt_runner import model_docs
from loyalty.build.estimates.runner import STEPS, TABLES
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


# What Spark reads otherwise, or not at all: the name of a window before a minus goes on after it (`whole-a`), `not` may
# not follow a comparison, a text without a length is `string`, and a decimal divided by a number is cut to a few digits
# (`div` divides doubles).
NOT_ON_SPARK = re.compile(
    r"\bover\s+\w+\s*-|(?:=|<>|<|>)\s*not\b|\bas\s+(?:text|varchar)\b(?!\s*\()|(?<!/)/\s*\d", re.IGNORECASE
)
TEXTS_WITHOUT_LENGTH = {"text", "varchar"}


@pytest.fixture(scope="module")
def nodes() -> dict[str, Any]:
    """The project's models and sources by unique id."""
    manifest = project()
    models = {key: node for key, node in manifest.nodes.items() if node.resource_type == "model"}
    return models | dict(manifest.sources)


def _models(nodes: dict[str, Any], folder: str) -> list[Any]:
    return [node for node in nodes.values() if node.original_file_path.startswith(f"models/{folder}/")]


# The layers in the order in which the data pass them; a layer reads itself and those before it.
LAYERS = {
    "staging": "staging",
    "intermediate": "intermediate",
    "core": "core",
    "core/steps": "core",
    "estimates": "estimates",
    "marts/<topic>/steps": "steps",
    "marts/<topic>": "marts",
    "quality": "quality",
}
ORDER = list(dict.fromkeys(LAYERS.values()))
TOPICS = {"customers", "orders", "retention", "wallet", "satisfaction", "profitability", "programme", "loyalty"}


def _folder(model: Any) -> tuple[str, str]:
    """The folder of the project's layout that a model is in, and the topic or feed that the path names."""
    parts = Path(model.original_file_path).parts[1:-1]
    if parts[0] == "marts":
        return "/".join(("marts", "<topic>", *parts[2:])), parts[1]
    if parts[:2] == ("core", "steps"):
        return "core/steps", parts[2]
    return parts[0], parts[1] if len(parts) > 1 else ""


def _edges(nodes: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Every model with every model that it reads."""
    for model in nodes.values():
        if model.resource_type == "model":
            yield from ((model, nodes[key]) for key in model.depends_on.nodes if key.startswith("model."))


def test_every_model_is_in_a_folder_of_the_layout(nodes: dict[str, Any]) -> None:
    for model in (node for node in nodes.values() if node.resource_type == "model"):
        folder, topic = _folder(model)
        assert folder in LAYERS, f"{model.original_file_path} is in no layer; the layers are {', '.join(LAYERS)}"
        assert folder == "staging" or topic in TOPICS | {""}, f"{model.original_file_path}: there is no topic {topic}"


def test_layers_only_go_forward(nodes: dict[str, Any]) -> None:
    def rank(model: Any) -> int:
        return ORDER.index(LAYERS[_folder(model)[0]])

    backward = [f"{model.name} reads {parent.name}" for model, parent in _edges(nodes) if rank(parent) > rank(model)]
    assert backward == []


def test_marts_read_core_and_their_own_steps_only(nodes: dict[str, Any]) -> None:
    sources = [
        (mart.name, key)
        for mart in nodes.values()
        if mart.resource_type == "model" and _folder(mart)[0] == "marts/<topic>"
        for key in mart.depends_on.nodes
        if not key.startswith("model.")
    ]
    strangers = [
        f"{mart.name} reads {parent.name}"
        for mart, parent in _edges(nodes)
        if _folder(mart)[0] == "marts/<topic>" and _folder(parent)[0] not in ("core", "marts/<topic>/steps")
    ]
    assert (sources, strangers) == ([], [])


def test_steps_are_private(nodes: dict[str, Any]) -> None:
    """A step is read inside its topic only, and a step of core by core only: so dbt refuses any other ref."""
    for model in (node for node in nodes.values() if node.resource_type == "model"):
        folder, topic = _folder(model)
        if folder.endswith("steps"):
            assert model.access == "private", model.name
            assert model.group == ("core" if folder == "core/steps" else topic), model.name
    strangers = [
        f"{model.name} reads {parent.name}"
        for model, parent in _edges(nodes)
        if _folder(parent)[0].endswith("steps") and model.group != parent.group
    ]
    assert strangers == []


def test_statistics_are_read_inside_their_topic(nodes: dict[str, Any]) -> None:
    strangers = [
        f"{model.name} reads {parent.name}"
        for model, parent in _edges(nodes)
        if _folder(parent)[0] == "estimates" and _folder(model)[1] != _folder(parent)[1]
    ]
    assert strangers == []


def test_core_is_what_more_than_one_topic_reads(nodes: dict[str, Any]) -> None:
    read_by: dict[str, set[str]] = {}
    for model, parent in _edges(nodes):
        read_by.setdefault(parent.unique_id, set()).add(model.unique_id)

    @cache
    def topics(key: str) -> frozenset[str]:
        folder, topic = _folder(nodes[key])
        own = {topic} if folder == "marts/<topic>" else set()
        return frozenset(own.union(*(topics(reader) for reader in read_by.get(key, ()))))

    lonely = {
        model.name: set(topics(model.unique_id))
        for model in _models(nodes, "core")
        if _folder(model)[0] == "core" and len(topics(model.unique_id)) < 2
    }
    assert lonely == {}, "these serve one topic only: make them steps of it"


def test_every_estimate_is_an_exposure_of_what_it_reads_and_writes() -> None:
    """What Python reads between two runs of dbt is part of the lineage."""
    known = project().nodes  # with the seeds
    declared = {
        exposure.name: (
            {f"{known[key].schema}.{known[key].name}" for key in exposure.depends_on.nodes},
            set(exposure.config.meta["writes"]),
        )
        for exposure in project().exposures.values()
    }
    code = {
        step.__name__.rpartition(".")[2]: (
            {
                value
                for value in vars(step).values()
                if isinstance(value, str) and re.match(r"(core|statistics|reference)\.", value)
            },
            set(step.TABLES),
        )
        for step in STEPS
    }
    assert declared == code, "edit models/estimates/exposures.yml"


def test_statistics_need_no_estimate(nodes: dict[str, Any]) -> None:
    """They are built before the estimates, which read them."""
    late = {key for key, node in nodes.items() if node.resource_type == "source" and node.source_name == "estimates"}
    waiting = [model for model in nodes.values() if model.resource_type == "model"]
    while found := [model for model in waiting if late & set(model.depends_on.nodes)]:
        late |= {model.unique_id for model in found}
        waiting = [model for model in waiting if model.unique_id not in late]
    assert [key for key in late if key.startswith("model.") and _folder(nodes[key])[0] == "estimates"] == []


def test_the_yml_of_a_model_holds_it_alone(nodes: dict[str, Any]) -> None:
    """Description, columns, data tests and unit tests of `<model>.sql` are in `<model>.yml` beside it."""
    for model in (node for node in nodes.values() if node.resource_type == "model"):
        file = Path(model.original_file_path).with_suffix(".yml")
        assert model.patch_path == f"loyalty://{file.as_posix()}", model.name
    by_name = {model.name: model for model in nodes.values() if model.resource_type == "model"}
    elsewhere = [
        test.name
        for test in project().unit_tests.values()
        if Path(test.original_file_path) != Path(by_name[test.model].original_file_path).with_suffix(".yml")
    ]
    assert elsewhere == []


def test_staging_only_types_and_renames_the_newest_rows_of_its_feed(nodes: dict[str, Any]) -> None:
    for model in _models(nodes, "staging"):
        feed = _folder(model)[1]
        assert set(model.depends_on.nodes) == {f"source.loyalty.raw.{feed}", "source.loyalty.raw.loads"}
        assert f'newest_rows("{feed}"' in re.sub(r"\s", "", model.raw_code), model.name
        assert not re.search(r"\b(over|group by|distinct|join)\b", model.raw_code, re.IGNORECASE), model.name


def test_every_model_ends_in_its_last_step(nodes: dict[str, Any]) -> None:
    """An analyst runs any step of a model by changing the last word of the model."""
    for model in (node for node in nodes.values() if node.resource_type == "model"):
        steps = re.findall(r"^    (\w+) as \(", model.raw_code, re.MULTILINE)
        if steps:  # a model of one select has none
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


def test_the_folder_alone_decides_how_a_model_is_built() -> None:
    """One rule in dbt_project.yml, and no model that knows better."""
    own = [file.name for file in PROJECT.glob("models/**/*.sql") if re.search(r"\bconfig\(", _code(file))]
    assert own == []


def test_marts_are_public_contracts_with_an_owner(nodes: dict[str, Any]) -> None:
    for mart in (node for node in _models(nodes, "marts") if _folder(node)[0] == "marts/<topic>"):
        assert mart.contract.enforced, mart.name
        assert mart.access == "public", mart.name
        assert mart.group == mart.name.split("__")[0], mart.name
        assert mart.description.startswith("One row per"), mart.name
        undescribed = [name for name, column in mart.columns.items() if not column.description]
        assert undescribed == [], mart.name


def test_every_seed_is_described_with_all_its_columns() -> None:
    seeds = model_docs(project().writable_manifest(), ("reference",))
    found = {seed.name: {column.name for column in seed.columns if column.description} for seed in seeds}
    for file in (PROJECT / "seeds").rglob("*.csv"):
        header = file.read_text(encoding="utf-8").split("\n", 1)[0].strip().split(",")
        assert found.get(file.stem) == set(header), f"describe each column in {file.with_suffix('.yml')}"


def test_every_feed_of_the_contract_is_a_source(nodes: dict[str, Any]) -> None:
    declared = {node.name for key, node in nodes.items() if key.startswith("source.") and node.source_name == "raw"}
    assert declared >= set(load_contract())


def test_every_parameter_table_is_a_source(nodes: dict[str, Any]) -> None:
    declared = {
        node.name for key, node in nodes.items() if key.startswith("source.") and node.source_name == "estimates"
    }
    assert declared == set(TABLES)


def test_every_name_of_a_model_or_unit_test_is_one_on_postgresql() -> None:
    """dbt makes a table of the name of a unit test; PostgreSQL's names have 63 characters."""
    manifest = project()
    tested = [node.name for node in manifest.unit_tests.values()]
    built = [node.name for node in manifest.nodes.values() if node.resource_type in ("model", "seed")]
    assert len(tested) > 200
    assert [name for name in [*tested, *built] if len(name) > 63] == []


@pytest.mark.parametrize(
    "sql",
    [
        *("sum(a) over whole - a", "is_counted = not is_duplicate", "a <> not b"),
        *("cast(a as text)", "cast(a as varchar)", "a / 100", "1.0 / 3"),
    ],
)
def test_what_spark_does_not_read_is_seen(sql: str) -> None:
    assert NOT_ON_SPARK.search(f"select {sql} from t")


@pytest.mark.parametrize(
    "sql", ["(sum(a) over whole) - a", "sum(a) over (order by b) - a", "a is not null", "cast(a as varchar(60))"]
)
def test_what_spark_reads_is_not_refused(sql: str) -> None:
    assert not NOT_ON_SPARK.search(f"select {sql} from t")


def test_every_type_and_expression_is_one_on_spark() -> None:
    manifest = project()
    models = [node for node in manifest.nodes.values() if node.resource_type in ("model", "seed")]
    typed = [(node.name, str(column.data_type)) for node in models for column in node.columns.values()]
    typed += [(node.name, kind) for node in models for kind in (node.config.get("column_types") or {}).values()]
    assert [one for one in typed if one[1] in TEXTS_WITHOUT_LENGTH] == []
    tests = [node for node in manifest.nodes.values() if node.resource_type == "test"]
    sql = [(node.name, node.raw_code) for node in (*models, *tests)]
    sql += [(node.name, str(node.test_metadata.kwargs)) for node in tests if getattr(node, "test_metadata", None)]
    sql += [
        (macro.name, macro.macro_sql)
        for macro in manifest.macros.values()
        if macro.package_name == "loyalty" and not macro.name.startswith("postgres_")
    ]
    found = {(name, one.group()) for name, text in sql for one in NOT_ON_SPARK.finditer(_plain_sql(text))}
    assert found == set()


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
    return _uncommented(file.read_text(encoding="utf-8"))


def _uncommented(sql: str) -> str:
    return re.sub(r"--[^\n]*", "", re.sub(r"\{#.*?#\}", "", sql, flags=re.DOTALL))


def _plain_sql(sql: str) -> str:
    """SQL without comments and Jinja's statements."""
    return re.sub(r"\{%.*?%\}", "", _uncommented(sql), flags=re.DOTALL)
