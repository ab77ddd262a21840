"""What the dbt project says of its models, and the register of metrics: the ground of all generated pages."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loyalty.common.settings import shipped

WRITTEN = "Written by `python -m loyalty.read.dictionary` from the dbt project. Change the models' yml, not this page."

REGISTER = "dbt_project/seeds/reference/metric_catalogue.csv"


@dataclass(frozen=True)
class Topic:
    """A folder of marts: the pages of docs/metrics that explain it, and the tables to begin with."""

    title: str
    pages: tuple[str, ...]
    start: Mapping[str, str]


TOPICS = {
    "retention": Topic(
        "Retention",
        ("retention", "models"),
        {
            "retention__customers": "Since when does a customer buy, how regularly, and how likely is the next order?",
            "retention__cohort_months": "Do newer customers stay longer than older ones?",
            "retention__revenue_movements": "How did last month's revenue become this month's?",
        },
    ),
    "wallet": Topic(
        "Wallet",
        ("wallet",),
        {
            "wallet__customer_periods": "What share of a customer's spending is ours?",
            "wallet__segment_periods": "Which groups of customers spend more elsewhere?",
        },
    ),
    "satisfaction": Topic(
        "Satisfaction",
        ("satisfaction", "complaints", "surveys"),
        {
            "satisfaction__segment_months": "Does the satisfaction index move, more than by chance?",
            "satisfaction__drivers": "What makes customers satisfied?",
            "satisfaction__complaint_funnel": "Who complains, who gets an answer, who buys again?",
        },
    ),
    "profitability": Topic(
        "Profitability",
        ("profitability",),
        {
            "profitability__customers": "What does each customer bring, from gross sales to profit?",
            "profitability__whale_curve": "How much of the profit do the best customers bring?",
            "profitability__cost_reconciliation": "Where did each cost pool go?",
        },
    ),
    "programme": Topic(
        "Programme",
        ("programme",),
        {
            "programme__months": "How many points are earned, used and lost?",
            "programme__campaigns": "What did a campaign bring?",
        },
    ),
    "loyalty": Topic(
        "Loyalty",
        ("loyalty", "claims"),
        {
            "loyalty__customers": "Is a customer's loyalty true, latent, spurious or absent?",
            "loyalty__next_actions": "Which customers should we contact, and why?",
        },
    ),
    "quality": Topic(
        "Quality",
        ("models",),
        {
            "dq__feeds": "How recent is each feed?",
            "dq__loads": "Which files came, and what happened to them?",
            "dq__quarantined_rows": "Which rows are missing from the marts, and why?",
        },
    ),
}


@dataclass(frozen=True)
class Model:
    """What a page says of a model."""

    name: str
    folder: str
    description: str
    key: tuple[str, ...]
    columns: Mapping[str, tuple[str, str]]
    readers: tuple[str, ...]

    @property
    def topic(self) -> str:
        """The topic of a mart; `quality` for the tables about the pipeline; empty for other models."""
        layer, _, topic = self.folder.partition("/")
        return "quality" if layer == "quality" else topic if layer == "marts" and topic in TOPICS else ""


def models(manifest: Mapping[str, Any]) -> list[Model]:
    """Every model of a dbt manifest, by name."""
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    keys = column_keys(manifest)
    readers: dict[str, list[str]] = {key: [] for key in nodes}
    for node in nodes.values():
        for parent in set(node["depends_on"]["nodes"]) & readers.keys():
            readers[parent].append(node["name"])
    found = [
        Model(
            node["name"],
            str(Path(node["original_file_path"]).parent).removeprefix("models/"),
            plain(node["description"]),
            keys.get(key, ()),
            {
                column["name"]: (plain(str(column["data_type"] or "")), plain(column["description"]))
                for column in node["columns"].values()
            },
            tuple(sorted(readers[key])),
        )
        for key, node in nodes.items()
    ]
    return sorted(found, key=lambda model: model.name)


def column_keys(manifest: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The columns that identify a model's rows, from its tests; the shortest list where there are several."""
    keys: dict[str, tuple[str, ...]] = {}
    for node in manifest["nodes"].values():
        test = node.get("test_metadata") or {}
        if test.get("name") in ("is_key", "unique"):
            columns = (str(test["kwargs"]["column_name"]),)
        elif test.get("name") == "unique_combination":
            columns = tuple(test["kwargs"]["columns"])
        else:
            continue
        known = keys.get(node["attached_node"])
        if known is None or (len(columns), columns) < (len(known), known):
            keys[node["attached_node"]] = columns
    return keys


def plain(text: str) -> str:
    """A text in one line, as a cell of a table takes it."""
    return " ".join(text.split()).replace("|", "\\|")


def read_register() -> list[dict[str, str]]:
    """The rows of the metric register, in their order."""
    file = shipped("dbt_project").parent / REGISTER
    with file.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))
