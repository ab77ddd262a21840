"""Charts as data: what a chart draws is what the rows say, small bases stay visible, and no word lacks its Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from rich.cells import cell_len

from loyalty.read import charts, report
from loyalty.read.choices import Choice
from loyalty.read.figures import FIGURES, TOPICS, Figure
from loyalty.read.shown import bases_of, not_drawn
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


@pytest.fixture(scope="module")
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts written by hand."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema quality")
        for table, values in few_marts.TABLES.items():
            connection.execute(f"create table {table} as select * from (values {values}")
        yield connection


DELIVERED = [one for one in FIGURES if one.table in few_marts.TABLES]


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


@pytest.mark.parametrize("figure", DELIVERED, ids=lambda figure: figure.name)
def test_a_name_has_its_colour_in_both_languages(figure: Figure, marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(figure.sql()).df()
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


def test_the_base_of_the_index_is_that_of_the_newest_wave_of_each_survey() -> None:
    figure = next(one for one in FIGURES if one.name == "index_by_wave")
    waves = pd.DataFrame(
        {
            "survey": ["yearly", "yearly", "pulse"],
            "wave": ["2025", "2026", "January"],
            "month": ["2025-12", "2026-01", "2026-01"],
            "scored_count": [1413, 400, 73],
        }
    )
    with duckdb.connect() as connection:
        assert bases_of(connection, figure, waves) == {"pulse January": 73, "yearly 2026": 400}


ONE_CURRENCY = "only one currency fits into the chart; choose another one"
LEFT_OUT = {
    "cohorts": [],
    "survival": ["Not drawn: lapse, because base too small."],
    "revenue_bridge": [],
    "stages": [],
    "share_of_wallet": [],
    "wallet_and_satisfaction": [],
    "index_by_wave": [
        "Not drawn: till 2026-01, because not all questions of the index were asked.",
        "Not drawn: yearly 2026-02, because base too small.",
    ],
    "loyalty_curve": [
        "Not drawn: score 1, because base too small.",
        "Not drawn: pulse, because only one survey fits into the chart; choose another one.",
    ],
    "complaint_funnel": [],
    "profit_waterfall": [],
    "whale_curve": [f"Not drawn: CHF, because {ONE_CURRENCY}."],
    "tiers": ["Not drawn: not ranked, because their value is not known."],
    "claims": [
        "Not drawn: A dissatisfied customer tells 22 people, because nothing was observed; needed: a survey question "
        "about the number of people told.",
        "Not drawn: Those whose problem was solved are the most loyal, because the rule names no figure to draw; "
        "holds.",
    ],
    "next_actions": [
        f"Not drawn: CHF, because {ONE_CURRENCY}.",
        "Not drawn: Thank, because the value at stake is not known.",
    ],
    "data_health": ["Not drawn: tickets_shop, because no row of it is in use."],
}


@pytest.mark.parametrize("figure", DELIVERED, ids=lambda figure: figure.name)
def test_what_is_not_drawn_is_named_with_its_reason(figure: Figure, marts: duckdb.DuckDBPyConnection) -> None:
    data = marts.execute(figure.sql()).df()
    assert not_drawn(marts, figure, data, EN) == LEFT_OUT[figure.name]
    chinese_notes = not_drawn(marts, figure, data, ZH)
    assert len(chinese_notes) == len(LEFT_OUT[figure.name])
    for note in chinese_notes:
        assert note.startswith("未绘出")
        assert HAN.search(note.partition("原因")[2])


def test_what_is_chosen_is_drawn_and_not_left_out(marts: duckdb.DuckDBPyConnection) -> None:
    figure = next(one for one in FIGURES if one.name == "loyalty_curve")
    choice = Choice(survey_id="pulse")
    assert not_drawn(marts, figure, marts.execute(figure.sql(choice)).df(), EN, choice) == []


def test_of_very_many_names_the_first_are_shown(marts: duckdb.DuckDBPyConnection) -> None:
    figure = next(one for one in FIGURES if one.name == "data_health")
    marts.execute("begin")
    marts.execute("insert into quality.dq__feeds select 'shop', 'feed_' || range + 10, 0, 0 from range(20)")
    (note,) = not_drawn(marts, figure, marts.execute(figure.sql()).df(), EN)
    marts.execute("rollback")
    assert note.startswith("Not drawn: feed_10, feed_11, ")
    assert note.endswith(", feed_21, 9 others, because no row of it is in use.")


def test_a_figure_that_drops_rows_says_which() -> None:
    """An answer with a condition or a limit leaves something out."""
    dropping = {one.name for one in FIGURES if re.search(r"\n\s*(where|limit) ", one.answer)}
    assert len(dropping) > 5
    assert {one.name for one in FIGURES if one.name in dropping and not one.left_out} == set()


def test_a_long_label_is_broken_and_none_of_it_is_lost() -> None:
    for text in (
        "Only the best score is loyal: the merely satisfied (3 and 4) buy again less.",
        "a_very_long_name" * 5,
    ):
        assert charts.wrapped(text).replace("\n", " ").replace(" ", "") == text.replace(" ", "")
        assert max(len(line) for line in charts.wrapped(text).split("\n")) <= charts.LABEL_PLACES
    text = "只有最高分才忠诚 仅仅满意的客户 3 分和 4 分 较少再次购买。"
    assert charts.wrapped(text).replace("\n", "").replace(" ", "") == text.replace(" ", "")
    assert max(cell_len(line) for line in charts.wrapped(text).split("\n")) <= charts.LABEL_PLACES
    assert charts.wrapped("north") == "north"


def test_every_point_of_the_claims_has_its_sentence_in_the_chart(marts: duckdb.DuckDBPyConnection) -> None:
    """One claim that was measured in two ways has two lines, each with its way."""
    figure = next(one for one in FIGURES if one.name == "claims")
    rows = marts.execute(figure.sql()).df()
    rows = pd.concat([rows.assign(variant=variant) for variant in ("crude", "adjusted")], ignore_index=True)
    for words, ways in ((EN, ("crude", "adjusted")), (ZH, ("未调整", "经调整"))):
        spec = figure.draw(rows, words).to_dict()
        written = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "text")
        assert written["encoding"]["text"]["field"] == "claim"
        data = written.get("data", spec.get("data"))
        sentences = [row["claim"] for row in spec["datasets"][data["name"]]]
        assert len(set(sentences)) == len(rows)
        assert [sentence[-1 - len(way) : -1] for sentence, way in zip(sentences, ways, strict=True)] == [*ways]
        assert max(cell_len(line) for one in sentences for line in one.split("\n")) <= charts.SENTENCE_PLACES


def test_the_index_is_written_at_its_point(marts: duckdb.DuckDBPyConnection) -> None:
    figure = next(one for one in FIGURES if one.name == "index_by_wave")
    spec = figure.draw(marts.execute(figure.sql()).df(), EN).to_dict()
    written = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "text")
    assert written["encoding"]["text"]["field"] == "text"
    assert [row["text"] for row in spec["datasets"][spec["data"]["name"]]] == ["60.2", "71.5"]


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
    made_up = {text for figure in FIGURES for text in re.findall(r"\(\s*'([^'{]+)',", figure.answer)} - {"all"}
    assert len(made_up) > 25
    assert [text for text in sorted(made_up) if not HAN.search(ZH(text))] == []


def test_pictures_on_one_page_share_no_ids() -> None:
    svg = '<svg><clipPath id="clip0"/><g clip-path="url(#clip0)"/></svg>'
    assert report.own_ids(svg, "a-en") == '<svg><clipPath id="a-en-clip0"/><g clip-path="url(#a-en-clip0)"/></svg>'
