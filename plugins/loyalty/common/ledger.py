"""The one memory of the warehouse: an append-only file of events, safe against crashes and concurrent writers.

Every event is one line of JSON in `ledger/events.jsonl`, written by one `write` under a lock and
synced before the lock is given back. A line cut short by a crash is skipped by readers and closed
off by the next writer, so an event is there whole or not at all. `seq` is the event's number.

Kinds of event: `delivery` (a file came: accepted, rejected or unchanged, and which loads it supersedes),
`feed_error` (a feed cannot be loaded at all, such as for want of a connection, or can be again),
`release` (quarantined rows that became a load of their own), `withdraw` (a load that no longer counts), `correct`,
`forget` and `rekey` (loads written again under other ids), `build`, `publish`, `rollback`, `resume`, `run` and
`notify`. Older ledgers have some kinds and keys under other names; readers get today's.
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
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

from loyalty.common.errors import UserError

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
    """Reads and appends the events of one workspace.

    What was read stays in memory, so that each further look reads only what was written since, also by others.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "events.jsonl"
        self._forget()

    def append(self, kind: str, *, at: datetime | None = None, **data: Any) -> Event:
        """Write one event and return it with its number; it is on disk when this returns."""
        with self._locked() as descriptor:
            return self._write(descriptor, kind, at or datetime.now(UTC), data)

    def events(self, *kinds: str) -> list[Event]:
        """All whole events in order, of the given kinds or of every kind."""
        self._read_on()
        if not kinds:
            return list(self._events)
        if len(kinds) == 1:
            return list(self._by_kind.get(kinds[0], []))
        return sorted(chain.from_iterable(self._by_kind.get(kind, []) for kind in kinds), key=attrgetter("seq"))

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
            newest = self._newest.get((feed_name, data.get("version_at")))
            is_newest_already = newest is not None and self.successor(newest) == load_id
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

    def withdraw(self, load_id: str, undo: bool = False) -> Event:
        """Take a load, and what was released from it, out of what counts; `undo` brings it back."""
        return self.append("withdraw", load_id=load_id, is_undone=undo)

    def loads(self) -> list[Load]:
        """The accepted loads that count, oldest first: without superseded, withdrawn and forgotten ones.

        Of a feed whose every file is the whole truth (`snapshot: full`) only the newest file counts.
        """
        return [load for load in self.accepted_loads() if load.load_id not in self.withdrawn_loads()]

    def withdrawn_loads(self) -> dict[str, Load]:
        """The loads that were withdrawn, and what was released from them, by id."""
        self._read_on()
        accepted = [_of_current(load, self._renamed) for load in self._current.values()]
        return {load.load_id: load for load in accepted if {load.load_id, load.released_from} & self._withdrawn}

    def accepted_loads(self) -> list[Load]:
        """The accepted loads, also withdrawn ones, oldest first."""
        self._read_on()
        current = [_of_current(load, self._renamed) for load in self._current.values()]
        newest_snapshot: dict[str, Load] = {}
        for load in current:
            other = newest_snapshot.get(load.feed_name)
            is_whole = load.snapshot and load.released_from is None and load.load_id not in self._withdrawn
            if is_whole and (other is None or is_newer(load, other)):
                newest_snapshot[load.feed_name] = load
        kept = [load for load in current if _counts(load, newest_snapshot)]
        return sorted(kept, key=attrgetter("load_seq"))

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

    def _forget(self) -> None:
        """Know nothing, as before the first look."""
        self._read_bytes = self._read_lines = 0
        self._events: list[Event] = []
        self._by_kind: dict[str, list[Event]] = {}
        self._current: dict[str, Load] = {}
        self._renamed: dict[str, str] = {}
        self._withdrawn: set[str] = set()
        self._newest: dict[tuple[str, str | None], str] = {}

    def _read_on(self) -> None:
        """Read the whole lines that were written since the last look; UserError for a damaged one."""
        size = self.file.stat().st_size if self.file.exists() else 0
        if size < self._read_bytes:  # another file took its place
            self._forget()
        if size == self._read_bytes:
            return
        with self.file.open("rb") as handle:
            handle.seek(self._read_bytes)
            content = handle.read()
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.split(b"\n")[:-1]:
            self._read_lines += 1
            self._read_bytes += len(line) + 1
            if event := _event(line, self.file, self._read_lines):
                self._take(event)

    def _take(self, event: Event) -> None:
        """Bring what is known up to one more event."""
        data = event.data
        self._events.append(event)
        self._by_kind.setdefault(event.kind, []).append(event)
        if event.kind == "delivery" and data["outcome"] in ("accepted", "unchanged"):
            self._newest[data["feed_name"], data.get("version_at")] = data["load_id"]
        if event.kind == "supersede":
            self._current.pop(data["load_id"], None)
        elif event.kind in REWRITING:
            rewritten = data["rewritten"]
            self._renamed |= {old: new for old, new in rewritten.items() if new}
            self._withdrawn |= {new for old, new in rewritten.items() if new and old in self._withdrawn}
            for old, new in rewritten.items():
                _rewrite(self._current, old, new)
        elif event.kind == "withdraw":
            (self._withdrawn.discard if data["is_undone"] else self._withdrawn.add)(data["load_id"])
        elif event.kind in ACCEPTING:
            for old in data.get("supersedes", []):
                self._current.pop(old, None)
            if data["outcome"] == "accepted":
                self._current.pop(data["load_id"], None)
                self._current[data["load_id"]] = _load(event)

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
        self._read_on()
        size = os.fstat(descriptor).st_size
        torn = size > self._read_bytes  # a line that a crash cut short: it is closed off
        event = Event(self._events[-1].seq + 1 if self._events else 1, at, kind, data)
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


def _event(line: bytes, file: Path, number: int) -> Event | None:
    """The event of a line; None for a blank one and for one that a crash cut short.

    UserError for a damaged line: without its event, a person who was forgotten might come back.
    """
    damaged = UserError(
        f"{file}, line {number} is damaged: put the file back from a backup; nothing was changed, and nothing can be "
        "decided without the event that was in this line."
    )
    if not line.strip():
        return None
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        is_cut_short = line.startswith(b"{") and (error.pos >= len(error.doc.rstrip()) or "Unterminated" in error.msg)
        if is_cut_short:
            return None
        raise damaged from None
    except ValueError:  # bytes that are not UTF-8
        raise damaged from None
    try:
        seq, at, kind = record.pop("seq"), datetime.fromisoformat(record.pop("at")), record.pop("kind")
    except (KeyError, ValueError, TypeError, AttributeError):
        raise damaged from None
    if not isinstance(seq, int) or not isinstance(kind, str):
        raise damaged
    return Event(seq, at, OLD_KINDS.get(kind) or kind, with_new_keys(record))


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
