"""Rows as aligned text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rich.cells import cell_len, set_cell_size

NARROWEST_CUT = 8  # a column is cut no narrower than this
CUT = "..."

# What a terminal obeys instead of showing it: control characters, and those that turn the direction of writing.
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int | None = None) -> str:
    """Rows in aligned columns, numbers to the right; NULL is shown as a dash.

    With a `width` in terminal cells the widest text columns are cut until a line fits. A Chinese character takes
    two cells.
    """
    cells = [[_shown(cell) for cell in row] for row in rows]
    widths = [max([cell_len(name), *(cell_len(row[at]) for row in cells)]) for at, name in enumerate(columns)]
    is_number = [any(isinstance(row[at], int | float | Decimal) for row in rows) for at in range(len(columns))]
    if width is not None:
        widths = _fitted(widths, is_number, width)
    lines = [_line(columns, widths, is_number), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths, is_number) for row in cells]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _fitted(widths: Sequence[int], is_number: Sequence[bool], width: int) -> list[int]:
    """The widths with the widest text columns cut, so that a line fits where that is possible."""
    fitted = list(widths)
    while sum(fitted) + 2 * (len(fitted) - 1) > width:
        texts = [at for at, number in enumerate(is_number) if not number and fitted[at] > NARROWEST_CUT]
        if not texts:
            break
        fitted[max(texts, key=lambda at: fitted[at])] -= 1
    return fitted


def _line(cells: Sequence[str], widths: Sequence[int], is_number: Sequence[bool]) -> str:
    return "  ".join(
        _padded(_cut(cell, width), width, right) for cell, width, right in zip(cells, widths, is_number, strict=True)
    )


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - len(CUT)) + CUT


def _padded(text: str, width: int, is_right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if is_right else text + space


def _shown(cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float):
        return f"{cell:.6g}"
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), str(plain(cell)).replace("\n", " "))


def plain(cell: Any) -> Any:
    """A cell as text, unless CSV and JSON have it as it is."""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return str(cell)
    return cell
