"""The page in front of the report, `serve/report.html`: it leads to the report of the generation that readers see.

A report never changes and cannot say what came after it. While publishing is held, or a newer generation is not shown,
this page says so first. It is written by publishing, by a rollback and by a resume.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.publish.generations import (
    REPORT,
    Generation,
    current_generation,
    generations,
    held_since,
    write_for_readers,
)
from loyalty.read.words import LANGUAGES, Words

TEMPLATE = "front.html.j2"


def write_front(workspace: Workspace) -> None:
    """Write the page; nothing where nothing is published."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    settings = workspace.settings
    current = current_generation(settings)
    if current is None:
        return
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template(TEMPLATE).render(
        languages={language: Words(language) for language in LANGUAGES},
        states={language: states(settings, current, Words(language)) for language in LANGUAGES},
        generation=current,
        report=f"current/{REPORT}" if (current.folder / REPORT).is_file() else "",
    )
    write_for_readers(workspace, REPORT, page)


def states(settings: Settings, current: Generation, words: Words) -> list[str]:
    """What a reader of a generation should know beside it: that publishing is held, which newer one is not shown."""
    since = held_since(settings)
    newer = [one for one in generations(settings) if one.number > current.number]
    found = []
    if since:
        held = words.sentence("Publishing is held since {0} UTC, after a rollback: nothing newer is shown.")
        found.append(held.format(minute(since)))
    if newer:
        of_newer = words.sentence("Generation {0}, published {1} UTC, is newer and is not shown.")
        found.append(of_newer.format(newer[-1].name, minute(newer[-1].manifest["published_at"])))
    return found


def minute(moment: str) -> str:
    """A moment in ISO 8601, to the minute."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M}"
