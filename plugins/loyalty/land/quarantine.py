"""Quarantine: the rows that broke a rule, as a list, as CSV, and closed when a good version has come.

An entry is open until its row is released (see release.py) or until a later load brings a good version of the
same record. A row is open once: an entry is closed while its load does not count, or while a newer load has the same
row in quarantine. No later step reads the quarantine.
"""

from __future__ import annotations

import csv
import glob
import json
from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.common.settings import Settings
from loyalty.common.spreadsheet import neutral
from loyalty.common.sql import quote_identifier
from loyalty.common.workspace import Workspace
from loyalty.land.load_writer import KEY_SEPARATOR
from loyalty.land.loads import load_id_of, read_manifest
from loyalty.privacy.keys import TAGGED, Key, load_key, untagged
from loyalty.pull.contract import CanonicalFeed

LINE, RULES = "_line", "_rules"  # the first columns of the file that `export` writes
WHOLE_LINES = "whole_lines"  # the rule about lines with more or fewer cells than the header
Status = Literal["open", "released", "corrected", "closed"]


@dataclass(frozen=True)
class Entry:
    """One quarantined row, with the rules it broke and what it is worth."""

    feed: str
    feed_name: str
    source: str
    load_id: str
    file: str
    line: int
    record: str | None
    rules: str
    reason: str
    row_json: str
    amount: Decimal | None
    currency_code: str | None
    status: Status

    @property
    def cells(self) -> dict[str, Any]:
        """The row as the export has it; empty for a line with a wrong number of cells."""
        return {} if self.rules == WHOLE_LINES else dict(json.loads(self.row_json))


def entries(workspace: Workspace, load_id: str | None = None, only_open: bool = False) -> list[Entry]:
    """The quarantined rows of accepted loads, of one load or of all, in the order of their lines."""
    listed = set(workspace.ledger.quarantined_loads(only_open or load_id is not None))
    listed |= {load_id} if load_id is not None else set()
    found = _open_once(workspace, [entry for one in sorted(listed) for entry in _entries(workspace, one)])
    return [entry for entry in found if load_id in (None, entry.load_id) and (not only_open or entry.status == "open")]


def _open_once(workspace: Workspace, found: list[Entry]) -> list[Entry]:
    """The entries, with those closed whose load does not count, or whose row a newer load has in quarantine too."""
    ledger = workspace.ledger
    has_hashes = any(TAGGED.search(entry.record or "") for entry in found)
    key = load_key(workspace.settings) if has_hashes else ()
    loads = {entry.load_id for entry in found if entry.status == "open"}
    newness = {one: _newness(ledger, one) for one in loads if ledger.is_counting(one)}
    newest: dict[tuple[str, ...], tuple[str, int]] = {}
    for entry in found:
        if entry.status == "open" and entry.load_id in newness:
            row = _identity(entry, key)
            newest[row] = max(newest.get(row, ("", 0)), newness[entry.load_id])
    # of a line that became several rows all must be in the newer load
    kept = {
        (entry.load_id, entry.line)
        for entry in found
        if entry.load_id in newness and newest.get(_identity(entry, key)) == newness[entry.load_id]
    }
    return [
        replace(entry, status="closed") if entry.status == "open" and (entry.load_id, entry.line) not in kept else entry
        for entry in found
    ]


def _newness(ledger: Ledger, load_id: str) -> tuple[str, int]:
    """What is larger for the newer of two loads: the date of the export, then the order of delivery."""
    last = ledger.deliveries_of_load(load_id)[-1]
    return last.data.get("version_at") or "", last.seq


def _identity(entry: Entry, key: Key) -> tuple[str, ...]:
    """What two entries of the same row share: the record, or the whole row where its key is not filled."""
    record = untagged(key, entry.record or "")
    if all(record.split(KEY_SEPARATOR)):
        return entry.feed, entry.source, record
    return entry.feed_name, entry.source, record, entry.row_json


def _entries(workspace: Workspace, load_id: str) -> list[Entry]:
    """The quarantined rows of a load; none of one without an accepted delivery."""
    deliveries = workspace.ledger.deliveries_of_load(load_id)
    if not deliveries:
        return []
    done = workspace.ledger.done_lines(load_id)
    return [
        Entry(
            feed=row["_feed"],
            feed_name=deliveries[-1].data["feed_name"],
            source=row["_source"],
            load_id=load_id,
            file=row["_file"],
            line=row["_line"],
            record=row["record"],
            rules=row["rules"],
            reason=row["reason"],
            row_json=row["row_json"],
            amount=row["amount"],
            currency_code=row["currency_code"],
            status=cast("Status", done.get(row["_line"], "open")),
        )
        for row in _rows(workspace.settings, load_id)
    ]


