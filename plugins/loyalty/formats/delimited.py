"""Delimited text: CSV, TSV, semicolons, with quotes and line breaks inside cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from loyalty.errors import LoadRejected
from loyalty.feeds import FormatOptions
from loyalty.formats import BadLine, Batch, Trailer
from loyalty.formats.text import open_lines

csv.field_size_limit(1_000_000)


class _Lines:
    """Passes lines on and remembers whether the last one was whole."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.last_is_whole = True

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.last_is_whole = line.endswith(("\n", "\r"))
            yield line


def read(file: Path, options: FormatOptions, batch_rows: int, max_bytes: int) -> Iterator[Batch]:
    """Batches of a delimited file; see `read_batches`."""
    with open_lines(file, options.encoding, max_bytes) as decoded:
        lines = _Lines(decoded)
        reader = csv.reader(lines, delimiter=options.delimiter, quotechar=options.quote or None, strict=True)
        try:
            yield from _batches(reader, lines, options, batch_rows)
        except csv.Error as error:
            raise LoadRejected(f"line {reader.line_num}: the quotes do not close ({error})") from None


def _batches(reader: Any, lines: _Lines, options: FormatOptions, batch_rows: int) -> Iterator[Batch]:
    header = _header(reader, options)
    trailer_pattern = re.compile(options.trailer) if options.trailer else None
    trailer: Trailer | None = None
    rows: list[list[str]] = []
    numbers: list[int] = []
    bad: list[BadLine] = []
    number = reader.line_num + 1
    for cells in reader:
        if trailer is not None and cells:
            raise LoadRejected(f"line {number}: there are rows after the total line")
        if trailer_pattern and (found := trailer_pattern.match(options.delimiter.join(cells))):
            trailer = _trailer(found)
        elif len(cells) == len(header):
            rows.append(cells)
            numbers.append(number)
        elif cells:  # a blank line is no row
            bad.append(BadLine(number, cells, f"{len(cells)} cells where the header has {len(header)}"))
        if len(rows) == batch_rows:
            yield to_batch(header, rows, numbers, bad)
            rows, numbers, bad = [], [], []
        number = reader.line_num + 1
    if bad and not lines.last_is_whole and bad[-1].line >= max(numbers, default=0):
        raise LoadRejected(f"line {bad[-1].line} stops in the middle: the file is cut short")
    if trailer_pattern and trailer is None:
        raise LoadRejected("the total line at the end is missing: the file is cut short")
    yield to_batch(header, rows, numbers, bad, trailer)


def _header(reader: Any, options: FormatOptions) -> list[str]:
    for _ in range(options.skip_lines):
        next(reader, None)
    if not options.header:
        return check_header(options.names)
    header = next(reader, None)
    if not header:
        raise LoadRejected("the file is empty")
    for _ in range(options.skip_after_header):
        next(reader, None)
    return check_header(options.names or [name.strip() for name in header])


def check_header(names: list[str]) -> list[str]:
    """The header when every name stands in it once; LoadRejected otherwise."""
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise LoadRejected(f"the header has the column `{twice[0]}` twice")
    return [name or f"column_{position}" for position, name in enumerate(names, start=1)]


def to_batch(
    header: list[str],
    rows: list[list[str]],
    numbers: list[int],
    bad: list[BadLine],
    trailer: Trailer | None = None,
) -> Batch:
    """Rows of cells as a table of text columns."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    cells = pa.table([pa.array(column, pa.string()) for column in columns], names=header)
    return Batch(cells, pa.array(numbers, pa.int64()), bad, trailer)


def _trailer(found: re.Match[str]) -> Trailer:
    groups = found.groupdict()
    rows = groups.get("rows")
    return Trailer(int(rows) if rows else None, groups.get("total"))
