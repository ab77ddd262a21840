"""The documentation as a site that opens in a browser without a server: `make docs` writes it to site/.

Its pages are the Markdown pages of the project. `models/` is dbt's own documentation, with the SQL of every model;
`lineage/` shows which column comes from which (dbt-colibri). No page asks another host for anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config

from loyalty.build.dbt_runner import parse_project, run_dbt
from loyalty.build.estimates import ensure_tables
from loyalty.build.raw_views import DataSpan, register, register_build
from loyalty.build.work_file import open_work_file
from loyalty.common.progress import SILENT
from loyalty.common.settings import load_settings
from loyalty.common.workspace import open_workspace
from loyalty.operate.new_workspace import make_workspace

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
PAGES = ("*.md", "docs/**/*.md", "tests/*/README.md")
WORKER = Path(__file__).with_name("iframe-worker.js")
LINK = re.compile(r"\]\(([^)#:\s]+)")


def pages() -> list[Path]:
    """The Markdown pages of the project."""
    return sorted(file for pattern in PAGES for file in ROOT.glob(pattern))


def linked(page: Path) -> Iterator[Path]:
    """The files of the project that a page links to or shows."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve()
        if file.is_file():
            yield file


def stage(folder: Path) -> None:
    """Copy the pages, and what they link to, as they lie in the project, so that every link still fits."""
    for page in pages():
        for file in (page, *linked(page)):
            copy = folder / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
    shutil.copy2(WORKER, folder / WORKER.name)


def document_models(workspace: Path, folder: Path) -> None:
    """Build every model without a row, and write dbt's documentation and the lineage of columns into a folder."""
    settings = load_settings(make_workspace(workspace, SILENT))
    opened = open_workspace(settings, SILENT)
    day = date(2020, 1, 1)
    with open_work_file(settings) as connection:
        register(connection, opened, [])
        register_build(connection, "docs", DataSpan(day, day, None), "docs")
        ensure_tables(connection)
    target = settings.work_file.parent / "dbt"
    project = parse_project(settings)
    run_dbt(settings, "build", "--exclude-resource-type", "test", "unit_test", project=project)
    # with the SQL of this first build, in which no model reads itself
    project.write(str(target / "manifest.json"))
    run_dbt(settings, "docs", "generate", "--no-compile", "--static", project=project)
    (folder / "models").mkdir()
    shutil.copy2(target / "static_index.html", folder / "models" / "index.html")
    subprocess.run(
        [
            Path(sys.executable).with_name("colibri"),
            *("generate", "--light", "--output-dir", folder / "lineage"),
            *("--manifest", target / "manifest.json", "--catalog", target / "catalog.json"),
        ],
        env=os.environ | {"DO_NOT_TRACK": "1"},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def write_site(folder: Path, site: Path) -> None:
    """Turn a folder of pages into a site. Raises mkdocs' Abort when a link leads nowhere."""
    build(load_config(str(ROOT / "mkdocs.yml"), docs_dir=str(folder), site_dir=str(site)))


def make_site(work: Path, site: Path) -> None:
    """Write the whole site, with a folder for what is made on the way."""
    folder = work / "pages"
    folder.mkdir(parents=True)
    print("1 of 3: the models, without a row, for their documentation (about a minute)", flush=True)
    document_models(work / "workspace", folder)
    print("2 of 3: the pages", flush=True)
    stage(folder)
    print("3 of 3: the site", flush=True)
    write_site(folder, site)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        make_site(Path(name), SITE)
    print(f"Open {SITE / 'index.html'} in a browser.")
