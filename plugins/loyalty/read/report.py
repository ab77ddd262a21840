"""The report of a generation: one HTML file that needs no server, no script and nothing from outside.

What moved and why comes first, then the charts by topic, then the quality of the data. English and Chinese are in the
same file; the reader chooses. Charts are pictures (SVG) made here, so they print and open anywhere.
"""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.publish.generations import REPORT, Generation, generation_before
from loyalty.read import news
from loyalty.read.changes import MONTH_SUMS, opened, restated
from loyalty.read.figures import FIGURES, TOPICS
from loyalty.read.handled_sentences import HEADING, nothing_delivered, sentences
from loyalty.read.shown import Shown, frame, shown, simulated_feeds
from loyalty.read.words import LANGUAGES, Language, Words

TEMPLATE = "report.html.j2"
MOVERS = 8


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
        before = generation_before(settings, generation)
        with opened(generation.folder, before.folder if before else None) as connection:
            page = render(settings, connection, generation.manifest, generation.name, before)
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
    frames = {figure.name: frame(connection, figure.sql()) for figure in FIGURES}
    seen = {
        language: [
            shown(connection, figure, manifest, simulated, Words(language), data=frames[figure.name])
            for figure in FIGURES
        ]
        for language in LANGUAGES
    }
    change = news.last_change(connection)
    since = before.manifest["published_at"] if before else None
    return environment.get_template(TEMPLATE).render(
        languages={language: Words(language) for language in LANGUAGES},
        shown=seen,
        pictures={language: {one.figure.name: picture(one, language) for one in seen[language]} for language in seen},
        topics=TOPICS,
        generation=name,
        manifest=manifest,
        before=before,
        change=change,
        missing_parts=lambda words: news.not_delivered(change, words) if change else [],
        change_sql=news.months_sql(),
        segments_sql=news.segments_sql(change.month, change.month_before, change.currency_code) if change else "",
        restated=restated(connection) if before else [],
        restated_sql=MONTH_SUMS.format(database="").strip(),
        delivered=news.delivered(connection, since),
        delivered_sql=news.delivered_sql(since),
        handled={language: sentences(manifest, Words(language)) for language in LANGUAGES},
        done_heading=HEADING,
        nothing_delivered=nothing_delivered,
        warnings={language: news.warnings(connection, language) for language in LANGUAGES},
        warnings_sql=news.WARNINGS.strip(),
        withheld={mart: one for mart, one in manifest.get("mart_states", {}).items() if one["state"] != "fresh"},
        withheld_sql=news.NOT_RENEWED.strip(),
        actions=news.actions(connection),
        actions_sql=news.ACTIONS.strip(),
        movers=MOVERS,
        is_simulated=bool(simulated),
    )


def picture(one: Shown, language: Language) -> str:
    """A figure's chart as SVG; empty where there is nothing to draw."""
    import vl_convert

    if one.reason:
        return ""
    svg = vl_convert.vegalite_to_svg(one.figure.draw(one.data, Words(language)).to_json())
    return own_ids(svg, f"{one.figure.name}-{language}")


def own_ids(svg: str, name: str) -> str:
    """The picture with ids that no other picture of the page has."""
    return re.sub(r'( id="|url\(#)', rf"\1{name}-", svg)