def export(workspace: Workspace, load_id: str, target: Path) -> int:
    """Write a load's open rows as CSV, to be corrected and released with `--from`; returns how many.

    The cells are the export's own, so that a corrected file can be read like the export; one that a
    spreadsheet would take for a formula is written with an apostrophe before it.
    """
    rows = open_entries(workspace, load_id)
    cells = [entry.cells for entry in rows]
    header = [LINE, RULES, *dict.fromkeys(name for row in cells for name in row)]
    try:
        with target.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, header, restval="")
            writer.writeheader()
            for entry, row in zip(rows, cells, strict=True):
                writer.writerow({LINE: entry.line, RULES: entry.rules} | {k: neutral(v) for k, v in row.items()})
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror}).") from None
    return len(rows)


def open_entries(workspace: Workspace, load_id: str) -> list[Entry]:
    """The open rows of a load; UserError when it has none in quarantine."""
    found = entries(workspace, load_id)
    if not found:
        raise UserError(
            f"Load {load_id} has no rows in quarantine; `loyalty quarantine list` shows the loads that have."
        )
    return [entry for entry in found if entry.status == "open"]


def close_corrected(workspace: Workspace, feed: CanonicalFeed, landed: Path) -> int:
    """Close the open entries whose record this load brings in a good version; returns how many.

    A load of an older export closes nothing: its version of the record is not the one that is missing.
    """
    load_id = load_id_of(landed)
    still_open = _not_done(workspace, feed.name)
    if not still_open:
        return 0
    version_at = read_manifest(landed).get("version_at")
    exported = {
        one: workspace.ledger.deliveries_of_load(one)[-1].data.get("version_at")
        for one in {entry.load_id for entry in still_open}
    }
    source = pq.read_table(next(landed.glob("part-*.parquet")), columns=["_source"]).column(0)
    hash_key = load_key(workspace.settings)
    candidates = [
        replace(entry, record=untagged(hash_key, entry.record))
        for entry in still_open
        if entry.record and entry.load_id != load_id and len(source) and entry.source == source[0].as_py()
        if not (version_at and exported.get(entry.load_id) and version_at < exported[entry.load_id])
    ]
    if not candidates or not feed.key:
        return 0
    key = ", ".join(f"coalesce(cast({quote_identifier(column)} as varchar), '')" for column in feed.key)
    files = str(landed / "part-*.parquet").replace("'", "''")
    records = pa.table({"record": pa.array([entry.record for entry in candidates], pa.string())})
    with duckdb.connect() as connection:
        connection.register("candidates", records)
        brought = connection.execute(
            f"select distinct record from candidates semi join read_parquet('{files}') as landed "
            f"on candidates.record = concat_ws(chr(31), {key})"
        ).fetchall()
    good = {record for (record,) in brought}
    # of a line that became several rows all must have come
    lacking = {(entry.load_id, entry.line) for entry in candidates if entry.record not in good}
    closed = [entry for entry in candidates if (entry.load_id, entry.line) not in lacking]
    by_load: dict[str, list[int]] = defaultdict(list)
    for entry in closed:
        by_load[entry.load_id].append(entry.line)
    for old_load, old_lines in by_load.items():
        workspace.ledger.append("correct", load_id=old_load, lines=old_lines, by_load_id=load_id)
    return len(closed)


def _rows(settings: Settings, load_id: str) -> list[dict[str, Any]]:
    return [
        row
        for file in sorted(settings.quarantine.glob(f"*/load_id={glob.escape(load_id)}/part-*.parquet"))
        for row in sorted(_part(file), key=lambda row: row["_line"])
    ]


def _part(file: Path) -> list[dict[str, Any]]:
    try:
        return pq.read_table(file, partitioning=None).to_pylist()
    except (pa.ArrowException, OSError):
        raise UserError(f"{file} is damaged: put it back from a backup, or remove it and give up its rows.") from None


def _not_done(workspace: Workspace, feed: str) -> list[Entry]:
    """The entries of a feed that are neither released nor corrected, also of loads that may count again."""
    if not (workspace.settings.quarantine / feed).is_dir():
        return []
    found = [entry for one in workspace.ledger.quarantined_loads(True) for entry in _entries(workspace, one)]
    return [entry for entry in found if entry.feed == feed and entry.status == "open"]
