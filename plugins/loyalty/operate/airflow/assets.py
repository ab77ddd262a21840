"""The assets that Airflow shows: one for each feed, and one for the published marts."""

from __future__ import annotations

from airflow.sdk import Asset

from loyalty.pull.feeds import FeedConfig

TAG = "loyalty"


def feed_asset(feed: FeedConfig) -> Asset:
    """The asset of a feed: it changes when a file of the feed was accepted."""
    about = {"description": feed.description, "owner": feed.owner, "feed": feed.canonical_name, "source": feed.source}
    return Asset(name=feed.name, uri=f"loyalty://feeds/{feed.name}", group=TAG, extra={**about})


def marts_asset(owner: str) -> Asset:
    """The asset of the marts: it changes when a generation was published."""
    about = "The published marts: one event for each generation."
    return Asset(name="marts", uri="loyalty://marts", group=TAG, extra={"description": about, "owner": owner})
