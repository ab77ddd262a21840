"""How every DuckDB connection of the warehouse is opened."""

from __future__ import annotations

import duckdb

from loyalty.common.settings import Settings


def duckdb_config(settings: Settings) -> dict[str, str | bool | int | float | list[str]]:
    """How DuckDB is opened: within the workspace's memory, and never fetching anything."""
    return {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "temp_directory": str(settings.work_file.parent / "temp"),
        "autoinstall_known_extensions": "false",
    }


def prepare_session(connection: duckdb.DuckDBPyConnection) -> None:
    """Pin the session's zone, which decides how timestamps become dates, and keep its progress bar quiet."""
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
