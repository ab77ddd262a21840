"""The pages about marts, core, macros and metrics say what the dbt project says."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty.read.catalogue import TOPICS, models, read_register
from loyalty.read.dictionary import JOIN_KEYS, MACROS, pages, read_macros
from worlds.warehouse import PROJECT, project

DOCS = PROJECT.parent / "docs"
HOW = (
    "change the models' yml, or plugins/loyalty/read/dictionary.py; then run `make lint` and "
    "`.venv/bin/python -m loyalty.read.dictionary`"
)


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return project().writable_manifest().to_dict(omit_none=False)


def test_every_generated_page_says_what_the_project_says(manifest: dict[str, Any]) -> None:
    written = pages(manifest, read_register(), read_macros())
    stale = [name for name, text in written.items() if not _is_written(name, text)]
    assert stale == [], f"these pages of docs/ are out of date: {HOW}"
    others = {f"marts/{file.name}" for file in (DOCS / "marts").glob("*.md")} - written.keys()
    assert others == set(), f"these pages of docs/ belong to no topic any more: {HOW}"


def test_every_metric_is_on_the_reference_page_under_its_topic(manifest: dict[str, Any]) -> None:
    register = read_register()
    page = pages(manifest, register, read_macros())["metric-reference.md"]
    rows = [line for line in page.splitlines() if line.startswith("| ") and line[2].isupper()]
    assert [line[2:5] for line in rows] == sorted(row["id"] for row in register), "add the id's letter to AREAS"


def _is_written(name: str, text: str) -> bool:
    file = DOCS / name
    return file.is_file() and file.read_text(encoding="utf-8") == text


def test_every_mart_is_on_the_page_of_a_topic_and_every_topic_starts_somewhere(manifest: dict[str, Any]) -> None:
    known = models(manifest)
    without = [
        one.name for one in known if one.folder.startswith("marts/") and "/steps" not in one.folder and not one.topic
    ]
    assert without == [], "add the topic to TOPICS in plugins/loyalty/read/dictionary.py"
    names = {one.name for one in known if one.topic}
    unknown = [name for topic in TOPICS.values() for name in topic.start if name not in names]
    assert unknown == [], "TOPICS in plugins/loyalty/read/dictionary.py names tables that are not there"
    assert all(2 <= len(topic.start) <= 3 for topic in TOPICS.values())


def test_every_key_that_joins_marts_is_in_two_of_them(manifest: dict[str, Any]) -> None:
    marts = [one for one in models(manifest) if one.topic]
    alone = [columns for columns in JOIN_KEYS if sum(set(columns) <= one.columns.keys() for one in marts) < 2]
    assert alone == [], "JOIN_KEYS in plugins/loyalty/read/dictionary.py names columns that join nothing"


def test_every_macro_of_the_page_has_a_comment() -> None:
    known = read_macros()
    silent = [name for names in MACROS.values() for name in names if not known.get(name, ("", ""))[1]]
    assert silent == [], "write a comment above these macros, or take them out of MACROS in dictionary.py"
