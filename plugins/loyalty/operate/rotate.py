"""Rotating the key: what was hashed with the old one is hashed on with the new one, HMAC(new, HMAC(old, value)).

So equal addresses still have equal hashes, whether they were landed before or after, and the addresses themselves are
not needed. Where a mapping makes a hash of the customer's id, the customer has another id from then on, in every load.
Every load records how many keys its hashes went through; quarantined rows and the suppression list record it cell by
cell.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from loyalty.build import work_file
from loyalty.common.counted import counted
from loyalty.common.disk import remove
from loyalty.common.failpoints import failpoint
from loyalty.common.ledger import Ledger
from loyalty.common.runs import recorded_run
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.land.loads import (
    is_behind,
    load_folders,
    load_id_of,
    read_manifest,
)
from loyalty.land.rewrite import rewrite
from loyalty.privacy.keys import Key, add_key, lift, load_key
from loyalty.pull.contract import hashed_columns


def rotate_key(workspace: Workspace) -> int:
    """Add a key and take every landed hash through it; returns how many loads were written again.

    Killed anywhere, it is run again and finishes the rotation that was under way instead of beginning another. Until
    then no build runs, since hashes of two kinds do not meet.
    """
    settings, ledger = workspace.settings, workspace.ledger
    with recorded_run(ledger, "rotate-key"), work_file.lock(settings, "rotate-key"):
        key = load_key(settings)
        if not _behind(settings, ledger, key):
            key = add_key(settings)
        failpoint("rotate.added")
        old = _behind(settings, ledger, key)
        rewritten = {load_id_of(folder): _rewrite(folder, key) for folder in old}
        failpoint("rotate.rewritten")
        ledger.append("rekey", rewritten=rewritten, keys=len(key))
        failpoint("rotate.recorded")
        remove_replaced(settings, ledger)
    log, count = workspace.progress.log, len(rewritten)
    log(f"the key was rotated, and {counted(count, 'load')} written again; the next `loyalty run` builds with them")
    log("keep the new hash.key with your backups: it holds the old keys too, and all of them are needed")
    return count


def _behind(settings: Settings, ledger: Ledger, key: Key) -> list[Path]:
    """Loads with hashes that have not gone through every key."""
    replaced = {old for event in ledger.events("rekey") for old in event.data["rewritten"]}
    return [
        folder
        for folder in load_folders(settings.landing)
        if load_id_of(folder) not in replaced and is_behind(read_manifest(folder), len(key))
    ]


def _rewrite(folder: Path, key: Key) -> str:
    manifest = read_manifest(folder)
    done, hashed = manifest.get("key_count", 1), hashed_columns(manifest)

    def lifted(rows: pa.Table) -> pa.Table:
        for place, name in enumerate(rows.column_names):
            if name in hashed:
                hashes = [value and lift(key, value, done) for value in rows.column(name).to_pylist()]
                rows = rows.set_column(place, name, pa.array(hashes, pa.string()))
        return rows

    return rewrite(folder, f"rekey {len(key)}", lifted, key_count=len(key))


def remove_replaced(settings: Settings, ledger: Ledger) -> None:
    """The loads whose place another has taken hold the old hashes: they go."""
    replaced = {old for event in ledger.events("rekey") for old in event.data["rewritten"]}
    remove([folder for folder in load_folders(settings.landing) if load_id_of(folder) in replaced])
