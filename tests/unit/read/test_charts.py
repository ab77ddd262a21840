"""Charts as data: what a chart draws is what the rows say, small bases stay visible, and no word lacks its Chinese."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from loyalty.read import charts, report
from loyalty.read.figures import FIGURES, TOPICS, Figure
from loyalty.read.shown import base_of
from loyalty.read.words import Words, chinese
from worlds import few_marts

EN, ZH = Words("en"), Words("zh")
READ = Path(charts.__file__).parent
PROJECT = Path(__file__).parents[3] / "dbt_project"
PAGES = [
    f"dashboard/{file.name}"
    for file in sorted((READ / "dashboard").glob("*.py"))
    if "say(" in file.read_text(encoding="utf-8")
]
HAN = re.compile(r"[\u4e00-\u9fff]")


def drawn(chart: charts.Chart) -> list[dict[str, Any]]:
    """The rows of each layer of a chart."""
    spec = chart.to_dict()
    layers = spec.get("layer", [spec])
    return [row for layer in layers for row in spec["datasets"][layer.get("data", spec.get("data"))["name"]]]


def test_each_bar_of_a_bridge_starts_where_the_one_before_ends() -> None:
    steps = pd.DataFrame(
        {"step": ["month before", "new", "stayed away", "this month"], "amount": [100, 20, -50, 70]}
    ).assign(is_total=[True, False, False, True])
    rows = {row["step"]: (row["start"], row["end"]) for row in drawn(charts.bridge(steps, EN))}
    assert rows == {
        "month before": (0, 100),
        "new": (100, 120),
        "stayed away": (120, 70),
        "this month": (0, 70),
    }


def test_a_cohort_that_is_too_small_is_grey_and_not_missing() -> None:
    cohorts = pd.DataFrame(
        {
            "cohort_month": ["2026-01-01", "2026-02-01"],
            "month_number": [1, 1],
            "cohort_size": [40, 3],
            "retention_rate": [0.5, None],
            "is_suppressed": [False, True],
        }
    )
    spec = charts.cohort_heat_map(cohorts, EN).to_dict()
    grey, coloured = spec["layer"][0], spec["layer"][1]
    assert grey["mark"]["color"] == charts.LIGHT_GREY
    assert [row["cohort"] for row in spec["datasets"][grey["data"]["name"]]] == ["2026-02"]
    assert [row["cohort"] for row in spec["datasets"][coloured["data"]["name"]]] == ["2026-01"]


def few_marts_rows(figure: Figure) -> pd.DataFrame:
    """The rows of a figure in the marts written by hand."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema quality")
        for table, values in few_marts.TABLES.items():
            connection.execute(f"create table {table} as select * from (values {values}")
        return connection.execute(figure.sql()).df()


def every(rows: pd.DataFrame, column: str, names: list[str]) -> pd.DataFrame:
    """The rows once for each name, with the name in the column."""
    return pd.concat([rows.assign(**{column: name}) for name in names], ignore_index=True)


def colours(spec: dict[str, Any]) -> dict[str, str]:
    """The colour of each name; a scale over names of the data, such as surveys, leaves them to the chart."""
    found = {}
    for layer in spec["layer"]:
        color = layer["encoding"].get("color", {})
        if color.get("type") == "nominal" and color["field"] != "survey":
            found |= dict(zip(color["scale"]["domain"], color["scale"]["range"], strict=False))
    return found


@pytest.mark.parametrize(
    "figure",
    [one for one in FIGURES if one.table in few_marts.TABLES],
    ids=lambda figure: figure.name,
)
def test_a_name_has_its_colour_in_both_languages(figure: Figure) -> None:
    rows = few_marts_rows(figure)
    for column, of_column in (("curve", charts.CURVES), ("verdict", charts.VERDICTS)):
        if column in rows:
            for some in (list(of_column), list(of_column)[1:], list(of_column)[::-1]):
                assert colours(figure.draw(every(rows, column, some), EN).to_dict()) == {
                    name: of_column[name] for name in of_column if name in some
                }
            rows = every(rows, column, list(of_column))
    english, chinese_ = (colours(figure.draw(rows, words).to_dict()) for words in (EN, ZH))
    assert {ZH(name): colour for name, colour in english.items()} == chinese_


