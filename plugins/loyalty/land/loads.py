"""The landed loads on disk: where a load lies, its manifest, its parts, and how it is put in place."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loyalty.common.checksums import wrong_file
from loyalty.common.disk import sync
from loyalty.common.errors import UserError
from loyalty.common.ledger import Load, with_new_keys
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.privacy.keys import key_count
from loyalty.pull.contract import hashed_columns
from loyalty.pull.feeds import FeedConfig

MANIFEST = "_manifest.json"


def load_folder(place: Path, feed: str, load_id: str) -> Path:
    """The folder of a load of a canonical feed under `landing`, `quarantine` or `rejected`."""
    return place / feed / f"load_id={load_id}"


def landed_folder(settings: Settings, load: Load) -> Path:
    """Where an accepted load lies."""
    return load_folder(settings.landing, load.feed, load.load_id)


def load_folders(place: Path, feed: str = "*", load_id: str = "*") -> list[Path]:
    """The folders of loads under a place, also of loads that no longer count; `*` means all."""
    return sorted(place.glob(f"{feed}/load_id={load_id}"))


def load_id_of(folder: Path) -> str:
    """The id in the name of a load's folder."""
    return folder.name.removeprefix("load_id=")


def read_manifest(folder: Path, feed_name: str = "FEED") -> dict[str, Any]:
    """The manifest in a load's folder; UserError, which names the feed, when it is gone or damaged."""
    file = folder / MANIFEST
    try:
        return with_new_keys(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise UserError(
            f"{file} is missing or damaged, so load {load_id_of(folder)[:12]} of `{folder.parent.name}` "
            "cannot be read: put the folder back from a backup, or load the export again with "
            f"`loyalty load {feed_name} --again`."
        ) from None


def manifest_before(workspace: Workspace, feed: FeedConfig) -> dict[str, Any]:
    """The manifest of the feed's newest load with the same mapping; empty without one, or when that load is damaged."""
    for load in workspace.ledger.loads(feed_name=feed.name, mapping_id=feed.mapping_id, released_from=None, newest=1):
        with contextlib.suppress(UserError):
            return read_manifest(landed_folder(workspace.settings, load))
    return {}


def is_behind(manifest: dict[str, Any], keys: int) -> bool:
    """Whether a load has hashes that have not gone through all of the keys."""
    return bool(hashed_columns(manifest)) and manifest.get("key_count", 1) < keys


def refuse_half_rotated(settings: Settings, manifests: Iterable[dict[str, Any]]) -> None:
    """UserError while a rotation of the key is not finished: hashes of two kinds do not meet."""
    keys = key_count(settings)
    if any(is_behind(manifest, keys) for manifest in manifests):
        raise UserError("The key was rotated and not every load has followed: run `loyalty rotate-key` to continue.")


def parts_of(folder: Path) -> Iterator[pa.Table]:
    """A load's parts, read one after the other, so that memory does not grow with the load."""
    return (pq.read_table(part, partitioning=None) for part in sorted(folder.glob("part-*.parquet")))


def wrong_parts(load: Path) -> list[str]:
    """The differences between a landed load and its manifest: one sentence each, none when it is whole."""
    try:
        manifest = json.loads((load / MANIFEST).read_text(encoding="utf-8"))
        listed = {part["name"]: part["sha256"] for part in manifest["parts"]}
    except (OSError, ValueError, LookupError, TypeError):
        return [f"{load}: the manifest of this load is missing or damaged"]
    wrong = [sentence for name, sha256 in listed.items() for sentence in wrong_file(load / name, sha256)]
    foreign = [file for file in sorted(load.iterdir()) if file.name not in (*listed, MANIFEST)]
    return [*wrong, *(f"{file}: its load's manifest does not list it" for file in foreign)]


def put_in_place(draft: Path, target: Path) -> None:
    """Sync a folder and rename it; a copy of this process that was quicker wins."""
    for file in draft.iterdir():
        sync(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        draft.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    sync(target.parent)


def write_json(file: Path, content: dict[str, Any]) -> None:
    """A small JSON document, on disk when this returns."""
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1, default=str), encoding="utf-8")
    sync(file)
