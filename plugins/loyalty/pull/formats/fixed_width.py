"""Fixed-width text: columns of declared widths, one row a line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path

from loyalty.common.errors import LoadRejected
from loyalty.pull.feeds import FormatOptions
from loyalty.pull.formats.batch import BadLine, Batch
from loyalty.pull.formats.delimited import check_header, to_batch
from loyalty.pull.formats.text import open_lines


def read(file: Path, options: FormatOptions, batch_rows: int, max_bytes: int) -> Iterator[Batch]:
    """Batches of a fixed-width file; see `read_batches`."""
    header = check_header(options.names)
    edges = list(pairwise(accumulate([0, *options.widths])))
    first_row = options.skip_lines + int(options.header) * options.header_rows + options.skip_after_header + 1
    rows: list[list[str]] = []
    numbers: list[int] = []
    bad: list[BadLine] = []
    number, text = 0, ""
    with open_lines(file, options.encoding, max_bytes) as lines:
        for number, line in enumerate(lines, start=1):
            text = line.rstrip("\r\n")
            if number < first_row or not text.strip():
                continue
            if edges[-2][1] < len(text) <= edges[-1][1]:
                rows.append([text[start:end] for start, end in edges])
                numbers.append(number)
            else:
                bad.append(BadLine(number, [text], f"{len(text)} characters where {edges[-1][1]} are expected"))
            if len(rows) == batch_rows:
                yield to_batch(header, rows, numbers, bad)
                rows, numbers, bad = [], [], []
    if not lines.ends_whole and len(text) < edges[-1][1]:
        raise LoadRejected(f"line {number} stops in the middle: the file is cut short")
    yield to_batch(header, rows, numbers, bad)
