"""Writing the exports: one CSV per feed and export date, the same bytes on every call.

A file that is already there is left alone, so a second call adds only what is missing. Every file
appears whole, by a rename.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from loyalty.common.progress import SILENT, Progress

COPY_BYTES = 1 << 20


@dataclass
class Exports:
    """The folder the exports go to.

    `only_before`: files of this export date and later are not written.
    """

    folder: Path
    connection: duckdb.DuckDBPyConnection
    only_before: date | None = None
    progress: Progress = SILENT
    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    later: list[Path] = field(default_factory=list)

    def query(self, feed: str, export_date: date, sql: str, *, packed: bool = False) -> None:
        """Write the result of a query, in its order, as `<feed>_<export date>.csv` (`.csv.gz` if packed)."""
        target = self._wanted(feed, export_date, packed)
        if target is None:
            return
        plain = target.with_name(f".{target.name}.plain")
        self.connection.execute(f"copy ({sql}) to '{str(plain).replace(chr(39), chr(39) * 2)}' (format csv, header)")
        if packed:
            _pack(plain, target)
            plain.unlink()
        else:
            plain.replace(target)
        self._report(target)

    def frame(self, feed: str, export_date: date, rows: pd.DataFrame, *, packed: bool = False) -> None:
        """Write a frame in its row order; an empty one makes no file, as an idle system drops none."""
        if rows.empty:
            return
        self.connection.register("export_rows", rows)
        self.query(feed, export_date, "select * from export_rows", packed=packed)
        self.connection.unregister("export_rows")

    def text(self, feed: str, export_date: date, text: str, encoding: str = "utf-8") -> None:
        """Write a text as it is, for the files no ordinary writer makes."""
        target = self._wanted(feed, export_date, packed=False)
        if target is None:
            return
        plain = target.with_name(f".{target.name}.plain")
        plain.write_bytes(text.encode(encoding))
        plain.replace(target)
        self._report(target)

    def _wanted(self, feed: str, export_date: date, packed: bool) -> Path | None:
        target = self.folder / f"{feed}_{export_date}.csv{'.gz' if packed else ''}"
        if self.only_before is not None and export_date >= self.only_before:
            self.later.append(target)
            return None
        if target.exists():
            self.kept.append(target)
            return None
        return target

    def _report(self, target: Path) -> None:
        self.written.append(target)
        self.progress.log(f"wrote {target.name}")


def _pack(plain: Path, target: Path) -> None:
    """Gzip with an empty name and time in the header, so that equal rows give equal bytes."""
    unfinished = target.with_name(f".{target.name}.packing")
    with (
        plain.open("rb") as rows,
        unfinished.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
    ):
        while block := rows.read(COPY_BYTES):
            packed.write(block)
    unfinished.replace(target)
