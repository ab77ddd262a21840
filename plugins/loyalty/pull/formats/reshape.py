"""Exports in which a line is not a record: continued orders, lists in cells, one column a question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase

import pyarrow as pa
import pyarrow.compute as pc

from loyalty.common.errors import LoadRejected, nearest
from loyalty.pull.feeds import POSITION, FeedConfig, RowOptions
from loyalty.pull.formats.batch import Batch


@dataclass(frozen=True)
class _Part:
    """A batch under way: its rows, the line of each and the number of its record."""

    batch: Batch
    cells: pa.Table
    numbers: pa.Array
    records: pa.Array


def reshaped(batches: Iterator[Batch], feed: FeedConfig) -> Iterator[Batch]:
    """The batches with their lines made into rows as the feed's `rows` declares; a row keeps the number of its line."""
    if feed.rows is None:
        yield from batches
        return
    lines = _Lines(feed.rows)
    parts: Iterator[_Part] = (_with_records(batch, feed, feed.rows, lines) for batch in batches)
    if feed.rows.sum:
        parts = _summed(parts, feed, feed.rows)
    elif feed.rows.first_only:
        parts = (_first_lines(part, lines) for part in parts)
    for part in parts:
        cells, numbers, records = _exploded(part.cells, part.numbers, part.records, feed)
        if feed.needs_position:
            cells = cells.append_column(POSITION, lines.positions(records))
        yield replace(part.batch, cells=cells, lines=numbers)


def _with_records(batch: Batch, feed: FeedConfig, rows: RowOptions, lines: _Lines) -> _Part:
    cells, numbers = _left_in(_with_all_columns(batch.cells, feed, rows), batch.lines, rows)
    cells, records = lines.joined(cells, numbers)
    return _Part(batch, cells, numbers, records)


def _first_lines(part: _Part, lines: _Lines) -> _Part:
    begins = lines.begins(part.records)
    return _Part(part.batch, part.cells.filter(begins), part.numbers.filter(begins), part.records.filter(begins))


def _summed(parts: Iterator[_Part], feed: FeedConfig, rows: RowOptions) -> Iterator[_Part]:
    """The first line of each record with the sums over all of its lines; a record may go on in the next batch."""
    held: _Part | None = None
    for part in parts:
        if held is not None and held.cells.num_rows:
            whole = [held.cells, part.cells]
            part = _Part(
                part.batch,
                pa.concat_tables(whole, promote_options="default"),
                pa.concat_arrays([held.numbers, part.numbers]),
                pa.concat_arrays([held.records, part.records]),
            )
        first = _record_sums(part, feed, rows)
        count = max(first.cells.num_rows - 1, 0)
        yield replace(first, cells=first.cells[:count], numbers=first.numbers[:count], records=first.records[:count])
        held = replace(
            first,
            batch=Batch(first.cells[:0], first.numbers[:0]),
            cells=first.cells[count:],
            numbers=first.numbers[count:],
            records=first.records[count:],
        )
    if held is not None:
        yield held


def _record_sums(part: _Part, feed: FeedConfig, rows: RowOptions) -> _Part:
    records = part.records.to_pylist()
    begins = pa.array([place == 0 or records[place - 1] != record for place, record in enumerate(records)], pa.bool_())
    first = part.cells.filter(begins)
    for header in rows.sum:
        sums: dict[int, Decimal | None] = dict.fromkeys(records)
        texts = part.cells.column(header).to_pylist()
        for record, line, text in zip(records, part.numbers.to_pylist(), texts, strict=True):
            if (number := _number(text, header, line, feed)) is not None:
                sums[record] = (sums[record] or Decimal(0)) + number
        first = _with_column(first, header, [_written(one, feed) for one in sums.values()])
    return _Part(part.batch, first, part.numbers.filter(begins), part.records.filter(begins))


