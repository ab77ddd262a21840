"""Formats: an export file becomes batches of text cells with their line numbers.

Nothing is typed here. A file that is damaged or not what its feed declares is refused whole with
LoadRejected; a single line with too few or too many cells becomes a BadLine and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from loyalty.feeds import FeedConfig, FormatOptions


@dataclass(frozen=True)
class BadLine:
    """A line that is no row: too few or too many cells."""

    line: int
    cells: list[str]
    reason: str


@dataclass(frozen=True)
class Trailer:
    """What the export says of itself in its last line."""

    row_count: Decimal | None
    total: Decimal | None


@dataclass(frozen=True)
class Batch:
    """Some rows of an export: text columns by header, and the line each row began on (1 = the first)."""

    cells: pa.Table
    lines: pa.Array
    bad_lines: list[BadLine] = field(default_factory=list)
    trailer: Trailer | None = None


Reader = Callable[[Path, FormatOptions, int, int], Iterator[Batch]]


def read_batches(file: Path, feed: FeedConfig, batch_rows: int, max_bytes: int) -> Iterator[Batch]:
    """The rows of an export in batches of at most `batch_rows`; a batch may be empty.

    Raises LoadRejected when the file is empty, cut short, damaged, larger than `max_bytes` once
    unpacked, or written in another encoding than the feed declares.
    """
    from loyalty.formats.reshape import reshaped

    return reshaped(_reader(feed.format)(file, feed.options, batch_rows, max_bytes), feed)


def _reader(name: str) -> Reader:
    from loyalty.formats import delimited, fixed_width, jsonl, parquet, xlsx

    readers: dict[str, Reader] = {
        "csv": delimited.read,
        "fixed_width": fixed_width.read,
        "jsonl": jsonl.read,
        "parquet": parquet.read,
        "xlsx": xlsx.read,
    }
    return readers[name]
