"""One row is a row, two are rows, in every sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.common.counted import counted
from loyalty.read.words import chinese

PACKAGE = Path(__file__).parents[3] / "plugins" / "loyalty"
NOUNS = [
    "rows",
    "files",
    "loads",
    "generations",
    "people",
    "customers",
    "models",
    "tests",
    "days",
    "times",
    "hours",
    "months",
    "lines",
    "feeds",
    "marts",
]
# Names of groups and segments, a limit above 1, a ratio.
NO_COUNTS = {"group", "segment", "needed", "value"}


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [(0, "row", "0 rows"), (1, "row", "1 row"), (1_000, "new load", "1,000 new loads"), (2, "person", "2 people")],
)
def test_a_number_has_what_it_counts(count: int, noun: str, text: str) -> None:
    assert counted(count, noun) == text


def plurals_after_a_number(code: str) -> Iterator[tuple[int, str]]:
    """Line and noun of each text that puts a plural behind a number that may be 1; a constant never is."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, text in zip(node.values, node.values[1:], strict=False):
            if not isinstance(value, ast.FormattedValue) or not isinstance(text, ast.Constant):
                continue
            words = str(text.value).replace(",", " ").replace(".", " ").split()
            name = value.value.id if isinstance(value.value, ast.Name) else ""
            if str(text.value).startswith(" ") and words[:1] and words[0] in NOUNS:
                if name.isupper() or name in NO_COUNTS:
                    continue
                yield node.lineno, words[0]


def test_a_plural_behind_a_number_is_found() -> None:
    code = 'a = f"{n} rows"\nb = f"{counted(n, word)} of {m:,} files."\nc = f"{MOST} rows and {n} more rows"\n'
    assert list(plurals_after_a_number(code)) == [(1, "rows"), (2, "files")]


def test_no_text_of_a_page_says_1_rows() -> None:
    """Write `words.counted(number, "row")` instead; what is one of several, `{0} of {1} rows`, is never one."""
    assert [text for text in chinese() if re.match(rf"{{\w+}} ({'|'.join([*NOUNS, 'others'])})\b", text)] == []


def test_no_sentence_says_1_rows() -> None:
    """Write `counted(number, "row")` instead."""
    found = {
        f"{file.relative_to(PACKAGE)}:{line} {noun}"
        for file in PACKAGE.rglob("*.py")
        for line, noun in plurals_after_a_number(file.read_text(encoding="utf-8"))
    }
    assert found == set()
