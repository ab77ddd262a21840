"""The one-row profile of a load, which the load-level rules look at."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
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


def load_profile(workspace: Workspace, writer: LoadWriter) -> dict[str, Any]:
    """Rows, duplicates, newest event, nulls, sums, volume against recent loads, unknown customers, trailer.

    What cannot be known is None.
    """
    feed, seen, settings = writer.feed, writer.seen, workspace.settings
    received_at = writer.received_at.astimezone(UTC).replace(tzinfo=None)
    with _view_of(settings, writer) as connection:
        counted = _counts(connection, feed.canonical, received_at)
        newest = counted["newest_event_at"]
        profile = {
            "row_count": writer.row_count,
            "quarantined_count": len(writer.quarantined),
            "quarantine_rate": len(writer.quarantined) / seen if seen else None,
            **counted,
            "newest_event_age_days": (received_at - newest).total_seconds() / SECONDS_PER_DAY if newest else None,
            "rows_vs_median": _rows_vs_median(workspace.ledger, feed, writer.row_count),
            "unknown_customer_rate": _unknown_customer_rate(connection, workspace, feed),
        }
    return profile | _trailer_figures(profile, feed.canonical, writer.trailer, seen)


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


def _counts(connection: duckdb.DuckDBPyConnection, feed: CanonicalFeed, received_at: datetime) -> dict[str, Any]:
    key = ", ".join(f"coalesce(cast({quote_identifier(column)} as varchar), '')" for column in feed.key)
    asked = {"duplicate_key_count": f"count(*) - count(distinct ({key}, 1))"}
    event = quote_identifier(feed.event) if feed.event else None
    asked["newest_event_at"] = f"max({event})" if event else "cast(null as timestamp)"
    asked["future_event_count"] = f"count(*) filter (where {event} > $received_at)" if event else "cast(null as bigint)"
    for column in feed.columns.values():
        if column.personal:
            continue
        asked[f"null_rate_{column.name}"] = f"(count(*) - count({quote_identifier(column.name)})) / nullif(count(*), 0)"
        if column.type == "decimal":
            asked[f"sum_{column.name}"] = f"sum({quote_identifier(column.name)})"
    parameters = {"received_at": received_at} if feed.event else {}
    query = "select " + ", ".join(f"{sql} as {name}" for name, sql in asked.items()) + " from load"
    row = connection.execute(query, parameters).fetchone()
    return dict(zip(asked, row or (), strict=True))


def _rows_vs_median(ledger: Ledger, feed: FeedConfig, row_count: int) -> float | None:
    """Rows against the median of the last 14 loads; None while there are fewer than five."""
    recent = ledger.row_counts(feed.name, RECENT_LOADS)
    middle = median(recent) if len(recent) >= FEWEST_LOADS else 0
    return row_count / middle if middle else None


def _unknown_customer_rate(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, feed: FeedConfig
) -> float | None:
    """The share of rows whose customer the source's CRM export does not list; None without such an export."""
    if feed.canonical_name == "customers" or "customer_id" not in feed.canonical.columns:
        return None
    known = known_customers(workspace, connection, feed.source)
    if not known:
        return None
    row = connection.execute(
        f"select avg(cast({CUSTOMER_HASH} not in (select customer from ({known})) as integer)) "
        "from load where customer_id is not null"
    ).fetchone()
    return row[0] if row else None


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
