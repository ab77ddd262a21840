"""The load DAGs, made from the feed registry: one per group, one task and one asset per feed."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, task
from airflow.sdk.exceptions import AirflowFailException

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings, load_settings
from loyalty.operate.airflow import tasks
from loyalty.operate.airflow.assets import TAG, feed_asset
from loyalty.pull.feeds import BrokenFeed, FeedConfig, load_feeds

# Only what is transient is tried again; see loyalty.operate.airflow.tasks.
RETRIES: dict[str, Any] = {
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=15),
}
# No later task reports a failed task, so its failure is sent at once.
ALERTS: dict[str, Any] = {"on_failure_callback": tasks.alert_failure}
LOADS_AT_ONCE = 4
LONGEST_ID = 200


def load_dags(settings: Settings | None = None) -> list[DAG]:
    """`load_<group>` for every group that has a feed, and `load_<name>_broken` for every YAML that is wrong."""
    settings = settings or load_settings()
    groups: dict[str, list[FeedConfig]] = defaultdict(list)
    broken: list[BrokenFeed] = []
    for feed in load_feeds(settings.feeds).values():
        if isinstance(feed, BrokenFeed):
            broken.append(feed)
        else:
            groups[feed.group].append(feed)
    return [_group_dag(settings, group, feeds) for group, feeds in groups.items()] + [
        _broken_dag(settings, feed) for feed in broken
    ]


def refuse_broken_feeds(settings: Settings | None = None) -> None:
    """UserError with a sentence for each YAML that is wrong, so that Airflow shows it as soon as it reads the file."""
    feeds = load_feeds((settings or load_settings()).feeds).values()
    if broken := [feed.message for feed in feeds if isinstance(feed, BrokenFeed)]:
        raise UserError(" ".join(broken))


def _group_dag(settings: Settings, group: str, feeds: Sequence[FeedConfig]) -> DAG:
    names = "\n".join(f"- `{feed.name}`: {feed.description}" for feed in feeds)
    with _load_dag(
        settings,
        f"load_{group}",
        f"Checks and lands every new export of the {group} feeds.",
        "A scheduled or manual run takes every file that was not seen yet; a backfill takes the file of its day.\n"
        "A task is skipped when nothing is new and fails when a file was rejected; the feed's other files have "
        f"landed by then.\n\nOne task per feed:\n\n{names}\n\nWhen a task fails, see {settings.runbook}.",
    ) as dag:
        for feed in feeds:
            task(
                task_id=feed.name,
                owner=feed.owner,
                outlets=[feed_asset(feed)],
                doc_md=feed.description,
                execution_timeout=timedelta(hours=2),
            )(tasks.load_feed)(feed.name)
    return dag


def _broken_dag(settings: Settings, feed: BrokenFeed) -> DAG:
    def refuse() -> None:
        raise AirflowFailException(feed.message)

    doc = f"{feed.message}\n\nMend the YAML: this DAG goes, and the feed's task is back in its group's DAG."
    name = _identifier(feed.name)
    with _load_dag(settings, f"load_{name}_broken", f"The YAML of the feed {feed.name} is wrong.", doc) as dag:
        task(task_id=name, owner=feed.owner, retries=0)(refuse)()
    return dag


def _identifier(name: str) -> str:
    """A file's name as Airflow takes it for a DAG; names that differ in other characters stay apart by a checksum."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:LONGEST_ID]
    return plain if plain == name else f"{plain}_{zlib.crc32(name.encode(errors='surrogateescape')):08x}"


def _load_dag(settings: Settings, dag_id: str, description: str, doc_md: str) -> DAG:
    return DAG(
        dag_id,
        description=description,
        doc_md=doc_md,
        schedule=CronTriggerTimetable(settings.load_schedule, timezone=settings.time_zone),
        catchup=False,
        max_active_runs=1,
        max_active_tasks=LOADS_AT_ONCE,
        dagrun_timeout=timedelta(hours=4),
        tags={TAG, "load"},
        default_args={"owner": settings.owner, **RETRIES, **ALERTS},
    )