def test_a_rate_on_a_small_base_says_so_in_both_languages() -> None:
    rows = pd.DataFrame(
        {"label": ["all customers", "25-34"], "rate": [0.4, None], "rate_low": [0.3, None], "rate_high": [0.5, None]}
    ).assign(base_count=[100, 4], is_suppressed=[False, True])
    for words, reason in ((EN, "base too small"), (ZH, "基数过小")):
        found = {
            row["label"]: row["none"] for row in drawn(charts.rates_with_intervals(rows, words, "share of wallet"))
        }
        assert list(found.values()) == ["", reason]
        assert list(found)[1] == "25-34 (4)"


def test_the_base_of_the_index_is_that_of_the_newest_wave() -> None:
    figure = next(one for one in FIGURES if one.name == "index_by_wave")
    waves = pd.DataFrame({"month": ["2025-12", "2026-01", "2026-01"], "scored_count": [1413, 400, 73]})
    with duckdb.connect() as connection:
        assert base_of(connection, figure, waves) == 473


def test_the_whale_curve_is_thinned_but_keeps_its_peak_and_its_end() -> None:
    ranks = range(1, 1001)
    curve = pd.DataFrame(
        {
            "curve_rank": ranks,
            "customer_share_rate": [rank / 1000 for rank in ranks],
            "cumulative_value_rate": [min(rank, 1500 - rank) / 500 for rank in ranks],
            "is_peak": [rank == 750 for rank in ranks],
            "value_basis": "profit",
        }
    )
    shares = [
        row["customer_share_rate"] for row in drawn(charts.whale_curve(curve, EN)) if "customer_share_rate" in row
    ]
    assert {0.75, 1.0} <= set(shares)
    assert len(shares) < 260


@pytest.mark.parametrize("figure", FIGURES, ids=[figure.name for figure in FIGURES])
def test_every_question_topic_and_axis_has_its_chinese(figure: Any) -> None:
    axis = getattr(figure.draw, "keywords", {}).get("axis")
    for text in (figure.question, figure.reading, figure.base_name, TOPICS[figure.topic], *([axis] if axis else [])):
        assert HAN.search(ZH.sentence(text))


def test_what_defines_a_figure_is_in_the_register() -> None:
    register = pd.read_csv(PROJECT / "seeds" / "reference" / "metric_catalogue.csv")
    known = set(register["id"] + " " + register["model"] + "." + register["column"])
    assert {figure.defined_by for figure in FIGURES if figure.defined_by} <= known


@pytest.mark.parametrize("file", ["charts.py", "shown.py", "front.py", "front.html.j2", report.TEMPLATE, *PAGES])
def test_every_word_of_code_and_page_has_its_chinese(file: str) -> None:
    said = re.findall(r'(?:say|words|words\.sentence)\("([^"]+)"\)', (READ / file).read_text(encoding="utf-8"))
    assert said
    assert [text for text in said if text not in chinese()] == []


def test_every_label_that_a_figure_makes_up_has_its_chinese() -> None:
    """Labels of steps and groups are texts in the SQL of a figure, such as ('came back', reactivated_amount, 2)."""
    made_up = {text for figure in FIGURES for text in re.findall(r"\(\s*'([^']+)',", figure.answer)} - {"all"}
    assert len(made_up) > 25
    assert [text for text in sorted(made_up) if not HAN.search(ZH(text))] == []


def test_pictures_on_one_page_share_no_ids() -> None:
    svg = '<svg><clipPath id="clip0"/><g clip-path="url(#clip0)"/></svg>'
    assert report.own_ids(svg, "a-en") == '<svg><clipPath id="a-en-clip0"/><g clip-path="url(#a-en-clip0)"/></svg>'
