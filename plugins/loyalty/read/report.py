"""The report of a generation: one HTML file that needs no server, no script and nothing from outside.

What moved and why comes first, then the charts by topic, then the quality of the data. English and Chinese are in the
same file; the reader chooses. Charts are pictures (SVG) made here, so they print and open anywhere.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.publish.generations import REPORT, Generation, generations
from loyalty.pull.feeds import usable_feeds
from loyalty.read.answers import SIMULATED
from loyalty.read.changes import Month, opened, restated, split_change, to_cents
from loyalty.read.figures import FIGURES, TOPICS, Figure
from loyalty.read.words import LANGUAGES, Language, Words

TEMPLATE = "report.html.j2"
MOVERS = 8
ABOUT = ("source", "survey_id", "month", "currency_code")


@dataclass(frozen=True)
class Shown:
    """A figure as it is shown in one language: its picture, or why there is none, what it is of and rests on."""

    figure: Figure
    svg: str
    reason: str
    about: str
    base: int | None
    definition: str
    has_small_bases: bool
    is_simulated: bool


@dataclass(frozen=True)
class Change:
    """The change of net revenue from one month to the next, its parts by factor and by segment."""

    month: date
    month_before: date
    currency_code: str
    net_amount: Decimal
    net_amount_before: Decimal
    factors: dict[str, Decimal]
    segments: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal:
        """The whole change, in cents."""
        return sum(self.factors.values(), Decimal(0))


@dataclass(frozen=True)
class Delivered:
    """What came of a feed since the generation before."""

    feed: str
    loads: int
    rows: int
    quarantined: int
    rejected: int


def write_report(
    settings: Settings, folder: Path, manifest: dict[str, Any], name: str, before: Generation | None
) -> Path:
    """Write `report.html` into a generation's folder; `name` is the generation's number as shown."""
    with opened(folder, before.folder if before else None) as connection:
        page = render(settings, connection, manifest, name, before)
    file = folder / REPORT
    file.write_text(page, encoding="utf-8")
    return file


def copy_report(settings: Settings, generation: Generation, target: Path) -> None:
    """Write a generation's report to a file: its own, or a new one where it was published without.

    Raises UserError where the file cannot be written.
    """
    published = generation.folder / REPORT
    try:
        if published.is_file():
            shutil.copyfile(published, target)
            return
        before = [one for one in generations(settings) if one.number < generation.number]
        with opened(generation.folder, before[-1].folder if before else None) as connection:
            page = render(settings, connection, generation.manifest, generation.name, before[-1] if before else None)
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UserError(f"The report cannot be written to {target} ({error.strerror}): choose another file.") from None


def render(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    manifest: dict[str, Any],
    name: str,
    before: Generation | None,
) -> str:
    """The report as HTML, of an `opened` generation."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["money"] = lambda amount: f"{amount:,.2f}"
    environment.filters["signed"] = lambda amount: f"{amount:+,.2f}"
    environment.filters["day"] = lambda day: f"{day:%Y-%m}" if isinstance(day, date) else str(day)
    simulated = simulated_feeds(settings)
    frames = {figure.name: frame(connection, figure) for figure in FIGURES}
    return environment.get_template(TEMPLATE).render(
        languages={language: Words(language) for language in LANGUAGES},
        shown={language: shown_figures(connection, frames, manifest, simulated, language) for language in LANGUAGES},
        topics=TOPICS,
        generation=name,
        manifest=manifest,
        before=before,
        change=last_change(connection),
        restated=restated(connection) if before else [],
        delivered=delivered(connection, before.manifest["published_at"] if before else None),
        warnings=rows(connection, WARNINGS),
        withheld={mart: one for mart, one in manifest.get("mart_states", {}).items() if one["state"] != "fresh"},
        actions=rows(connection, ACTIONS),
        movers=MOVERS,
        is_simulated=bool(simulated),
    )


def simulated_feeds(settings: Settings) -> set[str]:
    """The canonical feeds that a feed described as simulated delivers."""
    return {
        feed.canonical_name for feed in usable_feeds(settings.feeds).values() if SIMULATED in (feed.description or "")
    }


def frame(connection: duckdb.DuckDBPyConnection, figure: Figure) -> pd.DataFrame:
    """The rows of a figure; none where its mart is not published."""
    try:
        return connection.execute(figure.sql).df()
    except duckdb.CatalogException:
        return pd.DataFrame()


def shown_figures(
    connection: duckdb.DuckDBPyConnection,
    frames: dict[str, pd.DataFrame],
    manifest: dict[str, Any],
    simulated: set[str],
    language: Language,
) -> list[Shown]:
    """Every figure in one language, in the order of the page."""
    import vl_convert

    words = Words(language)
    found = []
    for figure in FIGURES:
        data = frames[figure.name]
        base = base_of(connection, figure, data)
        svg, reason = "", why_empty(figure, manifest, words)
        if base:
            chart = figure.draw(data, words)
            svg, reason = own_ids(vl_convert.vegalite_to_svg(chart.to_json()), f"{figure.name}-{language}"), ""
        found.append(
            Shown(
                figure,
                svg,
                reason,
                about(data),
                base,
                definition(connection, figure, language),
                has_small_bases="is_suppressed" in data and bool(data["is_suppressed"].any()),
                is_simulated=bool(simulated & set(figure.feeds)) or (not figure.feeds and bool(simulated)),
            )
        )
    return found


