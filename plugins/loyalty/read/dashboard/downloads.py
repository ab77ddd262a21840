"""What a reader takes along: rows as CSV or as a workbook, from the generation on the page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import islice
from threading import Lock

from openpyxl import Workbook

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.common.spreadsheet import neutral
from loyalty.publish.generations import Generation
from loyalty.read.query import asked, write

MOST_SHEET_ROWS = 1_048_576
# DuckDB gives one instance to all who open a file, and a question locks its settings.
ONE_AT_A_TIME = Lock()


def csv_of(settings: Settings, generation: Generation, sql: str) -> bytes:
    """The rows of a question as `loyalty query --format csv` writes them, in UTF-8 that Excel recognises."""
    text = io.StringIO()
    with ONE_AT_A_TIME, asked(settings, sql, generation=generation) as answer:
        write(answer, "csv", text)
    return text.getvalue().encode("utf-8-sig")


def xlsx_of(settings: Settings, generation: Generation, sql: str, about: Sequence[tuple[str, str]]) -> bytes:
    """The rows of a question as a workbook; its second sheet says what they are (name and text).

    Raises UserError where a sheet cannot hold the rows.
    """
    book = Workbook(write_only=True)
    sheet, notes = book.create_sheet("rows"), book.create_sheet("about")
    with ONE_AT_A_TIME, asked(settings, sql, generation=generation) as answer:
        sheet.append([neutral(name) for name in answer.columns])
        rows = iter(answer.rows)
        for row in islice(rows, MOST_SHEET_ROWS - 1):
            sheet.append([neutral(cell) if isinstance(cell, str) else _plain(cell) for cell in row])
        if next(rows, None) is not None:
            sheet.close()
            raise UserError(f"A sheet holds {MOST_SHEET_ROWS:,} rows and these are more: download them as CSV.")
    for line in about:
        notes.append([neutral(cell) for cell in line])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _plain(cell: object) -> object:
    """A cell as a workbook can hold it: lists and maps as text."""
    return str(cell) if isinstance(cell, list | tuple | dict) else cell
