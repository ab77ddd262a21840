"""The commands of the pipeline: run, load, build, publish."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loyalty.common.counted import counted
from loyalty.operate.cli.shared import WITH_REJECTS, AsOf, the_workspace

app = typer.Typer()


@app.command(short_help="The whole nightly run: load, build, publish, report.")
def run(as_of: AsOf = None) -> None:
    """The whole nightly run: load every feed, build, publish, and print the result.

    Exit code 0: all well. 3: published, but a file was rejected. 1: not published; the marts stay as they were.
    """
    from loyalty.operate.nightly import run_nightly

    raise typer.Exit(run_nightly(the_workspace(), as_of))


@app.command(short_help="Load one feed's exports and check them.")
def load(
    feed: Annotated[str, typer.Argument(help="The feed's name: the name of its file in dags/feeds.")],
    files: Annotated[list[str] | None, typer.Argument(help="Files to load. Default: all that are new.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read the kept raw files again, after the feed's mapping was changed.")
    ] = False,
) -> None:
    """Load one feed's exports: check them and land the good rows. Builds nothing.

    Exit code 3: a file was rejected; the others have landed.
    """
    from loyalty.land.landing import load_feed
    from loyalty.pull.feeds import get_feed

    workspace = the_workspace()
    chosen = [str(Path(file).resolve()) if Path(file).exists() else file for file in files or []] or None
    outcomes = load_feed(workspace, get_feed(workspace.settings.feeds, feed), chosen, again=again)
    if not outcomes:
        typer.echo(f"{feed}: no new file")
    for outcome in outcomes:
        typer.echo(outcome.sentence)
    if any(outcome.outcome == "rejected" for outcome in outcomes):
        raise typer.Exit(WITH_REJECTS)


@app.command(short_help="List the loads with their ids.")
def loads(
    feed: Annotated[str | None, typer.Argument(help="Only this feed's. Default: all.")] = None,
) -> None:
    """List the accepted loads, newest last: id, feed, file, when it came, rows, and whether it counts."""
    from loyalty.common.text_table import table

    workspace = the_workspace()
    out = workspace.ledger.withdrawn_loads()
    rows = [
        (
            load.load_id,
            load.feed_name,
            load.uri.rpartition("/")[2],
            f"{load.received_at:%Y-%m-%d %H:%M}",
            load.row_count,
            "withdrawn" if load.load_id in out else "counts",
        )
        for load in workspace.ledger.accepted_loads()
        if feed in (None, load.feed_name)
    ]
    if not rows:
        typer.echo("no load has been accepted yet")
        return
    typer.echo(table(("load", "feed", "file", "received (UTC)", "rows", "state"), rows, workspace.progress.width))


@app.command(short_help="Take a wrong load out, or bring it back.")
def withdraw(
    load: Annotated[str, typer.Argument(help="Its id, or the first characters of it; see `loyalty loads`.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let a withdrawn load count again.")] = False,
) -> None:
    """Take a load with wrong rows out of what counts; with --undo it counts again. Nothing is deleted."""
    from loyalty.land.withdraw import withdraw as take_out

    typer.echo(take_out(the_workspace(), load, undo).sentence)


@app.command(short_help="Remove what is past its time.")
def prune() -> None:
    """Remove raw files older than raw_days, leftovers of killed loads and old generations, as each run does."""
    from loyalty.operate.housekeeping import prune as clean

    clean(the_workspace())


@app.command(short_help="Build core and marts; readers see nothing yet.")
def build(
    as_of: AsOf = None,
    full: Annotated[
        bool, typer.Option("--full", help="Everything from the landed loads, not only what is new.")
    ] = False,
) -> None:
    """Build core and marts from the landed loads, with all tests. Readers see nothing until `loyalty publish`."""
    from loyalty.build.build import build
    from loyalty.build.plan import make_plan

    workspace = the_workspace()
    for reason in make_plan(workspace, as_of).reasons:
        typer.echo(f"plan: {reason}")
    result = build(workspace, as_of, full)
    for warning in result.warnings:
        typer.echo(f"warning: {warning}")
    typer.echo(
        f"built {counted(result.models, 'model')}, {counted(result.tests, 'test')} passed, as of {result.as_of}, "
        f"in {result.seconds:.1f} s: {workspace.settings.work_file}"
    )
    typer.echo("next: `loyalty publish`")


@app.command(short_help="Show the finished build to readers.")
def publish(
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Allow publishing again after a rollback, then publish. The build that was rolled back is not "
            "published again: `loyalty run` builds anew.",
        ),
    ] = False,
    accept_drop: Annotated[
        bool, typer.Option("--accept-drop", help="Publish although a mart lost more than half of its rows.")
    ] = False,
) -> None:
    """Check the finished build and show it to readers as a new generation, in one step."""
    from loyalty.operate import publishing
    from loyalty.read.handled_sentences import done_since

    workspace = the_workspace()
    if resume:
        publishing.resume(workspace)
    generation = publishing.publish(workspace, accept_drop=accept_drop)
    for sentence in done_since(generation) if generation else []:
        typer.echo(sentence)
