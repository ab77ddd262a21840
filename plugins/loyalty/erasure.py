"""A person asks to be forgotten: gone from landing, quarantine, raw, work file, generations, copies and logs.

Where a feed can do without the person (an order without a customer is a guest's), the row stays and the
person is taken out of it, so that money totals hold; other rows about the person go. A load that held the
person is written anew under a new id; the ledger says which load took whose place, not why or for whom.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loyalty import warehouse
from loyalty.contract import CanonicalFeed, load_contract
from loyalty.errors import UserError
from loyalty.generations import remove_all_but_current
from loyalty.landing import MANIFEST, put_in_place, write_json
from loyalty.ledger import Ledger
from loyalty.privacy import keyed_hash, load_key
from loyalty.publish import publish
from loyalty.runs import recorded_run
from loyalty.settings import Settings
from loyalty.transform import Say

# Every column of the contract that can hold a customer's id.
PERSON_COLUMNS = ("customer_id", "into_customer_id", "payer_id", "referrer_customer_id", "referred_customer_id")
# Feeds whose rows are nothing but what is known of one person.
ABOUT_ONE_PERSON = ("customers", "survey_responses")
ANSWERED_FEED = "survey_responses"


@dataclass(frozen=True)
class Receipt:
    """Proof of an erasure that names nobody: a keyed hash, and how much was touched."""

    code: str
    rows_removed: int
    rows_anonymised: int
    loads_rewritten: int
    generations_removed: int


@dataclass(frozen=True)
class _Person:
    """Who is to be forgotten: the id, where (None: in every source), and the ids of the person's answers."""

    customer_id: str
    source: str | None
    responses: frozenset[str] = frozenset()


def forget(settings: Settings, customer_id: str, source: str | None = None, say: Say = print) -> Receipt:
    """Erase a customer of one source, or of all, and publish marts without the person.

    Killed anywhere, it can be run again and ends the same. Raises UserError when nothing is known of the id.
    """
    with recorded_run(settings, "forget"), warehouse.lock(settings, "forget"):
        person = _Person(customer_id, source)
        person = _Person(customer_id, source, frozenset(_responses(settings, person)))
        held_by = [folder for folder in _loads(settings) if _names(folder, person)]
        if not held_by and not _is_published(settings, customer_id):
            where = f" of source `{source}`" if source else ""
            raise UserError(f"No landed load knows a customer{where} with this id: nothing was changed.")
        rewritten, removed, anonymised = {}, 0, 0
        for folder in held_by:
            new_id, gone, blank = _rewrite(settings, folder, person)
            rewritten[folder.name.removeprefix("load_id=")] = new_id
            removed, anonymised = removed + gone, anonymised + blank
        code = keyed_hash(load_key(settings), f"{secrets.token_hex(16)}:{source or ''}:{customer_id}")
        _remember(settings, rewritten, code)
        _remove_sources(settings, held_by, person)
        _clean_quarantine(settings, person)
        for path in (warehouse.work_files(settings), _copies(settings), _logs(settings)):
            _remove(path)
    say(f"erased from {len(held_by)} loads: {removed} rows removed, {anonymised} kept without the person")
    gone_generations = _publish_without(settings, say)
    say(f"receipt {code}: keep it; it names nobody")
    return Receipt(code, removed, anonymised, len(held_by), gone_generations)


def _loads(settings: Settings) -> list[Path]:
    """Every landed load on disk, also those that no longer count."""
    return sorted(settings.landing.glob("*/load_id=*"))


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _feed_of(folder: Path) -> CanonicalFeed:
    return load_contract()[folder.parent.name]


def _responses(settings: Settings, person: _Person) -> Iterable[str]:
    """The person's questionnaires, whose answers name the response alone."""
    for folder in sorted((settings.landing / ANSWERED_FEED).glob("load_id=*")):
        for part in _parts(folder):
            rows = pq.read_table(part, partitioning=None)
            yield from rows.filter(_is_person(rows, "customer_id", person)).column("response_id").to_pylist()


def _is_person(rows: pa.Table, column: str, person: _Person) -> pa.Array:
    """Which rows name the person in a column."""
    named = pc.fill_null(pc.equal(rows.column(column), person.customer_id), False)
    return named if person.source is None else pc.and_(named, pc.equal(rows.column("_source"), person.source))


def _to_remove(rows: pa.Table, feed: CanonicalFeed, person: _Person) -> pa.Array:
    """Rows that would mean nothing without the person, and the answers to the person's questionnaires."""
    doomed = pa.chunked_array([pa.array([False] * rows.num_rows)])
    for column in _person_columns(rows):
        if feed.columns[column].required or (feed.name in ABOUT_ONE_PERSON and column == "customer_id"):
            doomed = pc.or_(doomed, _is_person(rows, column, person))
    if person.responses and "response_id" in rows.column_names:
        doomed = pc.or_(doomed, pc.is_in(rows.column("response_id"), value_set=pa.array(sorted(person.responses))))
    return doomed


def _person_columns(rows: pa.Table) -> list[str]:
    return [column for column in PERSON_COLUMNS if column in rows.column_names]


def _names(folder: Path, person: _Person) -> bool:
    """Whether a load, or its quarantine, speaks of the person."""
    held_back = folder.parents[2] / "quarantine" / folder.parent.name / folder.name
    if any(_held_back_names(part, person) for part in _parts(held_back)):
        return True
    return any(
        any(_without(pq.read_table(part, partitioning=None), _feed_of(folder), person)[1:]) for part in _parts(folder)
    )


