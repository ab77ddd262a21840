"""Publishing a generation with what people look at: the marts, the report about them, and the copy in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.publish import generations, postgres
from loyalty.publish import publish as marts
from loyalty.publish.generations import Generation
from loyalty.read.front import write_front


def publish(
    workspace: Workspace,
    build_id: str | None = None,
    *,
    now: datetime | None = None,
    accept_drop: bool = False,
    urgent: bool = False,
) -> Generation | None:
    """Publish the work file with its report; see `loyalty.publish.publish.publish` and `loyalty.publish.postgres`.

    PostgreSQL shows the current generation afterwards, also where nothing was published.
    """
    try:
        generation = marts.publish(
            workspace, build_id, now=now, accept_drop=accept_drop, urgent=urgent, add_pages=_write_report
        )
    except UserError as refused:
        show_state(workspace)
        try:
            postgres.show_current(workspace, only=urgent)
        except UserError as error:
            raise UserError(f"{refused} {error}") from None
        raise
    show_state(workspace)
    postgres.show_current(workspace, only=urgent)
    return generation


def rollback(workspace: Workspace, number: int | None = None) -> Generation:
    """Show another generation, everywhere; see `loyalty.publish.generations.rollback`."""
    generation = generations.rollback(workspace, number)
    show_state(workspace)
    postgres.show_current(workspace)
    return generation


def resume(workspace: Workspace) -> None:
    """Allow publishing again, and say so to readers; see `loyalty.publish.generations.resume`."""
    generations.resume(workspace)
    show_state(workspace)


def show_state(workspace: Workspace) -> None:
    """Say to readers whether publishing is held and what is not shown: also after a step that was killed."""
    if (workspace.settings.serve / "current").is_symlink():
        generations.write_state(workspace)
        write_front(workspace)


def _write_report(
    settings: Settings, folder: Path, manifest: dict[str, Any], name: str, before: Generation | None
) -> Path:
    # drawing takes seconds to import, and only a new generation needs it
    from loyalty.read.report import write_report

    return write_report(settings, folder, manifest, name, before)
