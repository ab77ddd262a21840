"""The commands for readers and analysts of the published marts: generations, rollback, query, dev."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import fill
from typing import Annotated, Literal

import typer

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.operate.cli.shared import NOT_PUBLISHED, Format, echo_json, echo_table, the_workspace

app = typer.Typer()


@app.command(short_help="List the published generations.")
def generations(
    style: Format = "text",
    diff: Annotated[
        bool, typer.Option("--diff", help="Compare the current generation with the one before instead.")
    ] = False,
) -> None:
    """List the published generations; the current one is marked.

    With --diff: the marts whose rows differ between the current generation and the one that was shown before it, the
    months whose net revenue is another, and what was done meanwhile, such as rows released or loads withdrawn.

    Exit code 1: the manifest of a generation is missing or damaged.
    """
    from loyalty.publish import generations as published

    settings = the_workspace().settings
    if diff:
        _echo_difference(settings, style)
        return
    found, damaged = published.generations(settings), published.damaged_generations(settings)
    if style == "json":
        whole = [
            {
                "generation": one.number,
                "is_current": one.is_current,
                "as_of": one.manifest["as_of"],
                "published_at": one.manifest["published_at"],
                "mart_rows": sum(one.mart_rows.values()),
                "build_id": one.manifest["build_id"],
            }
            for one in found
        ]
        echo_json({"generations": whole, "damaged": [folder.name for folder in damaged]})
    else:
        if found:
            rows = [
                (
                    one.name,
                    "current" if one.is_current else "",
                    one.manifest["as_of"],
                    one.manifest["published_at"][:16].replace("T", " "),
                    sum(one.mart_rows.values()),
                    one.manifest["build_id"],
                )
                for one in found
            ]
            echo_table(("generation", "", "as of", "published (UTC)", "rows", "build"), rows)
        elif not damaged:
            typer.echo(f"nothing has been published yet in {settings.serve}: run `loyalty run`")
        for folder in damaged:
            typer.echo(f"{folder.name}: its manifest is missing or damaged; run `loyalty status --verify`")
    if damaged:
        raise typer.Exit(NOT_PUBLISHED)


def _echo_difference(settings: Settings, style: str) -> None:
    """What is another in the current generation than in the one before it."""
    from loyalty.publish import generations as published
    from loyalty.read.changes import changed_marts, restated_months
    from loyalty.read.handled_sentences import done_since

    current = published.require_current(settings)
    before = published.generation_before(settings, current)
    if before is None:
        raise UserError(f"Generation {current.name} has none before it to compare with: run `loyalty generations`.")
    marts, months = changed_marts(before, current), restated_months(before, current)
    if style == "json":
        echo_json(
            {
                "before": before.number,
                "now": current.number,
                "marts": [{"mart": name, "rows_before": old, "rows": new} for name, old, new in marts],
                "months": [
                    {
                        "month": str(day),
                        "currency_code": code,
                        "net_amount_before": None if old is None else str(old),
                        "net_amount": None if new is None else str(new),
                    }
                    for day, code, old, new in months
                ],
                "handled": current.manifest.get("handled"),
            }
        )
        return
    typer.echo(f"generation {before.name} ({before.manifest['as_of']}) -> {current.name} ({current.manifest['as_of']})")
    for sentence in done_since(current):
        typer.echo(sentence)
    if not marts:
        typer.echo("no mart differs")
        return
    echo_table(("mart that differs", "rows before", "rows now"), marts)
    if months:
        rows = [
            (f"{day:%Y-%m}", code, *("" if one is None else f"{one:,.2f}" for one in (old, new)))
            for day, code, old, new in months
        ]
        typer.echo()
        echo_table(("month that was over", "", "net before", "net now"), rows)


@app.command(short_help="The report of the current generation, as one HTML file.")
def report(
    output: Annotated[
        Path | None, typer.Option("--output", help="Write a copy to this file. Default: only say where it is.")
    ] = None,
) -> None:
    """Say where the report of the current generation is: what moved and why, and the charts, in one HTML file.

    Every generation is published with its report; this makes it again where it is missing.
    """
    from loyalty.publish.generations import REPORT, require_current

    settings = the_workspace().settings
    current = require_current(settings)
    file = current.folder / REPORT
    if output is None and file.is_file():
        front = settings.serve / REPORT
        typer.echo(str(front if front.is_file() else settings.serve / "current" / REPORT))
        return
    # drawing takes seconds to import
    from loyalty.read.report import copy_report

    target = output or Path(f"loyalty-report-{current.name}.html")
    copy_report(settings, current, target)
    typer.echo(str(target.resolve()))


@app.command(short_help="The charts in a browser, with filters and downloads, until Ctrl-C.")
def dashboard(
    port: Annotated[int, typer.Option(help="The port on this computer.", min=1, max=65535)] = 8501,
) -> None:
    """Show the figures of the report in a browser: with filters, the rows behind each chart, its SQL and downloads.

    It answers on this computer alone (127.0.0.1), reads only, and shows a new generation when the page is loaded again.
    """
    from loyalty.read.dashboard.server import ADDRESS, check_can_start, serve

    the_workspace()
    check_can_start(port)
    typer.echo(f"http://{ADDRESS}:{port} shows the current generation; Ctrl-C ends it")
    serve(port)


@app.command(short_help="Show readers another generation.")
def rollback(
    generation: Annotated[int | None, typer.Argument(help="Its number. Default: the one before the current.")] = None,
) -> None:
    """Show readers an older generation, or a newer one again, at once, and hold publishing.

    `loyalty publish --resume` allows it again.
    """
    from loyalty.operate import publishing

    publishing.rollback(the_workspace(), generation)


@app.command(short_help="What a published table and its columns mean.")
def describe(
    name: Annotated[str, typer.Argument(help="A mart, or a table of core or quality, such as retention__customers.")],
    style: Format = "text",
) -> None:
    """Say what a published table is, its key, and what each of its columns means."""
    from loyalty.common.progress import progress_on
    from loyalty.read.describe import describe as described

    found = described(the_workspace().settings, name)
    if style == "json":
        columns = [{"name": column, "type": kind, "meaning": note} for column, kind, note in found.columns]
        echo_json({"table": found.name, "meaning": found.comment, "columns": columns})
        return
    width = progress_on().width or 100
    typer.echo(found.name)
    typer.echo(fill(found.comment, width))
    for column, kind, note in found.columns:
        typer.echo(f"\n{column} ({kind})")
        typer.echo(fill(note, width, initial_indent="  ", subsequent_indent="  "))


@app.command(short_help="Query the published marts.")
def query(
    sql: Annotated[str, typer.Argument(help="One statement that reads. Marts need no schema name.")],
    style: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to show the rows.")] = "table",
    timeout: Annotated[float, typer.Option(help="Seconds after which the query is stopped.", min=0.001)] = 300,
) -> None:
    """Query the published marts.

    To list the marts: loyalty query "show all tables".
    An example: loyalty query "select * from retention__cohort_months limit 5".
    """
    from loyalty.common.progress import progress_on
    from loyalty.read.query import asked, write

    with asked(the_workspace().settings, sql, timeout) as answer:
        write(answer, style, sys.stdout, progress_on().width)


@app.command(short_help="A file of your own to build models in.")
def dev(
    build: Annotated[
        str | None, typer.Option("--build", metavar="MODEL", help="Build and test this model in your file.")
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", metavar="SQL", help='Ask your file, such as "from my_model".')
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make your file again; what you built in it goes.")] = False,
) -> None:
    """Give an analyst a file with the published core and marts, and build models in it. No Airflow needed.

    Write a model and its yml below models/marts, then: loyalty dev --build my_model.
    """
    from loyalty.read import dev as private

    workspace = the_workspace()
    settings = workspace.settings
    if fresh or not private.dev_file(settings).exists():
        private.make_file(workspace)
    elif build is None and query is None:
        typer.echo(f"{private.dev_file(settings)} is kept with what you built in it; --fresh makes it again")
    if build is not None:
        private.build_models(workspace, build)
    if query is not None:
        typer.echo(private.query_file(settings, query, workspace.progress.width))
    if build is None and query is None:
        typer.echo("to build a model of yours in it: loyalty dev --build my_model")
        typer.echo("or with dbt itself:")
        for command in private.commands(settings):
            typer.echo(f"  {command}")
