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
MOST_REASONS = 3

# A generation that an older version published has no definition_zh.
DEFINITION = """
    select name_en, name_zh, columns('^definition')
    from quality.dq__metric_catalogue
    where metric_id = ? and model_name || '.' || column_name = ?
"""


@dataclass(frozen=True)
class Shown:
    """A figure in one language. `reason` says why there is nothing to draw; where it is empty, `data` is drawn.

    `notes` are sentences on what is missing: small bases, rows that are not drawn, filters that are not followed.
    """

    figure: Figure
    data: pd.DataFrame
    reason: str
    about: str
    base: int | None
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
    base = base_of(connection, figure, rows_of_it)
    reason = "" if base else why_empty(figure, manifest, words, choice)
    return Shown(
        figure,
        rows_of_it,
        reason,
        about(rows_of_it),
        base,
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


def base_of(connection: duckdb.DuckDBPyConnection, figure: Figure, data: pd.DataFrame) -> int | None:
    """How many customers, answers or tickets a figure rests on; None where it has no rows."""
    if data.empty:
        return None
    connection.register("figure", data)
    try:
        found = connection.execute(figure.base).fetchone()
    finally:
        connection.unregister("figure")
    return int(found[0]) if found and found[0] is not None else None


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
    count, reasons = not_drawn(connection, figure, choice)
    if count:
        why = "; ".join(reasons) or words("base too small")
        found.append(words.sentence("Rows that are not drawn: {0} ({1}).").format(f"{count:,}", why))
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
    connection: duckdb.DuckDBPyConnection, figure: Figure, choice: Choice = EVERYTHING
) -> tuple[int, list[str]]:
    """How many of the rows behind a figure have no value to draw, and the most frequent reasons that they give."""
    if figure.known is None:
        return 0, []
    reason = figure.unknown_reason or "null"
    found = rows(
        connection,
        f"select {reason}, count(*) from ({figure.rows_sql(choice)}) where {figure.known} is null "
        "group by all order by count(*) desc, 1",
    )
    return sum(count for _, count in found), [str(why) for why, _ in found if why is not None][:MOST_REASONS]