def _number(text: str | None, header: str, line: int, feed: FeedConfig) -> Decimal | None:
    """A cell to be added up; LoadRejected where it is no number, since a sum without it would be wrong."""
    if not _is_filled(text, feed):
        return None
    plain = (text or "").strip()
    if feed.format in ("csv", "fixed_width"):
        plain = plain.replace(feed.options.thousands, "") if feed.options.thousands else plain
        plain = plain.replace(",", ".") if feed.options.decimal == "," else plain
    try:
        return Decimal(plain)
    except InvalidOperation:
        raise LoadRejected(f"line {line}: `{header}` has no number, and `rows.sum` adds it up") from None


def _written(number: Decimal | None, feed: FeedConfig) -> str | None:
    if number is None:
        return None
    is_text = feed.format in ("csv", "fixed_width")
    return f"{number:f}".replace(".", feed.options.decimal) if is_text else f"{number:f}"


def _with_all_columns(cells: pa.Table, feed: FeedConfig, rows: RowOptions) -> pa.Table:
    """The cells with every column that `rows` names; JSON objects may leave out what has no value."""
    headers = rows.headers
    if rows.split and not (rows.unpivot and rows.split.column == rows.unpivot.value):
        headers = [*headers, rows.split.column]
    for header in headers:
        if header not in cells.column_names:
            if not feed.is_ragged:
                raise LoadRejected(_missing(header, cells.column_names))
            cells = cells.append_column(header, pa.nulls(cells.num_rows, pa.string()))
    return cells


def _left_in(cells: pa.Table, numbers: pa.Array, rows: RowOptions) -> tuple[pa.Table, pa.Array]:
    for wanted, words_of in ((True, rows.keep), (False, rows.leave_out)):
        for header, words in words_of.items():
            texts = pc.fill_null(pc.utf8_trim_whitespace(cells.column(header)), "")
            named = pc.is_in(texts, value_set=pa.array(words, pa.string())).combine_chunks()
            keep = named if wanted else pc.invert(named)
            cells, numbers = cells.filter(keep), numbers.filter(keep)
    return cells, numbers


class _Lines:
    """What the lines above give, also across batches: the record, and the cells that are filled down."""

    def __init__(self, rows: RowOptions) -> None:
        self._rows = rows
        self._name: str | None = None
        self._record = self._begun = self._counted = 0
        self._begun_in: dict[int, int] = {}  # the records so far, by a hash of their name, and the line they began in
        self._above: dict[str, tuple[str | None, int]] = dict.fromkeys(rows.fill_down, (None, 0))
        self._position = 0

    def joined(self, cells: pa.Table, numbers: pa.Array) -> tuple[pa.Table, pa.Array]:
        """The cells filled from the line above in the same record, and the number of each line's record."""
        if self._rows.record is None:
            first = self._record + 1
            self._record += cells.num_rows
            records = list(range(first, self._record + 1))
        else:
            names, records = self._records(cells.column(self._rows.record).to_pylist(), numbers.to_pylist())
            cells = _with_column(cells, self._rows.record, names)
        for header in self._rows.fill_down:
            cells = _with_column(cells, header, self._filled(header, cells.column(header).to_pylist(), records))
        return cells, pa.array(records, pa.int64())

    def _records(self, texts: list[str | None], numbers: list[int]) -> tuple[list[str | None], list[int]]:
        """Each line's record, which is the one above where the cell is empty.

        LoadRejected where the lines of a record are apart: they would count as two records of one name, and one of
        them would be lost.
        """
        names: list[str | None] = []
        records: list[int] = []
        for text, number in zip(texts, numbers, strict=True):
            if text and text.strip() and text != self._name:
                if (begun := self._begun_in.setdefault(hash(text), number)) != number:
                    raise LoadRejected(
                        f"line {number} belongs to the record that begins in line {begun}, and other records are "
                        f"between them; sort the export by `{self._rows.record}`"
                    )
                self._name, self._record = text, self._record + 1
            names.append(self._name)
            records.append(self._record)
        return names, records

    def _filled(self, header: str, texts: list[str | None], records: list[int]) -> list[str | None]:
        """A column with its empty cells filled from above; never from another record, where records are known."""
        filled: list[str | None] = []
        above, of_record = self._above[header]
        for text, record in zip(texts, records, strict=True):
            is_new = self._rows.record is not None and record != of_record
            above = text if is_new or (text and text.strip()) else above
            of_record = record
            filled.append(above)
        self._above[header] = above, of_record
        return filled

    def begins(self, records: pa.Array) -> pa.Array:
        """Which lines are the first of their record."""
        begins = []
        for record in records.to_pylist():
            begins.append(record != self._begun)
            self._begun = record
        return pa.array(begins, pa.bool_())

    def positions(self, records: pa.Array) -> pa.Array:
        """The number of each row in its record, beginning with 1."""
        positions = []
        for record in records.to_pylist():
            self._position = 1 if record != self._counted else self._position + 1
            self._counted = record
            positions.append(str(self._position))
        return pa.array(positions, pa.string())