def own_ids(svg: str, name: str) -> str:
    """The picture with ids that no other picture of the page has."""
    return re.sub(r'( id="|url\(#)', rf"\1{name}-", svg)


def why_empty(figure: Figure, manifest: dict[str, Any], words: Words) -> str:
    """Why a figure has no rows."""
    state = manifest.get("mart_states", {}).get(figure.mart, {})
    if state.get("state", "fresh") != "fresh" and state.get("reason"):
        return str(state["reason"])
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


def definition(connection: duckdb.DuckDBPyConnection, figure: Figure, language: Language) -> str:
    """Name and definition of the figure's metric, from the published register."""
    if figure.defined_by is None:
        return ""
    metric, _, place = figure.defined_by.partition(" ")
    found = rows(connection, DEFINITION, (metric, place))
    if not found:
        return ""
    name_en, name_zh, sentence = found[0]
    return f"{name_en}: {sentence}" if language == "en" else str(name_zh)


DEFINITION = """
    select name_en, name_zh, definition
    from quality.dq__metric_catalogue
    where metric_id = ? and model_name || '.' || column_name = ?
"""

MONTHS = """
    select
        month,
        currency_code,
        count(distinct customer_key) filter (where base = 'customer' and order_count > 0) as customer_count,
        coalesce(sum(order_count) filter (where base = 'customer'), 0) as order_count,
        coalesce(sum(net_amount + coalesce(refund_amount, 0)) filter (where base = 'customer'), 0) as order_amount,
        coalesce(sum(refund_amount) filter (where base = 'customer'), 0) as refund_amount,
        coalesce(sum(net_amount) filter (where base <> 'customer'), 0) as outside_amount
    from marts.retention__customer_months
    where
        not is_partial_month
        and currency_code = (
            select currency_code
            from marts.retention__customer_months
            group by currency_code
            order by sum(abs(net_amount)) desc nulls last, currency_code
            limit 1
        )
    group by month, currency_code
    order by month desc
    limit 2
"""

SEGMENTS = """
    select segment_by, segment, month, order_amount
    from marts.retention__segment_months
    where month in (?, ?) and currency_code = ? and segment_by <> 'all' and order_amount is not null
"""

DELIVERED = """
    select
        feed_name,
        count(*) filter (where outcome = 'accepted'),
        coalesce(sum(row_count) filter (where outcome = 'accepted'), 0),
        coalesce(sum(quarantined_count) filter (where outcome = 'accepted'), 0),
        count(*) filter (where outcome = 'rejected')
    from quality.dq__loads
    where received_at > ? and outcome <> 'unchanged'
    group by feed_name
    order by feed_name
"""

WARNINGS = """
    select warning, feed, source, detail, row_count, remedy
    from quality.dq__data_warnings
    where severity = 'warning'
    order by row_count desc, warning_key
    limit 20
"""

ACTIONS = """
    select action_name_en, action_name_zh, count(*), sum(value_at_stake_amount), currency_code
    from marts.loyalty__next_actions
    where is_due
    group by action_name_en, action_name_zh, priority, currency_code
    order by priority, currency_code
"""


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a question; none where a mart of it is not published."""
    try:
        return connection.execute(sql, list(parameters)).fetchall()
    except duckdb.CatalogException:
        return []


def last_change(connection: duckdb.DuckDBPyConnection) -> Change | None:
    """The change between the two newest whole months of the largest currency; None where there are no two."""
    found = rows(connection, MONTHS)
    if len(found) < 2:
        return None
    (month, currency, *after), (month_before, _, *before) = found
    new, old = Month(*after), Month(*before)
    return Change(
        month,
        month_before,
        currency,
        new.net_amount,
        old.net_amount,
        split_change(old, new),
        _by_segment(rows(connection, SEGMENTS, (month, month_before, currency)), month),
    )


def _by_segment(found: list[tuple[Any, ...]], month: date) -> dict[str, dict[str, Decimal]]:
    """For each way to split the customers: the change of order revenue by segment, the largest first."""
    changes: dict[str, dict[str, Any]] = {}
    for by, segment, of_month, amount in found:
        parts = changes.setdefault(by, {})
        parts[segment] = parts.get(segment, 0) + (amount if of_month == month else -amount)
    return {
        by: dict(sorted(to_cents(parts).items(), key=lambda part: -abs(part[1])))
        for by, parts in sorted(changes.items())
        if len(parts) > 1
    }


def delivered(connection: duckdb.DuckDBPyConnection, since: str | None) -> list[Delivered]:
    """What came since the generation before was published; everything where there is none."""
    moment = datetime.fromisoformat(since or "1970-01-01T00:00:00").replace(tzinfo=None)
    return [Delivered(*row) for row in rows(connection, DELIVERED, (moment,))]
