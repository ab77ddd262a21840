"""What pages are put together from: charts, tables, rows with their downloads, SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from loyalty.read.charts import Chart
from loyalty.read.dashboard.colours import in_dark
from loyalty.read.dashboard.downloads import csv_of, xlsx_of
from loyalty.read.dashboard.look import Look

COUNT, AMOUNT, CHANGE = "{:,}", "{:,.2f}", "{:+,.2f}"
MOST_ROWS = 1000
NARROW = 500  # pixels
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


def specification(chart: Chart) -> dict[str, Any]:
    """A chart as a page draws it: as wide as its place, with what is under the pointer in words."""
    spec = fitting(chart.to_dict())
    del spec["width"]
    spec["config"]["mark"] = {"tooltip": True}
    spec["padding"] = {"left": 4, "right": 12, "top": 4, "bottom": 4}
    return spec


def draw(spec: dict[str, Any], alt: str) -> None:
    """Draw a chart in the colours of the page; `alt` is read out in its place."""
    is_dark = st.context.theme.type == "dark"
    st.vega_lite_chart(in_dark(spec) if is_dark else spec, width="stretch", theme=None, alt=alt)


def fitting(spec: Any) -> Any:
    """A chart's specification whose labels and legends leave room for the chart where the window is narrow."""
    if isinstance(spec, dict):
        found = {key: value if key == "datasets" else fitting(value) for key, value in spec.items()}
        if "labelLimit" in found:
            found["labelLimit"] = {"expr": f"min({found['labelLimit']}, 0.4 * containerSize()[0])"}
        if "columns" in found:
            found["columns"] = {"expr": f"containerSize()[0] < {NARROW} ? 2 : {found['columns']}"}
        return found
    return [fitting(item) for item in spec] if isinstance(spec, list) else spec


def show_table(
    columns: Mapping[str, Sequence[str] | Sequence[float | None]], formats: Mapping[str, str], unknown: str = ""
) -> None:
    """A small table: texts as they are written, and numbers to the right in the format of their column.

    `unknown` is shown in place of a number that is not known.
    """
    cells = {
        as_written(name): [as_written(cell) if isinstance(cell, str) else cell for cell in column]
        for name, column in columns.items()
    }
    numbers: dict[Any, Any] = {as_written(name): form for name, form in formats.items()}
    st.table(pd.DataFrame(cells).style.format(numbers, na_rep=unknown), hide_index=True, width="content")


def show_list(items: Sequence[tuple[str, str]]) -> None:
    """A list of names, each with a text that can be long."""
    st.markdown("\n".join(f"- **{as_written(name)}**  \n  {as_written(text)}" for name, text in items))


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
        st.caption(say("Rows: {0}").format(f"{count:,}"))
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


def show_views(look: Look, name: str, sql: str, notes: Sequence[str]) -> None:
    """On request the numbers of a table or a chart, and their SQL."""
    say = look.words.sentence
    view = st.segmented_control(
        say("Show"), ("numbers", "SQL"), format_func=say, key=f"view-{name}", label_visibility="collapsed"
    )
    if view == "numbers":
        show_rows(look, sql, name, notes)
    elif view == "SQL":
        show_sql(look, sql)


def show_sql(look: Look, sql: str) -> None:
    """The SQL of a figure, to copy."""
    st.code(sql, language="sql", wrap_lines=True)
    st.caption(look.words.sentence("The command loyalty query gives the same numbers for this SQL."))
