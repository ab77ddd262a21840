"""Metrics for dbt's semantic layer: what MetricFlow reads, written from the marts' yml and the register of metrics.

A column of a mart that adds up says so in its yml, `config: {meta: {metric: ...}}`:

- `sum`: add it up over the rows.
- `stock`: the same within one period, because the stocks of two months do not add up.
- `mean` of a number, `share` of a yes or no: in a mart with one row for each customer or answer.
- `[numerator, denominator]`: add up both, then divide; a third place is the base where the denominator is none.

The metrics keep the rules of the marts. A rate on less than `min_base` is NULL, and so is every figure over rows that
do not add up: two currencies, two surveys, a total and its parts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from loyalty.read.catalogue import REGISTER, TOPICS, WRITTEN, Model, column_keys, models

FOLDER = "semantic"
PAGE = "metrics-by-name.md"
KINDS = ("sum", "stock", "mean", "share")
MIN_BASE = "{{ var('min_base') }}"

# MetricFlow joins marts on these: the customer or the answer that a row is about.
ENTITIES = {"customer_key": "customer", "response_key": "response"}
# Surveys are never pooled, nor kinds of respondents.
NEVER_POOLED = ("survey_id", "respondent_type")
# Rows of a mart that differ in one of these count the same customers or orders again.
VIEWS = re.compile(r".*_by|.*_grain|basis|brand|dimension|measure|programme_id|month_number|age_months")
# Columns that explain a row, or name a person: nothing to group by.
NOT_GROUPED = re.compile(r".*_reason|warning|caveat|customer_id|is_suppressed|.*_key")
# MetricFlow keeps these names for itself.
GRAINS = ("day", "week", "month", "quarter", "year")

Register = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Metric:
    """A column of a mart that adds up; `how` as its yml says it, `ids` and words from the register."""

    model: Model
    column: str
    how: str | Sequence[str]
    label: str
    description: str
    ids: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in MetricFlow, which does not allow two underscores in a row."""
        return f"{self.model.name}_{self.column}".replace("__", "_")

    @property
    def kind(self) -> str:
        """`sum`, `stock`, `mean`, `share` or `ratio`."""
        return self.how if isinstance(self.how, str) else "ratio"

    @property
    def is_money(self) -> bool:
        """An amount, which has no smallest base: a cost per order is known from the first order on."""
        return _is_money(self.column)


def metrics(manifest: Mapping[str, Any], register: Register) -> list[Metric]:
    """Every metric that a mart's yml declares, by mart and column; ValueError for a declaration that is none."""
    defined: dict[tuple[str, str], list[Mapping[str, str]]] = defaultdict(list)
    for row in register:
        defined[row["model"], row["column"]].append(row)
    nodes = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    found: list[Metric] = []
    for model in (one for one in models(manifest) if one.topic):
        for column, (_, says) in model.columns.items():
            how = nodes[model.name]["columns"][column]["config"].get("meta", {}).get("metric")
            if how is None:
                continue
            if isinstance(how, str) and how not in KINDS:
                raise ValueError(f"{model.name}.{column}: metric is {how}, not {', '.join(KINDS)} or a ratio's parts.")
            if not _dates(model):
                raise ValueError(f"{model.name}.{column}: a metric of MetricFlow needs a mart with a date.")
            rows = defined[model.name, column]
            label = rows[0]["name_en"] if rows else column.replace("_", " ").capitalize()
            # MetricFlow wants each label once
            label += f" ({model.name})" if label in {one.label for one in found} else ""
            ids = tuple(dict.fromkeys(row["id"] for row in rows))
            found.append(Metric(model, column, how, label, (rows[0]["definition"] if rows else "") or says, ids))
    return found


def not_metrics(manifest: Mapping[str, Any], register: Register) -> list[tuple[Mapping[str, str], str]]:
    """The rows of the register that are no metric of MetricFlow, each with the reason."""
    there = {(metric.model.name, metric.column) for metric in metrics(manifest, register)}
    known = {model.name: model for model in models(manifest)}
    rest = (row for row in register if (row["model"], row["column"]) not in there)
    return [(row, _why_not(known.get(row["model"]), row["column"])) for row in rest]


def _why_not(model: Model | None, column: str) -> str:
    if model is None:
        return "No column answers it."
    if model.topic == "quality":
        return "It is about the pipeline, not about customers."
    if model.columns[column][0] in ("string", "date", "boolean"):
        return "It is a property of a row: group or filter by it."
    if not _dates(model):
        return "Its mart has no date, and a metric of MetricFlow is measured over time."
    return "Sums over the rows of its mart do not give it: a median, fit, rank, change, or share of a total."


