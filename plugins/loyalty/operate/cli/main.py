"""The `loyalty` command. Each family of commands has a module; every command calls the function that does the work.

A command imports heavy libraries only when it runs, so that `loyalty --help` answers at once.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from loyalty.common.errors import UserError
from loyalty.common.settings import PRIVATE_UMASK
from loyalty.operate.cli import personal, pipeline, published, quarantine, state
from loyalty.operate.cli.shared import NOT_PUBLISHED, STOPPED

app = typer.Typer(
    name="loyalty",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "A customer-loyalty warehouse: exports are checked, built into marts and published, every night.\n\n"
        "First steps:  loyalty init my_shop; cd my_shop; loyalty doctor; loyalty run; loyalty status\n\n"
        "Every command works on the workspace you are in (the folder with loyalty.yml, or one above)."
    ),
    epilog=(
        "Exit codes: 0 done; 3 published, but a file was rejected; 1 not published, or a mistake to correct; "
        "2 wrong usage of a command; 130 stopped from outside."
    ),
)
for family in (pipeline, published, state, personal):
    app.add_typer(family.app)
app.add_typer(quarantine.app, name="quarantine")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"loyalty {version('loyalty-warehouse')}")
        raise typer.Exit


@app.callback()
def _main(
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="The folder with loyalty.yml. Default: here or above.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    os.umask(PRIVATE_UMASK)
    if workspace is not None:
        os.environ["LOYALTY_WORKSPACE"] = str(workspace.resolve())


def main() -> None:
    """Run the command; a mistake of the user ends in one sentence, never in a traceback, and so does a stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's stop is as orderly as Ctrl-C
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot write Chinese gets its numbers
    try:
        app()
    except SystemExit as end:
        if end.code == STOPPED:
            typer.echo("loyalty: stopped; readers see what they saw; run the same command to continue.", err=True)
        raise
    except UserError as error:
        typer.echo(f"loyalty: {error}", err=True)
        sys.exit(NOT_PUBLISHED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        typer.echo(f"loyalty: {error.filename or 'a file'} cannot be used ({error.strerror}).", err=True)
        sys.exit(NOT_PUBLISHED)
