"""The `loyalty` command: thin, every subcommand calls the function that does the work.

Nothing heavy is imported until a subcommand needs it, so that `loyalty --help` answers at once.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from loyalty.common.errors import UserError
from loyalty.common.settings import PRIVATE_UMASK, Settings, load_settings
from loyalty.operate.cli import quarantine

if TYPE_CHECKING:
    from loyalty.land.landing import LoadOutcome

NOT_PUBLISHED, WITH_REJECTS, STOPPED = 1, 3, 130

app = typer.Typer(
    name="loyalty",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "A customer-loyalty warehouse: exports are checked, built into marts and published, every night.\n\n"
        "A first evening:  loyalty init my_shop; cd my_shop; loyalty doctor; loyalty run; loyalty status\n\n"
        "Every command works on the workspace you are in (the folder with loyalty.yml, or one above)."
    ),
    epilog=(
        "Exit codes: 0 done; 3 published, but something was refused; 1 not published, or a mistake to mend; "
        "130 stopped from outside."
    ),
)
app.add_typer(quarantine.app, name="quarantine")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no day such as 2026-05-31.") from None


AsOf = Annotated[
    date | None,
    typer.Option(
        parser=_day,
        metavar="YYYY-MM-DD",
        help="Compute the marts as of this day. Default: the newest orders export's date.",
    ),
]


@app.callback()
def _main(
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="The folder with loyalty.yml. Default: here or above.")
    ] = None,
) -> None:
    os.umask(PRIVATE_UMASK)
    if workspace is not None:
        os.environ["LOYALTY_WORKSPACE"] = str(workspace.resolve())


@app.command(short_help="Make a new workspace.")
def init(folder: Annotated[Path, typer.Argument(help="A new folder.")]) -> None:
    """Make a new workspace: settings, an example feed to edit, and the checks."""
    from loyalty.operate.workspace import make_workspace

    make_workspace(folder, _say)


@app.command(short_help="The whole night: load, build, publish, report.")
def run(as_of: AsOf = None) -> None:
    """The whole night: load every feed, build, publish, and say what came of it.

    Exit code 0: all well. 3: published, but a file was refused. 1: not published; the marts stay as they were.
    """
    from loyalty.operate.nightly import run_night

    raise typer.Exit(run_night(_settings(), as_of, _say))


@app.command(short_help="Load one feed's exports and check them.")
def load(
    feed: Annotated[str, typer.Argument(help="The feed's name, as its file in dags/feeds is called.")],
    files: Annotated[list[str] | None, typer.Argument(help="Files to load. Default: all not seen yet.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read the kept raw files anew, after the feed's mapping was changed.")
    ] = False,
) -> None:
    """Load one feed's exports: check them and land the good rows. Builds nothing.

    Exit code 3: a file was refused; the others have landed.
    """
    from loyalty.land.landing import load_feed
    from loyalty.pull.feeds import get_feed

    settings = _settings()
    chosen = [str(Path(file).resolve()) if Path(file).exists() else file for file in files or []] or None
    outcomes = load_feed(settings, get_feed(settings.feeds, feed), chosen, again=again, say=_say)
    if not outcomes:
        _say(f"{feed}: no file that was not loaded already")
    for outcome in outcomes:
        _say(_outcome_sentence(outcome))
    if any(outcome.outcome == "rejected" for outcome in outcomes):
        raise typer.Exit(WITH_REJECTS)


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

    settings = _settings()
    for reason in make_plan(settings, as_of).reasons:
        _say(f"plan: {reason}")
    result = build(settings, as_of, full, _say)
    for warning in result.warnings:
        _say(f"warning: {warning}")
    _say(
        f"built {result.models} models, {result.tests} tests passed, as of {result.as_of}, in {result.seconds:.1f} s: "
        f"{settings.work_file}"
    )
    _say("next: `loyalty publish`")


@app.command(short_help="Show the finished build to readers.")
def publish(
    resume: Annotated[
        bool, typer.Option("--resume", help="Let publishing go on after a rollback, then publish.")
    ] = False,
    accept_drop: Annotated[
        bool, typer.Option("--accept-drop", help="Publish although a mart lost more than half of its rows.")
    ] = False,
) -> None:
    """Check the finished build and show it to readers as a new generation, in one step."""
    from loyalty.publish import generations as published
    from loyalty.publish import publish as publishing

    settings = _settings()
    if resume:
        published.resume(settings, _say)
    publishing.publish(settings, say=_say, accept_drop=accept_drop)


@app.command(short_help="List what has been published.")
def generations() -> None:
    """List the published generations; the current one is marked."""
    from loyalty.common.text_table import table
    from loyalty.publish import generations as published

    settings = _settings()
    rows = [
        (
            one.name,
            "current" if one.is_current else "",
            one.manifest["as_of"],
            one.manifest["published_at"][:16].replace("T", " "),
            sum(one.mart_rows.values()),
            one.manifest["build_id"],
        )
        for one in published.generations(settings)
    ]
    damaged = published.damaged_generations(settings)
    if not rows and not damaged:
        _say(f"nothing has been published yet in {settings.serve}: run `loyalty run`")
        return
    if rows:
        _say(table(("generation", "", "as of", "published (UTC)", "rows in marts", "build"), rows))
    for folder in damaged:
        _say(f"{folder.name}: its manifest is missing or damaged; `loyalty status --verify` says what to do")
    if damaged:
        raise typer.Exit(NOT_PUBLISHED)


@app.command(short_help="Show readers an older generation again.")
def rollback(
    generation: Annotated[int | None, typer.Argument(help="Its number. Default: the one before the current.")] = None,
) -> None:
    """Show readers an older generation, at once, and hold publishing until `loyalty publish --resume`."""
    from loyalty.publish import generations as published

    published.rollback(_settings(), generation, _say)


@app.command(short_help="Feeds, quarantine, what is published, what is next.")
def status(
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every landed and published byte with what was written.")
    ] = False,
) -> None:
    """How the feeds are, what is published, what the next run would do.

    With --verify the exit code is for monitoring: 0 all is well, 3 something wants attention (a feed is late or off,
    the last build or publish failed, little room, leftovers), 1 something is damaged or missing.
    """
    from loyalty.build.plan import is_held, make_plan
    from loyalty.common.ledger import Ledger
    from loyalty.common.text_table import table
    from loyalty.operate import status as state
    from loyalty.operate.verify import is_damaged
    from loyalty.operate.verify import verify as compare
    from loyalty.publish.generations import current_generation

    settings = _settings()
    states = state.feed_states(settings)
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
    _say(table(("feed", "last delivery", "at (UTC)", "loads", "rows", "in quarantine", ""), rows))
    for feed in states:
        if feed.message:
            _say(f"{feed.name}: {feed.message}")
    for name, metrics in state.left_out(settings):
        _say(f"without the feed {name} there is nothing on {metrics}")
    current = current_generation(settings)
    _say(
        f"published: generation {current.name}, as of {current.manifest['as_of']}, {current.marts_file}"
        if current
        else "published: nothing yet"
    )
    plan = make_plan(settings)
    _say(f"next run: {'publishes' if plan.is_needed else 'changes nothing'} ({'; '.join(plan.reasons)})")
    if is_held(Ledger(settings.ledger)):
        _say("publishing is held since a rollback: `loyalty publish --resume` lets it go on")
    if verify:
        findings = compare(settings)
        for finding in findings:
            _say(f"{'WRONG' if finding.is_damage else 'NOTE '} {finding}")
        if is_damaged(findings):
            raise typer.Exit(NOT_PUBLISHED)
        _say("verified: every landed and published byte is as it was written")
        troubles = state.troubles(settings, states)
        for trouble in troubles:
            _say(f"NOTE  {trouble}")
        if findings or troubles:
            raise typer.Exit(WITH_REJECTS)


@app.command(short_help="Look at what a night needs.")
def doctor() -> None:
    """Look at what a night needs: Python, disk, rights, key, lock, feeds. Exit code 1 when something is amiss."""
    from loyalty.operate import status as state

    settings = _settings()
    _say(f"workspace {settings.workspace}")
    checks = state.doctor(settings)
    for check in checks:
        _say(f"{'well ' if check.is_well else 'AMISS'}  {check.name}: {check.found}")
    if not all(check.is_well for check in checks):
        raise typer.Exit(1)


@app.command(short_help="Ask the published marts.")
def query(
    sql: Annotated[str, typer.Argument(help="One statement that reads. Marts need no schema name.")],
    style: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to show the rows.")] = "table",
) -> None:
    """Ask the published marts.

    Which marts are there: loyalty query "show all tables".
    An example: loyalty query "select * from retention__cohort_months limit 5".
    """
    from loyalty.read.query import asked, write

    with asked(_settings(), sql) as answer:
        write(answer, style, sys.stdout)


@app.command(short_help="A private copy to build models on.")
def dev(
    build: Annotated[
        str | None, typer.Option("--build", metavar="MODEL", help="Build and test this model on your private copy.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the copy you have instead of taking it anew.")] = False,
) -> None:
    """Give an analyst a private copy of the published core and marts, and build models on it. No Airflow needed.

    Write a model and its yml below models/marts, then: loyalty dev --build my_model.
    """
    from loyalty.read import dev as private

    settings = _settings()
    if not keep or not private.dev_file(settings).exists():
        copy = private.make_copy(settings, _say)
        if build is None:
            _say("to build a model of yours on it: loyalty dev --build my_model")
            _say("or with dbt itself:")
            for command in copy.commands(settings):
                _say(f"  {command}")
    if build is not None:
        private.build_models(settings, build, _say)


@app.command(short_help="Erase a person everywhere, for good.")
def forget(
    customer_id: Annotated[str, typer.Argument(help="The customer's id in the source, or the e-mail address.")],
    source: Annotated[str | None, typer.Option(help="Only this source. Default: every source.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a person everywhere: landed and raw files, quarantine, marts, all older generations. For good.

    Orders stay as orders of a guest, so that totals hold. The exports themselves are yours to clean.
    """
    from loyalty.operate.erase import forget

    settings = _settings()
    if not yes:
        typer.confirm("Erase this customer for good, and remove all older generations?", abort=True)
    forget(settings, customer_id, source, _say)