def semantic_files(manifest: Mapping[str, Any], register: Register) -> dict[str, str]:
    """The semantic models and metrics as files of `dbt_project/semantic`, one for each topic."""
    keys = {node.rpartition(".")[2]: key for node, key in column_keys(manifest).items()}
    by_topic: dict[str, dict[str, list[Metric]]] = {topic: defaultdict(list) for topic in TOPICS}
    for metric in metrics(manifest, register):
        by_topic[metric.model.topic][metric.model.name].append(metric)
    files = {}
    given: set[str] = set()
    for topic, by_mart in by_topic.items():
        marts = [SemanticMart(found[0].model, keys[name], tuple(found)) for name, found in by_mart.items()]
        if marts:
            files[f"{topic}.yml"] = as_yml(
                {
                    "semantic_models": [mart.semantic_model(given) for mart in marts],
                    "metrics": [one for mart in marts for one in mart.written_metrics()],
                }
            )
    return files


def as_yml(content: Mapping[str, Any]) -> str:
    """A generated file of the folder `semantic`."""
    says = WRITTEN.replace("the dbt project", f"the marts' yml, {REGISTER} and figures.py").replace("page", "file")
    return f"# {says}\n" + yaml.safe_dump(dict(content), sort_keys=False, width=120, allow_unicode=True)


@dataclass(frozen=True)
class SemanticMart:
    """One mart for MetricFlow: what its metrics are grouped by, what they add up, and when they are NULL."""

    model: Model
    key: tuple[str, ...]
    found: tuple[Metric, ...]

    @property
    def name(self) -> str:
        """The semantic model's name, and its dimensions' first word."""
        return self.model.name.replace("__", "_")

    @property
    def time(self) -> str:
        """The date column that its metrics go by."""
        return _dates(self.model)[0]

    @cached_property
    def has_single_rows(self) -> bool:
        """One row for each customer or answer, or for each of their periods: a base is a number of rows."""
        return any(column in ENTITIES for column in self.model.columns)

    @cached_property
    def grouped_by(self) -> tuple[str, ...]:
        """The columns that are dimensions."""
        return tuple(
            name
            for name, (kind, _) in self.model.columns.items()
            if name not in ENTITIES
            and (
                name in self.key
                or kind == "date"
                or (kind in ("string", "boolean") and not NOT_GROUPED.fullmatch(name))
            )
        )

    def dimension(self, column: str) -> str:
        """What `mf query --group-by` calls a column of the mart."""
        grain = f"__{_grain(column)}" if column in _dates(self.model) else ""
        return f"{self.name}__{_dimension(column)}{grain}"

    def semantic_model(self, given: set[str]) -> dict[str, Any]:
        """The semantic model as MetricFlow reads it.

        `given` are the properties of customers that another mart has given already: MetricFlow takes a property from
        one place. Those of this mart are added.
        """
        columns = self.grouped_by
        if self.key == ("customer_key",):
            columns = tuple(name for name in columns if name not in given or name == self.time)
            given.update(columns)
        entities = [
            {"name": name, "type": "unique" if self.key == (column,) else "foreign", "expr": column}
            for column, name in ENTITIES.items()
            if column in self.model.columns
        ]
        return {
            "name": self.name,
            "description": self.model.description,
            "model": f"ref('{self.model.name}')",
            "primary_entity": self.name,
            "defaults": {"agg_time_dimension": _dimension(self.time)},
            **({"entities": entities} if entities else {}),
            "dimensions": [self._written_dimension(column) for column in columns],
            "measures": [measure for metric in self.found for measure in self._measures(metric)],
        }

    def written_metrics(self) -> list[dict[str, Any]]:
        """The metrics as MetricFlow reads them; those of their parts come from the measures."""
        return [
            {
                "name": metric.name,
                "label": metric.label,
                "description": metric.description,
                "type": "derived",
                "type_params": {
                    "expr": self._result(metric),
                    "metrics": [{"name": f"{metric.name}_{part}", "alias": part} for part in self._parts(metric)],
                },
                "config": {"meta": {"mart": self.model.name, "column": metric.column, "ids": list(metric.ids)}},
            }
            for metric in self.found
        ]

    def _written_dimension(self, column: str) -> dict[str, Any]:
        is_date = column in _dates(self.model)
        kind = {"type": "time", "type_params": {"time_granularity": _grain(column)}}
        return {
            "name": _dimension(column),
            "description": self.model.columns[column][1],
            **(kind if is_date else {"type": "categorical"}),
            "expr": column,
        }

    def _measures(self, metric: Metric) -> list[dict[str, Any]]:
        where = " and ".join(self._conditions(metric))
        return [
            {
                "name": f"{metric.name}_{part}",
                "agg": agg,
                "expr": f"case when {where} then {expr} end",
                "create_metric": True,
            }
            for part, (agg, expr) in self._parts(metric).items()
        ]

    def _used(self, metric: Metric) -> tuple[str, ...]:
        """The expressions over columns that a metric rests on."""
        return (metric.column,) if isinstance(metric.how, str) else tuple(metric.how)

    def _parts(self, metric: Metric) -> dict[str, tuple[str, str]]:
        """What a metric adds up: the name of the part, MetricFlow's aggregation and the expression."""
        column = metric.column
        value = f"case when {column} then 1 else 0 end" if self.model.columns[column][0] == "boolean" else column
        if metric.kind in ("sum", "stock"):
            parts = {"total": ("sum", value)}
        elif metric.kind in ("mean", "share"):
            parts = {"numerator": ("sum", value), "denominator": ("sum", "1")}
        else:
            parts = {
                name: ("sum", expr)
                for name, expr in zip(("numerator", "denominator", "base"), metric.how, strict=False)
            }
            if self.has_single_rows:
                parts["base"] = ("sum", "1")
        cuts = [f"cast({expr} as varchar)" for expr in self._cuts(metric)]
        return parts | ({"cuts": ("count_distinct", f"concat_ws('|', {', '.join(cuts)})")} if cuts else {})

    def _conditions(self, metric: Metric) -> list[str]:
        """Which rows a metric adds up."""
        used = self._used(metric)
        found = [f"{expr} is not null" if expr.isidentifier() else f"({expr}) is not null" for expr in used]
        if "is_counted" in self.model.columns:
            found.append("is_counted")
        has_running_month = "is_partial_month" in self.model.columns
        if metric.kind == "ratio" and self.has_single_rows:
            found += ["not is_partial_month"] if has_running_month else []
        elif metric.kind == "ratio":
            # a rate that is empty for another reason than a small base was not observed
            is_small = f"{used[-1]} < {MIN_BASE}" + (" and not is_partial_month" if has_running_month else "")
            small = f" or ({is_small})" if _is_count(used[-1]) else ""
            found.append(f"({metric.column} is not null{small})")
        return found

    def _cuts(self, metric: Metric) -> list[str]:
        """What rows must have in common to add up."""
        columns = self.model.columns
        has_made_key = len(self.key) == 1 and self.key[0] not in ENTITIES
        identifying = list(columns) if has_made_key else list(self.key)
        views = [name for name in identifying if VIEWS.fullmatch(name)]
        totals = [
            f"coalesce({name} = 'all', false)"
            for name in identifying
            if columns[name][0] == "string" and name not in views and not NOT_GROUPED.fullmatch(name)
        ]
        found = [*(name for name in NEVER_POOLED if name in columns), *views, *totals]
        if "currency_code" in columns and any(map(_is_money, self._used(metric))):
            found.append("currency_code")
        if metric.kind == "stock":
            found.append(self.time)
        return list(dict.fromkeys(found))

    def _result(self, metric: Metric) -> str:
        """The SQL of the metric over its parts."""
        parts = self._parts(metric)
        conditions = ["cuts = 1"] if "cuts" in parts else []
        if "total" in parts:
            return f"case when {conditions[0]} then total end" if conditions else "total"
        is_counted = "base" not in parts and not metric.is_money and _is_count(self._used(metric)[-1])
        base = "denominator" if is_counted or metric.kind != "ratio" else "base" if "base" in parts else None
        conditions += [f"{base} >= {MIN_BASE}"] if base else []
        conditions += [] if base == "denominator" else ["denominator > 0"]
        return f"case when {' and '.join(conditions)} then numerator / denominator end"


