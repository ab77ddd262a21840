"""Redacts forgotten people: loads are written again without them, and the files they were read from are removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loyalty.common.counted import counted
from loyalty.common.disk import remove
from loyalty.common.errors import UserError
from loyalty.common.failpoints import failpoint
from loyalty.common.ledger import REWRITING, Ledger
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.land.known_customers import memory_files
from loyalty.land.load_writer import KEY_SEPARATOR
from loyalty.land.loads import (
    landed_folder,
    load_folder,
    load_folders,
    load_id_of,
    parts_of,
    read_manifest,
    refuse_half_rotated,
)
from loyalty.land.rewrite import rewrite
from loyalty.privacy.keys import Key, keyed_hash
from loyalty.privacy.suppression import (
    MOST_OF_ONE_PERSON,
    RECORDS,
    Forgotten,
    code_of,
    forgotten_count,
    load_forgotten,
    remember,
)
from loyalty.pull.contract import load_contract


@dataclass
class Erased:
    """What an erasure changed in landing."""

    rewritten: dict[str, str] = field(default_factory=dict)
    removed: int = 0
    anonymised: int = 0


def redact_forgotten(workspace: Workspace) -> int:
    """Erase forgotten people from loads that were landed before the list had them all; returns how many loads.

    Such loads are rare: one that was under way while a person was forgotten, or one put back from a backup.
    """
    settings = workspace.settings
    if not _outdated(workspace):
        return 0
    loads = workspace.ledger.loads()
    refuse_half_rotated(settings, (read_manifest(landed_folder(settings, load), load.feed_name) for load in loads))
    remember(settings, records_of(settings, load_forgotten(settings)))
    return len(erase(workspace, _outdated(workspace)).rewritten)


def _outdated(workspace: Workspace) -> list[Path]:
    """Loads that count and were neither landed under the whole list nor searched since it grew."""
    settings, ledger = workspace.settings, workspace.ledger
    count = forgotten_count(settings)
    redacted = [event.seq for event in ledger.events("forget") if event.data.get("forgotten_count", 0) >= count]
    newer = [load for load in ledger.loads() if load.load_seq > max(redacted, default=0)] if count else []
    folders = [landed_folder(settings, load) for load in newer]
    return [one for one in folders if one.is_dir() and read_manifest(one).get("forgotten_count", 0) < count]


def erase(workspace: Workspace, folders: list[Path], code: str = "", sources: set[str] | None = None) -> Erased:
    """Write the loads that name a forgotten person again, record it, and remove what they were read from."""
    settings, ledger = workspace.settings, workspace.ledger
    forgotten, count = load_forgotten(settings), forgotten_count(settings)
    replaced = {old for event in ledger.events(*REWRITING) for old in event.data["rewritten"]}
    origins = ledger.origins()
    naming = [
        folder
        for folder in folders
        if _names(folder, forgotten) or _is_quarantined_in(_quarantine_of(settings, folder, origins), forgotten)
    ]
    why = "".join(sorted(forgotten.codes))
    erased = Erased()
    for folder in naming:
        if load_id_of(folder) not in replaced:  # else a killed run has written it again already
            change = partial(_without, forgotten, folder, erased)
            erased.rewritten[load_id_of(folder)] = rewrite(
                folder, why, change, profile={}, erased_count=1, forgotten_count=count
            )
    remove(memory_files(settings))
    failpoint("forget.rewritten")
    ledger.append("forget", rewritten=erased.rewritten, receipt=code, forgotten_count=count)
    failpoint("forget.recorded")
    hinting = [folder for folder in folders if folder not in naming and _is_of_orders(folder, forgotten)]
    _remove_sources(settings, ledger, [*naming, *hinting], origins, sources)
    remove(naming)
    _clean_quarantine(settings, forgotten)
    return erased


def _without(forgotten: Forgotten, folder: Path, erased: Erased, rows: pa.Table) -> pa.Table:
    kept, removed, anonymised = forgotten.without(rows, load_contract()[folder.parent.name], _source_of(rows))
    erased.removed, erased.anonymised = erased.removed + removed, erased.anonymised + anonymised
    return kept


def _source_of(rows: pa.Table) -> str:
    """The source of a load's rows: one load has one."""
    return rows.column("_source")[0].as_py() if rows.num_rows else ""


def records_of(settings: Settings, forgotten: Forgotten) -> list[str]:
    """The codes of the people's questionnaires and orders, which answers and order lines name alone."""
    folders = [folder for feed in RECORDS for folder in load_folders(settings.landing, feed)]
    parts = ((folder.parent.name, rows) for folder in folders for rows in parts_of(folder))
    return [code for feed, rows in parts for code in forgotten.records(rows, feed, _source_of(rows), [])]


