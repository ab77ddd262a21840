"""A delivery: one file of a feed, and what follows from the two for its load."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.land.loads import load_folder
from loyalty.pull.feeds import FeedConfig
from loyalty.pull.sources.files import RawFile

# So many broken rows reject no file of which they are less than half: a file kept by hand has few rows, and one of them
# is more than any usual share. They are quarantined.
FEW_BROKEN_ROWS = 5


@dataclass(frozen=True)
class Delivery:
    """One file of a feed.

    `version_label` is the export's date as its name gives it, in ISO 8601. `rules_id` is a hash of the
    mapping, the limits and the suite of today. `folder` is the place of the load in landing.
    """

    feed: FeedConfig
    raw: RawFile
    load_id: str
    version_label: str | None
    rules_id: str
    folder: Path

    @property
    def record(self) -> dict[str, Any]:
        """The delivery as the ledger keeps it."""
        return {
            "feed": self.feed.canonical_name,
            "feed_name": self.feed.name,
            "source": self.feed.source,
            "group": self.feed.group,
            "uri": self.raw.uri,
            "file": self.raw.name,
            "sha256": self.raw.sha256,
            "stamp": self.raw.stamp,
            "load_id": self.load_id,
            "mapping_id": self.feed.mapping_id,
            "rules_id": self.rules_id,
            "version_at": self.version_label,
            "snapshot": self.feed.snapshot == "full",
        }


def make_delivery(workspace: Workspace, feed: FeedConfig, raw: RawFile, load_id: str | None = None) -> Delivery:
    """The delivery of a file. The load gets the id that its content gives, unless another one is given."""
    settings, label = workspace.settings, version_label(feed, raw.name)
    load_id = load_id or workspace.ledger.successor(make_load_id(raw.sha256, feed, label))
    folder = load_folder(settings.landing, feed.canonical_name, load_id)
    return Delivery(feed, raw, load_id, label, make_rules_id(settings, feed), folder)


def make_load_id(sha256: str, feed: FeedConfig, label: str | None) -> str:
    """The identity of a load: the file's content, the mapping that reads it, and the date its name gives it.

    The date belongs to it because it decides which version is the newest: what a shop exports again under
    a later date counts from then on.
    """
    return hashlib.sha256(f"{sha256}:{feed.mapping_id}:{label}".encode()).hexdigest()[:24]


def make_rules_id(settings: Settings, feed: FeedConfig) -> str:
    """A hash of what can reject a file: the mapping, the limits and the suite of today."""
    file = settings.expectations / f"{feed.canonical_name}.yml"
    suite = file.read_bytes() if file.exists() else b""
    return hashlib.sha256(
        suite + f"{feed.mapping_id}:{feed.max_quarantine_rate}:{FEW_BROKEN_ROWS}".encode()
    ).hexdigest()


def version_label(feed: FeedConfig, file_name: str) -> str | None:
    """The export's date as its name gives it, in ISO 8601; None where the name has none."""
    day = feed.export_date(file_name)
    return day.isoformat() if day else None
