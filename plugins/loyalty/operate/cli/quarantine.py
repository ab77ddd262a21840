"""The `loyalty quarantine` commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loyalty.common.counted import counted
from loyalty.common.errors import UserError
from loyalty.operate.cli.shared import Format, echo_json, echo_table, the_workspace

app = typer.Typer(no_args_is_help=True, help="Quarantined rows: list them, show them, correct and release them.")

LoadId = Annotated[str, typer.Argument(help="A load, as `loyalty quarantine list` names it.")]


@app.command("list")
def list_loads(style: Format = "text") -> None:
    """Count the open rows of each load."""
    from collections import Counter

    from loyalty.land import quarantine

    counts = Counter(
        (entry.feed_name, entry.file, entry.load_id, entry.rules)
        for entry in quarantine.entries(the_workspace(), only_open=True)
    )
    rows = [(*key, count) for key, count in sorted(counts.items())]
    if style == "json":
        names = ("feed", "file", "load_id", "rules", "open_rows")
        echo_json([dict(zip(names, row, strict=True)) for row in rows])
    elif rows:
        echo_table(("feed", "file", "load", "rules", "open rows"), rows)
    else:
        typer.echo("no row is in quarantine")


@app.command("show")
def show(load_id: LoadId, limit: Annotated[int, typer.Option(help="At most this many rows.")] = 20) -> None:
    """Show a load's rows: line, rules, reason, status and content."""
    from loyalty.land import quarantine

    entries = quarantine.entries(the_workspace(), load_id)
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
def export(load_id: LoadId, target: Annotated[Path, typer.Argument(help="The CSV to write.")]) -> None:
    """Write a load's open rows as CSV, to be corrected and released with `--from`."""
    from loyalty.land import quarantine

    typer.echo(f"{target}: {counted(quarantine.export(the_workspace(), load_id, target), 'row')}")


@app.command("release")
def release(
    load_id: LoadId,
    lines: Annotated[list[int] | None, typer.Option("--line", help="Only this line; may be given often.")] = None,
    corrected: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="The corrected CSV, in UTF-8, with commas, semicolons or tabs. Only the rows that are in it are "
            "released. Default: all open rows as they are.",
        ),
    ] = None,
) -> None:
    """Release rows from quarantine, as they are or corrected, as a load of their own. The others stay open."""
    from loyalty.land.release import release

    released = release(the_workspace(), load_id, lines, corrected)
    rest = f", {counted(released.open_count, 'row')} still open" if released.open_count else ""
    typer.echo(
        f"released {counted(released.row_count, 'row')} as load {released.load_id}{rest}; the next `loyalty run` "
        "builds with them"
    )
