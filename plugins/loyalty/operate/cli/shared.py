"""What the families of commands share: the workspace, exit codes, options and output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import typer

from loyalty.common.progress import progress_on
from loyalty.common.settings import load_settings
from loyalty.common.workspace import Workspace, open_workspace

NOT_PUBLISHED, WITH_REJECTS, STOPPED = 1, 3, 130


def the_workspace() -> Workspace:
    """The workspace of this command, open."""
    return open_workspace(load_settings())


def echo_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as a table: as wide as the terminal, and whole in a file or a pipe."""
    from loyalty.common.text_table import table

    typer.echo(table(columns, rows, progress_on().width))


def echo_json(content: Any) -> None:
    """Print a document for programs; days and times are in ISO 8601."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=1, default=_plain))


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"`{text}` is not a day such as 2026-05-31.") from None


AsOf = Annotated[
    date | None,
    typer.Option(
        parser=_day,
        metavar="YYYY-MM-DD",
        help="Compute the marts as of this day. Default: the newest orders export's date.",
    ),
]

Format = Annotated[Literal["text", "json"], typer.Option("--format", help="Text for people, or JSON for programs.")]
