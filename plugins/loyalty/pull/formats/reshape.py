"""Exports in which a line is not a record: continued orders, lists in cells, one column a question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import pyarrow as pa
import pyarrow.compute as pc

from loyalty.common.errors import LoadRejected, nearest
from loyalty.pull.feeds import POSITION, FeedConfig, RowOptions
from loyalty.pull.formats.batch import Batch


def reshaped(batches: Iterator[Batch], feed: FeedConfig) -> Iterator[Batch]:
    """The batches with their lines made into rows as the feed's `rows` declares; a row keeps the number of its line."""
    if feed.rows is None:
        yield from batches
        return
    lines = _Lines(feed.rows)
    for batch in batches:
        cells, numbers = _with_all_columns(batch.cells, feed, feed.rows), batch.lines
        cells, numbers = _left_in(cells, numbers, feed.rows)
        cells, records = lines.joined(cells)
        if feed.rows.first_only:
            begins = lines.begins(records)
            cells, numbers, records = cells.filter(begins), numbers.filter(begins), records.filter(begins)
        cells, numbers, records = _exploded(cells, numbers, records, feed)
        if feed.needs_position:
            cells = cells.append_column(POSITION, lines.positions(records))
        yield replace(batch, cells=cells, lines=numbers)


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
    for header, words in rows.leave_out.items():
        texts = pc.fill_null(pc.utf8_trim_whitespace(cells.column(header)), "")
        keep = pc.invert(pc.is_in(texts, value_set=pa.array(words, pa.string()))).combine_chunks()
        cells, numbers = cells.filter(keep), numbers.filter(keep)
    return cells, numbers


class _Lines:
    """What the lines above give, also across batches: the record, and the cells that are filled down."""

    def __init__(self, rows: RowOptions) -> None:
        self._rows = rows
        self._name: str | None = None
        self._record = self._begun = self._counted = 0
        self._above: dict[str, tuple[str | None, int]] = dict.fromkeys(rows.fill_down, (None, 0))
        self._position = 0

    def joined(self, cells: pa.Table) -> tuple[pa.Table, pa.Array]:
        """The cells filled from the line above in the same record, and the number of each line's record."""
        if self._rows.record is None:
            first = self._record + 1
            self._record += cells.num_rows
            records = list(range(first, self._record + 1))
        else:
            names, records = self._records(cells.column(self._rows.record).to_pylist())
            cells = _with_column(cells, self._rows.record, names)
        for header in self._rows.fill_down:
            cells = _with_column(cells, header, self._filled(header, cells.column(header).to_pylist(), records))
        return cells, pa.array(records, pa.int64())

    def _records(self, texts: list[str | None]) -> tuple[list[str | None], list[int]]:
        """Each line's record, which is the one above where the cell is empty."""
        names: list[str | None] = []
        records: list[int] = []
        for text in texts:
            if text and text.strip() and text != self._name:
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