@app.command("rotate-key", short_help="Hash personal data with a new key from now on.")
def rotate_key() -> None:
    """Add a key: every keyed hash goes through it as well, so that equal addresses still meet.

    For when the key may have been seen. Killed or interrupted, run it again: it finishes what it began.
    """
    from loyalty.operate.rotate import rotate_key

    rotate_key(_settings(), _say)


def main() -> None:
    """Run the command; a mistake of the user's ends in one sentence, never in a traceback, and so does a stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's stop is as orderly as Ctrl-C
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot write Chinese gets its numbers
    try:
        app()
    except SystemExit as end:
        if end.code == STOPPED:
            typer.echo("loyalty: stopped; readers see what they saw, and the same command goes on.", err=True)
        raise
    except UserError as error:
        typer.echo(f"loyalty: {error}", err=True)
        sys.exit(NOT_PUBLISHED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        typer.echo(f"loyalty: {error.filename or 'a file'} cannot be used ({error.strerror}).", err=True)
        sys.exit(NOT_PUBLISHED)


def _settings() -> Settings:
    return load_settings()


def _say(text: str) -> None:
    typer.echo(text)


def _outcome_sentence(outcome: LoadOutcome) -> str:
    if outcome.outcome == "rejected":
        return f"refused: {outcome.message}"
    if outcome.outcome == "unchanged":
        return f"{outcome.feed_name}: {Path(outcome.uri).name} was here before, with the same content"
    file = Path(outcome.uri).name
    landed = f"{outcome.feed_name}: landed {outcome.rows:,} rows of {file} as load {outcome.load_id}"
    return f"{landed}. {outcome.message}".rstrip()
