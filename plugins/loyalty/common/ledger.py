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
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

from loyalty.common.errors import UserError
from loyalty.common.ledger_index import REWRITING, LedgerIndex

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


@dataclass(frozen=True)
class LoadTotal:
    """The loads of one feed file, canonical feed and source that count: how many, rows, and when the last one came."""

    feed_name: str
    feed: str
    source: str
    count: int
    row_count: int
    last_received_at: datetime


class Ledger:
    """Reads and appends the events of one workspace.

    What the events say is kept in an index beside the file (ledger_index.py), so that a look reads only the lines that
    were written since the last one, by whatever command. `lines_read` counts the lines that this ledger has read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "events.jsonl"
        self.lines_read = 0
        self._opened: LedgerIndex | None = None
        self._process = os.getpid()
        self._seen: tuple[int, int, int] | None = None

    def append(self, kind: str, *, at: datetime | None = None, **data: Any) -> Event:
        """Write one event and return it with its number; it is on disk when this returns."""
        with self._locked() as descriptor:
            return self._write(descriptor, kind, at or datetime.now(UTC), data)

    def events(self, *kinds: str, after: int = 0) -> list[Event]:
        """All whole events in order, of the given kinds or of every kind; only those with a higher number than `after`.

        Without kinds the file itself is read, whole.
        """
        if not kinds:
            return [event for event in self._all_events() if event.seq > after]
        return self._events_of(
            f"select seq from event where kind in ({_marks(kinds)}) and seq > ? order by seq", (*kinds, after)
        )

    def newest_first(self, *kinds: str) -> Iterator[Event]:
        """The events of these kinds from the newest back, read one by one."""
        seq = self.last_seq() + 1
        of_kind = "select max(seq) as seq from event where kind = ? and seq < ?"
        newest = f"select max(seq) as seq from ({' union all '.join([of_kind] * len(kinds))})"
        while found := self._events_of(newest, [value for kind in kinds for value in (kind, seq)]):
            seq = found[0].seq
            yield found[0]

    def last(self, *kinds: str) -> Event | None:
        """The newest event of these kinds."""
        return next(self.newest_first(*kinds), None)

    def last_seq(self) -> int:
        """The number of the newest event; 0 without one."""
        return self._value("select max(seq) from event") or 0

    def last_runs(self) -> dict[str, Event]:
        """The newest run of each kind."""
        found = self._events_of("select seq from run order by seq")
        return {event.data["run_kind"]: event for event in found}

    def deliver(self, *, feed_name: str, load_id: str, at: datetime | None = None, **data: Any) -> Event:
        """Record an accepted delivery; decides under the lock whether the build has to look at it.

        The same content delivered again changes nothing, unless another load of its feed and version
        came in between: then this one is the newest again and gets a new place in the order (A, A', A).
        """
        with self._locked() as descriptor:
            load_id = self.successor(load_id)
            newest = self._value(
                "select load_id from delivery where feed_name = ? and version_at is ? "
                "and outcome in ('accepted', 'unchanged') order by seq desc limit 1",
                (feed_name, data.get("version_at")),
            )
            is_newest_already = newest is not None and self.successor(newest) == load_id
            outcome = "unchanged" if is_newest_already else "accepted"
            details = {"feed_name": feed_name, "load_id": load_id, "outcome": outcome, **data}
            return self._write(descriptor, "delivery", at or datetime.now(UTC), details)

    def last_delivery(self, feed_name: str, *uris: str) -> Event | None:
        """The newest delivery of a feed, or of one of its files, which may be known by several addresses."""
        of_file = f" and uri in ({_marks(uris)})" if uris else ""
        found = self._events_of(
            f"select max(seq) as seq from delivery where feed_name = ?{of_file}", (feed_name, *uris)
        )
        return found[0] if found else None

    def deliveries_of_bytes(self, sha256: str, feed_name: str | None = None) -> list[Event]:
        """The deliveries of a file with these bytes, of a feed or of all."""
        where = "sha256 = ? and (? is null or feed_name = ?)"
        return self._events_of(f"select seq from delivery where {where} order by seq", (sha256, feed_name, feed_name))

    def deliveries_of_load(self, load_id: str) -> list[Event]:
        """The deliveries that brought a load."""
        return self._events_of("select seq from delivery where load_id = ? order by seq", (load_id,))

    def rejected_files(self) -> list[Event]:
        """The deliveries that were rejected and are the newest of their file."""
        return self._events_of(
            """
            select seq from delivery where outcome = 'rejected' and not exists (
                select 1 from delivery as later
                where later.feed_name = delivery.feed_name and later.uri is delivery.uri and later.seq > delivery.seq
            ) order by seq
            """
        )

    def quarantined_loads(self, only_open: bool = False) -> list[str]:
        """The loads as they were delivered that had rows in quarantine, or may still have open ones."""
        is_open = "where done_count < row_count" if only_open else ""
        rows = self._rows(f"select load_id from quarantined {is_open} order by load_id")
        return [load_id for (load_id,) in rows]

    def is_counting(self, load_id: str) -> bool:
        """Whether a load as it was delivered, or the one that was written again from it, counts."""
        return bool(self._value("select 1 from counting where load_id = ?", (self.successor(load_id),)))

    def done_lines(self, load_id: str) -> dict[int, str]:
        """The lines of a load's quarantine that are no longer open: line -> released or corrected."""
        return dict(self._rows("select line, status from done where load_id = ?", (load_id,)))

    def record_feed_error(self, feed_name: str, message: str) -> None:
        """Record why a feed as a whole cannot be loaded, or by an empty message that it can again; once each."""
        if self.feed_errors().get(feed_name, "") != message:
            self.append("feed_error", feed_name=feed_name, message=message)

    def feed_errors(self) -> dict[str, str]:
        """Feed -> why it cannot be loaded, or an empty text when it can again."""
        found = self._events_of("select seq from feed_error order by seq")
        return {event.data["feed_name"]: event.data["message"] for event in found}

    def withdraw(self, load_id: str, undo: bool = False) -> Event:
        """Take a load, and what was released from it, out of what counts; `undo` brings it back."""
        return self.append("withdraw", load_id=load_id, is_undone=undo)

    def loads(self, *, newest: int | None = None, after: int = 0, **where: str | None) -> list[Load]:
        """The accepted loads that count, oldest first: without superseded, withdrawn and forgotten ones.

        Of a feed whose every file is the whole truth (`snapshot: full`) only the newest file counts. `where` names
        columns of the index (`feed_name="orders"`, None for empty), `after` leaves out what came until that event, and
        `newest` keeps the last so many: what is asked for decides how much is read.
        """
        conditions = "".join(f" and {column} is ?" for column in where)
        last = f" desc limit {newest:d}" if newest is not None else ""
        found = self._loads(
            f"select * from counting where seq > ?{conditions} order by seq{last}", (after, *where.values())
        )
        return found[::-1] if newest is not None else found

    def load_totals(self, now: datetime | None = None) -> list[LoadTotal]:
        """Loads and rows that count, by feed file, canonical feed and source.

        With `now`, a load that a wrong clock dated after it is not the last one, unless there is no other.
        """
        of_total = (
            "from counting where counting.feed_name = total.feed_name "
            "and counting.feed = total.feed and counting.source = total.source"
        )
        last = f"(select max(received_at) {of_total})"
        moment = () if now is None else (now.astimezone(UTC).isoformat(),)
        if now is not None:
            last = f"coalesce((select max(received_at) {of_total} and received_at <= ?), {last})"
        rows = self._rows(
            f"select feed_name, feed, source, load_count, row_count, {last} from total where load_count > 0 "
            "order by 1, 2, 3",
            moment,
        )
        return [
            LoadTotal(name, feed, source, count, row_count, datetime.fromisoformat(last))
            for name, feed, source, count, row_count, last in rows
        ]

    def removals(self, feed: str, source: str) -> int:
        """How many loads of a canonical feed and a source came to count no more, or were written again, so far."""
        gone = self._value("select sum(removed_count) from total where feed = ? and source = ?", (feed, source)) or 0
        kinds = (*REWRITING, "withdraw")
        return gone + (self._value(f"select count(*) from event where kind in ({_marks(kinds)})", kinds) or 0)

    def row_counts(self, feed_name: str, newest: int) -> list[int]:
        """The rows of a feed's last so many loads that count, oldest first."""
        rows = self._rows(
            "select row_count from counting where feed_name = ? order by seq desc limit ?", (feed_name, newest)
        )
        return [count for (count,) in rows][::-1]

    def newest_version(self, feed: str) -> date | None:
        """The newest date in the names of a canonical feed's exports that count, where they have one."""
        found = self._value("select max(version_at) from counting where feed = ?", (feed,))
        return datetime.fromisoformat(found).date() if found else None

    def newest_version_until(self, feed_name: str, seq: int) -> str | None:
        """The newest date in the names of a feed's files that were accepted up to this event, as ISO 8601."""
        found: str | None = self._value(
            "select max(version_at) from delivery where feed_name = ? and seq <= ? and outcome <> 'rejected'",
            (feed_name, seq),
        )
        return found

    def withdrawn_loads(self) -> dict[str, Load]:
        """The loads that were withdrawn, and what was released from them, by id."""
        return {load.load_id: load for load in self._loads("select * from withdrawn_load order by seq")}

    def accepted_loads(self) -> list[Load]:
        """The accepted loads, also withdrawn ones, oldest first."""
        return self._loads("select * from accepted order by seq")

    def successor(self, load_id: str) -> str:
        """The load that replaced this load when it was written again; itself when none did."""
        return self._ask(lambda index: index.origin_today(load_id)) or load_id

    def origins(self) -> dict[str, str]:
        """The id under which each rewritten load was delivered: its raw file and its quarantine keep it."""
        origins: dict[str, str] = {}
        for event in self.events(*REWRITING):
            origins |= {new: origins.get(old, old) for old, new in event.data["rewritten"].items() if new}
        return origins

    def known_checksum(self, uri: str, stamp: str) -> str | None:
        """The checksum of a file that was read when it had this stamp (size, time, inode); None when it was not."""
        found = self._rows("select sha256 from stamp where uri = ? and stamp = ?", (uri, stamp))
        return found[0][0] if found else None

    def keep_checksum(self, uri: str, stamp: str, sha256: str) -> None:
        """Remember a file's checksum in the index: the file is not read again while its stamp is the same."""
        self._rows("insert or replace into stamp values (?, ?, ?)", (uri, stamp, sha256))

    def read_again(self) -> None:
        """Throw the index away and make it again from the whole file; UserError for a damaged line."""
        if self.folder.is_dir():
            self._index.throw_away()
            self._seen = None
            self._read_on()

    @property
    def _index(self) -> LedgerIndex:
        if self._opened is None or self._process != os.getpid():  # a connection must not go with a fork
            self._opened, self._process, self._seen = LedgerIndex(self.folder / "index.sqlite"), os.getpid(), None
        return self._opened

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._ask(lambda index: index.rows(sql, values)) or []

    def _value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        return self._ask(lambda index: index.value(sql, values))

    def _ask(self, question: Callable[[LedgerIndex], Any]) -> Any:
        """The answer of the index, brought up to date; a damaged one is made again, in memory when need be."""
        if not self.folder.is_dir():
            return None
        for repair in (LedgerIndex.throw_away, LedgerIndex.use_memory):
            try:
                self._read_on()
                return question(self._index)
            except sqlite3.Error:
                repair(self._index)
                self._seen = None
        self._read_on()
        return question(self._index)

    def _events_of(self, sql: str, values: Sequence[Any] = ()) -> list[Event]:
        """The events with the numbers that a query gives."""
        found = self._rows(f"select event.seq, start, length from ({sql}) as asked join event using (seq)", values)
        if not found:
            return []
        events = []
        with self.file.open("rb") as handle:
            for seq, start, length in found:
                handle.seek(start)
                event = _event(handle.read(length), self.file, seq)
                if event is None or event.seq != seq:
                    raise _damaged(self.file, seq)
                events.append(event)
        return sorted(events, key=attrgetter("seq"))

    def _loads(self, sql: str, values: Sequence[Any] = ()) -> list[Load]:
        """The loads that a query of the index gives, in its order."""
        rows = self._rows(f"select seq, load_id, released_from from ({sql})", values)
        events = self._events_of(f"select seq from ({sql})", values)
        by_seq = {event.seq: event for event in events}
        return [
            replace(_load(by_seq[seq]), load_id=load_id, released_from=released_from)
            for seq, load_id, released_from in rows
        ]

    def _all_events(self) -> Iterator[Event]:
        if not self.file.exists():
            return
        with self.file.open("rb") as handle:
            for number, line in enumerate(handle, 1):
                if line.endswith(b"\n") and (event := _event(line, self.file, number)):
                    self.lines_read += 1
                    yield event

    def _read_on(self) -> None:
        """Take the whole lines that were written since the last look into the index; UserError for a damaged one."""
        try:
            found = self.file.stat()
        except FileNotFoundError:
            seen = (0, 0, 0)
        else:
            seen = (found.st_ino, found.st_size, found.st_mtime_ns)
        if seen == self._seen:
            return
        index = self._index
        index.connection.execute("begin immediate")
        try:
            self._take_new_lines(index, seen)
        except BaseException:
            index.connection.execute("rollback")
            raise
        index.connection.execute("commit")
        self._seen = seen

    def _take_new_lines(self, index: LedgerIndex, seen: tuple[int, int, int]) -> None:
        state = index.state()
        if (state.get("inode"), state.get("size"), state.get("mtime")) == seen:
            return
        inode, size, mtime = seen
        if state and not self._continues(state, seen):
            index.clear()
            state = {}
        start, lines = state.get("bytes", 0), state.get("lines", 0)
        last = state.get("last", b"")
        if size:
            with self.file.open("rb") as handle:
                handle.seek(start)
                for line in handle:
                    if not line.endswith(b"\n"):  # a crash cut it short; the next writer closes it off
                        break
                    lines, self.lines_read = lines + 1, self.lines_read + 1
                    if event := _event(line, self.file, lines):
                        index.take(event.seq, start, len(line), event.kind, event.at, event.data)
                    start, last = start + len(line), line
        index.keep_state(inode=inode, size=size, mtime=mtime, bytes=start, lines=lines, last=last)

    def _continues(self, state: dict[str, Any], seen: tuple[int, int, int]) -> bool:
        """Whether the file is the one that the index was made from, with nothing but more lines at its end."""
        inode, size, mtime = seen
        if inode != state["inode"] or size < state["bytes"] or (size == state["size"] and mtime != state["mtime"]):
            return False
        last = state["last"]
        with self.file.open("rb") as handle:
            handle.seek(state["bytes"] - len(last))
            return handle.read(len(last)) == last

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
        event = Event(self.last_seq() + 1, at, kind, data)
        size = os.fstat(descriptor).st_size
        torn = size and os.pread(descriptor, 1, size - 1) != b"\n"  # a line that a crash cut short: it is closed off
        line = json.dumps(
            {"seq": event.seq, "at": at.isoformat(), "kind": kind, **data}, ensure_ascii=False, sort_keys=True
        )
        _write_whole(descriptor, (b"\n" if torn else b"") + line.encode() + b"\n")
        return event


def _write_whole(descriptor: int, line: bytes) -> None:
    """Append a line and sync it; on a full disk the whole line is removed and an OSError is raised."""
    size = os.fstat(descriptor).st_size
    try:
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _event(line: bytes, file: Path, number: int) -> Event | None:
    """The event of a line; None for a blank one and for one that a crash cut short.

    UserError for a damaged line: without its event, a person who was forgotten might come back.
    """
    damaged = _damaged(file, number)
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


def _damaged(file: Path, number: int) -> UserError:
    return UserError(
        f"{file}, line {number} is damaged: put the file back from a backup; nothing was changed, and nothing can be "
        "decided without the event that was in this line."
    )


def _marks(values: Sequence[Any]) -> str:
    """As many question marks as a query has values."""
    return ", ".join("?" * len(values))


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
