"""The site of the documentation: every page is in its menu, every link leads somewhere, no other host is asked."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort

import docs_site

# What a browser fetches by itself when it opens a page.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*?\bsrc=["']?([^"' >]+)|<link\b[^>]*?\bhref=["']?([^"' >]+)"""
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as they are put together, with empty ones in the place of those that dbt writes."""
    folder = tmp_path_factory.mktemp("docs") / "pages"
    docs_site.stage(folder)
    for name in ("models", "lineage"):
        (folder / name).mkdir()
        (folder / name / "index.html").write_text("<html></html>", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def site(pages: Path) -> Path:
    folder = pages.with_name("site")
    docs_site.write_site(pages, folder)
    return folder


def test_every_page_is_in_the_site_and_the_menu(site: Path) -> None:
    menu = (site / "index.html").read_text(encoding="utf-8")
    for page in docs_site.pages():
        name = page.relative_to(docs_site.ROOT)
        written = name.with_name("index.html" if name.stem == "README" else f"{name.stem}.html")
        assert (site / written).is_file(), name
        if name.parts[0] != "tests":
            assert f'href="{written.as_posix()}"' in menu, f"{name} is not in the menu of mkdocs.yml"


def test_a_browser_fetches_nothing_from_another_host(site: Path) -> None:
    fetched = {
        target
        for page in site.rglob("*.html")
        for match in FETCHED.findall(page.read_text(encoding="utf-8"))
        for target in match
        if target
    }
    assert [one for one in fetched if re.match(r"(https?:)?//", one)] == []
    assert any(one.endswith(".css") for one in fetched)


def test_a_link_that_leads_nowhere_is_named(pages: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = tmp_path / "pages"
    shutil.copytree(pages, broken)
    with (broken / "docs" / "glossary.md").open("a", encoding="utf-8") as page:
        page.write("\n[gone](no-such-page.md)\n")
    with pytest.raises(Abort):
        docs_site.write_site(broken, tmp_path / "site")
    assert "docs/glossary.md" in caplog.text
    assert "no-such-page.md" in caplog.text
