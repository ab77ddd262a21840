"""What every reader of a format gives: batches of text cells with their line numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa


@dataclass(frozen=True)
class BadLine:
    """A line that is not a row: too few or too many cells."""

    line: int
    cells: list[str]
    reason: str


@dataclass(frozen=True)
class Trailer:
    """The totals in the last line of an export."""

    row_count: Decimal | None
    total: Decimal | None


@dataclass(frozen=True)
class Batch:
    """Some rows of an export: text columns by header, and the line each row began on (1 = the first)."""

    cells: pa.Table
    lines: pa.Array
    bad_lines: list[BadLine] = field(default_factory=list)
    trailer: Trailer | None = None
