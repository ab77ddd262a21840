"""The one kind of error a user can cause, how its sentence ends, and where the others are kept."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LONGEST_FOUND = 80  # characters of a wrong value in a sentence about it


class UserError(Exception):
    """A fault that a user can correct: one sentence that says what, where, and what to do.

    The commands print the sentence and exit with a code other than zero; no traceback is shown.
    """


class LoadRejected(UserError):
    """A delivery was rejected whole; the published marts and all other deliveries are untouched."""


class Transient(UserError):
    """A fault that may be over in a minute: a scheduler may try again."""


class LockBusy(Transient):
    """Another run holds the work file; the sentence says who, with which pid, and since when."""


def nearest(word: str, words: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the known one that comes nearest, where one does."""
    close = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean `{close[0]}`" if close else ""


def as_found(value: object) -> str:
    """The end of a sentence about a wrong value: the value, cut short."""
    text = repr(value)
    return f" (found {text if len(text) <= LONGEST_FOUND else text[:LONGEST_FOUND] + '...'})"


def yaml_fault(error: Exception) -> str:
    """What is wrong with a YAML file and in which line, without the line itself: it may hold a secret."""
    mark: Any = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    return f"line {mark.line + 1}: {problem}" if mark else problem


def keep_traceback(folder: Path, name: str) -> Path:
    """Keep what happened for the maintainers, for the owner's eyes only; returns where."""
    file = folder / f"{name}.log"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as handle:
        handle.write(traceback.format_exc())
    return file


def first_line(error: Exception) -> str:
    """An error's first line, as a part of a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
