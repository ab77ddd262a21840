"""What every kind of test needs: an environment of its own, and the fixtures of tests/worlds."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import settings

from loyalty.operate.airflow.local import airflow_environment

pytest_plugins = ("worlds.one_mart_fixtures",)

# Airflow makes its home when it is first imported. It must not be the home of the person who runs the tests.
AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="airflow-")
os.environ |= airflow_environment(Path(AIRFLOW_HOME.name))
os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "False")

# No test is timed: on a busy machine the first example of any of them is slow.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
