"""The `loyalty quarantine` commands, thin as the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loyalty.common.errors import UserError
from loyalty.common.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, help="Rows that were held back: list them, look at them, mend and release them."
)


@app.command("list")
def list_loads() -> None:
    """Count the open rows of each load."""
    from collections import Counter

    from loyalty.common.text_table import table
    from loyalty.land import quarantine

    counts = Counter(
        (entry.feed_name, entry.file, entry.load_id, entry.rules)
        for entry in quarantine.entries(load_settings(), only_open=True)
    )
    if not counts:
        typer.echo("no row is in quarantine")
        return
    rows = [(*key, count) for key, count in sorted(counts.items())]
    typer.echo(table(("feed", "file", "load", "rules", "open rows"), rows))


@app.command("show")
def show(
    load_id: Annotated[str, typer.Argument(help="A load, as `loyalty quarantine list` names it.")],
    limit: Annotated[int, typer.Option(help="At most this many rows.")] = 20,
) -> None:
    """Show a load's rows: line, rules, reason, state and content."""
    from loyalty.land import quarantine

    entries = quarantine.entries(load_settings(), load_id)
    if not entries:
        raise UserError(
            f"Load {load_id} has no rows in quarantine; `loyalty quarantine list` shows the loads that have."
        )
    for entry in entries[:limit]:
        typer.echo(f"line {entry.line} ({entry.status}) {entry.rules}: {entry.reason}")
        typer.echo(f"  {entry.row_json}")
    if len(entries) > limit:
        typer.echo(f"... {len(entries) - limit} more; --limit shows them")


@app.command("export")
def export(
    load_id: Annotated[str, typer.Argument(help="A load, as `loyalty quarantine list` names it.")],
    target: Annotated[Path, typer.Argument(help="The CSV to write.")],
) -> None:
    """Write a load's open rows as CSV, to be mended and released with `--from`."""
    from loyalty.land import quarantine

    typer.echo(f"{target}: {quarantine.export(load_settings(), load_id, target):,} rows")


@app.command("release")
def release(
    load_id: Annotated[str, typer.Argument(help="A load, as `loyalty quarantine list` names it.")],
    lines: Annotated[list[int] | None, typer.Option("--line", help="Only this line; may be given often.")] = None,
    mended: Annotated[
        Path | None, typer.Option("--from", help="The mended CSV. Default: the rows as they are.")
    ] = None,
) -> None:
    """Let rows out of quarantine, as they are or mended, as a load of their own."""
    from loyalty.land import quarantine

    released = quarantine.release(load_settings(), load_id, lines, mended)
    typer.echo(
        f"released {released.row_count:,} rows as load {released.load_id}; the next `loyalty run` builds with them"
    )
