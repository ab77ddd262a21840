"""The DAGs' tasks: they call the warehouse's own steps and give the outcome to Airflow.

An error that a user can correct fails the task at once, since the same bytes would fail again; anything
else is left to Airflow's retries.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from loyalty.common.counted import counted
from loyalty.common.errors import Transient, UserError
from loyalty.common.progress import Progress
from loyalty.common.settings import Settings, load_settings
from loyalty.common.workspace import Workspace, open_workspace
from loyalty.operate.airflow.assets import feed_asset, marts_asset
from loyalty.pull.feeds import get_feed

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loyalty.land.landing import LoadOutcome

AIRFLOW_DAYS = 90
# Where a build shows its progress: the task's log; `make demo` puts its terminal here.
build_progress = Progress()


@contextmanager
def final_errors() -> Iterator[None]:
    """A UserError ends the task without a retry; a transient fault (a busy lock) is left to the retries."""
    try:
        yield
    except Transient:
        raise
    except UserError as error:
        raise AirflowFailException(str(error)) from None


def _open(progress: Progress | None = None) -> Workspace:
    """The workspace of this task, with progress in the task's log unless given."""
    return open_workspace(load_settings(), progress or Progress())


def load_feed(feed_name: str) -> int:
    """Load what is new of one feed, in a backfill the file of its day; returns the number of rows landed.

    Skips (and so wakes no build) when nothing was accepted; fails when a file was rejected, after the
    feed's other files have landed.
    """
    from loyalty.land import landing
    from loyalty.operate.nightly import FeedResult

    with final_errors():
        workspace = _open()
        feed = get_feed(workspace.settings.feeds, feed_name)
        day = backfilled_day(get_current_context(), workspace.settings.time_zone)
        outcomes = landing.load_feed(workspace, feed, date=day)
        for outcome in outcomes:
            workspace.progress.log(outcome.sentence)
        for warning in FeedResult(feed_name, outcomes).warnings:
            workspace.progress.log(f"warning: {warning}")
        raise_rejected(outcomes)
    accepted = [outcome for outcome in outcomes if outcome.outcome == "accepted"]
    if not accepted:
        raise AirflowSkipException(f"Nothing new for the feed `{feed_name}`{f' of {day}' if day else ''}.")
    rows = sum(outcome.rows for outcome in accepted)
    get_current_context()["outlet_events"][feed_asset(feed)].extra = {
        "rows": rows,
        "quarantined": sum(outcome.quarantined for outcome in accepted),
        "loads": [outcome.load_id for outcome in accepted],
        "files": [outcome.file for outcome in accepted],
    }
    return rows


def raise_rejected(outcomes: list[LoadOutcome]) -> None:
    """Raise the one sentence about the rejected files, if there are any."""
    rejected = [outcome for outcome in outcomes if outcome.outcome == "rejected"]
    if rejected:
        others = f" (and {counted(len(rejected) - 1, 'more file')} of this feed)" if len(rejected) > 1 else ""
        kind = Transient if all(outcome.is_transient for outcome in rejected) else UserError
        raise kind(f"{rejected[0].message}{others}")


def plan() -> bool:
    """Whether an accepted load is not in the published marts yet; False ends the run."""
    from loyalty.build.plan import make_plan

    with final_errors():
        made = make_plan(_open())
    for reason in made.reasons:
        print(reason)
    return made.is_needed


def build() -> str:
    """Build core, estimates and marts in this process, under the work file's lock; returns the build's id.

    A build that is finished and only waits for publishing is not made again.
    """
    from loyalty.build.build import build as build_marts
    from loyalty.build.plan import make_plan

    with final_errors():
        workspace = _open(build_progress)
        made = make_plan(workspace)
        finished = None if made.needs_build else made.build_id
        return finished or build_marts(workspace).build_id


def publish(build_id: str) -> int:
    """Publish the build of this run as the current generation; skips when readers have these marts already."""
    from loyalty.operate.publishing import publish
    from loyalty.read.handled_sentences import done_since

    with final_errors():
        workspace = _open()
        generation = publish(workspace, build_id)
    if generation is None:
        raise AirflowSkipException("The marts are those that are published: there is no new generation.")
    for sentence in done_since(generation):
        workspace.progress.log(sentence)
    get_current_context()["outlet_events"][marts_asset(workspace.settings.owner)].extra = {
        "generation": generation.number,
        "as_of": generation.manifest["as_of"],
        "build": build_id,
        "rows": sum(generation.mart_rows.values()),
        "withheld": [*generation.withheld],
    }
    return generation.number


def notify() -> None:
    """Send the one message about all that needs attention."""
    from loyalty.operate.notify import notify

    workspace = _open()
    notify(workspace, links=run_links(get_current_context(), workspace.settings))


def alert_failure(context: Context) -> None:
    """Send at once that a task has failed for good; Airflow calls it after the last retry."""
    from loyalty.operate.notify import failed_task, notify_failure

    workspace, task, error = _open(), context["ti"], context.get("exception")
    is_ours = isinstance(error, AirflowFailException | UserError)
    sentence = str(error) if is_ours else f"{type(error).__name__}; its log says more."
    item = failed_task(workspace.settings, f"{task.dag_id}.{task.task_id}", context["task"].owner, sentence)
    notify_failure(workspace, links=run_links(context, workspace.settings), task=item)


def run_links(context: Context, settings: Settings) -> dict[str, str]:
    """The address of the task's log (of `notify`: of its run) and of the report in Airflow's UI.

    None when Airflow does not know its own address.
    """
    from airflow.sdk.configuration import conf

    from loyalty.publish.generations import REPORT

    base = conf.get("api", "base_url", fallback="").rstrip("/")
    if not base:
        return {}
    log = context["ti"].log_url
    run = {"Run": log.partition("/tasks/")[0] if context["ti"].task_id == "notify" else log}
    has_report = (settings.serve / "current" / REPORT).is_file()
    return run | ({"Report": f"{base}/plugin/loyalty-report"} if has_report else {})


def prune() -> None:
    """Remove what is past its time: raw files, drafts of killed runs, old generations."""
    from loyalty.operate.housekeeping import prune

    with final_errors():
        prune(_open())


def backfilled_day(context: Context, time_zone: str) -> date | None:
    """The day a backfill run is for, in the schedule's zone; None in any other run, which takes all that is new."""
    logical_date = context.get("logical_date")
    if context["dag_run"].run_type != "backfill" or logical_date is None:
        return None
    return logical_date.astimezone(ZoneInfo(time_zone)).date()


def clean_airflow_db() -> None:
    """Remove what Airflow keeps of runs older than `AIRFLOW_DAYS` days.

    Airflow hides its database from tasks by overriding two variables; the command gets the
    environment without them, so that it finds the database of Airflow's own settings.
    """
    hidden = ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__SQL_ALCHEMY_CONN")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    before = (datetime.now(UTC) - timedelta(days=AIRFLOW_DAYS)).isoformat(timespec="seconds")
    command = ["airflow", "db", "clean", "--clean-before-timestamp", before, "--skip-archive", "--yes"]
    subprocess.run(command, env=environment, check=True)  # noqa: S603 - a fixed command
