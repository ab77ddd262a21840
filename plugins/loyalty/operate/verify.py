"""Compares the files on disk with what was written; one finding for each difference, with what to do about it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from loyalty.build.engines.spark import left_folders
from loyalty.build.work_file import lock_file
from loyalty.common.checksums import file_sha256
from loyalty.common.ledger import REWRITING, Ledger
from loyalty.common.lock import holder_of
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.land.loads import (
    landed_folder,
    load_folders,
    load_id_of,
    wrong_parts,
)
from loyalty.publish.generations import MANIFEST, generation_folders, wrong_files

ROOM_FACTOR = 3
LEAST_ROOM = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and what to do; `is_damage` when bytes or records were lost or changed."""

    what: str
    todo: str
    is_damage: bool = True

    def __str__(self) -> str:
        return f"{self.what}: {self.todo}"


def verify(workspace: Workspace) -> list[Finding]:
    """Compare landing, quarantine, ledger and generations with what was written; empty when all is well."""
    settings, ledger = workspace.settings, workspace.ledger
    return [
        *_wrong_ledger(ledger),
        *_wrong_loads(settings, ledger),
        *_wrong_quarantine(settings),
        *_unknown_folders(settings, ledger),
        *_wrong_generations(settings, ledger),
        *_wrong_link(settings),
        *_foreign_logs(settings),
        *_leftovers(settings),
        *little_room(settings),
    ]


def _wrong_ledger(ledger: Ledger) -> Iterator[Finding]:
    """Events are numbered without a gap: a line that was taken out or changed leaves one."""
    ledger.read_again()
    numbers = [event.seq for event in ledger.events()]
    if numbers != list(range(1, len(numbers) + 1)):
        yield Finding(
            f"{ledger.file}: events are missing or damaged",
            "put the ledger back from your backup and run `loyalty run`",
        )


def _wrong_loads(settings: Settings, ledger: Ledger) -> Iterator[Finding]:
    """Accepted loads against their manifests."""
    for load in ledger.loads():
        folder = landed_folder(settings, load)
        for what in wrong_parts(folder):
            todo = f"put the folder back from your backup, or run `loyalty load {load.feed_name} --again`"
            yield Finding(what, todo)


def _wrong_quarantine(settings: Settings) -> Iterator[Finding]:
    """Quarantined rows that can no longer be read."""
    for part in sorted(settings.quarantine.glob("*/load_id=*/part-*.parquet")):
        try:
            pq.read_metadata(part)
        except (pa.ArrowException, OSError):
            yield Finding(f"{part} is damaged", "put it back from your backup, or remove it and give up its rows")


def _unknown_folders(settings: Settings, ledger: Ledger) -> Iterator[Finding]:
    """Landed, quarantined and rejected loads without a delivery in the ledger."""
    known = {event.data["load_id"] for event in ledger.events("delivery", "release")}
    for event in ledger.events(*REWRITING):
        known |= set(event.data["rewritten"].values())
    for place in (settings.landing, settings.quarantine, settings.rejected):
        for folder in load_folders(place):
            if load_id_of(folder) not in known:
                yield Finding(
                    f"{folder}: the ledger has no such load, so it is not read",
                    "load the feed again, or remove the folder",
                    is_damage=False,
                )


def _wrong_generations(settings: Settings, ledger: Ledger) -> Iterator[Finding]:
    """Files of generations against their manifests, and manifests against the ledger."""
    recorded = {f"{event.data['generation']:06d}": event.data["manifest_sha256"] for event in ledger.events("publish")}
    shown = _shown_folder(settings)
    for folder in generation_folders(settings):
        todo = (
            "readers see it: run `loyalty publish`, which makes a new one, or `loyalty rollback` to an older one"
            if folder == shown
            else "readers do not see it: remove the folder; a rollback to it is not possible"
        )
        manifest = folder / MANIFEST
        if folder.name not in recorded:
            what = f"{folder}: the ledger has no such generation"
            yield Finding(what, "the next publish clears it up", is_damage=False)
        elif not manifest.is_file() or not _is_json(manifest):
            yield Finding(f"{manifest} is missing or damaged, so the generation cannot be verified", todo)
            continue
        elif file_sha256(manifest) != recorded[folder.name]:
            yield Finding(f"{manifest} is not as it was published", todo)
        for what in wrong_files(folder):
            yield Finding(what, todo)


def _wrong_link(settings: Settings) -> Iterator[Finding]:
    """The one address that readers use."""
    link = settings.serve / "current"
    todo = "run `loyalty publish`, or `loyalty rollback NUMBER` to show an older generation"
    if link.is_symlink():
        if not link.exists():
            yield Finding(f"{link} points at {link.readlink()}, which is gone", todo)
        elif link.resolve().parent != (settings.serve / "generations").resolve():
            yield Finding(f"{link} points at {link.readlink()}, which is not a generation", todo)
    elif link.exists():
        yield Finding(f"{link} is not a link, so no publish can reach readers", f"move it away and {todo}")
    elif generation_folders(settings):
        yield Finding(f"{link} is missing, so readers see nothing", todo)


def _foreign_logs(settings: Settings) -> Iterator[Finding]:
    """Write-ahead logs beside published files: a client would replay them. What a killed publish left is ours."""
    for wal in sorted(wal for folder in generation_folders(settings) for wal in folder.rglob("*.wal")):
        yield Finding(
            f"{wal}: a write-ahead log beside a published file is not ours", "remove it before a reader opens it"
        )


def _leftovers(settings: Settings) -> Iterator[Finding]:
    """What killed runs left; none of it is ever read."""
    for left in sorted([*settings.serve.glob(".staging-*"), *settings.serve.glob(".removed-*")]):
        yield Finding(f"{left}: left by a killed publish", "the next one clears it up", is_damage=False)
    places = (settings.landing, settings.quarantine, settings.raw)
    for draft in sorted(draft for place in places for draft in place.glob("*/.*")):
        todo = "housekeeping removes it after a day"
        yield Finding(f"{draft}: left by a killed load", todo, is_damage=False)
    if holder_of(lock_file(settings)) is None:
        for folder in left_folders(settings.spark_warehouse):
            todo = "the next build on Spark removes it"
            yield Finding(f"{folder}: left by a killed build", todo, is_damage=False)


def little_room(settings: Settings) -> Iterator[Finding]:
    """Less disk than a nightly run may need: three times the work file, and a gigabyte at least."""
    size = settings.work_file.stat().st_size if settings.work_file.exists() else 0
    needed, free = max(ROOM_FACTOR * size, LEAST_ROOM), free_bytes(settings)
    if free < needed:
        yield Finding(
            f"{settings.home}: {free / 1e9:.1f} GB are free, and a nightly run may need {needed / 1e9:.1f} GB",
            "make room: raw files are the first to go (raw_days), then old generations (keep_generations)",
            is_damage=False,
        )


def free_bytes(settings: Settings) -> int:
    """What is free on the disk of the data."""
    return shutil.disk_usage(existing(settings.home)).free


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return path if path.exists() else existing(path.parent)


def is_damaged(findings: Iterable[Finding]) -> bool:
    """Whether anything was lost or changed; the rest only needs attention."""
    return any(finding.is_damage for finding in findings)


def _shown_folder(settings: Settings) -> Path | None:
    link = settings.serve / "current"
    return settings.serve / "generations" / link.readlink().name if link.is_symlink() else None


def _is_json(file: Path) -> bool:
    try:
        return isinstance(json.loads(file.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError):
        return False
