"""Seconds that each page of the dashboard takes on the marts of a million customers.

    python -m bench.pages [FOLDER]      FOLDER is a workspace that has published; without one a shop is made

A page runs as Streamlit runs it, without a browser: the queries, the charts and the texts, not their drawing. The first
opening of any page also brings the libraries in, so one page is opened before the clock starts.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from streamlit.testing.v1 import AppTest

from bench.scale import MEMORY_LIMIT, loyalty
from bench.shop import Shop
from loyalty.read.dashboard.pages import TITLES
from loyalty.read.dashboard.server import APP

LINES, CUSTOMERS = 1_000_000, 1_000_000
LONGEST_WAIT = 600


def seconds_of(page: str) -> float:
    """Open a page as a new visitor. Raises RuntimeError when it shows an error."""
    shown = AppTest.from_file(str(APP), default_timeout=LONGEST_WAIT)
    shown.query_params["page"] = page
    started = time.monotonic()
    shown.run()
    if shown.exception:
        raise RuntimeError(f"page {page}: {shown.exception[0].value}")
    return time.monotonic() - started


def show_pages(console: Console, workspace: Path) -> None:
    """Open every page once and print what each took."""
    os.environ["LOYALTY_WORKSPACE"] = str(workspace)
    seconds_of(next(iter(TITLES)))
    table = Table("page", "seconds", title=f"the dashboard of {workspace.name}")
    for page in TITLES:
        table.add_row(page, f"{seconds_of(page):.1f}")
    console.print(table)


def main() -> None:
    """Make a shop of SIMULATED orders with a million registered customers, run a night, and open its pages."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder) / "a_million_customers", LINES, CUSTOMERS)
        shop.open(MEMORY_LIMIT)
        night = loyalty("a million customers: first night", shop, "run")
        console.print(
            f"{night.name}: {night.seconds:,.0f} s, {night.cpu_seconds:,.0f} CPU s, {night.peak_mib:,.0f} MiB"
        )
        show_pages(console, shop.folder)


if __name__ == "__main__":
    show_pages(Console(), Path(sys.argv[1]).resolve()) if len(sys.argv) == 2 else main()
