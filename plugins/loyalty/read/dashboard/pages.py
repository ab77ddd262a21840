"""The pages of the dashboard: one for what moved, one for each topic, one for what the figures mean."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import streamlit as st

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings, load_settings
from loyalty.publish.generations import generation_before, require_current
from loyalty.read import news
from loyalty.read.choices import EVERYTHING
from loyalty.read.dashboard import sidebar
from loyalty.read.dashboard.address import say_not_known, start_from_address, write_address
from loyalty.read.dashboard.definitions import show_definitions
from loyalty.read.dashboard.figure_view import show_figure
from loyalty.read.dashboard.look import Look
from loyalty.read.dashboard.moved import show_moved
from loyalty.read.dashboard.parts import (
    COUNT,
    as_written,
    lines,
    show_list,
    show_table,
    show_views,
    where_from,
)
from loyalty.read.figures import FIGURES, TOPICS
from loyalty.read.front import states
from loyalty.read.shown import simulated_feeds
from loyalty.read.words import LANGUAGES, Language, Words

MOVED, DEFINITIONS = "moved", "definitions"
TITLES = {MOVED: "What moved, and why", **TOPICS, DEFINITIONS: "What the figures mean"}
WIDE = {"claims", "data_health"}  # figures with long labels
IN_ADDRESS = ("page", "language", *sidebar.NAMES, "metric")
MOST_QUARANTINED = 20  # the numbers under the table have all
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}


def show() -> None:
    """Show the page, the language and the choice that are in the address; at first the language of the browser."""
    languages = languages_of(st.context.locale)
    start_from_address("language", languages)
    start_from_address("page", list(TITLES))
    title = Words(st.session_state["language"]).sentence(TITLES[st.session_state["page"]])
    st.set_page_config(page_title=title, layout="wide")
    with st.container(horizontal=True, horizontal_alignment="right"):
        language = st.radio(
            "Language / 语言",
            LANGUAGES,
            format_func=LANGUAGE_NAMES.__getitem__,
            key="language",
            horizontal=True,
            label_visibility="collapsed",
        )
    words = Words(language or "en")
    page = st.segmented_control(
        words.sentence("Page"),
        list(TITLES),
        format_func=lambda name: words.sentence(TITLES[name]),
        required=True,
        key="page",
        label_visibility="collapsed",
    )
    say_not_known(words, {"language": ("language", LANGUAGE_NAMES["en"]), "page": ("page", TITLES[MOVED])})
    try:
        look = current_look(words)
        show_page(replace(look, choice=sidebar.choose(look)), page or MOVED)
    except UserError as error:
        st.error(as_written(str(error)))
        return
    except duckdb.IOException as error:  # the generation was removed or damaged while it was read
        st.error(as_written(f"{words.sentence('The generation cannot be read: load the page again.')} {error}"))
        return
    write_address(IN_ADDRESS, {"language": languages[0], "page": MOVED})


def languages_of(locale: str | None) -> list[Language]:
    """The languages of the pages, the one of the browser first; English where it is another or not known."""
    spoken = (locale or "").partition("-")[0]
    return sorted(LANGUAGES, key=lambda language: language != spoken)


def current_look(words: Words) -> Look:
    """The generation that is current now, with nothing chosen. Raises UserError where there is none."""
    settings = load_settings()
    current = require_current(settings)
    simulated = _simulated(settings, current.name)
    return Look(settings, current, generation_before(settings, current), words, EVERYTHING, simulated)


@st.cache_data(max_entries=20, show_spinner=False, hash_funcs={Settings: lambda settings: str(settings.workspace)})
def _simulated(settings: Settings, generation: str) -> frozenset[str]:
    """The feeds that were simulated, read once for each generation."""
    return frozenset(simulated_feeds(settings))


def show_page(look: Look, name: str) -> None:
    """Show one page."""
    _show_head(look, name)
    if name == MOVED:
        show_moved(look)
    elif name == DEFINITIONS:
        show_definitions(look)
    else:
        show_topic(look, name)


def _show_head(look: Look, name: str) -> None:
    """The title of a page, and which generation it is of."""
    say = look.words.sentence
    st.title(say(TITLES[name]), anchor=False)
    manifest = look.generation.manifest
    published = manifest["published_at"][:16].replace("T", " ")
    sentences = [
        say("Data up to {0}. Generation {1}, published {2} UTC.").format(
            manifest["as_of"], look.generation.name, published
        )
    ]
    if name == MOVED and look.before:
        compared = say("Compared with generation {0}, up to {1}.")
        sentences.append(compared.format(look.before.name, look.before.manifest["as_of"]))
    st.markdown(as_written(" ".join(sentences)))
    for sentence in states(look.settings, look.generation, look.words):
        st.warning(as_written(sentence))
    if look.simulated:
        st.markdown(f":orange[{as_written(say('SIMULATED input: figures that rest on it say so.'))}]")


def show_topic(look: Look, topic: str) -> None:
    """The figures of a topic, two beside one another where the window is wide enough."""
    figures = [figure for figure in FIGURES if figure.topic == topic]
    for figure in figures:
        if figure.name in WIDE:
            show_figure(look, figure)
    narrow = [figure for figure in figures if figure.name not in WIDE]
    for first in range(0, len(narrow), 2):
        for column, figure in zip(st.columns(2), narrow[first : first + 2], strict=False):
            with column:
                show_figure(look, figure)
    if topic == "loyalty":
        show_actions(look)
    if topic == "quality":
        show_withheld(look)
        show_quarantined(look)
        show_warnings(look)


def show_actions(look: Look) -> None:
    """How many customers are due for each action."""
    say = look.words.sentence
    with look.connection() as connection:
        found = news.actions(connection)
    if found:
        customers = say("customers")
        show_table(
            {
                say("what to do next"): [action.name[look.words.language] for action in found],
                customers: [action.customer_count for action in found],
                say("value at stake"): [action.value or say("not known") for action in found],
            },
            {customers: COUNT},
        )
        _show_source(look, "loyalty__next_actions", "actions", news.ACTIONS, say("what to do next"))


def show_withheld(look: Look) -> None:
    """The marts that show an older state, and why."""
    say = look.words.sentence
    states = look.generation.manifest.get("mart_states", {})
    withheld = {mart: state for mart, state in states.items() if state["state"] != "fresh"}
    if withheld:
        st.subheader(say("Marts that were not renewed"), anchor=False)
        show_list([(mart, f"{state['since'][:10]}: {state['reason']}") for mart, state in withheld.items()])
        _show_source(look, "dq__marts", "withheld", news.NOT_RENEWED, say("Marts that were not renewed"))


def show_quarantined(look: Look) -> None:
    """The rows that are kept out of the figures, with the rule that each broke; what is in them is not shown."""
    say = look.words.sentence
    st.subheader(say("Rows in quarantine"), anchor=False)
    found = look.frame(f"select * from ({news.QUARANTINED}) limit {MOST_QUARANTINED}")
    if found.empty:
        st.markdown(say("No row waits in quarantine."))
        return
    st.markdown(
        say("They are in no figure. `loyalty quarantine show` shows what is in them, and `release` lets them in.")
    )
    names = {"feed_name": "feed", "file": "file", "line": "line", "rules": "rule", "reason": "reason"}
    show_table({say(name): list(found[column]) for column, name in names.items()}, {say("line"): COUNT})
    _show_source(look, "dq__quarantined_rows", "quarantined", news.QUARANTINED, say("Rows in quarantine"))


def show_warnings(look: Look) -> None:
    """The warnings of the data, with what to do."""
    say = look.words.sentence
    with look.connection() as connection:
        found = news.warnings(connection, look.words.language)
    if not found:
        st.markdown(say("No warnings."))
        return
    st.subheader(say("Warnings"), anchor=False)
    grouped: dict[tuple[str, str], list[str]] = {}
    for feed, warning, detail, count, remedy in found:
        of_it = f"{detail}: {count:,}" if detail else f"{say('rows')} {count:,}"
        grouped.setdefault((f"{feed}: {warning}", remedy), []).append(of_it)
    show_list(
        [(name, f"{'; '.join(details)} · {say('what to do')}: {remedy}") for (name, remedy), details in grouped.items()]
    )
    _show_source(look, "dq__data_warnings", "warnings", news.WARNINGS, say("Warnings"))


def _show_source(look: Look, mart: str, name: str, sql: str, about: str) -> None:
    """Where a table comes from, its numbers and its SQL."""
    notes = [where_from(look, mart)]
    st.caption(lines(notes))
    show_views(look, name, sql.strip(), [about, *notes])
