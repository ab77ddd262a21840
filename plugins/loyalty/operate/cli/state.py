"""The commands about the state of a workspace: init, status, doctor, notify."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loyalty.operate.cli.shared import NOT_PUBLISHED, WITH_REJECTS, Format, echo_json, echo_table, the_workspace

if TYPE_CHECKING:
    from loyalty.build.plan import Plan
    from loyalty.common.workspace import Workspace
    from loyalty.operate.status import FeedState
    from loyalty.operate.verify import Finding
    from loyalty.publish.generations import Generation

app = typer.Typer()


@app.command(short_help="Make a new workspace.")
def init(folder: Annotated[Path, typer.Argument(help="A new folder.")]) -> None:
    """Make a new workspace: settings, an example feed to edit, and the checks."""
    from loyalty.common.progress import progress_on
    from loyalty.operate.new_workspace import make_workspace

    make_workspace(folder, progress_on())


@app.command(short_help="Feeds, quarantine, what is published, what is next.")
def status(
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every landed and published byte with what was written.")
    ] = False,
    style: Format = "text",
) -> None:
    """The state of the feeds, what is published, and what the next run would do.

    With --verify the exit code is for monitoring: 0 all is well, 3 something needs attention (a feed is late or
    disabled, the last build or publish failed, little room, leftovers), 1 something is damaged or missing.
    """
    from loyalty.build.plan import make_plan
    from loyalty.operate.status import attention, feed_states
    from loyalty.operate.verify import is_damaged
    from loyalty.operate.verify import verify as compare
    from loyalty.publish.generations import current_generation

    workspace = the_workspace()
    states = feed_states(workspace)
    plan, current = make_plan(workspace), current_generation(workspace.settings)
    findings = compare(workspace) if verify else []
    notes = attention(workspace, states)
    if style == "json":
        echo_json(_document(workspace, states, plan, current) | ({"findings": _findings(findings)} if verify else {}))
    else:
        _echo_state(workspace, states, plan, current)
        for finding in findings:
            typer.echo(f"{'WRONG' if finding.is_damage else 'NOTE '} {finding}")
        if verify and not is_damaged(findings):
            typer.echo("verified: every landed and published byte is as it was written")
            for note in notes:
                typer.echo(f"NOTE  {note}")
    if is_damaged(findings):
        raise typer.Exit(NOT_PUBLISHED)
    if verify and (findings or notes):
        raise typer.Exit(WITH_REJECTS)


@app.command(short_help="Check what a nightly run needs.")
def doctor() -> None:
    """Check what a nightly run needs: Python, disk, rights, key, lock, feeds. Exit code 1: something is wrong."""
    from loyalty.operate import status as state

    workspace = the_workspace()
    typer.echo(f"workspace {workspace.settings.workspace}")
    checks = state.doctor(workspace)
    for check in checks:
        typer.echo(f"{'ok   ' if check.is_well else 'WRONG'}  {check.name}: {check.found}")
    if not all(check.is_well for check in checks):
        raise typer.Exit(NOT_PUBLISHED)


@app.command(short_help="Send what needs attention, or a test alert.")
def notify(
    test: Annotated[
        bool, typer.Option("--test", help="Send one test alert, and say whether it arrived. Exit code 1: it did not.")
    ] = False,
) -> None:
    """Send an alert about all that needs attention and was not sent before, as each run does.

    With --test: send one test alert to notify_url, and say in one sentence whether it arrived.
    """
    from loyalty.operate import notify as alerts

    workspace = the_workspace()
    if test:
        typer.echo(f"The test alert arrived: {alerts.send_test(workspace.settings)} took it.")
    elif alerts.notify(workspace) is None:
        typer.echo("nothing new needs attention")


def _document(workspace: Workspace, states: list[FeedState], plan: Plan, current: Generation | None) -> dict[str, Any]:
    """The state as a document for programs."""
    from loyalty.build.plan import is_held
    from loyalty.operate.status import attention, left_out
    from loyalty.read.data_warnings import data_warnings

    published = current and {
        "generation": current.number,
        "as_of": current.manifest["as_of"],
        "file": str(current.marts_file),
    }
    return {
        "feeds": [asdict(feed) for feed in states],
        "missing_feeds": dict(left_out(workspace)),
        "published": published,
        "is_publishing_held": is_held(workspace.ledger),
        "next_run": {"publishes": plan.is_needed and not is_held(workspace.ledger), "reasons": list(plan.reasons)},
        "attention": attention(workspace, states),
        "warnings": [asdict(warning) for warning in data_warnings(workspace.settings)],
    }


def _findings(findings: list[Finding]) -> list[dict[str, Any]]:
    """The findings of `--verify` for programs."""
    return [asdict(finding) for finding in findings]


def _echo_state(workspace: Workspace, states: list[FeedState], plan: Plan, current: Generation | None) -> None:
    """Print the state for people."""
    from loyalty.build.plan import is_held
    from loyalty.operate.status import left_out
    from loyalty.read.data_warnings import data_warnings

    rows = [
        (
            feed.name,
            feed.last_outcome,
            f"{feed.last_delivery:%Y-%m-%d %H:%M}" if feed.last_delivery else "",
            feed.loads,
            feed.rows,
            feed.quarantined,
            "late" if feed.is_late else "",
        )
        for feed in states
    ]
    echo_table(("feed", "last file", "at (UTC)", "loads", "rows", "quarantined", ""), rows)
    for feed in states:
        if feed.message:
            typer.echo(f"{feed.name}: {feed.message}")
    for name, metrics in left_out(workspace):
        typer.echo(f"without the feed {name} there is nothing on {metrics}")
    if current:
        place = f"generation {current.name}, as of {current.manifest['as_of']}, {current.marts_file}"
        typer.echo(f"published: {place}")
    else:
        typer.echo("published: nothing yet")
    for warning in data_warnings(workspace.settings):
        typer.echo(f"{warning.severity}: {warning.sentence}")
    held = is_held(workspace.ledger)
    does = "publishes nothing" if held else "publishes" if plan.is_needed else "changes nothing"
    reasons = ["publishing is held"] if held else plan.reasons
    typer.echo(f"next run: {does} ({'; '.join(reasons)})")
    if held:
        typer.echo("publishing is held since a rollback: `loyalty publish --resume` allows it again")