def _exploded(
    cells: pa.Table, numbers: pa.Array, records: pa.Array, feed: FeedConfig
) -> tuple[pa.Table, pa.Array, pa.Array]:
    """One row for each filled cell of the columns to unpivot, and for each item of the lists to split."""
    unpivot, split = (feed.rows.unpivot, feed.rows.split) if feed.rows else (None, None)
    if unpivot:
        wanted = _unpivoted(cells.column_names, unpivot.columns)
        lines = zip(*(cells.column(header).to_pylist() for header in wanted), strict=True)
        filled = [
            [(header, cell) for header, cell in zip(wanted, line, strict=True) if _is_filled(cell, feed)]
            for line in lines
        ]
        cells = cells.drop_columns(wanted)
        if taken := {unpivot.name, unpivot.value} & set(cells.column_names):
            raise LoadRejected(f"the file has a column `{min(taken)}` already: choose another name in `rows.unpivot`")
        cells, numbers, records = _one_row_each(filled, cells, numbers, records)
        cells = _with_column(cells, unpivot.name, [header for line in filled for header, _ in line])
        cells = _with_column(cells, unpivot.value, [cell for line in filled for _, cell in line])
    if split:
        lists = [_items(cell, split.by, feed) for cell in cells.column(split.column).to_pylist()]
        cells, numbers, records = _one_row_each(lists, cells, numbers, records)
        cells = _with_column(cells, split.column, [item for items in lists for item in items])
        if split.position:
            if split.position in cells.column_names:
                raise LoadRejected(f"the file has a column `{split.position}`: choose another name in `rows.split`")
            places: list[str | None] = [str(place) for items in lists for place in range(1, len(items) + 1)]
            cells = _with_column(cells, split.position, places)
    return cells, numbers, records


def _one_row_each(
    items: Sequence[Sequence[object]], cells: pa.Table, numbers: pa.Array, records: pa.Array
) -> tuple[pa.Table, pa.Array, pa.Array]:
    """Every line as often as it has items."""
    lines = pa.array([line for line, found in enumerate(items) for _ in found], pa.int64())
    return cells.take(lines), numbers.take(lines), records.take(lines)


def _unpivoted(header: list[str], patterns: list[str]) -> list[str]:
    """The columns that the patterns name, in the file's order; a header is a pattern of itself, whatever is in it."""
    for pattern in patterns:
        if not any(_is_named(name, pattern) for name in header):
            raise LoadRejected(_missing(pattern, header))
    return [name for name in header if any(_is_named(name, pattern) for pattern in patterns)]


def _is_named(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


def _is_filled(cell: str | None, feed: FeedConfig) -> bool:
    return (cell or "").strip() not in ("", *feed.options.null_values)


def _items(cell: str | None, by: str, feed: FeedConfig) -> list[str | None]:
    """The items of a cell; one that is empty, so that its row stays, where there are none."""
    items: list[str | None] = [item.strip() for item in (cell or "").split(by) if _is_filled(item, feed)]
    return items or [None]


def _with_column(cells: pa.Table, name: str, values: list[str | None]) -> pa.Table:
    column = pa.array(values, pa.string())
    if name not in cells.column_names:
        return cells.append_column(name, column)
    return cells.set_column(cells.column_names.index(name), name, column)


def _missing(header: str, names: list[str]) -> str:
    return f"the column `{header}`, which `rows` names, is missing{nearest(header, names)}"
