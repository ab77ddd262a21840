"""Airflow in this process: DAG files read as Airflow reads them, runs by `dag.test()`, no scheduler."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from worlds.corner_shop import make_workspace

DAGS = Path(__file__).parents[2] / "dags"


@dataclass
class Airflow:
    """The DAGs of one workspace."""

    workspace: Path

    def bag(self):
        """All DAG files, parsed now."""
        from airflow.dag_processing.dagbag import DagBag

        return DagBag(dag_folder=DAGS, bundle_name="dags-folder", bundle_path=DAGS)

    def run(self, dag_id: str, **arguments: object) -> dict[str, str]:
        """Run one DAG to its end: the state of every task by its name, and of the run as `run`."""
        run = self.bag().dags[dag_id].test(**arguments)
        return {task.task_id: str(task.state) for task in run.get_task_instances()} | {"run": str(run.state)}


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's tables, in the home that these tests have for themselves."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small workspace without files, which the DAGs take as theirs."""
    folder = make_workspace(tmp_path / "shop")
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(folder))
    return folder


@pytest.fixture
def airflow(shop: Path, airflow_database: None) -> Airflow:
    return Airflow(shop)
