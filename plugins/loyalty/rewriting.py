"""Writing a landed load anew with other rows, under a new id: the one way in which landing ever changes."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loyalty.checksums import file_sha256
from loyalty.landing import MANIFEST, put_in_place, write_json
from loyalty.settings import Settings


def landed_loads(settings: Settings) -> list[Path]:
    """Every landed load on disk, also those that no longer count."""
    return sorted(settings.landing.glob("*/load_id=*"))


def load_id_of(folder: Path) -> str:
    """The id that a load's folder bears."""
    return folder.name.removeprefix("load_id=")


def parts_of(folder: Path) -> Iterator[pa.Table]:
    """A load's parts, read one after the other, so that memory does not grow with the load."""
    return (pq.read_table(part, partitioning=None) for part in sorted(folder.glob("part-*.parquet")))


def manifest_of(folder: Path) -> dict[str, Any]:
    """What is known of a load."""
    return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))


def rewrite(settings: Settings, folder: Path, why: str, change: Callable[[pa.Table], pa.Table], **changed: Any) -> str:
    """Write a load anew with each part changed; returns its id, the same whenever the same is asked for.

    The old load stays: who calls tells the ledger which load took whose place, and then removes it.
    """
    manifest = manifest_of(folder)
    new_id = hashlib.sha256(f"{load_id_of(folder)}:{why}".encode()).hexdigest()[:24]
    target = folder.with_name(f"load_id={new_id}")
    draft = folder.with_name(f".draft-{new_id}")
    draft.mkdir(parents=True, exist_ok=True)
    parts = []
    for number, rows in enumerate(parts_of(folder)):
        part = draft / f"part-{number:05d}.parquet"
        kept = change(rows)
        pq.write_table(kept, part, compression="zstd")
        parts.append({"name": part.name, "rows": kept.num_rows, "sha256": file_sha256(part)})
    count = sum(part["rows"] for part in parts)
    write_json(draft / MANIFEST, manifest | {"load_id": new_id, "parts": parts, "row_count": count} | changed)
    put_in_place(draft, target)
    shutil.rmtree(draft, ignore_errors=True)  # where the place was taken by a run that was killed afterwards
    return new_id
