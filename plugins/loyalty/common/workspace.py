"""A workspace that is open: what one command, one nightly run or one task works with."""

from __future__ import annotations

from dataclasses import dataclass

from loyalty.common.ledger import Ledger
from loyalty.common.progress import Progress, progress_on
from loyalty.common.settings import Settings


@dataclass(frozen=True)
class Workspace:
    """The settings, the ledger and the progress of one command. It is made once and passed on."""

    settings: Settings
    ledger: Ledger
    progress: Progress


def open_workspace(settings: Settings, progress: Progress | None = None) -> Workspace:
    """Open a workspace; progress goes to standard output unless given."""
    return Workspace(settings, Ledger(settings.ledger), progress or progress_on())
