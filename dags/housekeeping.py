"""housekeeping: removes what is past its time."""

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from loyalty.common.settings import load_settings
from loyalty.operate.airflow import tasks
from loyalty.operate.airflow.assets import TAG
from loyalty.operate.airflow.dags import ALERTS, RETRIES

settings = load_settings()


@dag(
    description="Removes raw files, leftovers, generations and Airflow's records that are past their time.",
    schedule=CronTriggerTimetable("0 12 * * 0", timezone=settings.time_zone),
    catchup=False,
    allowed_run_types=["scheduled", "manual"],
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    tags={TAG, "housekeeping"},
    default_args={"owner": settings.owner, **RETRIES, **ALERTS},
    doc_md=f"""
- `prune` removes raw files older than {settings.raw_days} days, what killed runs left, and generations beyond the
  newest {settings.keep_generations};
- `clean_airflow_db` removes what Airflow keeps of runs older than {tasks.AIRFLOW_DAYS} days.

Landed loads are never removed: a full rebuild needs them. When a task fails, see {settings.runbook}.
""",
)
def housekeeping() -> None:
    task(tasks.prune)()
    task(tasks.clean_airflow_db)()


housekeeping()
