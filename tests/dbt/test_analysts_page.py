"""The example of docs/analysts.md, written into a copy of the repository as the page says, passes the checks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from worlds.warehouse import PROJECT

ROOT = PROJECT.parent
FILE = re.compile(r"^`(dbt_project/[\w/.]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MART = "retention__weekday_orders"
COPIED = ("dbt_project", "dags", "docs", "expectations", "plugins", "tests", "pyproject.toml", "loyalty.yml")
CHECKS = ("test_example.py", "test_manifest.py", "test_metric_register.py", "test_dictionary.py")

# A test of the copy: two orders on Monday, 4 May 2026, one of them cancelled, and one on the Sunday after.
EXAMPLE = f"""
from datetime import date, datetime

from worlds.warehouse import new_warehouse


def order(number, day, status):
    return {{"order_id": number, "customer_id": "c", "ordered_at": datetime(2026, 5, day, 12), "kind": "sale",
            "status": status, "currency_code": "USD", "total_amount": 10}}


def test_the_example(tmp_path, environment):
    warehouse = new_warehouse(tmp_path / "warehouse", environment)
    warehouse.load("orders", [order("1", 4, "completed"), order("2", 4, "cancelled"), order("3", 10, "completed")])
    warehouse.set_build(date(2026, 5, 31))
    warehouse.dbt("build", "--select", "+{MART}")
    assert warehouse.query("select * from marts.{MART} order by weekday") == [(1, 1), (7, 1)]
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with the files of the page, and with the generated pages written anew."""
    folder = tmp_path_factory.mktemp("analyst") / "repository"
    folder.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("target", "logs", "__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    files = dict(FILE.findall((ROOT / "docs" / "analysts.md").read_text(encoding="utf-8")))
    assert {Path(name).suffix for name in files} == {".sql", ".yml"}, "docs/analysts.md shows no model with its yml"
    for name, text in (files | {f"tests/dbt/{CHECKS[0]}": EXAMPLE}).items():
        (folder / name).write_text(text, encoding="utf-8")
    run(
        folder,
        "-m",
        "dbt.cli.main",
        "--quiet",
        "parse",
        "--project-dir",
        "dbt_project",
        "--profiles-dir",
        "dbt_project",
    )
    run(folder, "-m", "loyalty.read.dictionary")
    return folder


def run(folder: Path, *command: str) -> str:
    """Run a Python command in the copy, with the copy's own package; a failure shows what it printed."""
    environment = os.environ | {
        "PYTHONPATH": f"{folder / 'plugins'}{os.pathsep}{folder / 'tests'}",
        "LOYALTY_WORK_FILE": str(folder / "unused"),
        "LOYALTY_DEV_FILE": str(folder / "unused"),
    }
    done = subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_the_example_builds_and_keeps_every_rule_of_the_project(copy: Path) -> None:
    """With the tests over the manifest, the register and the generated pages, as `make test` runs them."""
    run(copy, "-m", "pytest", "-q", *(f"tests/dbt/{name}" for name in CHECKS))


def test_the_example_is_written_as_lint_wants_it(copy: Path) -> None:
    tools = Path(sys.executable).parent
    for command in (
        [tools / "sqlfmt", "--quiet", "--check", "--no-progressbar", "dbt_project"],
        [tools / "dbt-bouncer", "run", "--config-file", "dbt_project/dbt-bouncer.yml", "--output-only-failures"],
    ):
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_the_page_shows_the_mart_in_the_pages_that_are_written(copy: Path) -> None:
    assert f"## {MART}\n" in (copy / "docs" / "marts" / "retention.md").read_text(encoding="utf-8")
