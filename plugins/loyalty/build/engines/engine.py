"""What the build asks of an engine, and DuckDB, which has all of it already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import duckdb

from loyalty.common.ledger import Load


class Engine(Protocol):
    """Runs the dbt project, and exchanges tables with the work file."""

    remembers: bool  # whether the tables of the last build are still there when the next one begins

    def session(self) -> AbstractContextManager[None]:
        """One session for a whole build; UserError when the engine cannot start."""
        ...

    def show(self, connection: duckdb.DuckDBPyConnection, schema: str, loads: Sequence[Load] = ()) -> None:
        """Make the engine see a schema of the work file (`raw`, `estimates`), of the feeds exactly these loads."""
        ...

    def bring(self, connection: duckdb.DuckDBPyConnection, tables: Iterable[tuple[str, str]]) -> None:
        """Put these tables (schema, name) that dbt has made into the work file; what was not made is passed over."""
        ...


class DuckDbEngine:
    """dbt works in the work file itself, so there is nothing to exchange."""

    remembers = True

    def session(self) -> AbstractContextManager[None]:
        """dbt opens the file."""
        return nullcontext()

    def show(self, connection: duckdb.DuckDBPyConnection, schema: str, loads: Sequence[Load] = ()) -> None:
        """It is seen."""

    def bring(self, connection: duckdb.DuckDBPyConnection, tables: Iterable[tuple[str, str]]) -> None:
        """They are there."""
