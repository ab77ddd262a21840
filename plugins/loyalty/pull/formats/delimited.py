"""Delimited text: CSV, TSV, semicolons, with quotes and line breaks inside cells."""

from __future__ import annotations

import csv
import gc
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate, chain, islice, pairwise
from operator import itemgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from loyalty.common.errors import LoadRejected
from loyalty.pull.feeds import FormatOptions
from loyalty.pull.formats.batch import BadLine, Batch, Trailer
from loyalty.pull.formats.text import Lines, open_lines
from loyalty.pull.patterns import is_found, named_groups

LONGEST_CELL = 1_000_000  # characters
csv.field_size_limit(LONGEST_CELL)

LINE_END = re.compile("\r\n|\r|\n")
MOST_CHARACTERS = 1 << 28
LONGEST_FOOTER = 20  # lines; where more follow, it was a row that looks like one
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
        yield from _batches(lines, options, batch_rows)


def _batches(lines: Lines, options: FormatOptions, batch_rows: int) -> Iterator[Batch]:
    source = iter(lines)
    reader = _Records(source, options, before=0)
    header = _header(reader, options)
    before, trailer, is_last = reader.line, None, False
    open_line: BadLine | None = None  # the last line, where it is none of the rows: perhaps cut
    while not is_last:
        block = list(islice(source, batch_rows))
        is_last = len(block) < batch_rows
        if (cells := _plain_cells(block, header, options)) is not None:
            numbers = pa.array(range(before + 1, before + len(block) + 1), pa.int64())
            before, open_line = before + len(block), None
            yield Batch(cells, numbers)
            continue
        reader = _Records(chain(block, source), options, before)
        records = reader.take(len(block))
        rows = _sort_out(records, _line_numbers(records, before, reader.line), len(header), options, trailer)
        before, trailer = reader.line, rows.trailer
        if rows.bad and rows.bad[-1].line > max(rows.numbers, default=0):
            open_line = rows.bad[-1]
        elif rows.numbers:
            open_line = None
        if is_last:
            _reject_cut_short(open_line, trailer, lines, options)
        yield to_batch(header, rows.cells, rows.numbers, rows.bad, trailer)


class _Records:
    """Records read one by one by the csv module, and the line of the file it has come to."""

    def __init__(self, lines: Iterator[str], options: FormatOptions, before: int) -> None:
        self._reader = csv.reader(lines, delimiter=options.delimiter, quotechar=options.quote or None, strict=True)
        self._before = before
        self._options = options

    @property
    def line(self) -> int:
        """The last line read; 1 is the file's first."""
        return self._before + self._reader.line_num

    def take(self, count: int) -> list[list[str]]:
        """The next records, at most `count`; LoadRejected where quotes do not close."""
        gc.disable()  # so many small lists, none of them garbage: looking for some doubles the time
        try:
            records = list(islice(self._reader, count))
            return self._before_footer(records) if self._options.footer else records
        except csv.Error as error:
            if "field limit" in str(error):
                raise LoadRejected(f"line {self.line}: a cell has more than {LONGEST_CELL:,} characters") from None
            raise LoadRejected(f"line {self.line}: the quotes do not close ({error})") from None
        finally:
            gc.enable()

    def _before_footer(self, records: list[list[str]]) -> list[list[str]]:
        """The records above the footer, which is read to the file's end; LoadRejected when it is too long for one."""
        position = footer_begins(records, self._options)
        if position is None:
            return records
        reject_long_footer(len(records) - position + len(list(islice(self._reader, LONGEST_FOOTER + 1))))
        return records[:position]


def _plain_cells(lines: list[str], header: list[str], options: FormatOptions) -> pa.Table | None:
    """The cells of lines without a quote, all as long as the header, read in one step; None if a line is different.

    Then every line is a row, and the result is that of the csv module, at a fifth of the time.
    """
    text = "".join(lines)
    if (
        options.trailer
        or options.footer
        or not lines
        or (options.quote and options.quote in text)
        or len(text) > MOST_CHARACTERS
    ):
        return None
    if max(map(len, lines)) > LONGEST_CELL:
        return None
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(data := text.encode()),
            pa_csv.ReadOptions(column_names=header, block_size=len(data) + 1, use_threads=False),
            pa_csv.ParseOptions(delimiter=options.delimiter, quote_char=False, double_quote=False),
            pa_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid:  # a line of another length: the csv module finds which one, and why
        return None
    return table if table.num_rows == len(lines) else None


