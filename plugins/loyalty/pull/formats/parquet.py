"""Parquet files; every column is read as text, so that one set of rules types all formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loyalty.common.errors import LoadRejected
from loyalty.pull.feeds import FormatOptions
from loyalty.pull.formats.batch import Batch
from loyalty.pull.formats.delimited import check_header
from loyalty.pull.formats.text import unpacks_to_more


def read(file: Path, options: FormatOptions, batch_rows: int, max_bytes: int) -> Iterator[Batch]:
    """Batches of a Parquet file; a row's line is its number, beginning with 1."""
    if not file.stat().st_size:
        raise LoadRejected("the file is empty")
    try:
        source = pq.ParquetFile(file)
        check_header(list(source.schema_arrow.names))
        number, size = 1, 0
        for part in source.iter_batches(batch_size=batch_rows):
            columns = [_text(column) for column in part.columns]
            size += sum(column.nbytes for column in columns)
            if size > max_bytes:  # a value that is written once may fill a billion rows
                raise LoadRejected(unpacks_to_more(max_bytes))
            lines = pa.array(range(number, number + part.num_rows), pa.int64())
            yield Batch(pa.table(columns, names=part.schema.names), lines)
            number += part.num_rows
        if number == 1:
            empty = [pa.array([], pa.string()) for _ in source.schema_arrow.names]
            yield Batch(pa.table(empty, names=source.schema_arrow.names), pa.array([], pa.int64()))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        what = (str(error).splitlines() or [type(error).__name__])[0]
        raise LoadRejected(f"the Parquet file is cut short or damaged ({what})") from None


def _text(column: pa.Array) -> pa.Array:
    column.validate(full=True)  # texts that are not UTF-8 would be found too late
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return column.cast(pa.string())  # an error for what is not UTF-8
    if pa.types.is_nested(column.type):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    if pa.types.is_timestamp(column.type):
        pattern = "%Y-%m-%dT%H:%M:%S" + ("Z" if column.type.tz else "")
        utc = column.cast(pa.timestamp("us", "UTC")) if column.type.tz else column.cast(pa.timestamp("us"))
        return pc.strftime(utc, pattern)
    return column.cast(pa.string())
