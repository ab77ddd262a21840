"""A small workspace on disk for tests: write feeds, suites and exports into it, and read its settings."""

from __future__ import annotations

from pathlib import Path

import yaml

from loyalty.common.settings import Settings, load_settings
from loyalty.pull.feeds import BrokenFeed, FeedConfig, read_feed

ORDERS_FEED = {
    "feed": "orders",
    "source": "shop",
    "group": "orders",
    "owner": "data-engineering",
    "description": "Orders of a small shop.",
    "path": "exports/orders_{date}.csv",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "columns": {"order_id": "Order", "customer_id": "Customer", "ordered_at": "When", "total_amount": "Total"},
}


class Workspace:
    """A small workspace on disk: write feeds, suites and exports into it, and read its settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "dags" / "feeds").mkdir(parents=True)
        (folder / "expectations").mkdir()
        (folder / "loyalty.yml").write_text("", encoding="utf-8")

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder)

    def feed(self, name: str = "orders", **changes: object) -> FeedConfig:
        """Write a feed's YAML (the small shop's orders, changed) and read it."""
        feed = self.broken_feed(name, **changes)
        assert isinstance(feed, FeedConfig), feed
        return feed

    def broken_feed(self, name: str = "orders", **changes: object) -> FeedConfig | BrokenFeed:
        declared = {key: value for key, value in (ORDERS_FEED | changes).items() if value is not None}
        file = self.folder / "dags" / "feeds" / f"{name}.yml"
        file.write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")
        return read_feed(file)

    def suite(self, feed: str, rows: list[dict] | None = None, load: list[dict] | None = None) -> None:
        document = {"feed": feed, "rows": rows or [], "load": load or []}
        (self.folder / "expectations" / f"{feed}.yml").write_text(yaml.safe_dump(document), encoding="utf-8")

    def export(self, name: str, content: str | bytes) -> Path:
        file = self.settings.home / "exports" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file


def rule(name: str, expectation: str, severity: str = "critical", **kwargs: object) -> dict:
    """A rule of a suite as its YAML has it."""
    return {
        "name": name,
        "severity": severity,
        "because": f"The rule {name} must hold.",
        "expectation": {"type": expectation, "kwargs": kwargs},
    }
