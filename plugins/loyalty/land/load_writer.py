"""A load while it is written: its parts, its quarantined rows, and the outcome of the rules."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loyalty.common.counted import counted
from loyalty.common.errors import LoadRejected
from loyalty.common.settings import Settings
from loyalty.land import closed_lists
from loyalty.land.canonical import Fault, Plan, Typed, export_time, is_personal, to_canonical
from loyalty.land.delivery import FEW_BROKEN_ROWS, Delivery
from loyalty.land.gate import RowCheck, Rule, RuleResult, Suite, check_frame, check_rows, currency_units
from loyalty.land.numbers import is_shown
from loyalty.privacy.keys import Key, keyed_hash, tagged, tagged_hash
from loyalty.privacy.personal_text import holds_personal_text, is_personal_text
from loyalty.privacy.suppression import Forgotten, forgotten_count, load_forgotten
from loyalty.pull.contract import Column
from loyalty.pull.feeds import FeedConfig
from loyalty.pull.formats.batch import Batch, Trailer

# Quarantined rows are kept in memory until the load is whole; a file with more is rejected.
MOST_QUARANTINED = 500_000
KEY_SEPARATOR = "\x1f"

QUARANTINE_SCHEMA = pa.schema(
    [
        ("_feed", pa.string()),
        ("_source", pa.string()),
        ("_file", pa.string()),
        ("_line", pa.int64()),
        ("record", pa.string()),
        ("rules", pa.string()),
        ("reason", pa.string()),
        ("row_json", pa.string()),
        ("amount", pa.decimal128(18, 4)),
        ("currency_code", pa.string()),
    ]
)


@dataclass
class LoadWriter:
    """Writes a load into folders beside its place, and keeps a list of what it has written."""

    delivery: Delivery
    received_at: datetime
    folder: Path
    quarantine_folder: Path
    parts: list[dict[str, Any]] = field(default_factory=list)
    results: list[RuleResult] = field(default_factory=list)
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    personal: dict[str, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    profile: dict[str, Any] = field(default_factory=dict)
    trailer: Trailer | None = None
    row_count: int = 0
    forgotten: Forgotten = field(default_factory=Forgotten)
    forgotten_count: int = 0
    forgotten_records: list[str] = field(default_factory=list)
    key_count: int = 1
    erased_rows: int = 0
    erased_cells: int = 0
    hidden_rows: int = 0
    currency: str | None = None

    @property
    def feed(self) -> FeedConfig:
        """The feed of the delivery."""
        return self.delivery.feed

    @property
    def seen(self) -> int:
        """Rows read so far, good and bad."""
        return self.row_count + len(self.quarantined) + self.erased_rows

    def add(self, batch: Batch, plan: Plan, suite: Suite, key: Key) -> None:
        """Check one batch; write its good rows as a part and quarantine the others."""
        self.key_count = len(key)
        batch = self._without_forgotten(batch, plan, key)
        typed, checked = self._checked(batch, plan, suite, key)
        if self.forgotten and checked.broken:  # a broken row of theirs is not quarantined either
            broken = list(checked.broken)
            read = to_canonical(_taken(batch, broken), plan, key).table
            theirs = self.forgotten.names_any(read, self.feed.source).to_pylist()
            if any(theirs):
                batch = self._without(batch, {row for row, is_theirs in zip(broken, theirs, strict=True) if is_theirs})
                typed, checked = self._checked(batch, plan, suite, key)
        table, cells = self.forgotten.blanked(typed.table, self.feed.source) if self.forgotten else (typed.table, 0)
        typed, self.erased_cells = Typed(table, typed.faults), self.erased_cells + cells
        typed = self._without_personal_texts(typed, plan)
        self.results += [*_contract_results(typed, batch), *checked.results]
        self._quarantine(batch, typed, checked, plan, key)
        self._write_part(_with_lineage(_good_rows(typed, checked), self.delivery, self.received_at))
        self.dropped = tuple(dict.fromkeys([*self.dropped, *plan.dropped]))
        self.given = tuple(dict.fromkeys([*self.given, *plan.given]))
        self.trailer = batch.trailer or self.trailer

    def add_foreseen(self, batch: Batch, plan: Plan, table: pa.Table, results: list[RuleResult], key: Key) -> None:
        """Write rows that are known to be good as the load's part."""
        self.key_count = len(key)
        self.results += results
        self._write_part(_with_lineage(table, self.delivery, self.received_at))
        self.dropped, self.given = plan.dropped, plan.given
        self.trailer = batch.trailer

    def _checked(self, batch: Batch, plan: Plan, suite: Suite, key: Key) -> tuple[Typed, RowCheck]:
        """The typed rows of a batch, and the result of the suite."""
        typed = to_canonical(batch, plan, key)
        moment = pd.Timestamp(self.received_at)
        frame = check_frame(typed.table, self.feed.canonical, suite, moment, self.currency)
        return typed, check_rows(suite, frame)

    def _without_forgotten(self, batch: Batch, plan: Plan, key: Key) -> Batch:
        """The batch without rows that have no meaning without a forgotten person.

        A row of theirs that cannot be read goes as well: the quarantine would keep it as it came.
        """
        if not self.forgotten:
            return batch
        feed, typed = self.feed, to_canonical(batch, plan, key)
        self.forgotten_records += self.forgotten.records(typed.table, feed.canonical_name, feed.source, feed.hashed_ids)
        if plan.dropped:  # the raw copy has columns of their orders that are not landed
            self.hidden_rows += pc.sum(self.forgotten.of_orders(typed.table, feed.source)).as_py() or 0
        gone = set(pc.indices_nonzero(self.forgotten.doomed(typed.table, feed.canonical, feed.source)).to_pylist())
        if broken := sorted({fault.row for fault in typed.faults}):
            theirs = self.forgotten.names_any(typed.table.take(broken), feed.source).to_pylist()
            gone |= {row for row, is_theirs in zip(broken, theirs, strict=True) if is_theirs}
        return self._without(batch, gone)

    def _without(self, batch: Batch, gone: set[int]) -> Batch:
        self.erased_rows += len(gone)
        return _taken(batch, [row for row in range(batch.cells.num_rows) if row not in gone]) if gone else batch

    def _quarantine(self, batch: Batch, typed: Typed, checked: RowCheck, plan: Plan, key: Key) -> None:
        faults: dict[int, list[Fault]] = defaultdict(list)
        for fault in typed.faults:
            faults[fault.row].append(fault)
        for row in sorted(set(faults) | set(checked.broken)):
            rules = [f"{fault.rule}_{fault.column}" for fault in faults[row]]
            rules += [rule.name for rule in checked.broken.get(row, [])]
            reasons = [_fault_reason(fault) for fault in faults[row]]
            reasons += [self._rule_reason(rule, typed.table, row) for rule in checked.broken.get(row, [])]
            entry = self._entry(batch.lines[row].as_py(), rules, reasons)
            self.quarantined.append(entry | _row_content(self.feed, batch, typed.table, row, plan, key))
        for line in batch.bad_lines:
            content = {"cells": len(line.cells), "hash": keyed_hash(key, KEY_SEPARATOR.join(line.cells))}
            entry = self._entry(line.line, ["whole_lines"], [f"the line has {line.reason}"])
            self.quarantined.append(entry | {"row_json": json.dumps(content)})
        if len(self.quarantined) > MOST_QUARANTINED:
            raise LoadRejected(f"more than {MOST_QUARANTINED:,} rows are broken; {_first_quarantined(self)}")

    def _rule_reason(self, rule: Rule, table: pa.Table, row: int) -> str:
        """Why a row broke a rule; of an amount that is too large also the limit, of a closed list what is in it."""
        canonical, currency = self.feed.canonical, self.currency
        limit = rule.expectation.limit
        amount = table.column(rule.expectation.column)[row].as_py() if limit is not None else None
        if limit is None or amount is None or amount <= 0:
            return closed_lists.reason(rule, canonical.name, canonical.key, table, row)
        one_row = table.slice(row, 1)
        code = one_row.column("currency_code")[0].as_py() if "currency_code" in table.column_names else currency
        in_currency = f"in {code}" if code else "without a currency (say it with `currency:` in the YAML)"
        seen = f", and {rule.expectation.column} is {amount:,.2f}" if is_shown(f"{amount.normalize():f}") else ""
        return (
            f"{rule.because.rstrip('.')}; the limit for amounts {in_currency} is "
            f"{limit * currency_units(one_row, currency).iloc[0]:,.0f}{seen}."
        )

    def _entry(self, line: int, rules: list[str], reasons: list[str]) -> dict[str, Any]:
        return {
            "_feed": self.feed.canonical_name,
            "_source": self.feed.source,
            "_file": self.delivery.raw.name,
            "_line": line,
            "rules": "; ".join(rules),
            "reason": "; ".join(reasons),
            "record": None,
            "amount": None,
            "currency_code": self.feed.currency,
        }

    def _without_personal_texts(self, typed: Typed, plan: Plan) -> Typed:
        """The rows without e-mail addresses and telephones in texts that are not declared as personal.

        A column of the user's own that holds one is personal as a whole and is dropped when the load is written,
        unless the YAML keeps it by name; in a column of the contract the cell is emptied and counted.
        """
        for header, name in _own_texts(self.feed, plan).items():
            if name not in self.personal and _is_personal(typed.table, name):
                self.personal[name] = header
        table = typed.table
        for column in _texts(self.feed):
            if not _is_personal(table, column.name):
                continue
            texts = table.column(column.name).combine_chunks()
            found = is_personal_text(texts)
            place = table.column_names.index(column.name)
            table = table.set_column(place, column.name, pc.if_else(found, pa.scalar(None, pa.string()), texts))
            count = pc.sum(found).as_py()
            because = (
                "A text with an e-mail address or a telephone is emptied; personal data have columns of their own."
            )
            name = f"personal_text_{column.name}"
            self.results.append(RuleResult("row", name, column.name, "warning", len(texts), count, None, because))
        return Typed(table, typed.faults)

    def drop_personal(self) -> None:
        """Take the user's own columns that hold personal texts out of everything that was written."""
        if not self.personal:
            return
        for part in self.parts:
            file = self.folder / part["name"]
            rows = pq.read_table(file, partitioning=None)
            kept = rows.drop_columns([name for name in self.personal if name in rows.column_names])
            pq.write_table(kept, file, compression="zstd")
            part["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
        self.columns = {name: kind for name, kind in self.columns.items() if name not in self.personal}
        self.dropped = tuple(dict.fromkeys([*self.dropped, *self.personal.values()]))
        hidden = set(self.personal.values())
        for entry in self.quarantined:
            cells = json.loads(entry["row_json"])
            entry["row_json"] = json.dumps(
                {name: None if name in hidden else value for name, value in cells.items()}, ensure_ascii=False
            )
        because = "Its texts hold e-mail addresses or telephones; `keep_columns` in the feed's YAML keeps a column."
        self.results += [
            RuleResult("load", f"personal_column_{name}", header, "warning", 1, 1, None, because)
            for name, header in self.personal.items()
        ]

    def _write_part(self, part: pa.Table) -> None:
        self.columns |= {name: _sql_type(part.schema.field(name).type) for name in part.column_names}
        self.row_count += part.num_rows
        if part.num_rows or not self.parts:
            file = self.folder / f"part-{len(self.parts):05d}.parquet"
            pq.write_table(part, file, compression="zstd")
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
            self.parts.append({"name": file.name, "rows": part.num_rows, "sha256": sha256})

    def write_quarantine(self) -> None:
        """Write the quarantined rows, whole."""
        table = pa.Table.from_pylist(self.quarantined, schema=QUARANTINE_SCHEMA)
        pq.write_table(table, self.quarantine_folder / "part-00000.parquet", compression="zstd")

    def reject_too_many(self) -> None:
        """LoadRejected when more rows are broken than the feed allows; a few of a small file are only quarantined."""
        broken, rate = len(self.quarantined), self.feed.max_quarantine_rate
        is_few = rate > 0 and broken <= FEW_BROKEN_ROWS and 2 * broken < self.seen
        if broken > rate * self.seen and not is_few:
            few = f" (with up to {FEW_BROKEN_ROWS}, less than half of the file, only these rows are quarantined)"
            rows, are = counted(self.seen, "row"), "is" if broken == 1 else "are"
            raise LoadRejected(
                f"{broken:,} of {rows} {are} broken, more than max_quarantine_rate {rate:.0%} allows"
                f"{few if rate else ''}; {_first_quarantined(self)}"
            )

    def manifest(self) -> dict[str, Any]:
        """All that is known of the load; written once and never changed."""
        amounts = [row["amount"] for row in self.quarantined if row["amount"] is not None]
        return {
            "load_id": self.delivery.load_id,
            "feed": self.feed.canonical_name,
            "feed_name": self.feed.name,
            "source": self.feed.source,
            "uri": self.delivery.raw.uri,
            "file": self.delivery.raw.name,
            "sha256": self.delivery.raw.sha256,
            "mapping_id": self.feed.mapping_id,
            "schema_version": self.feed.canonical.schema_version,
            "version_at": self.delivery.version_label,
            "received_at": self.received_at.isoformat(),
            "time_zone": self.feed.time_zone,
            "row_count": self.row_count,
            "quarantined_count": len(self.quarantined),
            "quarantined_amount": str(sum(amounts, Decimal(0))),
            "quarantined_meanings": closed_lists.sentences(self.feed.canonical_name, self.quarantined),
            "erased_count": self.erased_rows + self.erased_cells + self.hidden_rows,
            "forgotten_count": self.forgotten_count,
            "key_count": self.key_count,
            "hashed_ids": self.feed.hashed_ids,
            "columns": self.columns,
            "given_columns": list(self.given),
            "dropped_columns": list(self.dropped),
            "personal_columns": self.personal,
            "parts": self.parts,
            "rules": [asdict(result) for result in self.results],
            "profile": {name: None if value is None else str(value) for name, value in self.profile.items()},
        }


@contextmanager
def open_writer(settings: Settings, delivery: Delivery, received_at: datetime) -> Iterator[LoadWriter]:
    """A writer with two empty folders beside the load's places, on the same file system; what is left of them goes."""
    feed, name = delivery.feed.canonical_name, f".draft-{delivery.load_id}-{uuid.uuid4().hex[:8]}"
    folder, quarantine_folder = settings.landing / feed / name, settings.quarantine / feed / name
    folder.mkdir(parents=True)
    quarantine_folder.mkdir(parents=True)
    try:
        yield LoadWriter(
            delivery,
            received_at,
            folder,
            quarantine_folder,
            forgotten=load_forgotten(settings),
            forgotten_count=forgotten_count(settings),
            currency=delivery.feed.currency or settings.reporting_currency,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(quarantine_folder, ignore_errors=True)


def record_of(values: list[Any]) -> str:
    """A record's key as one text, the same for a quarantined row and for its later good version."""
    return KEY_SEPARATOR.join("" if value is None else str(value) for value in values)


def personal_texts(feed: FeedConfig, plan: Plan, table: pa.Table) -> list[pa.Array]:
    """For each column that is looked through for e-mail addresses and telephones: which of its texts hold one."""
    names = (*_own_texts(feed, plan).values(), *(column.name for column in _texts(feed)))
    return [is_personal_text(table.column(name)) for name in names if name in table.column_names]


def _own_texts(feed: FeedConfig, plan: Plan) -> dict[str, str]:
    """The user's own columns that are looked through, by their headers."""
    return {header: name for header, name in plan.extras.items() if header not in feed.keep_columns}


def _texts(feed: FeedConfig) -> list[Column]:
    """The columns of the contract that are looked through: texts that are no ids and not declared as personal."""
    return [
        column
        for column in feed.canonical.columns.values()
        if column.type == "text" and not column.personal and not column.name.endswith(("_id", "code"))
        if column.name not in feed.canonical.key
    ]


def _is_personal(table: pa.Table, name: str) -> bool:
    """Whether a text of a column is personal; each different text is looked at once."""
    return name in table.column_names and holds_personal_text(pc.unique(table.column(name)))


def _taken(batch: Batch, rows: list[int]) -> Batch:
    """Some rows of a batch."""
    wanted = pa.array(rows, pa.int64())
    return replace(batch, cells=batch.cells.take(wanted), lines=batch.lines.take(wanted))


def _good_rows(typed: Typed, checked: RowCheck) -> pa.Table:
    broken = {fault.row for fault in typed.faults} | set(checked.broken)
    if not broken:
        return typed.table
    return typed.table.filter(pa.array([row not in broken for row in range(typed.table.num_rows)]))


def _with_lineage(table: pa.Table, delivery: Delivery, received_at: datetime) -> pa.Table:
    feed, size = delivery.feed, table.num_rows
    exported_at = export_time(feed.export_date(delivery.raw.name))
    version = table.column("_version_at")
    if feed.version is None and exported_at is not None:
        version = pa.repeat(pa.scalar(exported_at, pa.timestamp("us")), size)
    lineage: dict[str, Any] = {
        "_feed": _one_value(feed.canonical_name, size),
        "_source": _one_value(feed.source, size),
        "_file": _one_value(delivery.raw.name, size),
        "_line": table.column("_line"),
        "_loaded_at": pa.repeat(pa.scalar(received_at.astimezone(UTC).replace(tzinfo=None), pa.timestamp("us")), size),
        "_version_at": version,
        "_time_zone": _one_value(feed.time_zone, size),
    }
    return pa.table({name: table.column(name) for name in table.column_names if name not in lineage} | lineage)


def _one_value(text: str, size: int) -> pa.Array:
    """The same text in every row, written once."""
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), size), pa.array([text], pa.string()))


