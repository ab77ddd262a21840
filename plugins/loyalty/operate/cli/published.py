"""The commands for readers and analysts of the published marts: generations, rollback, query, dev."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from loyalty.operate.cli.shared import NOT_PUBLISHED, Format, echo_json, echo_table, the_workspace

app = typer.Typer()


@app.command(short_help="List the published generations.")
def generations(style: Format = "text") -> None:
    """List the published generations; the current one is marked.

    Exit code 1: the manifest of a generation is missing or damaged.
    """
    from loyalty.publish import generations as published

    settings = the_workspace().settings
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


@app.command(short_help="Show readers an older generation again.")
def rollback(
    generation: Annotated[int | None, typer.Argument(help="Its number. Default: the one before the current.")] = None,
) -> None:
    """Show readers an older generation, at once, and hold publishing until `loyalty publish --resume`."""
    from loyalty.publish import generations as published

    published.rollback(the_workspace(), generation)


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
