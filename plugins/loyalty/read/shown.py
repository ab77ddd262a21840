"""A figure with what is said under it: its base, what it is of, its definition, and why rows or all of it are missing.

Report and dashboard take both from here, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd

from loyalty.common.settings import Settings
from loyalty.pull.feeds import usable_feeds
from loyalty.read.answers import SIMULATED
from loyalty.read.choices import EVERYTHING, FILTERS, Choice
from loyalty.read.figures import Figure
from loyalty.read.words import Words

ABOUT = ("source", "survey_id", "month", "currency_code")
# Where a chart can show only one of several, the others are named.
ONE_OF = {
    "source": "only one source fits into the chart; choose another one",
    "survey_id": "only one survey fits into the chart; choose another one",
    "currency_code": "only one currency fits into the chart; choose another one",
}
MOST_NAMES = 12

# A generation that an older version published has no definition_zh.
DEFINITION = """
    select name_en, name_zh, columns('^definition')
    from quality.dq__metric_catalogue
    where metric_id = ? and model_name || '.' || column_name = ?
"""


@dataclass(frozen=True)
class Shown:
    """A figure in one language. `reason` says why there is nothing to draw; where it is empty, `data` is drawn.

    `base` is the number that it rests on, or a name and a number for each of several, as it is shown; empty without
    rows. `notes` are sentences on what is missing: small bases, what is not drawn, filters that are not followed.
    """

    figure: Figure
    data: pd.DataFrame
    reason: str
    about: str
    base: str
    definition: str
    notes: list[str]
    is_simulated: bool


def shown(
    connection: duckdb.DuckDBPyConnection,
    figure: Figure,
    manifest: dict[str, Any],
    simulated: set[str],
    words: Words,
    choice: Choice = EVERYTHING,
    data: pd.DataFrame | None = None,
) -> Shown:
    """A figure of a generation that `changes.opened` opened; `data` are its rows where they were read before."""
    rows_of_it = frame(connection, figure.sql(choice)) if data is None else data
    bases = bases_of(connection, figure, rows_of_it)
    reason = "" if any(bases.values()) else why_empty(figure, manifest, words, choice)
    return Shown(
        figure,
        rows_of_it,
        reason,
        about(rows_of_it),
        ", ".join(f"{words(name)} {number:,}".strip() for name, number in bases.items()),
        definition(connection, figure, words),
        notes(connection, figure, rows_of_it, words, choice),
        is_simulated=bool(simulated & set(figure.feeds)) or (not figure.feeds and bool(simulated)),
    )


def simulated_feeds(settings: Settings) -> set[str]:
    """The canonical feeds that a feed described as simulated delivers."""
    return {
        feed.canonical_name for feed in usable_feeds(settings.feeds).values() if SIMULATED in (feed.description or "")
    }


def frame(connection: duckdb.DuckDBPyConnection, sql: str) -> pd.DataFrame:
    """The rows of a question; none where its mart is not published."""
    try:
        return connection.execute(sql).df()
    except duckdb.CatalogException:
        return pd.DataFrame()


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a question; none where a mart of it is not published."""
    try:
        return connection.execute(sql, list(parameters)).fetchall()
    except duckdb.CatalogException:
        return []


def why_empty(figure: Figure, manifest: dict[str, Any], words: Words, choice: Choice = EVERYTHING) -> str:
    """Why a figure has no rows."""
    state = manifest.get("mart_states", {}).get(figure.mart, {})
    if state.get("state", "fresh") != "fresh" and state.get("reason"):
        return str(state["reason"])
    ignored = {"segment"} if figure.keeps_all_customers(choice) else set()
    if set(choice.names) & set(figure.filters) - ignored:
        return words.sentence("Nothing to show for what is chosen: no such rows, or every base is too small.")
    return words.sentence("Nothing to show: its feeds were not delivered, or every base is too small.")


def about(data: pd.DataFrame) -> str:
    """The shop, survey, month and currency that all rows of a figure are of."""
    found = [set(data[name].dropna()) for name in ABOUT if name in data]
    return ", ".join(str(*values) for values in found if len(values) == 1)


