"""What `make demo` shows while it runs: every task with its end, and how far the build is."""

import pytest

from loyalty.operate.airflow import tasks
from loyalty.operate.airflow.demo import run_dags
from worlds import one_mart


@pytest.fixture
def said(tmp_path, monkeypatch):
    """A workspace with one export not loaded yet, and a place for what is said there."""
    settings = one_mart.make_workspace(tmp_path / "shop", max_age_days=36_500)
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(settings.workspace))
    lines = []
    monkeypatch.setattr(tasks, "say", lines.append)
    one_mart.load(settings)
    return lines


def test_a_build_says_how_far_it_is_where_it_was_told_to(said):
    tasks.build()
    assert said[0].endswith("as of 2017-12-30, all 1 loads from landing")
    assert [line.split()[0] for line in said[1:]] == ["core:", "estimates", "marts:"]


@pytest.mark.slow
def test_the_demo_shows_every_task_and_the_build_in_between(said, airflow_database):
    shown = []
    states = run_dags(shown.append)
    assert (states["load_orders"], states["build_marts"], said) == ("success", "success", [])
    tasks_of_build = [line.split()[1] for line in shown if line.strip().startswith("build_marts")]
    assert tasks_of_build == ["plan", "build", "publish", "notify"]
    text = "\n".join(shown)
    assert text.index(" plan ") < text.index("  core: ") < text.index("  marts: ") < text.index(" publish ")
