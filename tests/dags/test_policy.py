"""What holds for every DAG file, whatever it does."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

DAGS = Path(__file__).parents[2] / "dags"
FILES = sorted(DAGS.glob("*.py"))
HEAVY = ("pandas", "duckdb", "dbt", "great_expectations", "pyarrow", "scipy", "statsmodels")
PARSE_SECONDS = 2.0


@pytest.fixture
def dags(airflow):
    bag = airflow.bag()
    assert bag.import_errors == {}
    return bag.dags


def test_every_dag_is_there_under_its_name(dags):
    assert sorted(dags) == ["build_marts", "housekeeping", "load_crm", "load_orders", "load_surveys"]


def test_every_dag_says_whose_it_is_and_what_it_does(dags):
    for dag in dags.values():
        assert "loyalty" in dag.tags, dag.dag_id
        assert dag.description, dag.dag_id
        assert len(dag.doc_md) > 200, dag.dag_id
        assert "docs/runbooks.md" in dag.doc_md, dag.dag_id
        assert all(task.owner not in ("", "airflow") for task in dag.tasks), dag.dag_id


def test_a_feeds_owner_owns_its_task(dags):
    assert dags["load_orders"].get_task("till").owner == "shop-team"


def test_no_dag_catches_up_runs_beside_itself_or_hangs_for_ever(dags):
    for dag in dags.values():
        assert dag.catchup is False, dag.dag_id
        assert dag.max_active_runs == 1, dag.dag_id
        assert timedelta(0) < dag.dagrun_timeout <= timedelta(hours=6), dag.dag_id


def test_what_is_transient_is_tried_again_with_growing_delays(dags):
    for dag in dags.values():
        for task in dag.tasks:
            if task.task_id != "notify":  # a message that comes twice is worse than one that comes with the next run
                assert task.retries == 2, task.task_id
                assert task.retry_exponential_backoff > 1, task.task_id


def test_no_task_waits_for_a_pool_that_is_not_made(dags):
    assert {task.pool for dag in dags.values() for task in dag.tasks} == {"default_pool"}


def test_every_feed_wakes_the_build_and_the_build_only_by_its_own_asset(dags):
    outlets = {asset.name for dag in dags.values() for task in dag.tasks for asset in task.outlets}
    assert outlets == {"till", "members", "answers", "marts"}
    woken_by = dags["build_marts"].timetable.asset_condition
    assert {asset.name for asset in woken_by.objects} == {"till", "members", "answers"}


def test_every_asset_says_what_it_is_and_whose(dags):
    assets = {asset.name: asset for dag in dags.values() for task in dag.tasks for asset in task.outlets}
    assert {name: asset.extra["owner"] for name, asset in assets.items()} == {
        "till": "shop-team",
        "members": "crm-team",
        "answers": "crm-team",
        "marts": "data-engineering",
    }
    assert all(asset.extra["description"] and asset.group == "loyalty" for asset in assets.values())
    read = {asset.name: asset.extra for asset in dags["build_marts"].timetable.asset_condition.objects}
    assert all(assets[name].extra == extra for name, extra in read.items())  # one text, whichever file is read last


def test_only_the_loads_can_be_backfilled(dags):
    for name in ("build_marts", "housekeeping"):
        assert "backfill" not in {kind.value for kind in dags[name].allowed_run_types}, name
    assert dags["load_orders"].allowed_run_types is None


def test_build_on_time_listens_to_no_feed(airflow):
    with (airflow.workspace / "loyalty.yml").open("a") as file:
        file.write("build_on: time\n")
    assert not airflow.bag().dags["build_marts"].timetable.asset_condition


def test_a_broken_feed_takes_only_itself_down(airflow):
    from worlds.corner_shop import write_broken_feed

    write_broken_feed(airflow.workspace)
    bag = airflow.bag()
    ((file, error),) = bag.import_errors.items()
    assert file.endswith("check_feeds.py")
    assert "Feed `kiosk` is disabled, kiosk.yml, line 7: there is no key `timezone`; did you mean `time_zone`." in error
    assert "load_kiosk_broken" in bag.dags
    assert bag.dags["load_orders"].task_ids == ["till"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_dag_files_are_thin_and_read_no_variables(file):
    source = file.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 80
    assert not file.name.startswith("dbt_"), "a file of that name would hide the package dbt"
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    assert "Variable" not in names


def test_parsing_is_quick_and_imports_nothing_heavy(shop):
    """Counted in processor time beyond Airflow's own import, so that a busy machine does not matter."""
    script = (
        "import sys, time, runpy, airflow.sdk\n"
        "began = time.process_time()\n"
        "for file in sys.argv[1:]: runpy.run_path(file)\n"
        f"print(time.process_time() - began, *[name for name in {HEAVY} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script, *map(str, FILES)], capture_output=True, text=True, check=True)
    seconds, *heavy = run.stdout.split()
    assert heavy == []
    assert float(seconds) < PARSE_SECONDS
