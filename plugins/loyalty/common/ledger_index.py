"""What the ledger says, in an SQLite file beside it, so that a command reads only the lines that are new.

The index has no data of its own. It can be removed at any time: the next command makes it again from the ledger.
It is also made again when the ledger is not the file that it was made from (restored, changed in place), when it is
damaged, and after an upgrade. Where it cannot be written or another process keeps it, it is made in memory.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import weakref
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

VERSION = 1
WAIT_SECONDS = 60
IN_MEMORY = ":memory:"

SCHEMA = """
create table state (name text primary key, value) without rowid;
create table event (seq integer primary key, start integer, length integer, kind text);
create index event_of_kind on event (kind, seq);
create table delivery (
    seq integer primary key, feed_name text, uri text, sha256 text, load_id text, version_at text, outcome text
);
create index delivery_of_feed on delivery (feed_name, seq);
create index delivery_of_file on delivery (feed_name, uri, seq);
create index delivery_of_version on delivery (feed_name, version_at, seq);
create index delivery_of_bytes on delivery (sha256, seq);
create index delivery_of_load on delivery (load_id, seq);
create index delivery_rejected on delivery (seq) where outcome = 'rejected';
create table load (
    load_id text primary key, seq integer, feed text, feed_name text, source text, released_from text,
    version_at text, mapping_id text, sha256 text, uri text, row_count integer, received_at text, snapshot integer,
    counts integer default 0
) without rowid;
create index load_of_seq on load (seq) where counts = 1;
create index load_of_feed_name on load (feed_name, seq) where counts = 1;
create index load_of_feed on load (feed, seq) where counts = 1;
create index load_of_source on load (feed, source, seq) where counts = 1;
create index load_of_day on load (feed, version_at) where counts = 1;
create index load_of_arrival on load (feed_name, feed, source, received_at) where counts = 1;
create index load_of_bytes on load (feed_name, sha256);
create index load_of_version on load (feed_name, version_at, seq);
create index load_of_uri on load (feed_name, uri, seq);
create index load_of_mapping on load (feed_name, mapping_id, seq);
create index load_of_origin on load (released_from);
create index load_snapshot on load (feed_name, version_at, seq, load_id) where snapshot = 1 and released_from is null;
create table newest_snapshot (feed_name text primary key, load_id text) without rowid;
create table total (
    feed_name text, feed text, source text, load_count integer, row_count integer, removed_count integer,
    primary key (feed_name, feed, source)
) without rowid;
create table renamed (old text, seq integer, new text, primary key (old, seq)) without rowid;
create table withdrawn (load_id text primary key) without rowid;
create table quarantined (load_id text primary key, row_count integer, done_count integer) without rowid;
create index quarantined_open on quarantined (load_id) where done_count < row_count;
create table done (load_id text, line integer, status text, primary key (load_id, line)) without rowid;
create table feed_error (feed_name text primary key, seq integer) without rowid;
create table run (run_kind text primary key, seq integer) without rowid;
create table stamp (uri text primary key, stamp text, sha256 text) without rowid;
create view counting as select * from load where counts = 1;
create view accepted as
    select load.* from load left join newest_snapshot as newest on load.feed_name = newest.feed_name
    where load.snapshot = 0 or newest.load_id is null or newest.load_id in (load.load_id, load.released_from);
create view withdrawn_load as
    select * from load
    where load_id in (select load_id from withdrawn) or released_from in (select load_id from withdrawn)
"""
COUNTS = """
    load_id not in (select load_id from withdrawn)
    and (released_from is null or released_from not in (select load_id from withdrawn))
    and (snapshot = 0 or coalesce(
        (select newest.load_id is null or newest.load_id is load.load_id or newest.load_id is load.released_from
        from newest_snapshot as newest where newest.feed_name = load.feed_name), 1))
