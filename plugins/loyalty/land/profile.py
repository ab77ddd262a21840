"""The one-row profile of a load, which the load-level rules look at."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median
from typing import Any

import duckdb

from loyalty.common.ledger import Ledger
from loyalty.common.settings import Settings
from loyalty.common.sql import quote_identifier, text_list
from loyalty.common.workspace import Workspace
from loyalty.land.known_customers import CUSTOMER_HASH, known_customers
from loyalty.land.load_writer import LoadWriter
from loyalty.pull.contract import CanonicalFeed
from loyalty.pull.feeds import FeedConfig
from loyalty.pull.formats.batch import Trailer

RECENT_LOADS = 14
FEWEST_LOADS = 5
SECONDS_PER_DAY = 86_400
# Counting the keys of a large load takes room on disk beyond this, so that a load's memory does not grow with its file.
MEMORY = "256MB"
NULL_RATE = "null_rate_"


def load_profile(workspace: Workspace, writer: LoadWriter, given: Collection[str]) -> dict[str, Any]:
    """Rows, duplicates, newest event, nulls, sums, volume against recent loads, unknown customers, trailer.

    What cannot be known is None; so is the rate of NULL of a column not `given` by this file or the one before.
    """
    feed, settings = writer.feed, workspace.settings
    received_at = writer.received_at.astimezone(UTC).replace(tzinfo=None)
    with _view_of(settings, writer) as connection:
        counted = counts_of_rows(connection, feed.canonical, received_at)[0]
        unknown = rate_of_unknown_customers(connection, workspace, feed).get(0)
    return foreseen_profile(workspace, writer, counted | {"unknown_customer_rate": unknown}, given)


def foreseen_profile(
    workspace: Workspace, writer: LoadWriter, counted: dict[str, Any], given: Collection[str]
) -> dict[str, Any]:
    """The profile of a load whose rows were counted before."""
    received_at, seen = writer.received_at.astimezone(UTC).replace(tzinfo=None), writer.seen
    newest = counted["newest_event_at"]
    profile = {
        **of_given_columns(counted, given),
        "row_count": writer.row_count,
        "quarantined_count": len(writer.quarantined),
        "quarantine_rate": len(writer.quarantined) / seen if seen else None,
        "newest_event_age_days": (received_at - newest).total_seconds() / SECONDS_PER_DAY if newest else None,
        "rows_vs_median": _rows_vs_median(workspace.ledger, writer.feed, writer.row_count),
    }
    return profile | _trailer_figures(profile, writer.feed.canonical, writer.trailer, seen)


@contextmanager
def _view_of(settings: Settings, writer: LoadWriter) -> Iterator[duckdb.DuckDBPyConnection]:
    """The written parts as the view `load`; what does not fit into memory goes beside them, and then away."""
    files = [str(writer.folder / part["name"]) for part in writer.parts]
    with (
        tempfile.TemporaryDirectory(dir=writer.folder.parent, prefix=".draft-") as room,
        duckdb.connect(
            config={"memory_limit": MEMORY, "threads": settings.threads, "temp_directory": room}
        ) as connection,
    ):
        connection.execute(f"create view load as select * from read_parquet({text_list(files)})")
        yield connection


def counts_of_rows(
    connection: duckdb.DuckDBPyConnection, feed: CanonicalFeed, received_at: datetime, place: str = "0"
) -> dict[int, dict[str, Any]]:
    """Duplicates, newest event, empty cells and sums of the view `load`, by the column `place` or of all its rows."""
    key = ", ".join(f"coalesce(cast({quote_identifier(column)} as varchar), '')" for column in feed.key)
    asked = {"duplicate_key_count": f"count(*) - count(distinct ({key}, 1))"}
    event = quote_identifier(feed.event) if feed.event else None
    asked["newest_event_at"] = f"max({event})" if event else "cast(null as timestamp)"
    asked["future_event_count"] = f"count(*) filter (where {event} > $received_at)" if event else "cast(null as bigint)"
    for column in feed.columns.values():
        if column.personal:
            continue
        name = quote_identifier(column.name)
        asked[f"{NULL_RATE}{column.name}"] = f"(count(*) - count({name})) / nullif(count(*), 0)"
        if column.type == "decimal":
            asked[f"sum_{column.name}"] = f"sum({name})"
    parameters = {"received_at": received_at} if feed.event else {}
    columns = ", ".join(f"{sql} as {name}" for name, sql in asked.items())
    group = f"group by {place}" if place != "0" else ""
    rows = connection.execute(f"select {place}, {columns} from load {group}", parameters).fetchall()
    return {of: dict(zip(asked, row, strict=True)) for of, *row in rows}


def of_given_columns(counted: dict[str, Any], given: Collection[str]) -> dict[str, Any]:
    """The counts with None as the rate of NULL of every column that is not given: it was never observed."""
    return {
        name: None if name.startswith(NULL_RATE) and name.removeprefix(NULL_RATE) not in given else count
        for name, count in counted.items()
    }


def _rows_vs_median(ledger: Ledger, feed: FeedConfig, row_count: int) -> float | None:
    """Rows against the median of the last 14 loads; None while there are fewer than five."""
    recent = ledger.row_counts(feed.name, RECENT_LOADS)
    middle = median(recent) if len(recent) >= FEWEST_LOADS else 0
    return row_count / middle if middle else None


def rate_of_unknown_customers(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, feed: FeedConfig, place: str = "0"
) -> dict[int, float | None]:
    """The share of rows of the view `load` whose customer the source's CRM export does not list, by `place`.

    Empty without such an export.
    """
    if feed.canonical_name == "customers" or "customer_id" not in feed.canonical.columns:
        return {}
    known = known_customers(workspace, connection, feed.source)
    if not known:
        return {}
    group = f"group by {place}" if place != "0" else ""
    rows = connection.execute(
        f"select {place}, avg(cast({CUSTOMER_HASH} not in (select customer from ({known})) as integer)) "
        f"from load where customer_id is not null {group}"
    ).fetchall()
    return dict(rows)


def _trailer_figures(
    profile: dict[str, Any], feed: CanonicalFeed, trailer: Trailer | None, seen: int
) -> dict[str, Any]:
    """What the export's last line claims, and whether that is what was read; None where it claims nothing."""
    claimed_rows = trailer.row_count if trailer else None
    claimed_total = trailer.total if trailer else None
    total = profile.get(f"sum_{feed.amount}")
    rows_match = None if claimed_rows is None else claimed_rows == seen
    # Quarantined and forgotten rows are missing from the sum, so a total can be compared only when there are none.
    total_known = claimed_total is not None and total is not None and seen == profile["row_count"]
    total_matches = claimed_total == total if total_known else None
    claims = [claim for claim in (rows_match, total_matches) if claim is not None]
    return {
        "trailer_row_count": claimed_rows,
        "trailer_total": claimed_total,
        "trailer_matches": all(claims) if claims else None,
    }
