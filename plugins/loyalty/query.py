"""Reading the published marts from the command line: one statement, read-only, nothing outside the file."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import duckdb

from loyalty.errors import UserError
from loyalty.generations import CONTENT, MARTS_FILE, require_current
from loyalty.quarantine import neutral
from loyalty.settings import Settings
from loyalty.warehouse import prepare_session

Format = Literal["table", "csv", "json"]

READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
EXPLAINED = ("explain_key", "explain_value")
WIDEST_CELL = 40
EXACT_DIGITS = 15


@dataclass(frozen=True)
class Answer:
    """The rows of a query under their column names."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def query(settings: Settings, sql: str) -> Answer:
    """Ask the current generation; marts need no schema name (`select * from retention__cohort_months`).

    Raises UserError with DuckDB's own words for a wrong statement, and for any that is not a question.
    """
    file = require_current(settings).marts_file
    try:
        statements = duckdb.extract_statements(sql)
        if len(statements) != 1 or statements[0].type not in READING:
            raise UserError(
                "`loyalty query` takes one statement that reads: select, with, from, describe, show or explain."
            )
        config: dict[str, Any] = {"enable_external_access": "false"}
        with duckdb.connect(str(file), read_only=True, config=config) as connection:
            prepare_session(connection)
            connection.execute(f"set search_path = '{_schemas(connection)}'")
            connection.execute("set lock_configuration = true")
            cursor = connection.execute(statements[0])
            names = tuple(column[0] for column in cursor.description or [])
            return Answer(names, cursor.fetchall())
    except duckdb.Error as error:
        raise UserError(" ".join(str(error).split())) from None


def _schemas(connection: duckdb.DuckDBPyConnection) -> str:
    """The published schemas in the order in which a plain name is looked for."""
    found = {row[0] for row in connection.execute("select schema_name from duckdb_schemas()").fetchall()}
    return ",".join(schema for schema in CONTENT[MARTS_FILE] if schema in found)


def render(answer: Answer, style: Format) -> str:
    """The answer as a table for people, CSV that is safe in a spreadsheet, or JSON."""
    if style == "json":
        if twice := [name for name in answer.columns if answer.columns.count(name) > 1]:
            raise UserError(f"Two columns are called `{twice[0]}`, and JSON keeps one: name them apart with `as`.")
        rows = [dict(zip(answer.columns, map(_sayable, row), strict=True)) for row in answer.rows]
        return json.dumps(rows, ensure_ascii=False, indent=1, default=_json) + "\n"
    if style == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([neutral(name) for name in answer.columns])
        writer.writerows([neutral(_plain(cell)) for cell in row] for row in answer.rows)
        return text.getvalue()
    if answer.columns == EXPLAINED:
        return "".join(f"{plan}\n" for _, plan in answer.rows)
    return table(answer.columns, answer.rows)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows in aligned columns, numbers to the right; NULL is shown as a dash, long texts are cut."""
    cells = [[_shown(cell) for cell in row] for row in rows]
    widths = [max([len(name), *(len(row[place]) for row in cells)]) for place, name in enumerate(columns)]
    is_number = [any(isinstance(row[place], int | float | Decimal) for row in rows) for place in range(len(columns))]
    lines = [_line(columns, widths, is_number), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths, is_number) for row in cells]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int], is_number: Sequence[bool]) -> str:
    return "  ".join(
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, is_number, strict=True)
    )


def _shown(cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float):
        return f"{cell:.6g}"
    text = str(_plain(cell)).replace("\n", " ")
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 3] + "..."


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return str(cell)
    return cell


def _sayable(cell: Any) -> Any:
    """A cell that JSON has words for: no NaN, no infinity, and nothing but texts as the keys of a map."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, list | tuple):
        return [_sayable(item) for item in cell]
    if isinstance(cell, dict):
        return {str(_plain(key)): _sayable(value) for key, value in cell.items()}
    return cell


def _json(cell: Any) -> Any:
    """A decimal as a number, unless a reader of JSON would round it."""
    if isinstance(cell, Decimal) and len(cell.normalize().as_tuple().digits) <= EXACT_DIGITS:
        return float(cell)
    return str(_plain(cell))
