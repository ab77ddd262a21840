"""Writing names and texts into SQL, so that nothing in a header, file name or answer is ever run."""

from __future__ import annotations

from collections.abc import Iterable


def quote_identifier(name: str) -> str:
    """A name as SQL reads it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(value: object) -> str:
    """A text as SQL reads it, whatever is in it."""
    return "'" + str(value).replace("'", "''") + "'"


def text_list(values: Iterable[object]) -> str:
    """A DuckDB list of texts."""
    return f"[{', '.join(quote_text(value) for value in values)}]"
