"""build_marts: what has landed becomes a new, checked generation of the marts."""

from datetime import timedelta

from airflow.sdk import AssetAny, AssetOrTimeSchedule, CronTriggerTimetable, chain, dag, task

from loyalty.common.settings import load_settings
from loyalty.operate.airflow import tasks
from loyalty.operate.airflow.assets import TAG, feed_asset, marts_asset
from loyalty.operate.airflow.dags import ALERTS, RETRIES
from loyalty.pull.feeds import usable_feeds

settings = load_settings()
nightly = CronTriggerTimetable(settings.build_schedule, timezone=settings.time_zone)
feeds = [feed_asset(feed) for feed in usable_feeds(settings.feeds).values()]
wakes = settings.build_on == "assets" and feeds


@dag(
    description="Builds, audits and publishes the marts when a feed has landed new loads, and once a night.",
    schedule=AssetOrTimeSchedule(timetable=nightly, assets=AssetAny(*feeds)) if wakes else nightly,
    catchup=False,
    allowed_run_types=["scheduled", "asset_triggered", "manual"],
    max_active_runs=1,
    max_active_tasks=1,
    dagrun_timeout=timedelta(hours=6),
    tags={TAG, "build"},
    default_args={"owner": settings.owner, **RETRIES},
    doc_md=f"""
A feed's event only starts this DAG; the ledger decides what there is to build.

- `plan` ends the run when every accepted load is published already;
- `build` makes core, estimates and marts in one process under one lock, and tests them;
- `publish` audits them and makes them the current generation, all at once;
- `notify` always runs: one message about all that needs attention.

It is never backfilled: a build takes everything that has landed.
When a task fails, see {settings.runbook}.
""",
)
def build_marts() -> None:
    plan = task.short_circuit(**ALERTS)(tasks.plan)()
    build_id = task(tasks.build)()
    published = task(tasks.publish, outlets=[marts_asset(settings.owner)])(build_id)
    chain(plan, build_id, published, task(tasks.notify, retries=0)().as_teardown())


build_marts()