def bases_of(connection: duckdb.DuckDBPyConnection, figure: Figure, data: pd.DataFrame) -> dict[str, int]:
    """How many customers, answers or tickets a figure rests on, by name; one number has the name "".

    Empty where the figure has no rows.
    """
    if data.empty:
        return {}
    connection.register("figure", data)
    try:
        found = connection.execute(figure.base).fetchall()
    finally:
        connection.unregister("figure")
    return {" ".join(map(str, name)): int(number) for *name, number in found if number is not None}


def definition(connection: duckdb.DuckDBPyConnection, figure: Figure, words: Words) -> str:
    """Name and definition of the figure's metric, from the published register."""
    if figure.defined_by is None:
        return ""
    metric, _, place = figure.defined_by.partition(" ")
    found = rows(connection, DEFINITION, (metric, place))
    if not found:
        return ""
    name_en, name_zh, english, *chinese = found[0]
    name, sentence = (name_en, english) if words.language == "en" else (name_zh, chinese[0] if chinese else "")
    return words.sentence("{0}: {1}").format(name, sentence) if sentence else str(name)


def notes(
    connection: duckdb.DuckDBPyConnection, figure: Figure, data: pd.DataFrame, words: Words, choice: Choice
) -> list[str]:
    """Sentences on what a figure does not show."""
    found = []
    if "is_suppressed" in data and bool(data["is_suppressed"].any()):
        found.append(words.sentence("Grey: the base is too small."))
    found += not_drawn(connection, figure, data, words, choice)
    found += _remarks(connection, figure, words, choice)
    if figure.keeps_all_customers(choice):
        found.append(words.sentence("All customers: this figure does not compare segments. Choose one of them."))
    if missed := figure.not_followed(choice):
        names = ", ".join(words(FILTERS[name]) for name in missed)
        found.append(words.sentence("This figure cannot be filtered by {0}.").format(names))
    return found


def _remarks(connection: duckdb.DuckDBPyConnection, figure: Figure, words: Words, choice: Choice) -> list[str]:
    """The remarks of a figure that have something to say, with their numbers."""
    return [
        words.sentence(remark.sentence).format(*(_written(value) for value in numbers))
        for remark in figure.remarks
        for numbers in rows(connection, figure.remark_sql(remark, choice))
    ]


def _written(value: Any) -> str:
    """A number of a remark: an amount in cents, a count as it is."""
    return f"{value:,.2f}" if isinstance(value, Decimal | float) else f"{value:,}" if isinstance(value, int) else value


def not_drawn(
    connection: duckdb.DuckDBPyConnection, figure: Figure, data: pd.DataFrame, words: Words, choice: Choice = EVERYTHING
) -> list[str]:
    """A sentence for each reason why something behind a figure is not drawn: what it is, and why."""
    found: dict[str, list[str]] = {}
    if sql := figure.left_out_sql(choice):
        for one in frame(connection, sql).to_dict("records"):
            name = one.get(f"name_{words.language}") or words(str(one.get("name")))
            found.setdefault(str(one["reason"]), []).append(name)
    for column, reason in ONE_OF.items():
        if column in figure.narrowed and column in figure.filters and len(data):
            others = [str(value) for (value,) in rows(connection, figure.others_sql(column, choice)) if value]
            found.setdefault(reason, []).extend(others)
    sentence = words.sentence("Not drawn: {0}, because {1}.")
    return [
        sentence.format(_names(names, words), words(reason).rstrip(".")) for reason, names in found.items() if names
    ]


def _names(names: Sequence[str], words: Words) -> str:
    """Names in a row, each once; of very many the first, and how many others there are."""
    each = list(dict.fromkeys(name.rstrip(".。") for name in names))
    others = [words.counted(len(each) - MOST_NAMES, "other")] if len(each) > MOST_NAMES else []
    return words.sentence(", ").join([*each[:MOST_NAMES], *others])
