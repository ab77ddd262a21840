"""The filters beside every page. What is chosen is in the address of the page, so that it can be kept and sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import streamlit as st

from loyalty.read.choices import Choice
from loyalty.read.dashboard.address import UNCHOSEN, start_from_address
from loyalty.read.dashboard.look import Look
from loyalty.read.figures import FIGURES
from loyalty.read.words import Words

NAMES = ("first_month", "last_month", "segment_by", "segment", "source", "survey_id", "currency_code")


def choose(look: Look) -> Choice:
    """Show the filters and read them."""
    words = look.words
    with st.sidebar:
        st.subheader(words.sentence("Filters"), anchor=False)
        months = offered_months(look)
        newest = words.sentence("as the figure has it")
        first_month = _select(words.sentence("from month"), "first_month", months, newest)
        last_month = _select(words.sentence("to month"), "last_month", months, newest)
        segments = offered_segments(look)
        all_customers = words.sentence("all customers")
        segment_by = _select(words.sentence("customers by"), "segment_by", list(segments), all_customers, words)
        segment = None
        if segment_by:
            segment = _select(
                words("segment"), "segment", segments[segment_by], words.sentence("all of them, where compared"), words
            )
        largest = words.sentence("all, or the largest")
        of_columns = {
            column: _select(words(label), column, offered(look, column), largest)
            for column, label in (("source", "source"), ("survey_id", "survey"), ("currency_code", "currency"))
        }
        st.button(words.sentence("Clear the filters"), on_click=_clear)
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


def _select(label: str, name: str, values: Sequence[str], unchosen: str, words: Words | None = None) -> str | None:
    """A list to choose from; None where nothing is chosen."""

    def shown(value: str) -> str:
        return unchosen if value == UNCHOSEN else words(value) if words else value

    options = [UNCHOSEN, *values]
    start_from_address(name, options)
    return st.selectbox(label, options, format_func=shown, key=name) or None


def _day(month: str | None) -> date | None:
    return date.fromisoformat(f"{month}-01") if month else None


def _clear() -> None:
    for name in NAMES:
        st.session_state[name] = UNCHOSEN