def metrics_page(manifest: Mapping[str, Any], register: Register) -> str:
    """The page that lists the metrics by name, and what of the register is none."""
    lines = ["# Metrics by name", "", WRITTEN, ""]
    lines += ["`mf query --metrics NAME` answers these; [analysts.md](analysts.md#metrics-by-name) shows how."]
    found = metrics(manifest, register)
    for topic, said in TOPICS.items():
        of_topic = [metric for metric in found if metric.model.topic == topic]
        if of_topic:
            lines += ["", f"## {said.title}", "", "| metric | it is | id |", "|---|---|---|"]
            lines += [f"| `{one.name}` | {one.label} | {', '.join(one.ids)} |" for one in of_topic]
    lines += ["", "## What has no metric", "", "Ask their marts: [metric-reference.md](metric-reference.md)."]
    reasons: dict[str, list[str]] = defaultdict(list)
    for row, reason in not_metrics(manifest, register):
        reasons[reason].append(f"{row['name_en']} ({row['id']})")
    for reason, names in reasons.items():
        lines += ["", f"{reason}", "", *(f"- {name}" for name in dict.fromkeys(names))]
    return "\n".join(lines) + "\n"


def _dates(model: Model) -> list[str]:
    """The date columns of a mart, the one that its metrics go by first."""
    found = [name for name, (kind, _) in model.columns.items() if kind == "date"]
    return sorted(found, key=lambda name: name != "month")


def _dimension(column: str) -> str:
    return f"{column}_start" if column in GRAINS else column


def _grain(column: str) -> str:
    words = column.split("_")
    return "month" if "month" in words else "quarter" if {"quarter", "period"} & set(words) else "day"


def _is_count(expr: str) -> bool:
    return expr.endswith(("_count", "_size"))


def _is_money(expr: str) -> bool:
    return "amount" in expr or "cost" in expr
