"""Releasing quarantined rows: they become a load of their own, as they are or as a person corrected them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loyalty.common.counted import counted
from loyalty.common.errors import UserError
from loyalty.common.failpoints import failpoint
from loyalty.common.settings import Settings
from loyalty.common.spreadsheet import neutral
from loyalty.common.workspace import Workspace
from loyalty.land.canonical import plan_columns
from loyalty.land.delivery import make_delivery
from loyalty.land.gate import Suite
from loyalty.land.load_writer import open_writer
from loyalty.land.loads import MANIFEST, put_in_place, write_json
from loyalty.land.quarantine import LINE, RULES, Entry, close_corrected, open_entries
from loyalty.privacy.keys import load_key
from loyalty.pull.feeds import FeedConfig, get_feed
from loyalty.pull.formats.batch import Batch
from loyalty.pull.formats.delimited import to_batch
from loyalty.pull.formats.read import read_batches
from loyalty.pull.formats.text import ZIP_MAGIC
from loyalty.pull.sources.files import RawFile

SEPARATORS = ",;\t"  # of a CSV, as spreadsheets of different countries save it


@dataclass(frozen=True)
class Release:
    """What a release did, and how many rows of the load are still open."""

    load_id: str
    row_count: int
    open_count: int


def release(
    workspace: Workspace, load_id: str, lines: list[int] | None = None, corrected: Path | None = None
) -> Release:
    """Release quarantined rows of a load, as they are or as corrected, as a load of their own.

    With a `corrected` file only its rows are released; the others stay open. The suite is not checked again: a
    release is the decision that it was wrong about these rows. The contract is checked: a cell that cannot be read
    cannot be landed.

    Raises UserError when there is nothing to release, a line is not open, or a row still breaks the contract.
    """
    settings = workspace.settings
    read = _read_corrected(corrected) if corrected else None
    chosen = _chosen(workspace, load_id, lines or (read.lines if read else None))
    feed = get_feed(settings.feeds, chosen[0].feed_name)
    origin = workspace.ledger.deliveries_of_load(load_id)[0].data
    if read:
        batch = _corrected_batch(read, chosen)
    else:
        batch = _raw_batch(settings, feed, origin, sorted({entry.line for entry in chosen}))
    rules = sorted({entry.rules for entry in chosen})
    return _land_release(workspace, feed, origin, batch, rules, is_corrected=read is not None)


def _chosen(workspace: Workspace, load_id: str, lines: Collection[int] | None) -> list[Entry]:
    """The open rows of these lines, or of all."""
    still_open = open_entries(workspace, load_id)
    open_lines = {entry.line for entry in still_open}
    wanted = set(lines) if lines else open_lines
    if missing := sorted(wanted - open_lines):
        raise UserError(
            f"Load {load_id}: line {missing[0]} is not open in quarantine; `loyalty quarantine show {load_id}`."
        )
    if not wanted:
        raise UserError(f"Load {load_id}: no row is open any more; `loyalty quarantine show {load_id}` shows why.")
    return [entry for entry in still_open if entry.line in wanted]


def _raw_batch(settings: Settings, feed: FeedConfig, origin: dict[str, Any], lines: list[int]) -> Batch:
    """The rows as the raw file has them."""
    load_id = origin["load_id"]
    copies = sorted((settings.raw / feed.name / origin["sha256"]).glob("*"))
    if not copies:
        raise UserError(
            f"Load {load_id}: its raw file is no longer kept (raw_days is {settings.raw_days}, and a file that names a "
            "forgotten person goes at once): export the rows with `loyalty quarantine export`, and release them with "
            "`--from FILE`."
        )
    tables, numbers = [], []
    for batch in read_batches(copies[0], feed, settings.batch_rows, settings.max_file_bytes):
        wanted = pc.is_in(batch.lines, value_set=pa.array(lines, pa.int64()))
        tables.append(batch.cells.filter(wanted))
        numbers.append(batch.lines.filter(wanted))
    found = pa.concat_arrays(numbers)
    if len(found) < len(lines):
        raise UserError(
            f"Load {load_id}: a line with a wrong number of cells cannot be released as it is; correct the export."
        )
    return Batch(pa.concat_tables(tables, promote_options="default"), found)


@dataclass(frozen=True)
class _Corrected:
    """The file that `export` wrote, as a person corrected it: its columns, and line and cells of each row."""

    file: Path
    header: list[str]
    rows: list[tuple[int, dict[str, str]]]

    @property
    def lines(self) -> set[int]:
        """The lines of the load that are in it."""
        return {line for line, _ in self.rows}


def _read_corrected(file: Path) -> _Corrected:
    """Read it whatever a spreadsheet put between its cells. UserError when it is another file."""
    try:
        with file.open("rb") as handle:
            if handle.read(len(ZIP_MAGIC)) == ZIP_MAGIC:
                raise UserError(
                    f"{file} is a workbook, whose numbers and dates are no longer as the export wrote them: save it as "
                    "CSV in UTF-8, and give that file."
                )
        with file.open(newline="", encoding="utf-8-sig") as handle:
            first = handle.readline()
            handle.seek(0)
            named = (mark for mark in SEPARATORS if LINE in next(csv.reader([first], delimiter=mark), []))
            reader = csv.DictReader(handle, delimiter=next(named, ","))
            header = [name for name in reader.fieldnames or [] if name not in (LINE, RULES)]
            rows = [(int(row[LINE]), row) for row in reader]
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise UserError(f"{file} is not in UTF-8: save it as CSV in UTF-8.") from None
    except (KeyError, ValueError, TypeError, csv.Error):
        raise UserError(
            f"{file} is not what `loyalty quarantine export` wrote: a CSV with the column {LINE}, which has the number "
            "of a line in each row."
        ) from None
    if not rows:
        raise UserError(f"{file} has no row, so there is nothing to release.")
    return _Corrected(file, header, rows)


def _corrected_batch(corrected: _Corrected, quarantined: list[Entry]) -> Batch:
    """The rows of the quarantined lines as a person corrected them."""
    file, header = corrected.file, corrected.header
    _refuse_other_columns(file, header, quarantined)
    lines, found = Counter(entry.line for entry in quarantined), Counter(line for line, _ in corrected.rows)
    if missing := lines.keys() - found.keys():
        raise UserError(f"{file}: line {min(missing)}, which `--line` names, is not in it.")
    if unlike := sorted(line for line, count in lines.items() if found[line] != count):
        raise UserError(
            f"{file}: line {unlike[0]} of the load is in it {counted(found[unlike[0]], 'time')} instead of "
            f"{lines[unlike[0]]}; leave one row for each that was exported."
        )
    chosen = sorted(((line, row) for line, row in corrected.rows if line in lines), key=itemgetter(0))
    for line, row in chosen:
        if None in row or None in row.values():
            raise UserError(f"{file}: the row of line {line} has more or fewer cells than the header.")
    cells = [[_as_exported(row[name]) for name in header] for _, row in chosen]
    return to_batch(header, cells, [line for line, _ in chosen], [])


def _refuse_other_columns(file: Path, header: list[str], quarantined: list[Entry]) -> None:
    """A lost column would be landed empty, and of a doubled column only one would count."""
    exported = dict.fromkeys(name for entry in quarantined for name in entry.cells)
    if lost := [name for name in exported if name not in header]:
        raise UserError(
            f"{file}: the column `{lost[0]}` that was exported is not in it; put it back, also where empty."
        )
    if twice := [name for name in header if header.count(name) > 1]:
        raise UserError(f"{file}: the column `{twice[0]}` is in it more than once; leave one of them.")


def _as_exported(cell: str) -> str:
    """A cell without the apostrophe that `neutral` put before it."""
    return cell[1:] if neutral(cell[1:]) == cell else cell


def _land_release(
    workspace: Workspace, feed: FeedConfig, origin: dict[str, Any], batch: Batch, rules: list[str], is_corrected: bool
) -> Release:
    """Land the rows of a delivery, which broke these rules, as a load of their own."""
    load_id = origin["load_id"]
    content = json.dumps([load_id, batch.lines.to_pylist(), batch.cells.to_pylist()], ensure_ascii=False)
    new_id = hashlib.sha256(content.encode()).hexdigest()[:24]
    raw = RawFile(origin["uri"], origin["file"], origin["sha256"], Path())
    delivery = make_delivery(workspace, feed, raw, new_id)
    key = load_key(workspace.settings)
    with open_writer(workspace.settings, delivery, datetime.now(UTC)) as writer:
        writer.add(batch, plan_columns(feed, batch.cells.column_names), Suite(feed=feed.canonical_name), key)
        if writer.quarantined:
            first = writer.quarantined[0]
            raise UserError(
                f"Load {load_id}, line {first['_line']}: {first['reason']}; nothing was released. Correct the row with "
                "`loyalty quarantine export` and release it with `--from FILE`, or leave its line out."
            )
        write_json(writer.folder / MANIFEST, writer.manifest() | {"released_from": load_id})
        put_in_place(writer.folder, delivery.folder)
    failpoint("release.renamed")
    copied = ("feed", "source", "group", "uri", "file", "sha256", "version_at", "snapshot")
    workspace.ledger.append(
        "release",
        feed_name=feed.name,
        load_id=new_id,
        released_from=load_id,
        lines=batch.lines.to_pylist(),
        rules=rules,
        is_corrected=is_corrected,
        outcome="accepted",
        row_count=writer.row_count,
        quarantined_count=0,
        **{field: origin[field] for field in copied},
    )
    failpoint("release.recorded")
    close_corrected(workspace, feed.canonical, delivery.folder)
    return Release(new_id, writer.row_count, len(open_entries(workspace, load_id)))
