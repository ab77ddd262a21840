"""Removes what is past its time: raw files, old generations (by publish/generations.py), and what killed runs left.

Landed loads are never removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loyalty.common.disk import remove
from loyalty.common.failpoints import failpoint
from loyalty.common.ledger import Ledger
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.publish import generations

# A draft this old has no writer any more: no load takes a day.
DRAFT_AGE = timedelta(days=1)


def prune(workspace: Workspace, now: datetime | None = None) -> list[Path]:
    """Remove raw files, drafts and generations that are past their time; returns what has gone."""
    now = now or datetime.now(UTC)
    settings = workspace.settings
    gone = [*_old_raw(settings, workspace.ledger, now), *_old_drafts(settings, now)]
    remove(gone)
    failpoint("prune.removed")
    old = [settings.serve / "generations" / name for name in generations.prune(settings, now=now)]
    workspace.progress.log(f"past their time and removed: raw files and drafts {len(gone)}, generations {len(old)}")
    return gone + old


def _old_raw(settings: Settings, ledger: Ledger, now: datetime) -> Iterator[Path]:
    """Raw files whose last delivery is more than `raw_days` ago; one without a delivery counts by its age."""
    for folder in settings.raw.glob("*/*"):
        delivered = ledger.deliveries_of_bytes(folder.name, folder.parent.name)
        last = delivered[-1].at if delivered else _changed_at(folder)
        if now - last > timedelta(days=settings.raw_days):
            yield folder


def _old_drafts(settings: Settings, now: datetime) -> Iterable[Path]:
    places = (settings.landing, settings.quarantine)
    drafts = (draft for place in places for draft in place.glob("*/.draft-*"))
    return (draft for draft in drafts if now - _changed_at(draft) > DRAFT_AGE)


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
