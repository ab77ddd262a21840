"""Fixtures that every kind of test uses."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from loyalty.operate.airflow.local import airflow_environment
from shop_workspace import Workspace

# Airflow makes its home when it is first imported: never the one of who runs the tests.
AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="airflow-")
os.environ |= airflow_environment(Path(AIRFLOW_HOME.name))
os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "False")

# No test is timed: on a busy machine the first example of any of them is slow.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "shop")
