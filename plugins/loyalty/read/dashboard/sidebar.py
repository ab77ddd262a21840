"""The filters beside every page. What is chosen is in the address of the page, so that it can be kept and sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import streamlit as st

from loyalty.read.choices import Choice
from loyalty.read.dashboard.address import UNCHOSEN, forget_not_known, say_not_known, start_from_address
from loyalty.read.dashboard.look import Look
from loyalty.read.figures import FIGURES
from loyalty.read.words import Words

# The label of each filter, and what is shown where nothing is chosen.
LISTS = {
    "first_month": ("from month", "as the figure has it"),
    "last_month": ("to month", "as the figure has it"),
    "segment_by": ("customers by", "all customers"),
    "segment": ("segment", "all of them, where compared"),
    "source": ("source", "all, or the largest"),
    "survey_id": ("survey", "all, or the largest"),
    "currency_code": ("currency", "all, or the largest"),
}
NAMES = tuple(LISTS)


def choose(look: Look) -> Choice:
    """Show the filters and read them."""
    words = look.words
    with st.sidebar:
        st.subheader(words.sentence("Filters"), anchor=False)
        months = offered_months(look)
        first_month = _select("first_month", months, words)
        last_month = _select("last_month", months, words)
        segments = offered_segments(look)
        segment_by = _select("segment_by", list(segments), words, of_words=True)
        segment = None
        if segment_by:
            segment = _select("segment", segments[segment_by], words, of_words=True)
        else:
            start_from_address("segment", [UNCHOSEN])
        of_columns = {
            column: _select(column, offered(look, column), words) for column in ("source", "survey_id", "currency_code")
        }
        st.button(words.sentence("Clear the filters"), on_click=_clear)
    say_not_known(words, LISTS)
    choice = Choice(_day(first_month), _day(last_month), segment_by, segment, **of_columns)
    if choice.first_month and choice.last_month and choice.first_month > choice.last_month:
        st.warning(words.sentence("The first month is after the last one: the period is not used."))
        return replace(choice, first_month=None, last_month=None)
    return choice


def offered_months(look: Look) -> list[str]:
    """The months that any figure with a filter of months has, newest first."""
    found: set[str] = set()
    for figure in FIGURES:
        if "period" in figure.filters:
            data = look.frame(f"select distinct strftime({figure.period}, '%Y-%m') as month from {figure.table}")
            found |= set(data["month"].dropna()) if "month" in data else set()
    return sorted(found, reverse=True)


def offered_segments(look: Look) -> dict[str, list[str]]:
    """The attributes that customers are split by in any figure, with their segments."""
    found: dict[str, set[str]] = {}
    for table in {figure.table for figure in FIGURES if "segment" in figure.filters}:
        data = look.frame(f"select distinct segment_by, segment from {table} where segment_by <> 'all'")
        for by, segment in data.itertuples(index=False):
            found.setdefault(by, set()).add(segment)
    return {by: sorted(found[by]) for by in sorted(found)}


def offered(look: Look, column: str) -> list[str]:
    """The values of a column of that name in any figure's mart."""
    found: set[str] = set()
    for table in {figure.table for figure in FIGURES if column in figure.filters}:
        data = look.frame(f"select distinct {column} from {table} where {column} <> 'all'")
        found |= set(data[column]) if column in data else set()
    return sorted(found)


def _select(name: str, values: Sequence[str], words: Words, of_words: bool = False) -> str | None:
    """A list to choose from, `of_words` that are translated; None where nothing is chosen."""
    label, unchosen = (words.sentence(text) for text in LISTS[name])

    def shown(value: str) -> str:
        return unchosen if value == UNCHOSEN else words(value) if of_words else value

    options = [UNCHOSEN, *values]
    start_from_address(name, options)
    return st.selectbox(label, options, format_func=shown, key=name) or None


def _day(month: str | None) -> date | None:
    return date.fromisoformat(f"{month}-01") if month else None


def _clear() -> None:
    forget_not_known(NAMES)
    for name in NAMES:
        st.session_state[name] = UNCHOSEN
