"""Cells that are safe to open in a spreadsheet."""

from __future__ import annotations

from typing import Any

# Also written full-width, as the input of Chinese and Japanese gives them: Excel takes those as well.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def neutral(cell: Any) -> Any:
    """A cell that a spreadsheet shows as text instead of running it as a formula."""
    is_number = isinstance(cell, str) and cell[1:].replace(".", "", 1).isdigit()
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) and not is_number else cell
