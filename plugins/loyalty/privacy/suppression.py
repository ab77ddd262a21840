"""People who asked to be forgotten, as keyed hashes: an export that still names them does not bring them back.

`private/forgotten.jsonl` holds one code a line, made of the id and the source with the workspace's key, so the
list holds no name, and without the key it cannot be searched for a person. Each line says how many keys it went
through: after a rotation the code is hashed on with the newer keys.

A user may give an id that a mapping hashes (`hash: true`), such as an e-mail address. So every person has two
codes: that of the id, and the id's keyed hash with the source before it. The second is what landed ids are compared
with, and must be the hash itself: only so both can be taken through a new key and still meet.

Where a feed can do without the person (an order without a customer is a guest's), the row stays and the person
is taken out of it, so that money totals hold; other rows about the person go.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from loyalty.common.disk import sync
from loyalty.common.lock import file_lock
from loyalty.common.settings import Settings
from loyalty.privacy.keys import FORGOTTEN_FILE, Key, keyed_hash, lift, load_key, untagged
from loyalty.pull.contract import PERSON_COLUMNS, CanonicalFeed

# Feeds whose rows are nothing but what is known of one person.
ABOUT_ONE_PERSON = ("customers", "survey_responses")
# What a person filled in or ordered, and the column by which other feeds (answers, order lines) refer to it.
RECORDS = {"survey_responses": ("response", "response_id"), "orders": ("order", "order_id")}
EVERY_SOURCE = "*"
# An address with more customers is a placeholder of the shop.
MOST_OF_ONE_PERSON = 10


@dataclass(frozen=True)
class Forgotten:
    """The codes of the people, and of their questionnaires and orders, which other feeds name alone."""

    codes: frozenset[str] = frozenset()
    key: Key = field(default=(), repr=False)

    def __bool__(self) -> bool:
        return bool(self.codes)

    def code(self, kind: str, source: str, value: str) -> str:
        """The code of an id of this kind (`customer`, `response` or `order`)."""
        return lift(self.key, f"{kind}\x1f{source}\x1f{value}", 0)

    def is_listed(self, kind: str, source: str, value: str) -> bool:
        """Whether this id, which may be a hash, is to be forgotten, in its source or in every one."""
        return any(
            code in self.codes
            for one in (source, EVERY_SOURCE)
            for code in (self.code(kind, one, value), _code_of_hash(one, value))
        )

    def named(self, values: pa.ChunkedArray | pa.Array, source: str, kind: str = "customer") -> pa.Array:
        """Which cells hold an id that is to be forgotten."""
        listed = [one for one in pc.unique(values).to_pylist() if one is not None and self.is_listed(kind, source, one)]
        return pc.is_in(values, value_set=pa.array(listed, values.type))

    def names_any(self, rows: pa.Table, source: str) -> pa.Array:
        """Which rows name one of these people in any column, or belong to an order of theirs."""
        people = [self.named(rows.column(name), source) for name in person_columns(rows)]
        return _any([*people, self.of_orders(rows, source)], rows)

    def of_orders(self, rows: pa.Table, source: str) -> pa.Array:
        """Which rows belong to an order of these people."""
        found = [self.named(rows.column("order_id"), source, "order")] if "order_id" in rows.column_names else []
        return _any(found, rows)

    def doomed(self, rows: pa.Table, feed: CanonicalFeed, source: str) -> pa.Array:
        """Rows that would mean nothing without the person, and the answers to the person's questionnaires."""
        whole = [
            self.named(rows.column(name), source)
            for name in person_columns(rows)
            if feed.columns[name].required or (feed.name in ABOUT_ONE_PERSON and name == "customer_id")
        ]
        if "response_id" in rows.column_names:
            whole.append(self.named(rows.column("response_id"), source, "response"))
        return _any(whole, rows)

    def blanked(self, rows: pa.Table, source: str) -> tuple[pa.Table, int]:
        """The rows with a blank in place of the person, and how many were blanked for it.

        The own columns of an order and of its lines (x_note, x_gift_message) may say who it was; a referrer's do not.
        """
        count = 0
        own = [name for name in rows.column_names if name.startswith("x_") or name.endswith("_hash")]
        for column in person_columns(rows):
            named = self.named(rows.column(column), source)
            count += pc.sum(named).as_py() or 0
            rows = _blank(rows, [column, *(own if column == "customer_id" else [])], named)
        if own:
            says_more = _any([pc.is_valid(rows.column(name)) for name in own], rows)
            of_orders = pc.and_(says_more, self.of_orders(rows, source))
            count += pc.sum(of_orders).as_py() or 0
            rows = _blank(rows, own, of_orders)
        return rows, count

    def without(self, rows: pa.Table, feed: CanonicalFeed, source: str) -> tuple[pa.Table, int, int]:
        """The rows without the forgotten, how many went, and how many stay with a blank for the person."""
        kept = rows.filter(pc.invert(self.doomed(rows, feed, source)))
        blank, count = self.blanked(kept, source)
        return blank, rows.num_rows - kept.num_rows, count

    def records(self, rows: pa.Table, feed: str, source: str, hashed_ids: Sequence[str]) -> list[str]:
        """The codes of what the forgotten filled in or ordered, and of the records that are merged with theirs."""
        if feed == "customer_links":
            names = ("customer_id", "into_customer_id")
            theirs = rows.filter(_any([self.named(rows.column(name), source) for name in names], rows))
            pairs = [row for row in theirs.to_pylist() if row["unlinked_at"] is None]
            return [code_of(self.key, source, row[name], name in hashed_ids) for row in pairs for name in names]
        if feed not in RECORDS or "customer_id" not in rows.column_names:
            return []
        kind, column = RECORDS[feed]
        theirs = rows.filter(self.named(rows.column("customer_id"), source)).column(column).to_pylist()
        return [self.code(kind, source, one) for one in theirs]

    def is_mentioned(self, row_json: str | None, source: str) -> bool:
        """Whether a cell of a quarantined row is the id of one of these people, or of a questionnaire of theirs."""
        texts = {str(cell).strip() for cell in json.loads(row_json).values() if cell is not None} if row_json else set()
        cells = {untagged(self.key, text) for text in texts}
        return any(self.is_listed(kind, source, cell) for cell in cells for kind in ("customer", "response"))


