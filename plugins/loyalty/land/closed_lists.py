"""Why a row breaks a rule of a closed list: the values that it may have, and the nearest one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from loyalty.land.gate import Rule

# Files of meanings that are kept by hand: no people are in them, so a wrong cell may be shown.
WITHOUT_PEOPLE = ("survey_questions", "survey_paths")
ANY = ".+"


def allowed_values(rule: Rule) -> list[str]:
    """The values of a rule that is a closed list, `dimension:*` for any text after the colon; none for other rules."""
    kwargs = rule.expectation.kwargs
    if rule.expectation.type == "expect_column_values_to_be_in_set":
        return [str(value) for value in kwargs.get("value_set", [])]
    listed = re.fullmatch(r"\^\(([\w:.+|]+)\)\$", str(kwargs.get("regex", "")))
    return [value.replace(ANY, "*") for value in listed[1].split("|")] if listed else []


def reason(rule: Rule, feed: str, key: tuple[str, ...], table: pa.Table, row: int) -> str:
    """Why the rule is there; of a closed list also its values, and of a file without people the cell and the nearest.

    `feed` is the canonical feed and `key` its key; `row` is the row's place in the typed table.
    """
    allowed = allowed_values(rule)
    column = rule.expectation.column
    if not allowed or column not in table.column_names:
        return rule.because
    if feed not in WITHOUT_PEOPLE:
        return f"{rule.because.rstrip('.')}; known are {', '.join(allowed)}."
    cells = {name: table.column(name)[row].as_py() for name in (*key, column)}
    record = ", ".join(f"{name} `{cells[name]}`" for name in key)
    return (
        f"{record} has the {column} `{cells[column]}`{_nearest(str(cells[column]), allowed)}; "
        f"known are {', '.join(allowed)}"
    )


def sentences(feed: str, quarantined: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each quarantined row of a file of meanings with its file and line: one wrong question makes a survey silent."""
    if feed not in WITHOUT_PEOPLE:
        return []
    return [f"{entry['_file']}, line {entry['_line']}: {entry['reason']}" for entry in quarantined]


def _nearest(cell: str, allowed: list[str]) -> str:
    """Which value was probably meant; a text after the colon is kept where any is allowed."""
    head, _, part = cell.strip().lower().replace(" ", "_").partition(":")
    heads = {value.removesuffix(":*"): value for value in allowed}
    whole = f"{head}:{part}" if part else head
    near = difflib.get_close_matches(whole, heads, n=1) or difflib.get_close_matches(head, heads, n=1)
    if not near:
        return ""
    value = heads[near[0]]
    return f", the nearest is `{value.replace('*', part) if part else value}`"
