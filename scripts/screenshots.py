"""Pictures of every page of the dashboard and of the report: `python scripts/screenshots.py FOLDER`.

Takes the workspace that one is in, and Debian's Chromium. Each page in English and Chinese, light and dark, as wide as
a screen and as a phone; says how long each page took to show.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings, load_settings
from loyalty.publish.generations import require_current
from loyalty.read.dashboard.pages import TITLES
from loyalty.read.report import copy_report
from loyalty.read.words import LANGUAGES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS, HEIGHT = (1440, 390), 900
# A page that never comes is given up after so many milliseconds; a slow machine is waited for.
PATIENCE = 300_000
TALLEST = 6000
READY = """() => {
    const app = document.querySelector('[data-testid="stApp"]')
    const charts = [...document.querySelectorAll('[data-testid="stVegaLiteChart"]')]
    return app && app.dataset.testScriptState === 'notRunning' && document.querySelector('h1')
        && !document.querySelector('[data-testid="stSkeleton"]')
        && charts.every(chart => chart.querySelector('canvas, svg.marks'))
}"""


@contextmanager
def dashboard(settings: Settings) -> Iterator[str]:
    """The address of a dashboard of a workspace, which answers until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [Path(sys.executable).with_name("loyalty"), "dashboard", "--port", str(port)]
    environment = os.environ | {"LOYALTY_WORKSPACE": str(settings.workspace)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            while not _answers(address):
                _must_run(process)
            yield address
        finally:
            process.terminate()


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/_stcore/health"):  # noqa: S310 - an address of our own
            return True
    except URLError:
        return False


def _must_run(process: subprocess.Popen[bytes]) -> None:
    """Wait a moment for the server to start; UserError where it ended instead."""
    try:
        process.wait(timeout=0.2)
    except subprocess.TimeoutExpired:
        return
    raise UserError("The dashboard did not start: run `loyalty dashboard` to see why.")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window. Raises UserError where it is missing."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        raise UserError("Chromium is missing: install it (Debian: apt install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, width: int = WIDTHS[0], scheme: Literal["light", "dark"] = "light") -> Page:
    """A page of this width, of a system that is light or dark."""
    page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page.set_default_timeout(PATIENCE)
    return page


def open_page(tab: Page, address: str, **query: str) -> float:
    """Open a page of the dashboard and wait until its charts are drawn; how many seconds it took."""
    start = time.monotonic()
    tab.goto(f"{address}/?{urlencode(query)}")
    tab.wait_for_function(READY)
    return time.monotonic() - start


def take(page: Page, file: Path) -> None:
    """A picture of the whole page, whatever its height."""
    height = page.evaluate("Math.max(...[...document.querySelectorAll('*')].map(one => one.scrollHeight))")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": min(height, TALLEST)})
    if file.name.startswith("dashboard"):
        page.wait_for_function(READY)
    page.screenshot(path=file)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    settings = load_settings()
    report = folder / "report.html"
    copy_report(settings, require_current(settings), report)
    with chromium() as browser, dashboard(settings) as address:
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                for language in LANGUAGES:
                    for name in TITLES:
                        page = new_page(browser, width, scheme)
                        seconds = open_page(page, address, page=name, language=language)
                        file = folder / f"dashboard-{name}-{language}-{scheme}-{width}.png"
                        take(page, file)
                        print(f"{file.name}: {seconds:.1f} s")
                        page.close()
            for language in LANGUAGES:
                page = new_page(browser, width)
                page.goto(report.resolve().as_uri())
                page.click(f"label[for=choose-{language}]")
                take(page, folder / f"report-{language}-{width}.png")
                page.close()
    print(f"The pictures are in {folder}.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name a folder for the pictures: python scripts/screenshots.py FOLDER")
    try:
        main(Path(sys.argv[1]))
    except UserError as error:
        sys.exit(str(error))
