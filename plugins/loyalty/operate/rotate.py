"""Rotating the key: what was hashed with the old one is hashed on with the new one, HMAC(new, HMAC(old, value)).

So equal addresses still meet, whether they were landed before or after, and nobody has to know the addresses. Where a
mapping makes a hash of the customer's id, the customer has another id from then on, in every load alike. Every
load says how many keys its hashes went through; rows held back and the suppression list say so cell by cell.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from loyalty.build import work_file
from loyalty.common.disk import remove
from loyalty.common.failpoints import hit
from loyalty.common.ledger import Ledger
from loyalty.common.progress import Say
from loyalty.common.runs import recorded_run
from loyalty.common.settings import Settings
from loyalty.land.loads import (
    is_behind,
    load_folders,
    load_id_of,
    read_manifest,
)
from loyalty.land.rewrite import rewrite
from loyalty.privacy.keys import Key, add_key, lift, load_key
from loyalty.pull.contract import hashed_columns


def rotate_key(settings: Settings, say: Say = print) -> int:
    """Add a key and take every landed hash through it; returns how many loads were written anew.

    Killed anywhere, it is run again and finishes the rotation that was under way instead of beginning another. Until
    then no build runs, since hashes of two kinds do not meet.
    """
    with recorded_run(settings, "rotate-key"), work_file.lock(settings, "rotate-key"):
        key = load_key(settings)
        if not _behind(settings, key):
            key = add_key(settings)
        hit("rotate.added")
        old = _behind(settings, key)
        rewritten = {load_id_of(folder): _rewrite(settings, folder, key) for folder in old}
        hit("rotate.rewritten")
        Ledger(settings.ledger).append("rekey", rewritten=rewritten, keys=len(key))
        hit("rotate.recorded")
        remove_replaced(settings)
    say(f"the key was rotated: {len(rewritten)} loads were written anew; the next `loyalty run` builds with them")
    say("keep the new hash.key with your backups: it holds the old keys too, and all of them are needed")
    return len(rewritten)


def _behind(settings: Settings, key: Key) -> list[Path]:
    """Loads with hashes that have not gone through every key."""
    replaced = {old for event in Ledger(settings.ledger).events("rekey") for old in event.data["rewritten"]}
    return [
        folder
        for folder in load_folders(settings.landing)
        if load_id_of(folder) not in replaced and is_behind(read_manifest(folder), len(key))
    ]


def _rewrite(settings: Settings, folder: Path, key: Key) -> str:
    manifest = read_manifest(folder)
    done, hashed = manifest.get("key_count", 1), hashed_columns(manifest)

    def lifted(rows: pa.Table) -> pa.Table:
        for place, name in enumerate(rows.column_names):
            if name in hashed:
                hashes = [value and lift(key, value, done) for value in rows.column(name).to_pylist()]
                rows = rows.set_column(place, name, pa.array(hashes, pa.string()))
        return rows

    return rewrite(settings, folder, f"rekey {len(key)}", lifted, key_count=len(key))


def remove_replaced(settings: Settings) -> None:
    """The loads whose place another has taken hold the old hashes: they go."""
    replaced = {old for event in Ledger(settings.ledger).events("rekey") for old in event.data["rewritten"]}
    remove([folder for folder in load_folders(settings.landing) if load_id_of(folder) in replaced])
