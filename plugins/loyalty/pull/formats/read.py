"""Reading an export: the reader of its format, then the shape that its feed declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from loyalty.pull.feeds import FeedConfig, FormatOptions
from loyalty.pull.formats import delimited, fixed_width, jsonl, parquet, xlsx
from loyalty.pull.formats.batch import Batch
from loyalty.pull.formats.reshape import reshaped

Reader = Callable[[Path, FormatOptions, int, int], Iterator[Batch]]


def read_batches(file: Path, feed: FeedConfig, batch_rows: int, max_bytes: int) -> Iterator[Batch]:
    """The rows of an export in batches of at most `batch_rows`; a batch may be empty.

    Raises LoadRejected when the file is empty, cut short, damaged, larger than `max_bytes` once
    unpacked, or written in another encoding than the feed declares.
    """
    return reshaped(_reader(feed.format)(file, feed.options, batch_rows, max_bytes), feed)


def _reader(name: str) -> Reader:
    readers: dict[str, Reader] = {
        "csv": delimited.read,
        "fixed_width": fixed_width.read,
        "jsonl": jsonl.read,
        "parquet": parquet.read,
        "xlsx": xlsx.read,
    }
    return readers[name]
