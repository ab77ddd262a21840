"""What one look at a page works with: the generation that is current now, and what its marts offer to choose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow
import streamlit as st

from loyalty.common.settings import Settings
from loyalty.common.sql import quote_text
from loyalty.publish.generations import Generation
from loyalty.read.changes import opened
from loyalty.read.choices import Choice
from loyalty.read.shown import frame
from loyalty.read.words import Words


@dataclass(frozen=True)
class Look:
    """One look at a page: settings, the generation and the one before it, words of its language, what is chosen."""

    settings: Settings
    generation: Generation
    before: Generation | None
    words: Words
    choice: Choice
    simulated: frozenset[str]

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The marts of the generation, read-only; those of the one before are `earlier`."""
        with opened(self.generation.folder, self.before.folder if self.before else None) as connection:
            yield connection

    @property
    def key(self) -> tuple[str, str]:
        """Identifies this generation, also beside one of the same number after a restore."""
        return str(self.generation.folder), self.generation.manifest["published_at"]

    def table(self, sql: str) -> pyarrow.Table:
        """The rows of a question with dates and decimals as they are, to be shown."""
        with self.connection() as connection:
            return connection.execute(sql).to_arrow_table()

    def meanings(self, table: str) -> dict[str, str]:
        """What the columns of a table mean, by name."""
        schema, _, name = table.partition(".")
        columns = self.frame(
            f"select column_name, comment from duckdb_columns() where schema_name = {quote_text(schema)} "
            f"and table_name = {quote_text(name)} and comment is not null"
        )
        return dict(columns.itertuples(index=False))

    def frame(self, sql: str) -> pd.DataFrame:
        """The rows of a question, read once for each generation."""
        return _frame(*self.key, sql)


@st.cache_data(max_entries=200, show_spinner=False)
def _frame(folder: str, published_at: str, sql: str) -> pd.DataFrame:
    with opened(Path(folder)) as connection:
        return frame(connection, sql)
