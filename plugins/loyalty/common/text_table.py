"""Rows as aligned text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

WIDEST_CELL = 40


# What a terminal obeys instead of showing it: control characters, and those that turn the direction of writing.
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows in aligned columns, numbers to the right; NULL is shown as a dash, long texts are cut."""
    cells = [[_shown(cell) for cell in row] for row in rows]
    widths = [max([len(name), *(len(row[place]) for row in cells)]) for place, name in enumerate(columns)]
    is_number = [any(isinstance(row[place], int | float | Decimal) for row in rows) for place in range(len(columns))]
    lines = [_line(columns, widths, is_number), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths, is_number) for row in cells]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int], is_number: Sequence[bool]) -> str:
    return "  ".join(
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, is_number, strict=True)
    )


def _shown(cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float):
        return f"{cell:.6g}"
    text = UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), str(plain(cell)).replace("\n", " "))
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 3] + "..."


def plain(cell: Any) -> Any:
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return str(cell)
    return cell
