"""Excel workbooks: one sheet, one header row; numbers and dates are read as their plain text."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl

from loyalty.errors import LoadRejected
from loyalty.feeds import FormatOptions
from loyalty.formats import BadLine, Batch
from loyalty.formats.delimited import check_header, to_batch
from loyalty.formats.text import refuse_unreadable

# What openpyxl and the modules below it say of a workbook that is none.
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ElementTree.ParseError),
    *(AttributeError, LookupError, TypeError, ValueError),
)


def read(file: Path, options: FormatOptions, batch_rows: int, max_bytes: int) -> Iterator[Batch]:
    """Batches of one sheet: `options.sheet`, else the first."""
    if not file.stat().st_size:
        raise LoadRejected("the file is empty")
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                refuse_unreadable(member)
            if sum(info.file_size for info in archive.infolist()) > max_bytes:
                raise LoadRejected(f"unpacks to more than {max_bytes:,} bytes; raise max_file_bytes if that is right")
        content = file.open("rb")  # our copy's name may have no ending, which openpyxl insists on
        workbook = openpyxl.load_workbook(content, read_only=True, data_only=True)
    except DAMAGED as error:
        raise LoadRejected(f"the workbook is cut short or damaged ({error})") from None
    try:
        yield from _batches(_sheet(workbook, options.sheet), options, batch_rows)
    except DAMAGED as error:
        raise LoadRejected(f"the workbook is damaged ({error})") from None
    finally:
        workbook.close()
        content.close()


def _batches(sheet: Any, options: FormatOptions, batch_rows: int) -> Iterator[Batch]:
    sheet.reset_dimensions()  # some tools write a wrong extent, and rows beyond it would be lost
    values = enumerate(sheet.iter_rows(values_only=True), start=1)
    bad: list[BadLine] = []
    header: list[str] = []
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, cells in values:
        if number <= options.skip_lines or all(cell is None for cell in cells):
            continue
        texts = [_text(cell) for cell in cells]
        if not header:
            while texts and not texts[-1]:
                texts.pop()
            header = check_header(options.names or [text.strip() for text in texts])
            continue
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
