"""Which customers the CRM exports of a source list, without reading every export again for each file that comes.

    landing/customers/.known-<source>.parquet    hashes of the ids in all loads up to one event of the ledger
    landing/customers/.known-<source>.json       which loads these are

The two files are a memory that can be removed: they are made again from the loads. So they are whenever one of these
loads was written again, withdrawn or replaced.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb

from loyalty.common.disk import remove
from loyalty.common.ledger import Load
from loyalty.common.settings import Settings
from loyalty.common.sql import quote_text, text_list
from loyalty.common.workspace import Workspace
from loyalty.land.loads import landed_folder

CUSTOMER_HASH = "md5_number_lower(customer_id)"
MOST_LOADS = 50  # loads that are read one by one; more are taken into the memory


def known_customers(workspace: Workspace, connection: duckdb.DuckDBPyConnection, source: str) -> str:
    """A query for the hashes (`customer`) of all ids that the source's CRM exports list; empty without an export."""
    memory, notes = _memory(workspace.settings, source)
    done = _valid_notes(workspace, source, memory, notes)
    new = workspace.ledger.loads(feed="customers", source=source, after=done.get("seq", 0))
    query = _query(workspace.settings, memory if done else None, new)
    if len(new) <= MOST_LOADS:
        return query
    draft = memory.with_suffix(".draft")
    remove([notes])
    connection.execute(f"copy (select distinct customer from ({query})) to {quote_text(draft)} (format parquet)")
    draft.replace(memory)
    state = {"seq": new[-1].load_seq, "removals": workspace.ledger.removals("customers", source)}
    notes.write_text(json.dumps(state), encoding="utf-8")
    return _query(workspace.settings, memory, [])


def memory_files(settings: Settings) -> list[Path]:
    """The memories of all sources and the notes about them."""
    return sorted((settings.landing / "customers").glob(".known-*"))


def _memory(settings: Settings, source: str) -> tuple[Path, Path]:
    name = hashlib.sha256(source.encode()).hexdigest()[:16]
    folder = settings.landing / "customers"
    return folder / f".known-{name}.parquet", folder / f".known-{name}.json"


def _valid_notes(workspace: Workspace, source: str, memory: Path, notes: Path) -> dict[str, Any]:
    """What the memory holds; nothing when it is missing, damaged, or not of the loads that count today."""
    try:
        done = json.loads(notes.read_text(encoding="utf-8"))
        if done["removals"] == workspace.ledger.removals("customers", source) and memory.is_file():
            return done
    except (OSError, ValueError, LookupError, TypeError):
        pass
    remove([notes, memory])
    return {}


def _query(settings: Settings, memory: Path | None, loads: list[Load]) -> str:
    files = [str(file) for load in loads for file in sorted(landed_folder(settings, load).glob("part-*.parquet"))]
    parts = [f"select {CUSTOMER_HASH} as customer from read_parquet({text_list(files)})"] if files else []
    if memory:
        parts.append(f"select customer from read_parquet({quote_text(memory)})")
    return " union all ".join(parts)
