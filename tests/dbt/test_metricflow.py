"""`mf query`, as analysts call it, gives what the marts have: every metric in every cell, and over groups of rows."""

from __future__ import annotations

import math
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from loyalty.read.catalogue import column_keys, read_register
from loyalty.read.semantic import Metric, SemanticMart, metrics
from worlds import every_column, taken_away
from worlds.warehouse import PROJECT

pytestmark = pytest.mark.slow

MIN_BASE = every_column.VARIABLES["min_base"]
# Of the dimensions of a mart with a row for each customer, the first few with few values are asked for.
MOST_DIMENSIONS, MOST_VALUES = 3, 12


@dataclass(frozen=True)
class Layer:
    """A built shop, the marts with metrics, and `mf query` on them."""

    file: Path
    marts: dict[str, SemanticMart]
    dimensions: set[str]
    query: Callable[..., pd.DataFrame]

    def rows(self, mart: str) -> pd.DataFrame:
        """All rows of a mart."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(f"select * from marts.{mart}").df()


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Iterator[Layer]:
    """The shop with a value in every column, and a copy of the project, since `mf` reads the folder `target` in it."""
    folder = tmp_path_factory.mktemp("metricflow")
    file = taken_away.build(folder / "shop", environment).file
    # a process opens a file with one configuration, and MetricFlow has its own
    for_reading = shutil.copy(file, folder / "copy.duckdb")
    place = shutil.copytree(PROJECT, folder / "dbt_project", ignore=shutil.ignore_patterns("target", "logs"))
    environment.chdir(place)
    environment.setenv("LOYALTY_DEV_FILE", str(file))
    environment.setenv("DBT_PROFILES_DIR", str(place))
    environment.setenv("DBT_PROJECT_DIR", str(place))
    parsed = dbtRunner().invoke(["parse", "--quiet", "--vars", yaml.safe_dump(every_column.VARIABLES)])
    assert parsed.success, parsed.exception
    manifest = parsed.result.writable_manifest().to_dict(omit_none=False)
    keys = {node.rpartition(".")[2]: key for node, key in column_keys(manifest).items()}
    found: dict[str, list[Metric]] = defaultdict(list)
    for metric in metrics(manifest, read_register()):
        found[metric.model.name].append(metric)
    marts = {name: SemanticMart(of_mart[0].model, keys[name], tuple(of_mart)) for name, of_mart in found.items()}
    known = {
        f"{model.name}__{one.name}" for model in parsed.result.semantic_models.values() for one in model.dimensions
    }
    yield Layer(Path(for_reading), marts, known, _query(folder / "answer.csv", environment))
    DuckDBConnectionManager.close_all_connections()


def _query(answer: Path, environment: pytest.MonkeyPatch) -> Callable[..., pd.DataFrame]:
    from dbt_metricflow.cli import main

    # it asks the package index for a newer version
    environment.setattr(main.UpdateChecker, "check", lambda *_: None)

    def query(names: Sequence[str], group_by: Sequence[str]) -> pd.DataFrame:
        command = ["query", "--quiet", "--metrics", ",".join(names), "--csv", str(answer)]
        result = CliRunner().invoke(main.cli, [*command, "--group-by", ",".join(group_by)])
        assert result.exit_code == 0, result.output
        return pd.read_csv(answer, dtype=dict.fromkeys(group_by, "string"), keep_default_na=False, na_values=[""])

    return query


def test_every_cell_of_a_mart_of_groups_is_its_metric(layer: Layer) -> None:
    """A row of these marts is a group, such as a segment in a month: asked for by its key, a metric is its column."""
    wrong: list[str] = []
    seen = 0
    for name, mart in layer.marts.items():
        if mart.has_single_rows:
            continue
        columns = list(mart.grouped_by) if len(mart.key) == 1 else list(mart.key)
        names = [mart.dimension(column) for column in columns]
        rows = layer.rows(name)
        answer = layer.query([one.name for one in mart.found], names)
        left = _texts(rows[columns]).assign(
            **{one.column: rows[one.column] for one in mart.found if one.column not in columns}
        )
        right = (
            _texts(answer[names]).set_axis(columns, axis=1).assign(**{one.name: answer[one.name] for one in mart.found})
        )
        both = left.merge(right, on=columns, how="outer", indicator=True)
        assert (both["_merge"] == "both").all() and len(both) == len(rows), name
        for one in mart.found:
            differing = [
                (expected, actual)
                for expected, actual in zip(both[one.column], both[one.name], strict=True)
                if not _same(expected, actual)
            ]
            wrong += [f"{one.name}: {differing[:3]}"] if differing else []
            seen += int(both[one.name].notna().any())
    assert wrong == [], "\n".join(wrong)
    assert seen > 90


def test_metrics_over_single_rows_are_what_pandas_finds(layer: Layer) -> None:
    """A row of these marts is a customer or an answer: groups of them are worked out a second time here."""
    wrong: list[str] = []
    seen = set()
    for name, mart in layer.marts.items():
        if not mart.has_single_rows:
            continue
        rows = layer.rows(name)
        few = [column for column in mart.grouped_by if 1 < rows[column].nunique() <= MOST_VALUES]
        # a property of customers belongs to the first mart that has it
        own = [column for column in few if mart.dimension(column) in layer.dimensions]
        assert own, name
        for column in own[:MOST_DIMENSIONS]:
            dimension = mart.dimension(column)
            answer = layer.query([one.name for one in mart.found], [dimension])
            actual = answer.set_index(_texts(answer[[dimension]])[dimension])
            for value, group in rows.groupby(_texts(rows[[column]])[column]):
                for one in mart.found:
                    expected, given = _expected(mart, one, group), actual[one.name].get(value)
                    if not _same(expected, given):
                        wrong.append(f"{one.name} of {column} {value}: {expected} expected, {given} given")
                    elif not _is_empty(given):
                        seen.add(one.name)
    assert wrong == [], "\n".join(wrong)
    assert len(seen) > 50


def test_what_does_not_add_up_is_empty(layer: Layer) -> None:
    """Two currencies, all segments with their total, two months of a stock."""
    month, by = "metric_time__month", "retention_segment_months__segment_by"
    names = ["retention_segment_months_new_count", "retention_segment_months_active_end_count"]
    assert layer.query(names, [month])[names].isna().all(axis=None)
    by_cut = layer.query(names, [by])
    assert by_cut[names[0]].notna().all() and by_cut[names[1]].isna().all()
    profit = ["profitability_customers_net_amount"]
    assert len(set(layer.rows("profitability__customers")["currency_code"].dropna())) > 1
    assert layer.query(profit, ["profitability_customers__base"])[profit[0]].isna().any()


def _expected(mart: SemanticMart, one: Metric, group: pd.DataFrame) -> float | None:
    """The metric of some rows, worked out from the pages and not from the SQL that MetricFlow is given."""
    used = [one.column] if isinstance(one.how, str) else list(one.how)
    rows = group[group["is_counted"]] if "is_counted" in group else group
    rows = rows[~rows["is_partial_month"]] if one.kind == "ratio" and "is_partial_month" in rows else rows
    parts = pd.DataFrame({expr: _numbers(rows, expr) for expr in used}, index=rows.index).dropna()
    rows = rows.loc[parts.index]
    if parts.empty or not _adds_up(mart, one, rows):
        return None
    if one.kind in ("sum", "stock"):
        return float(parts[one.column].sum())
    if len(parts) < MIN_BASE:
        return None
    if one.kind in ("mean", "share"):
        return float(parts[one.column].mean())
    below = parts[used[1]].sum()
    return float(parts[used[0]].sum() / below) if below > 0 else None


def _adds_up(mart: SemanticMart, one: Metric, rows: pd.DataFrame) -> bool:
    """Whether rows are of one survey, currency and kind of period, and no total is among its parts."""
    names = ["survey_id", "respondent_type", "dimension", "period_grain"]
    names += ["currency_code"] if "amount" in f"{one.how} {one.column}" else []
    names += [mart.time] if one.kind == "stock" else []
    totals = rows["category"] == "all" if "category" in rows and "period_grain" in rows else pd.Series(dtype=bool)
    return all(len(set(one.fillna("none"))) < 2 for one in [totals, *(rows[name] for name in names if name in rows)])


def _numbers(rows: pd.DataFrame, expr: str) -> pd.Series[float]:
    return rows.eval(expr).astype("Float64").astype(float) if not expr.isidentifier() else rows[expr].astype(float)


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of a key as texts that two sources write alike: dates by their day, empty as a word."""
    words = {"True": "true", "False": "false"}
    return frame.apply(
        lambda column: (
            column.astype("string").str.replace(r"[T ]00:00:00$", "", regex=True).replace(words).fillna("none")
        )
    )


def _same(expected: Any, actual: Any) -> bool:
    if _is_empty(expected) or _is_empty(actual):
        return _is_empty(expected) and _is_empty(actual)
    return math.isclose(float(expected), float(actual), rel_tol=1e-9, abs_tol=1e-9)


def _is_empty(value: Any) -> bool:
    return value is None or bool(pd.isna(value))
