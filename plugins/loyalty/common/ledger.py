"""The one memory of the warehouse: an append-only file of events, safe against crashes and concurrent writers.

Every event is one line of JSON in `ledger/events.jsonl`, written by one `write` under a lock and
synced before the lock is given back. A line cut short by a crash is skipped by readers and closed
off by the next writer, so an event is there whole or not at all. `seq` is the event's number.

Kinds of event: `delivery` (a file came: accepted, rejected or unchanged, and which loads it supersedes),
`feed_error` (a feed cannot be loaded at all, such as for want of a connection, or can be again),
`release` (quarantined rows that became a load of their own), `correct`, `forget` and `rekey` (loads written
again under other ids), `build`, `publish`, `rollback`, `resume`, `run` and `notify`. Older ledgers have some kinds
and keys under other names; readers get today's.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ACCEPTING = ("delivery", "release")
REWRITING = ("forget", "rekey")
# Kinds and keys that older versions wrote -> their names today.
OLD_KINDS = {"trouble": "feed_error"}
OLD_KEYS = {"of_load_id": "released_from", "gate_id": "rules_id"}


@dataclass(frozen=True)
class Event:
    """One thing that happened; `data` holds what is particular to its kind."""

    seq: int
    at: datetime
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Load:
    """An accepted load that counts: what the build may read.

    `load_seq` is the order of acceptance, the build's high-water mark. `version_at` is the export's
    own date where its name has one; it decides which of two loads is newer, and `load_seq` breaks ties.
    """

    feed: str
    feed_name: str
    source: str
    load_id: str
    load_seq: int
    received_at: datetime
    uri: str
    version_at: datetime | None = None
    row_count: int = 0
    quarantined_count: int = 0
    snapshot: bool = False
    released_from: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """Reads and appends the events of one workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "events.jsonl"

    def append(self, kind: str, *, at: datetime | None = None, **data: Any) -> Event:
        """Write one event and return it with its number; it is on disk when this returns."""
        with self._locked() as descriptor:
            return self._write(descriptor, kind, at or datetime.now(UTC), data)

    def events(self, *kinds: str) -> list[Event]:
        """All whole events in order, of the given kinds or of every kind."""
        return [event for event in _parse(self._content()) if not kinds or event.kind in kinds]

    def last(self, *kinds: str) -> Event | None:
        """The newest event of these kinds."""
        found = self.events(*kinds)
        return found[-1] if found else None

    def deliver(self, *, feed_name: str, load_id: str, at: datetime | None = None, **data: Any) -> Event:
        """Record an accepted delivery; decides under the lock whether the build has to look at it.

        The same content delivered again changes nothing, unless another load of its feed and version
        came in between: then this one is the newest again and gets a new place in the order (A, A', A).
        """
        with self._locked() as descriptor:
            load_id = self.successor(load_id)
            before = [
                event
                for event in _parse(self._content())
                if event.kind == "delivery"
                and event.data["feed_name"] == feed_name
                and event.data["outcome"] in ("accepted", "unchanged")
                and event.data.get("version_at") == data.get("version_at")
            ]
            is_newest_already = bool(before) and self.successor(before[-1].data["load_id"]) == load_id
            outcome = "unchanged" if is_newest_already else "accepted"
            details = {"feed_name": feed_name, "load_id": load_id, "outcome": outcome, **data}
            return self._write(descriptor, "delivery", at or datetime.now(UTC), details)

    def record_feed_error(self, feed_name: str, message: str) -> None:
        """Record why a feed as a whole cannot be loaded, or by an empty message that it can again; once each."""
        if self.feed_errors().get(feed_name, "") != message:
            self.append("feed_error", feed_name=feed_name, message=message)

    def feed_errors(self) -> dict[str, str]:
        """Feed -> why it cannot be loaded, or an empty text when it can again."""
        return {event.data["feed_name"]: event.data["message"] for event in self.events("feed_error")}

    def loads(self) -> list[Load]:
        """The accepted loads that count, oldest first: without superseded and forgotten ones.

        Of a feed whose every file is the whole truth (`snapshot: full`) only the newest file counts.
        """
        current: dict[str, Load] = {}
        renamed: dict[str, str] = {}
        for event in self.events(*ACCEPTING, *REWRITING, "supersede"):
            if event.kind == "supersede":
                current.pop(event.data["load_id"], None)
            elif event.kind in REWRITING:
                renamed |= {old: new for old, new in event.data["rewritten"].items() if new}
                for old, new in event.data["rewritten"].items():
                    _rewrite(current, old, new)
            else:
                for old in event.data.get("supersedes", []):
                    current.pop(old, None)
                if event.data["outcome"] == "accepted":
                    current[event.data["load_id"]] = _load(event)
        current = {load_id: _of_current(load, renamed) for load_id, load in current.items()}
        newest_snapshot: dict[str, Load] = {}
        for load in current.values():
            other = newest_snapshot.get(load.feed_name)
            if load.snapshot and load.released_from is None and (other is None or is_newer(load, other)):
                newest_snapshot[load.feed_name] = load
        kept = [load for load in current.values() if _counts(load, newest_snapshot)]
        return sorted(kept, key=lambda load: load.load_seq)

    def successor(self, load_id: str) -> str:
        """The load that replaced this load when it was written again; itself when none did."""
        for event in self.events(*REWRITING):
            load_id = event.data["rewritten"].get(load_id) or load_id
        return load_id

    def origins(self) -> dict[str, str]:
        """The id under which each rewritten load was delivered: its raw file and its quarantine keep it."""
        origins: dict[str, str] = {}
        for event in self.events(*REWRITING):
            origins |= {new: origins.get(old, old) for old, new in event.data["rewritten"].items() if new}
        return origins

    def _content(self) -> bytes:
        return self.file.read_bytes() if self.file.exists() else b""

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, kind: str, at: datetime, data: dict[str, Any]) -> Event:
        content = self._content()
        torn = content and not content.endswith(b"\n")
        known = _parse(content)
        event = Event(known[-1].seq + 1 if known else 1, at, kind, data)
        line = json.dumps(
            {"seq": event.seq, "at": at.isoformat(), "kind": kind, **data}, ensure_ascii=False, sort_keys=True
        )
        _write_whole(descriptor, (b"\n" if torn else b"") + line.encode() + b"\n")
        return event


