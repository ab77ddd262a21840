"""README in both languages: the same numbers, commands and links."""

from __future__ import annotations

import calendar
import re

import pytest

import readme

ENGLISH = readme.README.read_text(encoding="utf-8")
CHINESE = readme.CHINESE.read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)]+)\)")
CODE = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
LANGUAGES = {readme.README.name, readme.CHINESE.name}


def numbers(text: str) -> list[str]:
    """The numbers of a text, those of month names too, in the order of their digits."""
    for number, name in enumerate(calendar.month_name[1:], start=1):
        text = text.replace(f"{name} ", f"{number:02} ")
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", text))


@pytest.mark.parametrize("part", ["answers", "query", "demo"])
def test_what_make_readme_writes_has_the_same_numbers_in_both_languages(part: str) -> None:
    english, chinese = (readme.part_of(text, part) for text in (ENGLISH, CHINESE))
    assert numbers(english) == numbers(chinese) != [], "README.md and README.zh-CN.md differ: run `make readme`"


def test_both_languages_show_the_same_commands_and_links() -> None:
    how = "README.md and README.zh-CN.md say the same: change both"
    assert CODE.findall(ENGLISH) == CODE.findall(CHINESE) != [], how
    assert set(LINK.findall(ENGLISH)) - LANGUAGES == set(LINK.findall(CHINESE)) - LANGUAGES, how


def test_each_language_leads_to_the_other_at_the_top() -> None:
    assert readme.CHINESE.name in LINK.findall(ENGLISH.partition("\n## ")[0])
    assert readme.README.name in LINK.findall(CHINESE.partition("\n## ")[0])