def _contract_results(typed: Typed, batch: Batch) -> list[RuleResult]:
    """The contract's own rules (readable, required, whole lines) as results beside the suite's."""
    broken: dict[tuple[str, str], int] = defaultdict(int)
    for fault in typed.faults:
        broken[(fault.rule, fault.column)] += 1
    because = "The input contract: required cells are filled and every cell can be read as its type."
    results = [
        RuleResult("row", f"{rule}_{column}", column, "critical", len(batch.lines), failed, None, because)
        for (rule, column), failed in sorted(broken.items())
    ]
    if batch.bad_lines:
        seen = len(batch.lines) + len(batch.bad_lines)
        because = "A line has as many cells as the header."
        results.append(RuleResult("row", "whole_lines", "", "critical", seen, len(batch.bad_lines), None, because))
    return results


def _row_content(feed: FeedConfig, batch: Batch, table: pa.Table, row: int, plan: Plan, key: Key) -> dict[str, Any]:
    cells = {name: batch.cells.column(name)[row].as_py() for name in batch.cells.column_names}
    amount = _cell(table, feed.canonical.amount, row)
    return {
        "record": record_of([_key_cell(feed, table, name, row, key) for name in feed.canonical.key]),
        "row_json": json.dumps(_without_person(cells, plan, key), ensure_ascii=False),
        "amount": amount if isinstance(amount, Decimal) else None,
        "currency_code": _cell(table, "currency_code", row) or feed.currency,
    }


