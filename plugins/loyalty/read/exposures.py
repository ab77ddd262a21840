"""Who reads the marts: the pages of report and dashboard, as exposures of the dbt project."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

from loyalty.read import changes, news
from loyalty.read.figures import FIGURES, TOPICS
from loyalty.read.semantic import as_yml

TABLE = re.compile(r"\b(?:marts|quality)\.([a-z0-9_]+)")
# Tables that publishing makes; dbt has no model of them.
OF_PUBLISHING = {"dq__marts"}
# The page with which report and dashboard begin, and the modules that ask the marts for it.
FIRST_PAGE = ("moved", "What moved, and why")
FIRST_PAGE_FROM: tuple[ModuleType, ...] = (changes, news)


def read_by_page() -> dict[str, set[str]]:
    """The tables that each page reads, by the page's name."""
    pages = {FIRST_PAGE[0]: _tables(*map(inspect.getsource, FIRST_PAGE_FROM))}
    for topic in TOPICS:
        pages[topic] = _tables(*(figure.sql() for figure in FIGURES if figure.topic == topic))
    return pages


def exposures_file() -> str:
    """The exposures as a file of `dbt_project/semantic`, one for each page."""
    titles = dict([FIRST_PAGE]) | TOPICS
    return as_yml(
        {
            "exposures": [
                {
                    "name": f"page_{page}",
                    "label": f"Report and dashboard: {titles[page]}",
                    "type": "dashboard",
                    "description": "A page of each generation's report, and of `loyalty dashboard`.",
                    "owner": {"name": "Data engineering"},
                    "depends_on": [f"ref('{table}')" for table in sorted(tables)],
                }
                for page, tables in read_by_page().items()
            ]
        }
    )


def _tables(*texts: str) -> set[str]:
    return {table for text in texts for table in TABLE.findall(text)} - OF_PUBLISHING
