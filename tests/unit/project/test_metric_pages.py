"""The pages that explain the metrics: each area says what misleads, and works an example that a test repeats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[3]
PAGES = [REPOSITORY / "docs" / "metrics.md", *sorted((REPOSITORY / "docs" / "metrics").glob("*.md"))]
# Sections that hold no metric: where figures are, words common to all, verdicts explained elsewhere on their page.
WITHOUT_METRIC = {"Where to find it", "Common to all", "Verdicts"}
NUMBER = re.compile(r"(?<![\w.])(?:\d+(?:\.\d+)?|\.\d+)(?!\w)")
# An example runs to the next warning, the next bold word or the end of its paragraph.
EXAMPLE = re.compile(r"\*By hand\*(.*?)(?=\*Misleads\*|\*By hand\*|\*\*|\n\n|\Z)", re.DOTALL)


def _sections() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for section in page.read_text(encoding="utf-8").split("\n## ")[1:]:
            title = section.splitlines()[0]
            if title not in WITHOUT_METRIC:
                yield f"{page.name}: {title}", section


def _examples() -> Iterator[tuple[str, str]]:
    for title, section in _sections():
        for number, example in enumerate(EXAMPLE.findall(section), start=1):
            yield f"{title} ({number})", example


@cache
def _unit_tests() -> dict[str, Any]:
    files = (REPOSITORY / "dbt_project" / "models").rglob("*.yml")
    documents = [yaml.safe_load(file.read_text(encoding="utf-8")) or {} for file in files]
    return {test["name"]: test for document in documents for test in document.get("unit_tests") or []}


@cache
def _python_tests() -> dict[str, str]:
    """The source of every test function, by its name."""
    sources = "\n\n\n".join(file.read_text(encoding="utf-8") for file in sorted(REPOSITORY.glob("tests/**/test_*.py")))
    return {match[1]: match[0] for match in re.finditer(r"def (test_\w+)\(.*?(?=\n\n\n|\Z)", sources, re.DOTALL)}


def _tests_named(text: str) -> list[Any]:
    names = re.findall(r"`(\w+)`", text)
    found = [_unit_tests().get(name) or _python_tests().get(name) for name in names]
    return [test for test in found if test is not None]


def _numbers(found: Any) -> set[float]:
    if isinstance(found, dict):
        return set().union(*(_numbers(one) for one in found.values()))
    if isinstance(found, list):
        return set().union(*(_numbers(one) for one in found))
    return {float(number) for number in re.findall(r"\d*\.?\d+", str(found))}


@pytest.mark.parametrize(("title", "section"), _sections(), ids=lambda value: value[:60])
def test_every_area_says_when_it_misleads_and_works_an_example(title: str, section: str) -> None:
    assert re.search(r"\bmisleads\b", section, re.IGNORECASE), (
        f"edit docs/metrics: {title} does not say when its figures mislead (*Misleads*)"
    )
    assert "*By hand*" in section, f"edit docs/metrics: {title} has no example (*By hand*)"
    assert _tests_named(section), f"edit docs/metrics: {title} names no unit test in `code`"


@pytest.mark.parametrize(("title", "example"), _examples(), ids=lambda value: value[:60])
def test_every_example_is_repeated_by_the_test_it_names(title: str, example: str) -> None:
    tests = _tests_named(example)
    assert tests, f"edit docs/metrics: the example of {title} names no test that exists"
    known = set().union(*(_numbers(test) for test in tests))
    stated = NUMBER.findall(re.sub(r"`[^`]*`|\[[^]]*\]\([^)]*\)", "", example))
    unknown = [text for text in stated if not any(_is_rounded(number, text) for number in known)]
    assert unknown == [], f"edit docs/metrics: the test that {title} names does not contain these figures"


def _is_rounded(number: float, text: str) -> bool:
    digits = len(text.partition(".")[2])
    return any(abs(abs(one) - float(text)) <= 0.5000001 * 10**-digits for one in (number, 100 * number))