def _write_whole(descriptor: int, line: bytes) -> None:
    """Append a line and sync it; on a full disk nothing of it stays and an OSError is raised."""
    size = os.fstat(descriptor).st_size
    try:
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def is_newer(load: Load, other: Load) -> bool:
    """Whether a load is newer than another of its feed: by the export's date, then by order of acceptance."""
    earliest = datetime.min.replace(tzinfo=UTC)
    return (load.version_at or earliest, load.load_seq, load.load_id) > (
        other.version_at or earliest,
        other.load_seq,
        other.load_id,
    )


def _counts(load: Load, newest_snapshot: dict[str, Load]) -> bool:
    newest = newest_snapshot.get(load.feed_name)
    return not load.snapshot or newest is None or newest.load_id in (load.load_id, load.released_from)


def _rewrite(current: dict[str, Load], old: str, new: str | None) -> None:
    load = current.pop(old, None)
    if load and new:
        current[new] = Load(**{**load.__dict__, "load_id": new})


def _of_current(load: Load, renamed: dict[str, str]) -> Load:
    """A release as one of the load that took the place of the one it was released from."""
    origin = load.released_from
    while origin in renamed:
        origin = renamed[origin]
    return replace(load, released_from=origin) if origin != load.released_from else load


def _parse(content: bytes) -> list[Event]:
    events = []
    for line in content.split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:  # a blank line, or one that a crash cut short
            continue
        if not isinstance(record, dict) or not {"seq", "at", "kind"} <= record.keys():
            continue  # not written by us
        seq, at, kind = record.pop("seq"), datetime.fromisoformat(record.pop("at")), record.pop("kind")
        events.append(Event(seq, at, OLD_KINDS.get(kind) or kind, with_new_keys(record)))
    return events


def with_new_keys(record: dict[str, Any]) -> dict[str, Any]:
    """An event or a manifest of any version under today's keys."""
    return {OLD_KEYS.get(key, key): value for key, value in record.items()}


def _load(event: Event) -> Load:
    data = event.data
    version_at = data.get("version_at")
    return Load(
        feed=data["feed"],
        feed_name=data["feed_name"],
        source=data["source"],
        load_id=data["load_id"],
        load_seq=event.seq,
        received_at=event.at,
        uri=data["uri"],
        version_at=datetime.fromisoformat(version_at).replace(tzinfo=UTC) if version_at else None,
        row_count=data["row_count"],
        quarantined_count=data["quarantined_count"],
        snapshot=data.get("snapshot", False),
        released_from=data.get("released_from"),
        data=data,
    )
