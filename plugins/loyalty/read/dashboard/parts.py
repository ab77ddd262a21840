"""What pages are put together from: charts, tables, rows with their downloads, SQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import streamlit as st

from loyalty.read.charts import Chart
from loyalty.read.dashboard.colours import in_dark
from loyalty.read.dashboard.downloads import csv_of, xlsx_of
from loyalty.read.dashboard.look import Look

MOST_ROWS = 1000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_written(text: str) -> str:
    """A text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-!|$~<>:&])", r"\\\1", text)


def lines(texts: Sequence[str]) -> str:
    """Texts as they are written, each on a line of its own."""
    return "  \n".join(as_written(text) for text in texts)


def where_from(look: Look, mart: str) -> str:
    """The as-of date, the generation and the mart of a figure."""
    say = look.words.sentence
    return f"{say('up to')} {look.generation.manifest['as_of']} · {say('generation')} {look.generation.name} · {mart}"


def draw(look: Look, chart: Chart, alt: str) -> None:
    """A chart as wide as its place, in the colours of the page; `alt` is read out in its place."""
    spec = chart.to_dict()
    spec["config"]["mark"] = {"tooltip": True}
    spec["padding"] = {"left": 4, "right": 12, "top": 4, "bottom": 4}
    del spec["width"]
    if st.context.theme.type == "dark":
        spec = in_dark(spec)
    st.vega_lite_chart(spec, width="stretch", theme=None, alt=alt)


def show_table(columns: dict[str, list[str]], numbers: Sequence[int]) -> None:
    """A small table, its texts as they are written; the columns at the places `numbers` stand to the right."""
    cells = [columns, *zip(*columns.values(), strict=True)]
    head, *body = [" | ".join(as_written(" ".join(cell.split())) for cell in row) for row in cells]
    rule = " | ".join("--:" if place in numbers else "---" for place in range(len(columns)))
    st.markdown("\n".join(f"| {line} |" for line in (head, rule, *body)), width="content")


def show_rows(look: Look, sql: str, name: str, notes: Sequence[str], table: str | None = None) -> None:
    """The rows of a question with their downloads; columns of the `table` say what they mean."""
    say = look.words.sentence
    counted = look.frame(f"select count(*) as count from ({sql})")
    if counted.empty:
        st.info(say("This generation does not have the mart."))
        return
    count = int(counted["count"].iloc[0])
    meanings = look.meanings(table) if table else {}
    st.dataframe(
        look.table(f"select * from ({sql}) limit {MOST_ROWS}"),
        hide_index=True,
        column_config={column: st.column_config.Column(help=text) for column, text in meanings.items()},
        key=f"table-{name}",
    )
    if count > MOST_ROWS:
        shown = say("The first {0} of {1} rows; the downloads have all of them.")
        st.caption(shown.format(f"{MOST_ROWS:,}", f"{count:,}"))
    else:
        st.caption(say("{0} rows").format(f"{count:,}"))
    about = [(say("about"), note) for note in notes] + [("SQL", sql)]
    files = (
        ("CSV", "text/csv", partial(csv_of, look.settings, look.generation, sql)),
        ("XLSX", XLSX, partial(xlsx_of, look.settings, look.generation, sql, about)),
    )
    with st.container(horizontal=True):
        for label, kind, made in files:
            st.download_button(
                say("Download {0}").format(label),
                made,
                file_name=f"{name}-{look.generation.name}.{label.lower()}",
                mime=kind,
                key=f"{label}-{name}",
                on_click="ignore",
            )


def show_sql(look: Look, sql: str) -> None:
    """The SQL of a figure, to copy."""
    st.code(sql, language="sql", wrap_lines=True)
    st.caption(look.words.sentence("The command loyalty query gives the same numbers for this SQL."))
