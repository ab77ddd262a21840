"""One figure on a page: its chart, what it rests on, and on request its numbers, the rows behind it and its SQL."""

from __future__ import annotations

from typing import Any

import streamlit as st

from loyalty.read.choices import Choice
from loyalty.read.dashboard.look import Look
from loyalty.read.dashboard.parts import as_written, draw, lines, show_rows, show_sql, specification, where_from
from loyalty.read.figures import FIGURES, Figure
from loyalty.read.shown import Shown, shown
from loyalty.read.words import Language

VIEWS = ("numbers", "rows behind it", "SQL")


@st.fragment
def show_figure(look: Look, figure: Figure) -> None:
    """Show one figure. What a reader opens in it does not draw the page again."""
    say = look.words.sentence
    sql = figure.sql(look.choice)
    one, spec = _prepared(look, figure.name, *look.key, look.choice, look.words.language)
    with st.container(border=True, key=f"figure-{figure.name}"):
        st.subheader(say(figure.question), anchor=figure.name)
        if one.is_simulated:
            st.badge(say("SIMULATED"), color="orange")
        if one.reason:
            st.info(as_written(one.reason))
        else:
            draw(spec, say(figure.question))
        notes = caption(one, look)
        st.caption(lines(notes))
        view = st.segmented_control(
            say("Show"), VIEWS, format_func=say, key=f"view-{figure.name}", label_visibility="collapsed"
        )
        about = [say(figure.question), *([say("SIMULATED")] if one.is_simulated else []), *notes]
        if view == "numbers":
            show_rows(look, sql, figure.name, about)
        elif view == "rows behind it":
            show_rows(look, figure.rows_sql(look.choice), f"{figure.name}-rows", about, figure.table)
        elif view == "SQL":
            show_sql(look, sql)


@st.cache_data(max_entries=500, show_spinner=False)
def _prepared(
    _look: Look, name: str, folder: str, published_at: str, choice: Choice, language: Language
) -> tuple[Shown, dict[str, Any]]:
    """A figure and its chart's specification, made once for each generation, choice and language."""
    figure = next(one for one in FIGURES if one.name == name)
    with _look.connection() as connection:
        one = shown(connection, figure, _look.generation.manifest, set(_look.simulated), _look.words, choice)
    return one, {} if one.reason else specification(figure.draw(one.data, _look.words))


def caption(one: Shown, look: Look) -> list[str]:
    """What is said under a figure: how it is read, what is missing, of what it is, its definition, base and origin."""
    say = look.words.sentence
    base = f"{say(one.figure.base_name)} {one.base} · " if one.base else ""
    return [
        say(one.figure.reading),
        *one.notes,
        *(text for text in (one.about, one.definition) if text),
        base + where_from(look, one.figure.mart),
    ]
