"""The work file: the one database that only the pipeline opens, under one lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from loyalty.build.engines.spark import left_folders
from loyalty.common.duckdb_session import duckdb_config, prepare_session
from loyalty.common.errors import UserError, first_line
from loyalty.common.lock import file_lock
from loyalty.common.settings import Settings


def lock_file(settings: Settings) -> Path:
    """The lock of the work file."""
    return settings.work_file.with_suffix(".lock")


def work_files(settings: Settings) -> list[Path]:
    """The work file, what DuckDB keeps beside it, and what Spark made; the next build makes them again."""
    file = settings.work_file
    return [file, file.with_name(f"{file.name}.wal"), file.parent / "temp", *left_folders(settings.spark_warehouse)]


@contextmanager
def lock(settings: Settings, purpose: str) -> Iterator[None]:
    """Hold the work file alone; LockBusy names the holder when that takes too long."""
    with file_lock(lock_file(settings), purpose, settings.lock_wait_seconds):
        yield


@contextmanager
def open_work_file(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The work file, open for writing; hold the lock."""
    settings.work_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(str(settings.work_file), config=duckdb_config(settings))
    except duckdb.Error as error:
        raise UserError(
            f"{settings.work_file} cannot be opened ({first_line(error)}): if no other program holds it, delete it; "
            "the next build makes it again from the landed loads."
        ) from None
    try:
        prepare_session(connection)
        yield connection
    finally:
        connection.close()
