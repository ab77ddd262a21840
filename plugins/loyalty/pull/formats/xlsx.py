"""Excel workbooks: one sheet; numbers and dates are read as their plain text."""

from __future__ import annotations

import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

import openpyxl

from loyalty.common.errors import LoadRejected
from loyalty.pull.feeds import FormatOptions
from loyalty.pull.formats.batch import BadLine, Batch
from loyalty.pull.formats.delimited import (
    LONGEST_FOOTER,
    check_header,
    footer_begins,
    header_of,
    reject_long_footer,
    to_batch,
)
from loyalty.pull.formats.text import open_bytes, reject_unreadable, unpacks_to_more

CONTENT_TYPES = "[Content_Types].xml"  # the member that makes a zip a workbook

# The errors of openpyxl and the modules below it for a file that is not a workbook.
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ElementTree.ParseError),
    *(AttributeError, LookupError, NotImplementedError, TypeError, ValueError),
)


def read(file: Path, options: FormatOptions, batch_rows: int, max_bytes: int) -> Iterator[Batch]:
    """Batches of one sheet: `options.sheet`, else the first."""
    if not file.stat().st_size:
        raise LoadRejected("the file is empty")
    try:
        content = _workbook(file, max_bytes)
        with zipfile.ZipFile(content) as archive:
            for member in archive.infolist():
                reject_unreadable(member)
            if sum(info.file_size for info in archive.infolist()) > max_bytes:
                raise LoadRejected(unpacks_to_more(max_bytes))
        workbook = openpyxl.load_workbook(content, read_only=True, data_only=True)
    except DAMAGED as error:
        raise LoadRejected(f"the workbook is cut short or damaged ({_first_line(error)})") from None
    try:
        yield from _batches(_sheet(workbook, options.sheet), options, batch_rows)
    except DAMAGED as error:
        raise LoadRejected(f"the workbook is damaged ({_first_line(error)})") from None
    finally:
        workbook.close()
        content.close()


def _workbook(file: Path, max_bytes: int) -> BinaryIO:
    """The workbook's bytes: the file's own, or those of the one file in a zip, as survey tools deliver it."""
    with zipfile.ZipFile(file) as archive:
        is_packed = CONTENT_TYPES not in archive.namelist()
    if not is_packed:
        return file.open("rb")  # our copy's name may have no ending, which openpyxl insists on
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the reader of the workbook
    with open_bytes(file, max_bytes) as member:
        shutil.copyfileobj(member, unpacked)
    return unpacked


def _batches(sheet: Any, options: FormatOptions, batch_rows: int) -> Iterator[Batch]:
    sheet.reset_dimensions()  # some tools write a wrong extent, and rows beyond it would be lost
    values = enumerate(sheet.iter_rows(values_only=True), start=1)
    bad: list[BadLine] = []
    header = [] if options.header else check_header(options.names)
    above: list[list[str]] = []
    first_row = options.skip_lines + 1
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, cells in values:
        if number < first_row or all(cell is None for cell in cells):
            continue
        texts = [_text(cell) for cell in cells]
        if not header:
            above.append(texts)
            if len(above) == options.header_rows:
                header = _header(above, options)
                first_row = number + options.skip_after_header + 1
            continue
        if footer_begins([[text for text in texts if text]], options) is not None:
            reject_long_footer(1 + sum(1 for _ in islice(values, LONGEST_FOOTER)))
            break
        if any(texts[len(header) :]):
            bad.append(BadLine(number, texts, f"{len(texts)} cells where the header has {len(header)}"))
            continue
        rows.append(texts[: len(header)] + [""] * (len(header) - len(texts)))
        numbers.append(number)
        if len(rows) == batch_rows:
            yield to_batch(header, rows, numbers, bad)
            rows, numbers, bad = [], [], []
    if not header:
        raise LoadRejected("the sheet is empty")
    yield to_batch(header, rows, numbers, bad)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _header(rows: list[list[str]], options: FormatOptions) -> list[str]:
    names = header_of(rows)
    while names and not names[-1]:
        names.pop()
    return check_header(options.names or names)


def _sheet(workbook: Any, name: str | None) -> Any:
    if name is None:
        return workbook.worksheets[0]
    if name not in workbook.sheetnames:
        raise LoadRejected(f"there is no sheet `{name}`; there are {', '.join(workbook.sheetnames)}")
    return workbook[name]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, float):
        return repr(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