"""
TABLES = (
    "state",
    "event",
    "delivery",
    "load",
    "newest_snapshot",
    "total",
    "renamed",
    "withdrawn",
    "quarantined",
    "done",
    "feed_error",
    "run",
    "stamp",
)
ACCEPTING = ("delivery", "release")
REWRITING = ("forget", "rekey")


class LedgerIndex:
    """The tables of one ledger, on disk where that is possible."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.is_on_disk = False
        self._holder: int | None = None
        self._open(file)

    def rows(self, sql: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.connection.execute(sql, tuple(values)).fetchall()

    def value(self, sql: str, values: Iterable[Any] = ()) -> Any:
        """The first cell of a query; None without a row."""
        row = self.connection.execute(sql, tuple(values)).fetchone()
        return row[0] if row else None

    def state(self) -> dict[str, Any]:
        """How far the ledger was read, and of which file."""
        return dict(self.rows("select name, value from state"))

    def keep_state(self, **state: Any) -> None:
        """Remember how far the ledger was read."""
        self.connection.executemany("insert or replace into state values (?, ?)", state.items())

    def clear(self) -> None:
        """Know nothing, as before the first look."""
        for table in TABLES:
            self.connection.execute(f"delete from {table}")

    def throw_away(self) -> None:
        """Begin anew with an empty file; in memory when another process has the file open, or there is no room."""
        self.close()
        try:
            self._remove_files()
        except OSError:
            self._open(None)
        else:
            self._open(self.file)

    def use_memory(self) -> None:
        """Go on without the file."""
        self.close()
        self._open(None)

    def close(self) -> None:
        """Give the file back."""
        self._finalizer()
        self._holder = None

    def take(self, seq: int, start: int, length: int, kind: str, at: datetime, data: dict[str, Any]) -> None:
        """Bring what is known up to one more event, which lies at these bytes of the ledger."""
        run = self.connection.execute
        run("insert or replace into event values (?, ?, ?, ?)", (seq, start, length, kind))
        if kind in ACCEPTING:
            self._take_delivery(seq, kind, data, at)
        elif kind in REWRITING:
            self._take_rewriting(seq, data["rewritten"])
        elif kind == "withdraw":
            undone = "delete from withdrawn where load_id = ?"
            run(undone if data["is_undone"] else "insert or ignore into withdrawn values (?)", (data["load_id"],))
            self._renew(data["load_id"])
            self._refresh_snapshots()
        elif kind == "supersede":
            self._remove(data["load_id"])
            self._refresh_snapshots()
        elif kind == "correct":
            self._take_done(data["load_id"], data["lines"], "corrected")
        elif kind == "feed_error":
            run("insert or replace into feed_error values (?, ?)", (data["feed_name"], seq))
        elif kind == "run" and "run_kind" in data:
            run("insert or replace into run values (?, ?)", (data["run_kind"], seq))

    def origin_today(self, load_id: str | None) -> str | None:
        """The load that took the place of a load; itself when none did."""
        seq = -1
        while found := self.rows(
            "select new, seq from renamed where old = ? and seq > ? order by seq limit 1", (load_id, seq)
        ):
            load_id, seq = found[0]
        return load_id

    def _take_delivery(self, seq: int, kind: str, data: dict[str, Any], at: datetime) -> None:
        run, get = self.connection.execute, data.get
        if kind == "delivery":
            row = (seq, get("feed_name"), get("uri"), get("sha256"), get("load_id"), get("version_at"), get("outcome"))
            run("insert or replace into delivery values (?, ?, ?, ?, ?, ?, ?)", row)
            if get("quarantined_count") and get("outcome") != "rejected":
                done = "(select count(*) from done where load_id = ?1)"
                run(
                    f"insert or ignore into quarantined values (?1, ?2, {done})",
                    (data["load_id"], data["quarantined_count"]),
                )
        else:
            self._take_done(data["released_from"], get("lines", []), "released")
        gone = get("supersedes", [])
        for old in gone:
            self._remove(old)
        if data["outcome"] == "accepted":
            self._remove(data["load_id"])
            load = {
                "load_id": data["load_id"],
                "seq": seq,
                "released_from": self.origin_today(get("released_from")),
                "received_at": at.astimezone(UTC).isoformat(),
                "snapshot": int(bool(get("snapshot"))),
            } | {
                name: get(name)
                for name in ("feed", "feed_name", "source", "version_at", "mapping_id", "sha256", "uri", "row_count")
            }
            run(
                f"insert into load ({', '.join(load)}) values ({', '.join('?' * len(load))})",
                tuple(load.values()),
            )
            self._renew(data["load_id"])
        if get("snapshot") or gone:
            self._refresh_snapshots(data["feed_name"])

    def _take_rewriting(self, seq: int, rewritten: dict[str, str | None]) -> None:
        run = self.connection.execute
        for old, new in rewritten.items():
            if not new:
                self._remove(old)
                continue
            run("insert or replace into renamed values (?, ?, ?)", (old, seq, new))
            run("insert or ignore into withdrawn select ? from withdrawn where load_id = ?", (new, old))
            if self.rows("select 1 from load where load_id = ?", (old,)) and old != new:
                self._remove(new)
                run("update load set load_id = ? where load_id = ?", (new, old))
            run("update load set released_from = ? where released_from = ?", (new, old))
            self._renew(new)
        self._refresh_snapshots()

    def _take_done(self, load_id: str, lines: list[int], status: str) -> None:
        self.connection.executemany(
            "insert or replace into done values (?, ?, ?)", [(load_id, line, status) for line in lines]
        )
        self.connection.execute(
            "update quarantined set done_count = (select count(*) from done where done.load_id = ?1) "
            "where load_id = ?1",
            (load_id,),
        )

    def _remove(self, load_id: str) -> None:
        """Take a load out, and out of the totals."""
        self._set_counts("0", "load_id = ?1", (load_id,))
        self.connection.execute("delete from load where load_id = ?", (load_id,))

    def _renew(self, load_id: str | None) -> None:
        """Work out again whether a load, and what was released from it, counts."""
        self._set_counts(COUNTS, "(load_id = ?1 or released_from = ?1)", (load_id,))

    def _set_counts(self, counts: str, which: str, values: tuple[Any, ...]) -> None:
        columns = "load_id, feed_name, feed, source, row_count, not counts"
        changed = self.rows(f"select {columns} from load where {which} and counts <> ({counts})", values)
        for load_id, feed_name, feed, source, row_count, is_in in changed:
            self.connection.execute("update load set counts = ? where load_id = ?", (is_in, load_id))
            sign = 1 if is_in else -1
            self.connection.execute(
                "insert into total values (?1, ?2, ?3, ?4, ?5, ?6) on conflict do update set "
                "load_count = load_count + ?4, row_count = row_count + ?5, removed_count = removed_count + ?6",
                (feed_name, feed, source, sign, sign * (row_count or 0), int(not is_in)),
            )

    def _refresh_snapshots(self, feed_name: str | None = None) -> None:
        """Of a feed whose every file is the whole truth, keep which load is the newest one that counts."""
        feeds = [(feed_name,)] if feed_name else self.rows("select feed_name from newest_snapshot")
        for (name,) in feeds:
            before = self.value("select load_id from newest_snapshot where feed_name = ?", (name,))
            newest = self.value(
                """
                select load_id from load
                where feed_name = ? and snapshot = 1 and released_from is null
                    and load_id not in (select load_id from withdrawn)
                order by version_at desc, seq desc, load_id desc limit 1
                """,
                (name,),
            )
            if newest == before:
                continue
            self.connection.execute("insert or replace into newest_snapshot values (?, ?)", (name, newest))
            if before and newest:
                self._renew(before)
                self._renew(newest)
            else:
                self._set_counts(COUNTS, "feed_name = ?1 and snapshot = 1", (name,))

    def _open(self, file: Path | None) -> None:
        """Open the file, or memory when there is none, it cannot be used, or another version wrote it."""
        connection = None
        if file is not None:
            try:
                connection = self._on_disk(file)
            except sqlite3.OperationalError:  # no room, no right to write, or kept by another process for too long
                pass
            except sqlite3.DatabaseError:  # not a database, damaged, or of another version
                with suppress(sqlite3.Error, OSError):
                    self._remove_files()
                    connection = self._on_disk(file)
            except OSError:
                pass
        self.is_on_disk = connection is not None
        self.connection = connection or sqlite3.connect(IN_MEMORY, isolation_level=None, check_same_thread=False)
        if not self.is_on_disk:
            self.connection.executescript(SCHEMA)
        self._finalizer = weakref.finalize(self, _close, self.connection, self._holder)

    def _on_disk(self, file: Path) -> sqlite3.Connection:
        self._hold(fcntl.LOCK_SH)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")  # whole after a power cut, perhaps not up to date
            connection.execute("begin immediate")
            version = connection.execute("pragma user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise sqlite3.DatabaseError("another version")
            if version == 0:
                for statement in SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"pragma user_version = {VERSION}")
            connection.execute("commit")
        except BaseException:
            connection.close()
            raise
        return connection

    def _remove_files(self) -> None:
        self._hold(fcntl.LOCK_EX)
        for file in (self.file, Path(f"{self.file}-wal"), Path(f"{self.file}-shm")):
            file.unlink(missing_ok=True)

    def _hold(self, how: int) -> None:
        """Hold the ledger's folder: shared while the file is open, alone while it is removed. OSError when taken."""
        if self._holder is None:
            self._holder = os.open(self.file.parent, os.O_RDONLY)
        fcntl.flock(self._holder, how | fcntl.LOCK_NB)


def _close(connection: sqlite3.Connection, holder: int | None) -> None:
    with suppress(sqlite3.Error):
        connection.close()
    if holder is not None:
        with suppress(OSError):
            os.close(holder)
