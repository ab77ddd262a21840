"""An open workspace for a test: silent, or with a list that gets each line."""

from __future__ import annotations

from collections.abc import Callable

from loyalty.common.progress import SILENT, Progress
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace, open_workspace


def opened(settings: Settings, write: Callable[[str], None] | None = None) -> Workspace:
    """The workspace of these settings, open; `write` gets the lines of its progress."""
    return open_workspace(settings, Progress(write) if write else SILENT)