def owners_of(settings: Settings, key: Key, address: str, source: str | None) -> set[str]:
    """The codes of the customers beside whose id this e-mail address is landed, as a keyed hash.

    Raises UserError when there are too many to be one person.
    """
    hashed, owners = keyed_hash(key, address), set()
    for folder in load_folders(settings.landing, "customers"):
        is_hashed = "customer_id" in read_manifest(folder).get("hashed_ids", [])
        for rows in parts_of(folder):
            of_source = _source_of(rows)
            if "email_hash" in rows.column_names and source in (None, of_source):
                theirs = rows.filter(pc.equal(rows.column("email_hash"), hashed)).column("customer_id")
                owners |= {code_of(key, of_source, one, is_hashed) for one in theirs.to_pylist()}
    if len(owners) > MOST_OF_ONE_PERSON:
        raise UserError(
            f"This address belongs to {counted(len(owners), 'customer')}, which are not one person: nothing was "
            "changed. Name the customer by the id."
        )
    return owners


def is_known(settings: Settings, forgotten: Forgotten) -> bool:
    """Whether a landed or quarantined row names one of these people."""
    return any(_names(folder, forgotten) for folder in load_folders(settings.landing)) or any(
        _is_quarantined_in(folder, forgotten) for folder in load_folders(settings.quarantine)
    )


def _quarantine_of(settings: Settings, folder: Path, origins: dict[str, str]) -> Path:
    load_id = load_id_of(folder)
    return load_folder(settings.quarantine, folder.parent.name, origins.get(load_id, load_id))


def _is_quarantined_in(folder: Path, forgotten: Forgotten) -> bool:
    return any(_is_of(row, forgotten) for part in parts_of(folder) for row in part.to_pylist())


def _names(folder: Path, forgotten: Forgotten) -> bool:
    """Whether a load names one of these people."""
    feed = load_contract()[folder.parent.name]
    return any(any(forgotten.without(rows, feed, _source_of(rows))[1:]) for rows in parts_of(folder))


def _is_of_orders(folder: Path, forgotten: Forgotten) -> bool:
    """Whether the file of a load may hold more of these people's orders than was landed."""
    return bool(read_manifest(folder)["dropped_columns"]) and any(
        pc.any(forgotten.of_orders(rows, _source_of(rows))).as_py() for rows in parts_of(folder)
    )


def _remove_sources(
    settings: Settings, ledger: Ledger, read: list[Path], origins: dict[str, str], sources: set[str] | None
) -> None:
    """Remove the raw files that loads were read from, and drafts of killed loads.

    A rejected file, or one without a delivery, may name the person: those of the person's source are removed as well.
    """
    old_ids = {origins.get(load_id, load_id) for load_id in map(load_id_of, read)}
    kept: set[Path] = set()
    doomed: set[Path] = set()
    for event in ledger.events("delivery", "release"):
        raw = settings.raw / event.data["feed_name"] / (event.data["sha256"] or "-")
        is_rejected = event.data["outcome"] == "rejected" and (sources is None or event.data["source"] in sources)
        (doomed if is_rejected or event.data["load_id"] in old_ids else kept).add(raw)
    contents = {file.name for file in doomed}  # another feed may read the same file, and keeps a copy of its own
    doomed |= {file for file in settings.raw.glob("*/*") if file.name in contents}
    unknown = {file for file in settings.raw.glob("*/*") if file not in kept}
    drafts = [draft for place in (settings.landing, settings.quarantine) for draft in place.glob("*/.draft-*")]
    remove([*doomed, *unknown, *drafts])


def quarantine_parts(settings: Settings) -> list[Path]:
    """Every file of quarantined rows."""
    return sorted(settings.quarantine.glob("*/load_id=*/part-*.parquet"))


def _is_of(row: dict[str, Any], forgotten: Forgotten) -> bool:
    """Whether a quarantined row names one of these people, or belongs to an order of theirs."""
    key = load_contract()[row["_feed"]].key
    order = row["record"].split(KEY_SEPARATOR)[0] if row["record"] and key[:1] == ("order_id",) else ""
    is_of_order = bool(order) and forgotten.is_listed("order", row["_source"], order)
    return is_of_order or forgotten.is_mentioned(row["row_json"], row["_source"])


def _clean_quarantine(settings: Settings, forgotten: Forgotten) -> None:
    """Take the people's rows out of quarantine, also those of rejected loads."""
    for part in quarantine_parts(settings):
        rows = pq.read_table(part, partitioning=None)
        keep = pa.array([not _is_of(row, forgotten) for row in rows.to_pylist()], pa.bool_())
        if not pc.all(keep).as_py():
            draft = part.with_name(f".{part.name}")
            pq.write_table(rows.filter(keep), draft, compression="zstd")
            draft.replace(part)
