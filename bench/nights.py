"""Two hundred nights in a row on a small shop: what grows from night to night?

    python -m bench.nights [200]

One process does all nights, like a scheduler that is never restarted. The shop delivers three SIMULATED orders a night,
and has the few models of tests/worlds/one_mart_project: what could grow is the ledger, the landed files, the work
file and the process. A night of the whole project is what bench.scale measures.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean

import psutil
from rich.console import Console
from rich.table import Table

from loyalty.common.progress import SILENT
from loyalty.common.settings import Settings, load_settings
from loyalty.common.workspace import open_workspace
from loyalty.operate.nightly import CLEAN, run_nightly

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "tests" / "worlds" / "one_mart_project"
PROFILES = ROOT / "dbt_project" / "profiles.yml"
NIGHTS, COMPARED = 200, 20
FIRST_DAY = date(2017, 1, 1)
FEED = """\
feed: orders
source: bench
group: orders
owner: bench
description: SIMULATED orders for the benchmark.
path: exports/orders_{date}.csv
time_zone: UTC
currency: EUR
columns: {order_id: id, customer_id: customer, ordered_at: at, total_amount: total}
"""
ROWS = ("CPU seconds", "memory of the process, MiB", "files of home", "home, MiB", "work file, MiB", "ledger, KiB")


@dataclass(frozen=True)
class Night:
    """What one night took and left behind, in the order of ROWS."""

    cpu_seconds: float
    memory_mib: float
    files: float
    home_mib: float
    work_mib: float
    ledger_kib: float


def make_shop(folder: Path) -> Settings:
    """A workspace with one feed and nothing delivered."""
    (folder / "dags" / "feeds").mkdir(parents=True)
    (folder / "expectations").mkdir()
    (folder / "dags" / "feeds" / "orders.yml").write_text(FEED, encoding="utf-8")
    project = folder / "project"
    project.mkdir()
    for source in (*PROJECT.iterdir(), PROFILES):
        (project / source.name).symlink_to(source)
    (folder / "loyalty.yml").write_text("dbt_project: project\n", encoding="utf-8")
    settings = load_settings(folder)
    (settings.home / "exports").mkdir(parents=True)
    return settings


def one_night(settings: Settings, number: int) -> Night:
    """Deliver three orders of one day and run the night after it."""
    day = FIRST_DAY + timedelta(days=number)
    orders = [f"{number}-{i},c{(number * 3 + i) % 40},{day} 10:00:00,{10 + i}.00" for i in range(3)]
    export = settings.home / "exports" / f"orders_{day}.csv"
    export.write_text("\n".join(["id,customer,at,total", *orders, ""]), encoding="utf-8")
    morning = datetime(day.year, day.month, day.day, 5, tzinfo=UTC) + timedelta(days=1)
    started = time.process_time()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        code = run_nightly(open_workspace(settings, SILENT), now=morning)
    seconds = time.process_time() - started
    assert code == CLEAN, code
    files = [file for file in settings.home.rglob("*") if file.is_file()]
    return Night(
        seconds,
        psutil.Process().memory_info().rss / 2**20,
        len(files),
        sum(file.stat().st_size for file in files) / 2**20,
        settings.work_file.stat().st_size / 2**20,
        sum(file.stat().st_size for file in settings.ledger.iterdir()) / 2**10,
    )


def means(nights: Sequence[Night]) -> list[float]:
    """The mean of each figure."""
    return [mean(values) for values in zip(*(astuple(night) for night in nights), strict=True)]


def main(count: int) -> None:
    """Run so many nights, and compare the first ones (after the start) with the last ones."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        settings = make_shop(Path(folder) / "shop")
        nights = []
        for number in range(count):
            nights.append(one_night(settings, number))
            if (number + 1) % 10 == 0:
                console.print(f"night {number + 1} of {count}: {nights[-1].cpu_seconds:.1f} CPU s", style="dim")
    early, late = nights[COMPARED // 2 : COMPARED // 2 + COMPARED], nights[-COMPARED:]
    span = f"nights {COMPARED // 2 + 1} to {COMPARED // 2 + COMPARED}"
    table = Table("mean of a night", span, f"last {COMPARED} of {count}", "ratio")
    for name, first, last in zip(ROWS, means(early), means(late), strict=True):
        table.add_row(name, f"{first:,.1f}", f"{last:,.1f}", f"{last / first:.2f} x")
    console.print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else NIGHTS)
