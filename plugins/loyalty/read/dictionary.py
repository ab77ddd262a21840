"""The pages about marts, core models, macros and metrics, written from what the dbt project says of itself.

`python -m loyalty.read.dictionary` writes docs/marts.md, docs/marts/, docs/metric-reference.md, docs/core.md and
docs/macros.md; from the same also dbt_project/semantic and docs/metrics-by-name.md (semantic.py, exposures.py) and the
datasets of bi/superset (superset.py). Tests compare all of them with the project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loyalty.common.settings import shipped
from loyalty.read import exposures, semantic, superset
from loyalty.read.catalogue import REGISTER, TOPICS, WRITTEN, Model, models, plain, read_register

# What the letter of a metric's id means, in English and Chinese.
AREAS = {
    "A": ("Satisfaction", "客户满意"),
    "B": ("Survey work", "调查工作"),
    "C": ("Attitudes and signs of loyalty", "忠诚态度与标志"),
    "D": ("Retention and behaviour", "客户留存与行为"),
    "E": ("Share of wallet", "钱包份额"),
    "F": ("Profitability", "客户盈利"),
    "G": ("Complaints", "投诉"),
    "H": ("Word of mouth", "口碑"),
    "I": ("Programme, campaigns, touchpoints, offer, data", "忠诚度计划、营销活动、触点、商品与数据"),
}

# Of the marts that have a key, the page names so many.
MOST_SHOWN = 12
# Columns on which marts are joined, and what they name.
JOIN_KEYS = {
    ("customer_key",): "a customer, with merges resolved; `customer_id` is the id in the shop's system",
    ("segment_by", "segment"): "a group of customers; `segment_by` says which attribute; 'all' is all customers",
    ("month",): "a calendar month, by its first day",
    ("cohort_month",): "the month of a customer's first order",
    ("survey_id", "wave"): "one round of a survey",
    ("category", "period_grain", "period_start_date"): "a category in a quarter or year",
    ("campaign_key",): "a campaign",
    ("currency_code",): "the currency of the amounts; never add two of them",
}

# The macros that are useful in a mart.
MACROS = {
    "Shares, means and their intervals": (
        *("div", "rounded", "percentile", "count_where", "is_enough"),
        *("suppress_small", "suppress_small_mean", "suppress_small_rate"),
        *("with_interval", "mean_with_interval", "month_rate", "wilson_low", "wilson_high", "difference_bound"),
        *("variance_of_sums", "amount_product"),
    ),
    "Days, months and periods": (
        *("days_between", "months_between", "time_between", "add_days", "add_months", "week_start", "month_start"),
        *("window_start", "by_period"),
    ),
    "Comparison of two groups": ("odds_ratio", "log_odds_error", "risk_ratio", "log_risk_error"),
    "Groups of customers": ("stage_on", "tenure_band", "rfm_segment", "also_as_all"),
    "Types, keys, columns and spines": (
        *("type_double", "type_amount", "try_cast", "made_key", "base_key", "x_columns", "numbers"),
    ),
}
MACRO = re.compile(
    r"(?:\{#(?P<says>(?:(?!#\}).)*)#\}\s*)?\{%-? macro (?P<name>\w+)\((?P<arguments>.*?)\) *-?%\}", re.DOTALL
)


def pages(
    manifest: Mapping[str, Any], register: Iterable[Mapping[str, str]], macros: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    """Every generated page by its path under docs/; `macros` gives the arguments and the comment of each macro."""
    register = list(register)
    known = models(manifest)
    by_topic = {topic: [model for model in known if model.topic == topic] for topic in TOPICS}
    return {
        "marts.md": _index(by_topic, len({row["id"] for row in register})),
        **{f"marts/{topic}.md": _topic_page(topic, found) for topic, found in by_topic.items()},
        "metric-reference.md": _reference(register),
        "core.md": _core_page(known),
        "macros.md": _macros_page(macros),
    }


def _index(by_topic: Mapping[str, list[Model]], metric_count: int) -> str:
    lines = [
        "# All marts",
        "",
        WRITTEN,
        "",
        "## Start here",
        "",
        "| topic | start with | it answers |",
        "|---|---|---|",
    ]
    for topic, found in by_topic.items():
        names = {model.name for model in found}
        for mart, question in TOPICS[topic].start.items():
            if mart in names:
                lines.append(f"| [{TOPICS[topic].title}](marts/{topic}.md) | `{mart}` | {question} |")
    lines += ["", "Each topic has a page with all its marts and columns:", ""]
    for topic, found in by_topic.items():
        schema = "quality" if topic == "quality" else "marts"
        lines.append(f"- [{TOPICS[topic].title}](marts/{topic}.md): {len(found)} tables in the schema `{schema}`")
    lines += [
        "",
        f"What the {metric_count} metrics are, in English and Chinese: [metric-reference.md](metric-reference.md), and",
        "the table `quality.dq__metric_catalogue`. What the words mean: [metrics.md](metrics.md).",
        "",
        "## Join marts",
        "",
    ]
    lines += ["Join on all columns of a row. Two marts of different grain: first aggregate the finer one.", ""]
    lines += ["| columns | they name | in |", "|---|---|---|"]
    everything = [model for found in by_topic.values() for model in found]
    for columns, meaning in JOIN_KEYS.items():
        has = [f"`{model.name}`" for model in everything if set(columns) <= model.columns.keys()]
        if has:
            shown = has if len(has) <= MOST_SHOWN else [*has[:MOST_SHOWN], f"and {len(has) - MOST_SHOWN} more"]
            lines.append(f"| {_code(columns)} | {meaning} | {', '.join(shown)} |")
    return _page(lines)


def _topic_page(topic: str, found: list[Model]) -> str:
    said = TOPICS[topic]
    links = ", ".join(f"[metrics/{page}.md](../metrics/{page}.md)" for page in said.pages)
    lines = [f"# {said.title}", "", WRITTEN, "", f"Formulas, and when a figure misleads: {links}."]
    lines += ["", "## Start here", "", "| table | it answers |", "|---|---|"]
    names = {model.name for model in found}
    lines += [f"| [`{mart}`](#{mart}) | {question} |" for mart, question in said.start.items() if mart in names]
    lines += ["", "## All tables", "", "| table | one row is | key |", "|---|---|---|"]
    lines += [f"| [`{model.name}`](#{model.name}) | {_grain(model)} | {_code(model.key)} |" for model in found]
    for model in found:
        lines += ["", f"## {model.name}", "", model.description, "", *_columns(model)]
    return _page(lines)


def _reference(register: list[Mapping[str, str]]) -> str:
    lines = ["# What every metric is / 指标参考", "", WRITTEN.replace("the models' yml", REGISTER), ""]
    lines += [
        "Formulas, and when a figure misleads: [metrics.md](metrics.md). The same list is the table",
        "`quality.dq__metric_catalogue`; the dashboard searches it, on the page *What the figures mean*.",
    ]
    for letter, (english, chinese) in AREAS.items():
        lines += ["", f"## {english} / {chinese}", ""]
        lines += ["| id | metric / 指标 | definition / 定义 | table and column |", "|---|---|---|---|"]
        for row in register:
            if row["id"].startswith(letter):
                names = (row["name_en"], row["name_zh"])
                says = (f"{row['definition']} {row['reason']}", f"{row['definition_zh']}{row['reason_zh']}")
                place = f"`{row['model']}`<br>`{row['column']}`" if row["model"] else ""
                cells = (row["id"], *("<br>".join(map(plain, both)) for both in (names, says)), place)
                lines.append(f"| {' | '.join(cells)} |")
    return _page(lines)


def _core_page(known: list[Model]) -> str:
    core = [model for model in known if model.folder == "core"]
    topics = {model.name: _reading_topic(model) for model in known}
    lines = ["# Core: what models are built on", "", WRITTEN, ""]
    lines += [
        "`dim_*` describe, `fct_*` record. Start with `fct_orders`, `dim_customers` and `dim_dates`. All rows",
        "of a customer join by `customer_key`, in which merges are resolved.",
        "[analysts.md](analysts.md) shows how to add a model.",
        "",
    ]
    lines += ["| model | one row is | key | columns | read by |", "|---|---|---|---|---|"]
    for model in core:
        by = ", ".join(sorted({topics[reader] for reader in model.readers} - {""}))
        lines.append(
            f"| [`{model.name}`](#{model.name}) | {_grain(model)} | {_code(model.key)} | {len(model.columns)} | {by} |"
        )
    for model in core:
        lines += ["", f"## {model.name}", "", model.description, "", *_columns(model)]
        lines += ["", f"Read by {_code(model.readers)}."] if model.readers else []
    return _page(lines)


def _reading_topic(model: Model) -> str:
    """How core's page names the readers of a folder."""
    parts = model.folder.split("/")
    return parts[1] if parts[0] in ("marts", "estimates") and len(parts) > 1 else parts[0]