def _without_person(cells: dict[str, str | None], plan: Plan, key: Key) -> dict[str, str | None]:
    """The row's cells for the quarantine; personal ones as keyed hashes."""
    columns = plan.feed.canonical.columns
    personal = plan.feed.hashed_headers | {
        header for name, origin in plan.origins.items() if columns[name].personal for header in origin.headers
    }
    landed = {
        header for name, origin in plan.origins.items() if not columns[name].personal for header in origin.headers
    }
    hidden = {name for name in cells if name in personal or (is_personal(name) and name not in landed)}
    empty = {"", *plan.feed.options.null_values}
    return {
        name: tagged_hash(key, value) if name in hidden and value and value.strip() not in empty else value
        for name, value in cells.items()
    }


def _fault_reason(fault: Fault) -> str:
    """The reason, without the cell's content where the column is personal."""
    return f"{fault.column} cannot be read" if is_personal(fault.column) else fault.reason


def _first_quarantined(writer: LoadWriter) -> str:
    first = writer.quarantined[0]
    return f"the first is line {first['_line']}: {first['reason']}"


def _key_cell(feed: FeedConfig, table: pa.Table, column: str, row: int, key: Key) -> Any:
    """A cell of the record's key; a hash carries its number of keys, so that it can be compared after a rotation."""
    value = _cell(table, column, row)
    return tagged(key, value) if value and column in feed.hashed_ids else value


def _cell(table: pa.Table, column: str | None, row: int) -> Any:
    return table.column(column)[row].as_py() if column and column in table.column_names else None


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    names = {
        pa.int64(): "bigint",
        pa.bool_(): "boolean",
        pa.date32(): "date",
        pa.timestamp("us"): "timestamp",
    }
    return names.get(kind, "varchar")
