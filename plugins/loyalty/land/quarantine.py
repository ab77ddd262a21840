"""Quarantine: the rows held back, and the ways out of it.

An entry is open until its row is released (as a load of its own, with the same source lines) or until a
later load brings a good version of the same record. Nothing downstream ever looks here.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import json
import shutil
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loyalty.common.errors import UserError
from loyalty.common.failpoints import hit
from loyalty.common.ledger import Ledger
from loyalty.common.settings import Settings
from loyalty.common.spreadsheet import neutral
from loyalty.common.sql import quote_identifier
from loyalty.land.loads import (
    MANIFEST,
    load_folder,
    load_id_of,
    put_in_place,
    write_json,
)
from loyalty.privacy.keys import load_key, untagged
from loyalty.pull.contract import CanonicalFeed
from loyalty.pull.feeds import FeedConfig, get_feed

if TYPE_CHECKING:
    from loyalty.pull.formats.batch import Batch

WHOLE_LINES = "whole_lines"  # the rule about lines with more or fewer cells than the header
Status = Literal["open", "released", "corrected"]


@dataclass(frozen=True)
class Entry:
    """One row held back, with the rules it broke and what it is worth."""

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
        """The row as the export has it; nothing of a line whose cells could not be told apart."""
        return {} if self.rules == WHOLE_LINES else dict(json.loads(self.row_json))


@dataclass(frozen=True)
class Release:
    """What a release did."""

    load_id: str
    row_count: int


def entries(settings: Settings, load_id: str | None = None, only_open: bool = False) -> list[Entry]:
    """The rows held back from accepted loads, of one load or of all, in the order of their lines."""
    ledger = Ledger(settings.ledger)
    feed_names = {event.data["load_id"]: event.data["feed_name"] for event in ledger.events("delivery")}
    done = _done(ledger)
    found = [
        Entry(
            feed=row["_feed"],
            feed_name=feed_names[folder_load],
            source=row["_source"],
            load_id=folder_load,
            file=row["_file"],
            line=row["_line"],
            record=row["record"],
            rules=row["rules"],
            reason=row["reason"],
            row_json=row["row_json"],
            amount=row["amount"],
            currency_code=row["currency_code"],
            status=done.get((folder_load, row["_line"]), "open"),
        )
        for folder_load, row in _rows(settings, load_id)
        if folder_load in feed_names
    ]
    return [entry for entry in found if not only_open or entry.status == "open"]


def export(settings: Settings, load_id: str, target: Path) -> int:
    """Write a load's open rows as CSV, to be mended and released with `--from`; returns how many.

    The cells are the export's own, so that a mended file can be read like the export; one that a
    spreadsheet would take for a formula is written with an apostrophe before it.
    """
    rows = _open_entries(settings, load_id)
    cells = [entry.cells for entry in rows]
    header = ["_line", "_rules", *dict.fromkeys(name for row in cells for name in row)]
    try:
        with target.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, header, restval="")
            writer.writeheader()
            for entry, row in zip(rows, cells, strict=True):
                writer.writerow({"_line": entry.line, "_rules": entry.rules} | {k: neutral(v) for k, v in row.items()})
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror}).") from None
    return len(rows)


def release(settings: Settings, load_id: str, lines: list[int] | None = None, mended: Path | None = None) -> Release:
    """Let rows of a load out of quarantine, as they are or as mended, as a load of their own.

    The suite is not asked again: releasing is the decision that it was wrong about these rows. The
    contract is: a cell that cannot be read cannot be landed.

    Raises UserError when there is nothing to release, a line is not open, or a row still breaks the contract.
    """
    chosen = _chosen(settings, load_id, lines)
    feed = get_feed(settings.feeds, chosen[0].feed_name)
    wanted = sorted({entry.line for entry in chosen})
    batch = _mended_batch(mended, chosen) if mended else _raw_batch(settings, feed, load_id, wanted)
    return _land_release(settings, feed, load_id, batch)


def close_corrected(settings: Settings, feed: CanonicalFeed, landed: Path) -> int:
    """Close the open entries whose record this load brings in a good version; returns how many."""
    load_id = load_id_of(landed)
    source = pq.read_table(next(landed.glob("part-*.parquet")), columns=["_source"]).column(0)
    hash_key = load_key(settings)
    candidates = [
        replace(entry, record=untagged(hash_key, entry.record))
        for entry in _open_of_feed(settings, feed.name)
        if entry.record and entry.load_id != load_id and len(source) and entry.source == source[0].as_py()
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
        Ledger(settings.ledger).append("correct", load_id=old_load, lines=old_lines, by_load_id=load_id)
    return len(closed)


def _done(ledger: Ledger) -> dict[tuple[str, int], Status]:
    done: dict[tuple[str, int], Status] = {}
    for event in ledger.events("release", "correct"):
        status: Status = "released" if event.kind == "release" else "corrected"
        of_load = event.data["of_load_id"] if event.kind == "release" else event.data["load_id"]
        done |= {(of_load, line): status for line in event.data["lines"]}
    return done


def _rows(settings: Settings, load_id: str | None, feed: str = "*") -> list[tuple[str, dict[str, Any]]]:
    wanted = "*" if load_id is None else glob.escape(load_id)
    return [
        (load_id_of(file.parent), row)
        for file in sorted(settings.quarantine.glob(f"{feed}/load_id={wanted}/part-*.parquet"))
        for row in sorted(_part(file), key=lambda row: row["_line"])
    ]


def _part(file: Path) -> list[dict[str, Any]]:
    try:
        return pq.read_table(file, partitioning=None).to_pylist()
    except (pa.ArrowException, OSError):
        raise UserError(f"{file} is damaged: put it back from a backup, or remove it and give its rows up.") from None


def _open_of_feed(settings: Settings, feed: str) -> list[Entry]:
    if not (settings.quarantine / feed).is_dir():
        return []
    return [entry for entry in entries(settings, only_open=True) if entry.feed == feed]


def _open_entries(settings: Settings, load_id: str) -> list[Entry]:
    found = entries(settings, load_id)
    if not found:
        raise UserError(
            f"Load {load_id} has no rows in quarantine; `loyalty quarantine list` shows the loads that have."
        )
    return [entry for entry in found if entry.status == "open"]


def _chosen(settings: Settings, load_id: str, lines: list[int] | None) -> list[Entry]:
    still_open = _open_entries(settings, load_id)
    open_lines = {entry.line for entry in still_open}
    wanted = set(lines) if lines else open_lines
    if missing := sorted(wanted - open_lines):
        raise UserError(
            f"Load {load_id}: line {missing[0]} is not open in quarantine; `loyalty quarantine show {load_id}`."
        )
    if not wanted:
        raise UserError(f"Load {load_id}: every row has been released or corrected already.")
    return [entry for entry in still_open if entry.line in wanted]


def _raw_batch(settings: Settings, feed: FeedConfig, load_id: str, lines: list[int]) -> Batch:
    """The rows as the raw file has them."""
    from loyalty.pull.formats.batch import Batch
    from loyalty.pull.formats.read import read_batches

    delivery = next(e.data for e in Ledger(settings.ledger).events("delivery") if e.data["load_id"] == load_id)
    copies = sorted((settings.raw / feed.name / delivery["sha256"]).glob("*"))
    if not copies:
        raise UserError(
            f"Load {load_id}: its raw file is no longer kept (raw_days is {settings.raw_days}): export the rows with "
            "`loyalty quarantine export`, and release them with `--from FILE`."
        )
    tables, numbers = [], []
    for batch in read_batches(copies[0], feed, settings.batch_rows, settings.max_file_bytes):
        wanted = pc.is_in(batch.lines, value_set=pa.array(lines, pa.int64()))
        tables.append(batch.cells.filter(wanted))
        numbers.append(batch.lines.filter(wanted))
    found = pa.concat_arrays(numbers)
    if len(found) < len(lines):
        raise UserError(
            f"Load {load_id}: a line with a wrong number of cells cannot be released as it is; mend the export."
        )
    return Batch(pa.concat_tables(tables, promote_options="default"), found)


def _mended_batch(file: Path, held_back: list[Entry]) -> Batch:
    """The rows as a person mended them, in the file that `export` wrote."""
    from loyalty.pull.formats.delimited import to_batch

    try:
        with file.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle)
            header = [name for name in reader.fieldnames or [] if name not in ("_line", "_rules")]
            rows = [(int(row["_line"]), row) for row in reader]
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}).") from None
    except (UnicodeDecodeError, KeyError, ValueError, TypeError):
        raise UserError(
            f"{file} is not what `loyalty quarantine export` wrote: a UTF-8 CSV with commas and the column _line."
        ) from None
    _refuse_other_columns(file, header, held_back)
    lines, found = Counter(entry.line for entry in held_back), Counter(line for line, _ in rows)
    if missing := lines.keys() - found.keys():
        raise UserError(f"{file}: line {min(missing)} of the load is not in it; name the lines to release with --line.")
    if unlike := sorted(line for line, count in lines.items() if found[line] != count):
        raise UserError(
            f"{file}: line {unlike[0]} of the load stands in it {found[unlike[0]]} times instead of "
            f"{lines[unlike[0]]}; leave one row for each that was exported."
        )
    chosen = sorted(((line, row) for line, row in rows if line in lines), key=itemgetter(0))
    for line, row in chosen:
        if None in row or None in row.values():
            raise UserError(f"{file}: the row of line {line} has more or fewer cells than the header.")
    cells = [[_as_exported(row[name]) for name in header] for _, row in chosen]
    return to_batch(header, cells, [line for line, _ in chosen], [])


def _refuse_other_columns(file: Path, header: list[str], held_back: list[Entry]) -> None:
    """A column that was lost would be landed empty, of one that stands there twice one would count."""
    exported = dict.fromkeys(name for entry in held_back for name in entry.cells)
    if lost := [name for name in exported if name not in header]:
        raise UserError(
            f"{file}: the column `{lost[0]}` that was exported is not in it; put it back, also where empty."
        )
    if twice := [name for name in header if header.count(name) > 1]:
        raise UserError(f"{file}: the column `{twice[0]}` stands in it more than once; leave one of them.")


def _as_exported(cell: str) -> str:
    """A cell without the apostrophe that `neutral` put before it."""
    return cell[1:] if neutral(cell[1:]) == cell else cell


def _land_release(settings: Settings, feed: FeedConfig, load_id: str, batch: Batch) -> Release:
    from loyalty.land.canonical import plan_columns
    from loyalty.land.gate import Suite
    from loyalty.land.load_writer import Draft
    from loyalty.privacy.suppression import load_forgotten
    from loyalty.pull.sources.files import RawFile

    ledger = Ledger(settings.ledger)
    origin = next(e.data for e in ledger.events("delivery") if e.data["load_id"] == load_id)
    content = json.dumps([load_id, batch.lines.to_pylist(), batch.cells.to_pylist()], ensure_ascii=False)
    new_id = hashlib.sha256(content.encode()).hexdigest()[:24]
    name = f".draft-{new_id}-{uuid.uuid4().hex[:8]}"
    folder, unused = settings.landing / feed.feed / name, settings.quarantine / feed.feed / name
    folder.mkdir(parents=True)
    raw = RawFile(origin["uri"], origin["file"], origin["sha256"], Path())
    draft = Draft(feed, raw, datetime.now(UTC), folder, unused, forgotten=load_forgotten(settings))
    try:
        draft.add(batch, plan_columns(feed, batch.cells.column_names), Suite(feed=feed.feed), load_key(settings))
        if draft.held_back:
            first = draft.held_back[0]
            raise UserError(
                f"Load {load_id}, line {first['_line']}: {first['reason']}; nothing was released. Mend the row with "
                "`loyalty quarantine export` and release it with `--from FILE`, or leave its line out."
            )
        write_json(folder / MANIFEST, draft.manifest(new_id) | {"of_load_id": load_id})
        put_in_place(folder, load_folder(settings.landing, feed.feed, new_id))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    hit("release.renamed")
    copied = ("feed", "source", "group", "uri", "file", "sha256", "version_at", "snapshot")
    ledger.append(
        "release",
        feed_name=feed.name,
        load_id=new_id,
        of_load_id=load_id,
        lines=batch.lines.to_pylist(),
        outcome="accepted",
        row_count=draft.row_count,
        quarantined_count=0,
        **{field: origin[field] for field in copied},
    )
    hit("release.recorded")
    return Release(new_id, draft.row_count)