def footer_begins(records: Sequence[Sequence[str]], options: FormatOptions) -> int | None:
    """The position of the first record that the footer's pattern is found in: it and all below are no rows."""
    if options.footer is None or not records:
        return None
    lines = pa.array([options.delimiter.join(cells) for cells in records], pa.string())
    return next(iter(pc.indices_nonzero(is_found(lines, options.footer)).to_pylist()), None)


def reject_long_footer(length: int) -> None:
    """LoadRejected for more lines than a footer has, or a row that looks like one would cost all below it."""
    if length > LONGEST_FOOTER:
        raise LoadRejected(f"more than {LONGEST_FOOTER} lines are below the first that fits options.footer")


def _reject_cut_short(open_line: BadLine | None, trailer: Trailer | None, lines: Lines, options: FormatOptions) -> None:
    if open_line and not lines.ends_whole:
        raise LoadRejected(f"line {open_line.line} stops in the middle: the file is cut short")
    if options.trailer and trailer is None:
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
    totals = _total_lines(records, numbers, options)
    for cells, number in zip(records, numbers, strict=True):
        if cells and rows.trailer:
            raise LoadRejected(f"line {number}: there are rows after the total line")
        if number in totals:
            rows.trailer = _trailer(options.delimiter.join(cells), options)
        elif len(cells) == width:
            rows.cells.append(cells)
            rows.numbers.append(number)
        elif cells:  # a blank line is not a row
            rows.bad.append(BadLine(number, cells, f"{len(cells)} cells where the header has {width}"))
    return rows


def _header(reader: _Records, options: FormatOptions) -> list[str]:
    reader.take(options.skip_lines)
    if not options.header:
        return check_header(options.names)
    rows = reader.take(options.header_rows)
    if not rows or not rows[0]:
        raise LoadRejected("the file is empty")
    reader.take(options.skip_after_header)
    return check_header(options.names or header_of(rows))


def header_of(rows: list[list[str]]) -> list[str]:
    """One name a column: its cell, or the cells of several header rows below each other, joined.

    Of several, an upper one may span columns: where only the lower ones have a cell, it is the one to the left.
    """
    if len(rows) == 1:
        return [name.strip() for name in rows[0]]
    width = max(map(len, rows))
    cells = [[" ".join(cell.split()) for cell in row] + [""] * (width - len(row)) for row in rows]
    for upper, lower in pairwise(cells):
        for position in range(1, width):
            if lower[position] and not upper[position]:
                upper[position] = upper[position - 1]
    return [" / ".join(filter(None, column)) for column in zip(*cells, strict=True)]


def check_header(names: list[str]) -> list[str]:
    """The header when every name is in it once; LoadRejected otherwise."""
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


def _total_lines(records: list[list[str]], numbers: Sequence[int], options: FormatOptions) -> set[int]:
    """The numbers of the lines that begin as a total line does."""
    if not options.trailer:
        return set()
    lines = pa.array([options.delimiter.join(cells) for cells in records], pa.string())
    return {numbers[place] for place in pc.indices_nonzero(is_found(lines, f"^(?:{options.trailer})")).to_pylist()}


def _trailer(line: str, options: FormatOptions) -> Trailer:
    """What the total line claims, its numbers written as the file's own are."""
    groups = named_groups(line, options.trailer or "") or {}
    return Trailer(_claim(groups.get("rows"), "number of rows", options), _claim(groups.get("total"), "total", options))


def _claim(text: str | None, what: str, options: FormatOptions) -> Decimal | None:
    if text is None or not text.strip():
        return None
    plain = text.strip().replace(options.thousands, "") if options.thousands else text.strip()
    plain = plain.replace(",", ".") if options.decimal == "," else plain
    if not PLAIN_NUMBER.fullmatch(plain):
        raise LoadRejected(f"the total line has `{text}` where a {what} is expected; see options.trailer")
    return Decimal(plain)