def _macros_page(macros: Mapping[str, tuple[str, str]]) -> str:
    lines = ["# Macros for analysts", "", WRITTEN.replace("models' yml", "comment above the macro"), ""]
    lines += ["Write `{{ div('profit', 'net') }}` in a model. A macro means the same on DuckDB, PostgreSQL and Spark."]
    for title, names in MACROS.items():
        lines += ["", f"## {title}", "", "| macro | what it gives |", "|---|---|"]
        lines += [f"| `{name}({macros[name][0]})` | {macros[name][1]} |" for name in names]
    return _page(lines)


def documented(text: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each macro of a file with its arguments and its comment; one without a comment shares the one before."""
    before = ""
    for found in MACRO.finditer(text):
        before = plain(found["says"] or "") or before
        yield found["name"], (plain(found["arguments"]), before)


def _grain(model: Model) -> str:
    """The first sentence of a description without its first words, which are the same everywhere."""
    sentence = re.split(r"(?<=[.:]) ", model.description, maxsplit=1)[0].rstrip(".:")
    return re.sub(r"^(One row per|Exactly one row:?) ?", "", sentence) or "the only row"


def _columns(model: Model) -> list[str]:
    key = [f"Key: {_code(model.key)}.", ""] if model.key else []
    lines = [*key, "| column | type | meaning |", "|---|---|---|"]
    return lines + [f"| `{name}` | {kind} | {says} |" for name, (kind, says) in model.columns.items()]


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _page(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def read_macros() -> dict[str, tuple[str, str]]:
    """The arguments and the comment of each macro of the project."""
    files = sorted((shipped("dbt_project") / "macros").rglob("*.sql"))
    return dict(one for file in files for one in documented(file.read_text(encoding="utf-8")))


def main() -> None:
    """Write the pages from the manifest of the last `dbt parse`."""
    project = shipped("dbt_project")
    parsed = project / "target" / "manifest.json"
    if not parsed.exists():
        raise SystemExit(
            "The dbt project is not parsed yet: run `make lint`, which parses it, then this command again."
        )
    manifest = json.loads(parsed.read_text(encoding="utf-8"))
    docs = project.parent / "docs"
    register = read_register()
    written = pages(manifest, register, read_macros()) | {semantic.PAGE: semantic.metrics_page(manifest, register)}
    for name, text in (
        semantic.semantic_files(manifest, register) | {"exposures.yml": exposures.exposures_file()}
    ).items():
        (project / semantic.FOLDER / name).write_text(text, encoding="utf-8")
    bundle = project.parent / superset.FOLDER
    for name, text in superset.dataset_files(manifest, bundle).items():
        (bundle / name).write_text(text, encoding="utf-8")
    for old in set((docs / "marts").glob("*.md")) - {docs / name for name in written}:
        old.unlink()
    for name, text in written.items():
        (docs / name).parent.mkdir(exist_ok=True)
        (docs / name).write_text(text, encoding="utf-8")
    print(f"{docs}: wrote {', '.join(written)}")


if __name__ == "__main__":
    main()
