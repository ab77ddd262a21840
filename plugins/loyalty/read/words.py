"""The words of charts and report in English and Chinese.

The code holds the English text; `words_zh.yml` holds the Chinese of each. A text that is missing there is an error, so
that no page is half translated. `values_zh.yml` holds the Chinese of what the data say: values of columns, and reasons
with {0} where a number or another value is. Names of the shop's own (a region, a survey) stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from loyalty.common.counted import counted

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
CHINESE = Path(__file__).with_name("words_zh.yml")
CHINESE_VALUES = Path(__file__).with_name("values_zh.yml")


@dataclass(frozen=True)
class Words:
    """The words of one language: `words("customers")` is the text to show."""

    language: Language

    def __call__(self, text: str) -> str:
        """The text in this language; what has no translation is a name and stays."""
        if self.language == "en":
            return text
        known = chinese_values() | chinese()
        return known[text] if text in known else self._filled(text)

    def _filled(self, text: str) -> str:
        """A value of the data with a number or another value in it."""
        for pattern, there in filled_values():
            if found := pattern.fullmatch(text):
                return there.format(*(self(part) for part in found.groups()))
        return text

    def sentence(self, text: str) -> str:
        """A sentence of ours in this language. Raises KeyError where the translation is missing."""
        return text if self.language == "en" else chinese()[text]

    def counted(self, count: int, noun: str) -> str:
        """A number with what it counts: `3 rows`. Raises KeyError where the translation is missing."""
        return counted(count, noun) if self.language == "en" else chinese()[f"{{0}} {noun}"].format(f"{count:,}")


@cache
def chinese() -> dict[str, str]:
    """The Chinese of every English text."""
    return yaml.safe_load(CHINESE.read_text(encoding="utf-8"))


@cache
def chinese_values() -> dict[str, str]:
    """The Chinese of the values that the models give to columns of text."""
    return yaml.safe_load(CHINESE_VALUES.read_text(encoding="utf-8"))


@cache
def filled_values() -> list[tuple[re.Pattern[str], str]]:
    """The values with {0}, {1} in them, as patterns, each with its Chinese."""
    texts = [(english, there) for english, there in chinese_values().items() if "{" in english]
    return [(re.compile(re.sub(r"\\\{\d\\\}", "(.+)", re.escape(english))), there) for english, there in texts]