def _rewrite(settings: Settings, folder: Path, person: _Person) -> tuple[str, int, int]:
    """Write a load without the person under a new id; returns the id, rows removed, rows anonymised."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    new_id = secrets.token_hex(12)
    draft = folder.parent / f".draft-{new_id}"
    draft.mkdir(parents=True)
    removed = anonymised = 0
    parts = []
    for part in _parts(folder):
        rows = pq.read_table(part, partitioning=None)
        kept, gone, blank = _without(rows, _feed_of(folder), person)
        removed, anonymised = removed + gone, anonymised + blank
        pq.write_table(kept, draft / part.name, compression="zstd")
        sha256 = hashlib.sha256((draft / part.name).read_bytes()).hexdigest()
        parts.append({"name": part.name, "rows": kept.num_rows, "sha256": sha256})
    count = sum(part["rows"] for part in parts)
    write_json(draft / MANIFEST, manifest | {"load_id": new_id, "parts": parts, "row_count": count, "profile": {}})
    put_in_place(draft, settings.landing / folder.parent.name / f"load_id={new_id}")
    return new_id, removed, anonymised


def _without(rows: pa.Table, feed: CanonicalFeed, person: _Person) -> tuple[pa.Table, int, int]:
    """A load's rows without the person, how many rows went, and how many stay with a blank for the person."""
    doomed = _to_remove(rows, feed, person)
    kept = rows.filter(pc.invert(doomed))
    anonymised = 0
    for column in _person_columns(kept):
        named = _is_person(kept, column, person)
        anonymised += pc.sum(named).as_py() or 0
        # an order's own columns (x_note, x_email ...) may say who it was; a referrer's do not
        own = [name for name in kept.column_names if name.startswith("x_") or name.endswith("_hash")]
        for name in [column, *(own if column == "customer_id" else [])]:
            place, cells = kept.column_names.index(name), kept.column(name)
            blank = pc.if_else(named, pa.scalar(None, cells.type), cells)
            kept = kept.set_column(place, name, blank)
    return kept, rows.num_rows - kept.num_rows, anonymised


def _remember(settings: Settings, rewritten: dict[str, str], code: str) -> None:
    if rewritten:
        Ledger(settings.ledger).append("forget", rewritten=rewritten, receipt=code)


def _remove_sources(settings: Settings, held_by: list[Path], person: _Person) -> None:
    """Remove the old loads and the raw files they were read from.

    Whether a refused file names the person nobody can tell: those of the person's source go as well.
    """
    old_ids = {folder.name.removeprefix("load_id=") for folder in held_by}
    for event in Ledger(settings.ledger).events("delivery", "release"):
        is_refused = event.data["outcome"] == "rejected" and person.source in (None, event.data["source"])
        if event.data["sha256"] and (is_refused or event.data["load_id"] in old_ids):
            _remove([settings.raw / event.data["feed_name"] / event.data["sha256"]])
    _remove(held_by)


def _held_back_names(part: Path, person: _Person) -> bool:
    return any(_is_of(row, person) for row in pq.read_table(part, partitioning=None).to_pylist())


def _is_of(row: dict[str, Any], person: _Person) -> bool:
    """Whether a row held back is of the person's source and names the person."""
    return person.source in (None, row["_source"]) and _mentions(row["row_json"], person)


def _mentions(row_json: str | None, person: _Person) -> bool:
    """Whether a cell of a row held back is the person's id."""
    cells: dict[str, Any] = json.loads(row_json) if row_json else {}
    return any(str(cell).strip() == person.customer_id for cell in cells.values() if cell is not None)


def _clean_quarantine(settings: Settings, person: _Person) -> None:
    """Take the person's rows out of quarantine, also those of refused loads."""
    for part in sorted(settings.quarantine.glob("*/load_id=*/part-*.parquet")):
        rows = pq.read_table(part, partitioning=None)
        keep = pa.array([not _is_of(row, person) for row in rows.to_pylist()], pa.bool_())
        if not pc.all(keep).as_py():
            draft = part.with_name(f".{part.name}")
            pq.write_table(rows.filter(keep), draft, compression="zstd")
            draft.replace(part)


def _copies(settings: Settings) -> list[Path]:
    """Analysts' private copies of core and marts."""
    return [settings.home / "dev"]


def _logs(settings: Settings) -> list[Path]:
    """Logs and what dbt compiled: either may hold a failed row."""
    return [settings.home / "logs", settings.work_file.parent / "dbt"]


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _is_published(settings: Settings, customer_id: str) -> bool:
    """Whether the current generation still holds the id, as after an erasure that was killed before publishing."""
    if not (settings.serve / "current").exists():
        return False
    forgotten = Ledger(settings.ledger).last("forget")
    published = Ledger(settings.ledger).last("publish")
    return forgotten is not None and (published is None or published.seq < forgotten.seq) and bool(customer_id)


def _publish_without(settings: Settings, say: Say) -> int:
    """Build everything anew from landing, publish it, and remove every older generation."""
    built_before = warehouse.last_build(Ledger(settings.ledger))
    as_of = _given_as_of(built_before.data) if built_before else None
    built = warehouse.build(settings, as_of, full=True, say=say)
    publish(settings, built.build_id, say, accept_drop=True, urgent=True)
    gone = remove_all_but_current(settings)
    say(f"removed {len(gone)} older generations at once; readers that hold one open keep it until they close it")
    return len(gone)


def _given_as_of(stamp: dict[str, Any]) -> date | None:
    return date.fromisoformat(stamp["as_of"]) if stamp["is_as_of_given"] else None
