"""Measure the warehouse against itself and against a bare reader, on SIMULATED orders.

Seconds depend on the machine, ratios hardly: every figure printed compares two things measured one
after the other in this run. Each is measured in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import gzip
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from bench import growth

FIRST_DAY = date(2025, 1, 1)
SMALL, LARGE = 100_000, 400_000
DAYS = 360
FEED = """\
feed: orders
source: bench
group: orders
owner: bench
description: SIMULATED orders for the benchmark.
path: exports/orders_{date}.csv.gz
time_zone: UTC
currency: EUR
"""


@dataclass(frozen=True)
class Measure:
    """Seconds and peak memory (MiB) of one piece of work."""

    seconds: float
    peak_mib: float


def main() -> None:
    """Run the pieces of work one after the other and print how they compare."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, rows in (("small", SMALL), ("large", LARGE)):
            make_workspace(root / name, rows)
        console.print(f"SIMULATED orders: {SMALL:,} and {LARGE:,} rows, one more day of {LARGE // DAYS:,}")
        bare = measure("read_bare", root / "large")
        small = measure("land", root / "small")
        large = measure("land", root / "large")
        full = measure("build", root / "large")
        write_day(root / "large", LARGE // DAYS, DAYS + 1)
        measure("land", root / "large")
        one_day = measure("build", root / "large")
    table = Table("what", "against", "time", "peak memory")
    table.add_row(f"land and check {LARGE:,} rows", "pandas reads and writes them unchecked", *ratio(large, bare))
    table.add_row(f"land {LARGE:,} rows", f"land {SMALL:,} rows", *ratio(large, small))
    table.add_row("the nightly build: one new day", "the first build of the year", *ratio(one_day, full))
    console.print(table)
    console.print(f"land: {LARGE / large.seconds:,.0f} rows a second, peak {large.peak_mib:,.0f} MiB")
    compare_growth(console)


def compare_growth(console: Console) -> None:
    """Print what commands cost beside a long ledger and a short one, and what many small files cost in one run."""
    with tempfile.TemporaryDirectory() as folder:
        few, many, small = (Path(folder) / name for name in ("few", "many", "small"))
        growth.make_workspace(few, growth.FEW)
        growth.make_workspace(many, growth.MANY)
        table = Table("CPU seconds", f"{growth.FEW:,} events", f"{growth.MANY:,} events", "ratio")
        for work in growth.WORKS:
            short, long = growth.cpu_seconds(few, work), growth.cpu_seconds(many, work)
            table.add_row(work, f"{short:.3f}", f"{long:.3f}", f"{long / short:.2f} x")
        console.print(table)
        growth.make_workspace(small, 0)
        seconds = growth.land_many(small, growth.SMALL_FILES)
        console.print(f"{growth.SMALL_FILES:,} files of one row in one run: {seconds:,.0f} CPU s")


def ratio(one: Measure, other: Measure) -> tuple[str, str]:
    """How many times the time and the memory of the other."""
    return f"{one.seconds / other.seconds:.2f} x", f"{one.peak_mib / other.peak_mib:.2f} x"


def measure(work: str, workspace: Path) -> Measure:
    """Do one piece of work in a process of its own."""
    command = [sys.executable, "-m", "bench", work, str(workspace)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return Measure(**json.loads(answer.stdout.splitlines()[-1]))


def make_workspace(folder: Path, rows: int) -> None:
    """A workspace with one feed and one file of SIMULATED orders."""
    (folder / "dags" / "feeds").mkdir(parents=True)
    (folder / "loyalty.yml").write_text("max_age_days: 36500\n", encoding="utf-8")
    (folder / "dags" / "feeds" / "orders.yml").write_text(FEED, encoding="utf-8")
    write_day(folder, rows, DAYS)


def write_day(folder: Path, rows: int, day: int) -> None:
    """One export of SIMULATED orders: of all days so far, or of one day more."""
    random = np.random.default_rng(day)
    days = random.integers(0, DAYS, rows) if day == DAYS else np.full(rows, day)
    frame = pd.DataFrame(
        {
            "order_id": [f"{day}-{number}" for number in range(rows)],
            "customer_id": random.zipf(1.3, rows) % (rows // 5 + 1),
            "ordered_at": pd.Timestamp(FIRST_DAY) + pd.to_timedelta(days, unit="D"),
            "total_amount": random.lognormal(3, 1, rows).round(2),
        }
    )
    target = folder / "var" / "exports" / f"orders_{FIRST_DAY + timedelta(days=day)}.csv.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(target, index=False)


def read_bare(workspace: Path) -> None:
    """What a script without a gate would do."""
    for file in (workspace / "var" / "exports").glob("*.csv.gz"):
        frame = pd.read_csv(io.BytesIO(gzip.decompress(file.read_bytes())), parse_dates=["ordered_at"])
        frame.to_parquet(workspace / "bare.parquet")


def land(workspace: Path) -> None:
    """Land and check what is new."""
    from loyalty.common.progress import SILENT
    from loyalty.common.settings import load_settings, shipped
    from loyalty.common.workspace import open_workspace
    from loyalty.land.landing import load_feed
    from loyalty.pull.feeds import usable_feeds

    opened = open_workspace(load_settings(workspace, expectations=shipped("expectations")), SILENT)
    for feed in usable_feeds(opened.settings.feeds).values():
        outcomes = load_feed(opened, feed)
        assert all(outcome.outcome == "accepted" for outcome in outcomes), outcomes


def build(workspace: Path) -> None:
    """Build core and marts."""
    from loyalty.build import build
    from loyalty.common.progress import SILENT
    from loyalty.common.settings import load_settings
    from loyalty.common.workspace import open_workspace

    build.build(open_workspace(load_settings(workspace), SILENT))


def run_one(work: str, workspace: Path) -> None:
    """In the measured process: do the work and print what it took."""
    works: dict[str, Callable[[Path], None]] = {"read_bare": read_bare, "land": land, "build": build}
    started = time.monotonic()
    works[work](workspace)
    seconds = time.monotonic() - started
    print(json.dumps({"seconds": seconds, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    run_one(sys.argv[1], Path(sys.argv[2])) if len(sys.argv) == 3 else main()
