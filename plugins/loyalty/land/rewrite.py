"""Writes a landed load again with other rows, under a new id: the only way in which landing changes."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loyalty.common.checksums import file_sha256
from loyalty.land.loads import (
    MANIFEST,
    load_folder,
    load_id_of,
    parts_of,
    put_in_place,
    read_manifest,
    write_json,
)


def rewrite(folder: Path, why: str, change: Callable[[pa.Table], pa.Table], **changed: Any) -> str:
    """Write a load again with each part changed; returns its id, which is the same for the same change.

    The old load stays: the caller records in the ledger which load replaces it, and then removes it.
    """
    manifest = read_manifest(folder)
    new_id = hashlib.sha256(f"{load_id_of(folder)}:{why}".encode()).hexdigest()[:24]
    target = load_folder(folder.parents[1], folder.parent.name, new_id)
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
