"""Delimited text: CSV, TSV, semicolons, with quotes and line breaks inside cells."""

from __future__ import annotations

import csv
import gc
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa

from loyalty.errors import LoadRejected
from loyalty.feeds import FormatOptions
from loyalty.formats import BadLine, Batch, Trailer
from loyalty.formats.text import Lines, open_lines

csv.field_size_limit(1_000_000)


LINE_END = re.compile("\r\n|\r|\n")
PLAIN_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?", re.ASCII)


@dataclass
class _Rows:
    """Some records of the file: the rows among them, and the lines that are none."""

    cells: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    trailer: Trailer | None = None


def read(file: Path, options: FormatOptions, batch_rows: int, max_bytes: int) -> Iterator[Batch]:
    """Batches of a delimited file; see `read_batches`."""
    with open_lines(file, options.encoding, max_bytes) as lines:
        reader = csv.reader(lines, delimiter=options.delimiter, quotechar=options.quote or None, strict=True)
        try:
            yield from _batches(reader, lines, options, batch_rows)
        except csv.Error as error:
            raise LoadRejected(f"line {reader.line_num}: the quotes do not close ({error})") from None


def _batches(reader: Any, lines: Lines, options: FormatOptions, batch_rows: int) -> Iterator[Batch]:
    header = _header(reader, options)
    rows = _Rows()
    before = reader.line_num
    for records in _chunks(reader, batch_rows):
        numbers = _line_numbers(records, before, reader.line_num)
        before = reader.line_num
        rows = _sort_out(records, numbers, len(header), options, rows.trailer)
        if len(records) < batch_rows:  # the last ones
            _refuse_cut_short(rows, lines, options)
        yield to_batch(header, rows.cells, rows.numbers, rows.bad, rows.trailer)


def _chunks(reader: Any, batch_rows: int) -> Iterator[list[list[str]]]:
    """The records in lists of `batch_rows`; the last list, which may be empty, is shorter."""
    while True:
        gc.disable()  # so many small lists, none of them garbage: looking for some doubles the time
        try:
            records = list(islice(reader, batch_rows))
        finally:
            gc.enable()
        yield records
        if len(records) < batch_rows:
            return


def _refuse_cut_short(rows: _Rows, lines: Lines, options: FormatOptions) -> None:
    if rows.bad and not lines.ends_whole and rows.bad[-1].line > max(rows.numbers, default=0):
        raise LoadRejected(f"line {rows.bad[-1].line} stops in the middle: the file is cut short")
    if options.trailer and rows.trailer is None:
        raise LoadRejected("the total line at the end is missing: the file is cut short")


def _line_numbers(records: list[list[str]], before: int, after: int) -> Sequence[int]:
    """The line each record begins on; records are longer than a line where cells hold line ends."""
    if after - before == len(records):
        return range(before + 1, after + 1)
    if not records:
        return []
    lengths = [1 + sum(len(LINE_END.findall(cell)) for cell in cells) for cells in records]
    return list(accumulate(lengths[:-1], initial=before + 1))


def _sort_out(
    records: list[list[str]], numbers: Sequence[int], width: int, options: FormatOptions, trailer: Trailer | None
) -> _Rows:
    """Part rows from blank lines, lines of another length, and the total line at the end."""
    if not options.trailer and set(map(len, records)) == {width}:
        return _Rows(records, list(numbers))
    rows = _Rows(trailer=trailer)
    for cells, number in zip(records, numbers, strict=True):
        if cells and rows.trailer:
            raise LoadRejected(f"line {number}: there are rows after the total line")
        if options.trailer and (found := re.match(options.trailer, options.delimiter.join(cells))):
            rows.trailer = _trailer(found, options)
        elif len(cells) == width:
            rows.cells.append(cells)
            rows.numbers.append(number)
        elif cells:  # a blank line is no row
            rows.bad.append(BadLine(number, cells, f"{len(cells)} cells where the header has {width}"))
    return rows


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
    named = [name or f"unnamed_column_{position}" for position, name in enumerate(names, start=1)]
    if len(set(named)) < len(named):
        raise LoadRejected("the header has columns without a name beside columns called like them")
    return named


def to_batch(
    header: list[str],
    rows: list[list[str]],
    numbers: list[int],
    bad: list[BadLine],
    trailer: Trailer | None = None,
) -> Batch:
    """Rows of cells as a table of text columns."""
    columns = [
        pa.array(map(itemgetter(position), rows), pa.string(), size=len(rows)) for position in range(len(header))
    ]
    cells = pa.table(columns, names=header)
    return Batch(cells, pa.array(numbers, pa.int64()), bad, trailer)


def _trailer(found: re.Match[str], options: FormatOptions) -> Trailer:
    """What the total line claims, its numbers written as the file's own are."""
    groups = found.groupdict()
    return Trailer(_claim(groups.get("rows"), "number of rows", options), _claim(groups.get("total"), "total", options))


def _claim(text: str | None, what: str, options: FormatOptions) -> Decimal | None:
    if text is None or not text.strip():
        return None
    plain = text.strip().replace(options.thousands, "") if options.thousands else text.strip()
    plain = plain.replace(",", ".") if options.decimal == "," else plain
    if not PLAIN_NUMBER.fullmatch(plain):
        raise LoadRejected(f"the total line says `{text}` where a {what} is expected; see options.trailer")
    return Decimal(plain)
