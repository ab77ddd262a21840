"""The words of charts and report in English and Chinese.

The code holds the English text; `words_zh.yml` holds the Chinese of each. A text that is missing there is an error, so
that no page is half translated; names that come from the data (a segment, a survey) stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from loyalty.common.counted import counted

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
CHINESE = Path(__file__).with_name("words_zh.yml")


@dataclass(frozen=True)
class Words:
    """The words of one language: `words("customers")` is the text to show."""

    language: Language

    def __call__(self, text: str) -> str:
        """The text in this language; what has no translation is a name and stays."""
        return text if self.language == "en" else chinese().get(text, text)

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
