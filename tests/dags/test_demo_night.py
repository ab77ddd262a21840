"""What `make demo` shows while it runs: every task with its end, and the progress of the build."""

import pytest

from loyalty.common.progress import Progress
from loyalty.operate.airflow import tasks
from loyalty.operate.airflow.demo import run_dags
from worlds import one_mart


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """A workspace with one export not loaded yet, and the lines of a build's progress."""
    settings = one_mart.make_workspace(tmp_path / "shop", max_age_days=36_500)
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(settings.workspace))
    lines = []
    monkeypatch.setattr(tasks, "build_progress", Progress(lines.append))
    one_mart.load(settings)
    return lines


def test_a_build_shows_its_progress_where_the_demo_wants_it(lines):
    tasks.build()
    assert lines[0].endswith("as of 2017-12-30, all from landing, 1 load")
    assert [line.split()[0] for line in lines[1:]] == ["before", "estimates", "after"]


@pytest.mark.slow
def test_the_demo_shows_every_task_and_the_build_in_between(lines, airflow_database):
    shown = []
    states = run_dags(Progress(shown.append))
    assert (states["load_orders"], states["build_marts"], lines) == ("success", "success", [])
    tasks_of_build = [line.split()[1] for line in shown if line.strip().startswith("build_marts")]
    assert tasks_of_build == ["plan", "build", "publish", "notify"]
    text = "\n".join(shown)
    assert (
        text.index(" plan ")
        < text.index("  before estimates: ")
        < text.index("  after estimates: ")
        < text.index(" publish ")
    )
