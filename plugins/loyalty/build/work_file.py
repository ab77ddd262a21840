"""The work file: the one database that only the pipeline opens, under one lock."""

from __future__ import annotations

from loyalty.common.duckdb_session import duckdb_config, prepare_session
import hashlib
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
import duckdb
from loyalty.build import dbt_runner
from loyalty.common.errors import UserError
from loyalty.common.failpoints import hit
from loyalty.common.ledger import Event, Ledger, Load
from loyalty.common.lock import file_lock, holder_of
from loyalty.build.raw_views import DataSpan, data_span, dated_as_of, register, register_build
from loyalty.common.runs import recorded_run
from loyalty.common.settings import WORKSPACE_FILE, Settings
from loyalty.common.sql import quote_identifier, quote_text
from loyalty.land.redact import sweep
from loyalty.build.dbt_runner import ModelDoc, made_relations, model_docs, parse_project, run_dbt, unknown_vars
from loyalty.common.errors import first_line
from loyalty.common.progress import Say


def lock_file(settings: Settings) -> Path:
    """The lock of the work file."""
    return settings.work_file.with_suffix(".lock")


def work_files(settings: Settings) -> list[Path]:
    """The work file and what DuckDB keeps beside it; the next build makes them again."""
    file = settings.work_file
    return [file, file.with_name(f"{file.name}.wal"), file.parent / "temp"]


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
