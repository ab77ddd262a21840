"""The schema `raw` of the work file: plain relations over the accepted loads, and the pipeline's own memory.

dbt sees one relation per canonical feed, whether its data lie in one file, in thousands, or nowhere.
Nothing is copied: the views name the Parquet parts of the accepted loads, so a model that filters by
`load_id` opens the files of those loads alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from loyalty.common.errors import UserError
from loyalty.common.ledger import REWRITING, Ledger, Load, LoadTotal
from loyalty.common.settings import Settings
from loyalty.common.sql import quote_identifier, text_list
from loyalty.common.workspace import Workspace
from loyalty.land import quarantine
from loyalty.land.loads import (
    MANIFEST,
    landed_folder,
    load_folder,
    read_manifest,
    refuse_half_rotated,
)
from loyalty.pull.contract import CanonicalFeed, load_contract

Loads = TypeVar("Loads", Load, LoadTotal)

ORDERS = "orders"
# What makes a date known, by feed: the columns with the local dates of its events.
DATES: dict[str, tuple[str, ...]] = {
    ORDERS: ("ordered_date",),
    "survey_responses": ("submitted_date",),
    "panel_purchases": ("purchased_date",),
    "contracts": ("started_date", "ended_date"),
    "tickets": ("opened_date",),
}

TABLES: dict[str, dict[str, str]] = {
    "loads": {
        "feed": "varchar",
        "feed_name": "varchar",
        "source": "varchar",
        "load_id": "varchar",
        "load_seq": "bigint",
        "version_at": "timestamp",
        "file": "varchar",
        "row_count": "bigint",
        "quarantined_count": "bigint",
        "received_at": "timestamp",
        "export_date": "date",
    },
    "deliveries": {
        "seq": "bigint",
        "feed": "varchar",
        "feed_name": "varchar",
        "source": "varchar",
        "file": "varchar",
        "received_at": "timestamp",
        "load_id": "varchar",
        "outcome": "varchar",
        "reason": "varchar",
        "row_count": "bigint",
        "quarantined_count": "bigint",
    },
    "rule_results": {
        "load_id": "varchar",
        "feed": "varchar",
        "feed_name": "varchar",
        "level": "varchar",
        "rule": "varchar",
        "column_name": "varchar",
        "severity": "varchar",
        "evaluated_count": "bigint",
        "failed_count": "bigint",
        "is_success": "boolean",
        "observed": "varchar",
    },
    "quarantined_rows": {
        "load_id": "varchar",
        "feed": "varchar",
        "feed_name": "varchar",
        "source": "varchar",
        "file": "varchar",
        "line": "bigint",
        "rules": "varchar",
        "reason": "varchar",
        "row_json": "varchar",
        "amount": "decimal(18,4)",
        "currency_code": "varchar",
        "status": "varchar",
    },
    "runs": {
        "run_id": "varchar",
        "kind": "varchar",
        "started_at": "timestamp",
        "ended_at": "timestamp",
        "outcome": "varchar",
        "build_id": "varchar",
        "generation": "bigint",
        "message": "varchar",
    },
    "build": {
        "build_id": "varchar",
        "as_of": "date",
        "data_start": "date",
        "reporting_currency": "varchar",
        "code_version": "varchar",
    },
}


@dataclass(frozen=True)
class DataSpan:
    """What follows from the accepted loads: the build's as-of, the data's start, its currency."""

    as_of: date
    data_start: date
    reporting_currency: str | None


def register(connection: duckdb.DuckDBPyConnection, workspace: Workspace, loads: Sequence[Load]) -> None:
    """Make `raw` show exactly these accepted loads, and what the ledger has of all deliveries."""
    settings, ledger = workspace.settings, workspace.ledger
    connection.execute("create schema if not exists raw")
    manifests = {load.load_id: read_manifest(landed_folder(settings, load), load.feed_name) for load in loads}
    refuse_half_rotated(settings, manifests.values())
    by_feed: dict[str, list[Load]] = defaultdict(list)
    for load in loads:
        by_feed[load.feed].append(load)
    for feed in load_contract().values():
        select = feed_select(settings, feed, [(load, manifests[load.load_id]) for load in by_feed[feed.name]])
        connection.execute(f"create or replace view raw.{quote_identifier(feed.name)} as {select}")
    _fill(connection, "loads", [_load_row(load) for load in loads])
    _fill(connection, "deliveries", _delivery_rows(ledger))
    _fill(connection, "rule_results", _rule_rows(settings, ledger, loads, manifests))
    _fill(connection, "runs", _run_rows(ledger))
    _fill(connection, "quarantined_rows", _quarantined_rows(workspace, loads))


def register_build(connection: duckdb.DuckDBPyConnection, build_id: str, span: DataSpan, code_version: str) -> None:
    """Write the one row with the id of this build and its dates."""
    row = (build_id, span.as_of, span.data_start, span.reporting_currency, code_version)
    _fill(connection, "build", [row])


def feed_select(settings: Settings, feed: CanonicalFeed, loads: Sequence[tuple[Load, dict[str, Any]]]) -> str:
    """SQL for all rows of a feed: every column of the contract, every `x_` column ever landed, and load_id.

    Loads with the same columns share one reader, so only the first file of each layout is opened to bind
    the view; a column that a layout lacks is NULL of its type.
    """
    layouts: dict[tuple[str, ...], list[str]] = defaultdict(list)
    own_columns: set[str] = set()
    for load, manifest in loads:
        columns = tuple(sorted(manifest["columns"]))
        own_columns |= {name for name in columns if name.startswith("x_")}
        folder = landed_folder(settings, load)
        layouts[columns] += [str(folder / part["name"]) for part in manifest["parts"]]
    types = feed.landed_columns | dict.fromkeys(sorted(own_columns), "varchar")
    selects = [_layout_select(types, columns, files) for columns, files in sorted(layouts.items()) if files]
    if not selects:
        nothing = ", ".join(f"cast(null as {kind}) as {quote_identifier(name)}" for name, kind in types.items())
        return f"select {nothing}, cast(null as varchar) as load_id where false"
    return " union all ".join(selects)


def _layout_select(types: dict[str, str], columns: Iterable[str], files: Sequence[str]) -> str:
    present = set(columns)
    terms = [
        f"cast({quote_identifier(name) if name in present else 'null'} as {kind}) as {quote_identifier(name)}"
        for name, kind in types.items()
    ]
    reader = f"read_parquet({text_list(files)}, hive_partitioning = true, hive_types = {{'load_id': varchar}})"
    return f"select {', '.join(terms)}, load_id from {reader}"


def nothing_to_build_sentence(settings: Settings) -> str:
    """Why nothing can be built, and what to do."""
    return (
        "No orders have been accepted yet, and no answers, panel purchases, contracts or tickets either, so there is "
        f"nothing to build: put the exports where the feeds in {settings.feeds} expect them and run `loyalty run`."
    )


def dated_loads(loads: Iterable[Loads]) -> list[Loads]:
    """The loads that say which day is today: the orders; without any the answers, purchases, contracts, tickets."""
    known = [load for load in loads if load.feed in DATES]
    return [load for load in known if load.feed == ORDERS] or known


def data_span(
    connection: duckdb.DuckDBPyConnection, settings: Settings, loads: Sequence[Load], as_of: date | None = None
) -> DataSpan:
    """The dates and the currency of a build, from the orders alone, never from the clock.

    as_of: as given, else the date in the newest accepted orders export's name, else the newest local order
    date (definition 2). Without orders it is the newest answer, panel purchase, contract event or ticket. The work file
    keeps what was read of a load, so a nightly build reads new loads only.
    """
    dated = dated_loads(loads)
    if not dated:
        raise UserError(nothing_to_build_sentence(settings))
    _remember_spans(connection, dated)
    ids = [load.load_id for load in dated]
    first, last = connection.execute(
        "select min(first_date), max(last_date) from meta.load_spans where load_id in (select unnest(?))", [ids]
    ).fetchall()[0]
    if first is None:
        feeds = ", ".join(sorted({load.feed for load in dated}))
        raise UserError(
            f"The accepted loads of {feeds} have no rows: see `loyalty quarantine list` and `loyalty status`."
        )
    currencies = connection.execute(
        "select distinct unnest(currencies) from meta.load_spans where load_id in (select unnest(?))", [ids]
    ).fetchall()
    only_currency = currencies[0][0] if len(currencies) == 1 else None
    return DataSpan(
        as_of=as_of or dated_as_of(loads) or last,
        data_start=first,
        reporting_currency=settings.reporting_currency or only_currency,
    )


def dated_as_of(loads: Iterable[Load]) -> date | None:
    """The newest date in the names of the accepted orders exports, where they have one."""
    dates = [load.version_at.date() for load in loads if load.feed == ORDERS and load.version_at]
    return max(dates, default=None)


def _remember_spans(connection: duckdb.DuckDBPyConnection, dated: Sequence[Load]) -> None:
    """Keep of every load its first and last date and its currencies; a date after its delivery is a plan or a slip."""
    connection.execute("create schema if not exists meta")
    connection.execute(
        "create table if not exists meta.load_spans "
        "(load_id varchar, first_date date, last_date date, currencies varchar[])"
    )
    known = {row[0] for row in connection.execute("select load_id from meta.load_spans").fetchall()}
    for feed, columns in DATES.items():
        new = [load.load_id for load in dated if load.feed == feed and load.load_id not in known]
        currency = "currency_code" if feed == ORDERS else "cast(null as varchar)"
        is_known = "true" if feed == ORDERS else "day <= cast(received_at as date)"
        dates = " union all ".join(
            f"select load_id, {column} as day, {currency} as currency_code from raw.{feed}" for column in columns
        )
        if new:
            connection.execute(
                "insert into meta.load_spans "
                "select load_id, min(day), max(day), list_sort(list(distinct currency_code)) "
                f"from ({dates}) inner join raw.loads using (load_id) "
                f"where load_id in (select unnest(?)) and {is_known} group by load_id",
                [new],
            )


def _load_row(load: Load) -> tuple[Any, ...]:
    version_at = _naive_utc(load.version_at)
    return (
        load.feed,
        load.feed_name,
        load.source,
        load.load_id,
        load.load_seq,
        version_at,
        _file_name(load.uri),
        load.row_count,
        load.quarantined_count,
        _naive_utc(load.received_at),
        version_at.date() if version_at else None,
    )


def _delivery_rows(ledger: Ledger) -> list[tuple[Any, ...]]:
    return [
        (
            event.seq,
            event.data.get("feed"),
            event.data["feed_name"],
            event.data.get("source"),
            _file_name(event.data.get("uri", "")),
            _naive_utc(event.at),
            event.data.get("load_id"),
            event.data["outcome"],
            event.data.get("reason"),
            event.data.get("row_count"),
            event.data.get("quarantined_count"),
        )
        for event in ledger.events("delivery")
    ]


def _rule_rows(
    settings: Settings, ledger: Ledger, loads: Sequence[Load], manifests: dict[str, dict[str, Any]]
) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for manifest in [*(manifests[load.load_id] for load in loads), *_rejected_manifests(settings, ledger)]:
        rows += [
            (
                manifest["load_id"],
                manifest["feed"],
                manifest["feed_name"],
                rule["level"],
                rule["rule"],
                rule["column"],
                rule["severity"],
                rule["evaluated"],
                rule["failed"],
                rule["failed"] == 0,
                rule["observed"],
            )
            for rule in manifest.get("rules", [])
        ]
    return rows


def _rejected_manifests(settings: Settings, ledger: Ledger) -> list[dict[str, Any]]:
    """The manifests of rejected loads; a file that was rejected before any check has none."""
    rejected = {
        event.data["load_id"]: event.data["feed"]
        for event in ledger.events("delivery")
        if event.data["outcome"] == "rejected" and event.data.get("load_id") and event.data.get("feed")
    }
    files = [load_folder(settings.rejected, feed, load_id) / MANIFEST for load_id, feed in rejected.items()]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()]


def _run_rows(ledger: Ledger) -> list[tuple[Any, ...]]:
    return [
        (
            event.data["run_id"],
            event.data["run_kind"],
            _naive_utc(datetime.fromisoformat(event.data["started_at"])),
            _naive_utc(event.at),
            event.data["outcome"],
            event.data.get("build_id"),
            event.data.get("generation"),
            event.data.get("message"),
        )
        for event in ledger.events("run")
    ]


def _quarantined_rows(workspace: Workspace, loads: Sequence[Load]) -> list[tuple[Any, ...]]:
    """The quarantined rows of the loads that count, each with its status."""
    counting = {load.load_id for load in loads}
    for event in reversed(workspace.ledger.events(*REWRITING)):  # a rewritten load keeps its quarantine
        counting |= {old for old, new in event.data["rewritten"].items() if new in counting}
    return [
        (
            entry.load_id,
            entry.feed,
            entry.feed_name,
            entry.source,
            entry.file,
            entry.line,
            entry.rules,
            entry.reason,
            entry.row_json,
            entry.amount,
            entry.currency_code,
            entry.status,
        )
        for entry in quarantine.entries(workspace)
        if entry.load_id in counting
    ]


def _fill(connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Sequence[Any]]) -> None:
    columns = TABLES[name]
    typed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    connection.execute(f"create or replace table raw.{name} ({typed})")
    if rows:
        batch = pa.table(
            {column: list(values) for column, values in zip(columns, zip(*rows, strict=True), strict=True)}
        )
        connection.register("batch", batch)
        connection.execute(f"insert into raw.{name} select * from batch")
        connection.unregister("batch")


def _naive_utc(at: datetime | None) -> datetime | None:
    """DuckDB's `timestamp` has no zone; ours are UTC."""
    return at.astimezone(UTC).replace(tzinfo=None) if at and at.tzinfo else at


def _file_name(uri: str) -> str:
    return uri.rsplit("/", 1)[-1]