def person_columns(rows: pa.Table) -> list[str]:
    """The columns of a load that can hold a customer's id."""
    return [column for column in PERSON_COLUMNS if column in rows.column_names]


def list_file(settings: Settings) -> Path:
    """Where the codes lie."""
    return settings.private / FORGOTTEN_FILE


def person_of(key: Key, source: str | None, customer_id: str) -> Forgotten:
    """One customer of one source or of all, by the id or by what a mapping makes the id of, such as an address."""
    where, hashed = source or EVERY_SOURCE, keyed_hash(key, customer_id)
    return Forgotten(frozenset([code_of(key, where, customer_id, False), code_of(key, where, hashed, True)]), key)


def code_of(key: Key, source: str, customer_id: str, is_hashed: bool) -> str:
    """The code of a customer's id as it is landed: a hash is a part of it, an id is not."""
    return _code_of_hash(source, customer_id) if is_hashed else Forgotten(key=key).code("customer", source, customer_id)


def load_forgotten(settings: Settings) -> Forgotten:
    """All people who asked to be forgotten."""
    lines = _lines(settings)
    if not lines:
        return Forgotten()
    key = load_key(settings)
    return Forgotten(frozenset(_lifted(key, line["code"], line["keys"]) for line in lines), key)


def forgotten_count(settings: Settings) -> int:
    """How long the list is; a load landed under a shorter one has to be looked through again."""
    return len(_lines(settings))


def remember(settings: Settings, codes: Iterable[str]) -> None:
    """Add codes to the list, on disk when this returns; a code that is there already is not added twice.

    A load that finds records of the forgotten writes here beside a `forget`: none may lose what the other wrote.
    """
    if not (wanted := set(codes)):
        return
    file, keys = list_file(settings), len(load_key(settings))
    with file_lock(settings.home / "work" / "forgotten.lock", "remember", wait_seconds=60):
        new = sorted(wanted - load_forgotten(settings).codes)
        if not new:
            return
        lines = [*_lines(settings), *({"code": code, "keys": keys} for code in new)]
        draft = file.with_name(f".{file.name}-{os.getpid()}")
        draft.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")
        draft.chmod(0o600)
        sync(draft)
        draft.replace(file)
        sync(file.parent)


def _blank(rows: pa.Table, columns: Sequence[str], where: pa.Array) -> pa.Table:
    for name in columns:
        place, cells = rows.column_names.index(name), rows.column(name)
        rows = rows.set_column(place, name, pc.if_else(where, pa.scalar(None, cells.type), cells))
    return rows


def _code_of_hash(source: str, hashed: str) -> str:
    return f"{source}:{hashed}"


def _lifted(key: Key, code: str, done: int) -> str:
    """A code taken through the newer keys; the source before a hash stays."""
    source, colon, hashed = code.rpartition(":")
    return f"{source}{colon}{lift(key, hashed, done)}"


def _lines(settings: Settings) -> list[dict]:
    file = list_file(settings)
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()] if file.exists() else []


def _any(masks: Sequence[pa.Array], rows: pa.Table) -> pa.Array:
    found = pa.array([False] * rows.num_rows, pa.bool_())
    for mask in masks:
        found = pc.or_(found, mask)
    return found
