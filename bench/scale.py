"""The whole way of SIMULATED orders, from exports to a published generation, against the same figures made by hand.

    python -m bench.scale 1000000 [10000000 ...]      prints a table for each number of order lines

One Y is the time of the hand-written SQL of yardstick.py on the same exports, in the same run. Every step is a process
of its own, so that its peak memory is its own; a `loyalty` command includes its start.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psutil
from rich.console import Console
from rich.table import Table

from bench.shop import EXPORTS, Shop
from bench.yardstick import with_duckdb, with_pandas

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
MEMORY_LIMIT = "3GB"
FIVE_ORDERS = 20
ENVIRONMENT = {**os.environ, "LOYALTY_EXPECTATIONS": str(ROOT / "expectations")}
BY_HAND = {"duckdb": with_duckdb, "pandas": with_pandas}


@dataclass(frozen=True)
class Step:
    """A piece of work: seconds by the clock, seconds of all cores, and peak memory (MiB) of its largest process."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_mib: float

    def row(self, yardstick: Step) -> tuple[str, str, str, str, str]:
        """The cells of the table."""
        return (
            self.name,
            f"{self.seconds:,.1f}",
            f"{self.cpu_seconds:,.1f}",
            f"{self.cpu_seconds / yardstick.cpu_seconds:,.1f}",
            f"{self.peak_mib:,.0f}",
        )


def measured(name: str, *command: str, folder: Path = ROOT) -> Step:
    """Run a command to its end. Raises RuntimeError with the last lines of its output when it fails."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        if status:
            output.seek(0)
            raise RuntimeError(f"{name} failed:\n{output.read()[-2000:]}")
    return Step(name, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def loyalty(name: str, shop: Shop, *arguments: str) -> Step:
    """A command of the warehouse in the shop's workspace."""
    return measured(name, str(BIN / "loyalty"), *arguments, folder=shop.folder)


def together(name: str, parts: Sequence[Step]) -> Step:
    """Several steps as one."""
    seconds = sum(part.seconds for part in parts)
    return Step(name, seconds, sum(part.cpu_seconds for part in parts), max(part.peak_mib for part in parts))


def by_hand(tool: str, shop: Shop) -> Step:
    """The yardstick, or the same in pandas."""
    return measured(f"by hand: {tool}", sys.executable, "-m", "bench.scale", tool, str(shop.exports))


def night(shop: Shop, name: str, *build: str) -> Iterator[Step]:
    """Landing, building and publishing of what is new."""
    yield together(
        f"{name}: land and check", [loyalty(feed, shop, "load", feed) for feed in (*EXPORTS, "survey_questions")]
    )
    yield loyalty(f"{name}: build", shop, "build", *build)
    yield loyalty(f"{name}: publish", shop, "publish")


def steps(shop: Shop) -> Iterator[Step]:
    """What is measured of a shop, in its order; the yardstick comes first."""
    yield by_hand("duckdb", shop)
    yield by_hand("pandas", shop)
    yield from night(shop, "first night", "--full")
    shop.next_night()
    yield from night(shop, "next night, 0.2 % new")


def small_steps(shop: Shop) -> Iterator[Step]:
    """A shop with five orders: what a night costs before there is any data."""
    yield loyalty("five orders: first night", shop, "run")
    shop.next_night()
    yield loyalty("five orders: next night", shop, "run")
    yield loyalty("five orders: nothing new", shop, "run")
    yield measured("start of one dbt process", str(BIN / "dbt"), "--quiet", "ls", *_one_model())


def _one_model() -> tuple[str, ...]:
    project = str(ROOT / "dbt_project")
    return "--select", "dim_as_of", "--project-dir", project, "--profiles-dir", project


def show(console: Console, title: str, done: Iterable[Step], yardstick: Step) -> None:
    """Print a row for each step as it ends, and the table at the end."""
    table = Table("step", "seconds", "CPU seconds", "Y", "peak MiB", title=title)
    for step in done:
        console.print(f"{step.name}: {step.seconds:,.1f} s", style="dim")
        table.add_row(*step.row(yardstick))
    console.print(table)


def machine() -> str:
    """What the figures were measured on."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, Python {platform.python_version()}, "
        f"DuckDB {duckdb.__version__}, memory_limit {MEMORY_LIMIT}"
    )


def main(sizes: Iterable[int]) -> None:
    """Measure a shop of each size, and the one with five orders, in a folder that is removed."""
    console = Console()
    console.print(f"SIMULATED orders on {machine()}")
    with tempfile.TemporaryDirectory() as folder:
        yardstick = None
        for lines in sizes:
            shop = Shop(Path(folder) / f"{lines}", lines)
            shop.open(MEMORY_LIMIT)
            done = steps(shop)
            yardstick = next(done)
            show(console, f"{lines:,} order lines", [yardstick, *done], yardstick)
        small = Shop(Path(folder) / "five", FIVE_ORDERS)
        small.open(MEMORY_LIMIT)
        if yardstick is not None:
            show(console, "five orders, Y of the last table", small_steps(small), yardstick)


if __name__ == "__main__":
    if sys.argv[1] in BY_HAND:
        BY_HAND[sys.argv[1]](Path(sys.argv[2]))
    else:
        main(int(lines) for lines in sys.argv[1:])
