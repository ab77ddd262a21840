"""Numbers with what they count, in English: 1 row, 3 rows."""

from __future__ import annotations

# Nouns whose plural has no -s at its end.
PLURALS = {"person": "people"}


def counted(count: int, noun: str) -> str:
    """`1 row`, `2 rows`, `1,000 rows`."""
    return f"{count:,} {noun if count == 1 else PLURALS.get(noun, f'{noun}s')}"
