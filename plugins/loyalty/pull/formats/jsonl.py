"""JSON lines: one object a line; nested values are kept as JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from loyalty.common.errors import LoadRejected
from loyalty.pull.feeds import FormatOptions
from loyalty.pull.formats.batch import BadLine, Batch
from loyalty.pull.formats.text import open_lines


def read(file: Path, options: FormatOptions, batch_rows: int, max_bytes: int) -> Iterator[Batch]:
    """Batches of a file of JSON objects; the header is the union of a batch's keys."""
    rows: list[dict[str, str | None]] = []
    numbers: list[int] = []
    bad: list[BadLine] = []
    with open_lines(file, options.encoding, max_bytes) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line, parse_float=_Number, parse_int=_Number)
            except ValueError:
                if not line.endswith("\n"):
                    raise LoadRejected(f"line {number} stops in the middle: the file is cut short") from None
                record = None
            except RecursionError:
                record = None
            if isinstance(record, dict) and _is_text(line, record):
                rows.append({key: _text(value) for key, value in record.items()})
                numbers.append(number)
            else:
                bad.append(BadLine(number, [line.strip()], "not a JSON object"))
            if len(rows) == batch_rows:
                yield _batch(rows, numbers, bad)
                rows, numbers, bad = [], [], []
    yield _batch(rows, numbers, bad)


def _batch(rows: list[dict[str, str | None]], numbers: list[int], bad: list[BadLine]) -> Batch:
    header = list(dict.fromkeys(key for row in rows for key in row))
    columns = [pa.array([row.get(key) for row in rows], pa.string()) for key in header]
    return Batch(pa.table(columns, names=header), pa.array(numbers, pa.int64()), bad)


def _is_text(line: str, record: dict[str, Any]) -> bool:
    """Whether UTF-8 can write all of a record: an escape may be half a character."""
    if "\\ud" not in line and "\\uD" not in line:
        return True
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


class _Number(str):
    """A number as the file writes it: no digit is lost, and inside of a list or an object it stays a number."""


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return str(value)
    return None if value is None else _json(value)


def _json(value: Any) -> str:
    """A value as JSON again, its numbers as they came."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return (
            f"{{{', '.join(f'{json.dumps(key, ensure_ascii=False)}: {_json(item)}' for key, item in value.items())}}}"
        )
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    return json.dumps(value, ensure_ascii=False)
