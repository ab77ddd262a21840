"""Dashboard, report and documentation in a real browser: every page in both languages, wide and narrow, light and dark.

Wants Debian's Chromium; without it the tests fail and say how to install it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

import docs_site
import screenshots
from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.publish.generations import require_current
from loyalty.read.dashboard.pages import TITLES
from loyalty.read.query import asked, write
from loyalty.read.report import copy_report
from loyalty.read.words import LANGUAGES, Words
from worlds import few_marts

pytestmark = pytest.mark.slow
expect.set_options(timeout=screenshots.PATIENCE)

SIZES = [(language, width) for language in LANGUAGES for width in screenshots.WIDTHS]
TOO_WIDE = """() => ['[data-testid="stMain"]', 'html'].map(one => document.querySelector(one)).filter(
    one => one && one.scrollWidth > one.clientWidth
).length"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with screenshots.chromium() as found:
            yield found
    except UserError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return few_marts.make_workspace(tmp_path_factory.mktemp("few_marts") / "shop")


@pytest.fixture(scope="module")
def address(shop: Settings) -> Iterator[str]:
    with screenshots.dashboard(shop) as found:
        yield found


class Watched:
    """A page whose console and requests are watched."""

    def __init__(self, browser: Browser, width: int = 1440, scheme: Literal["light", "dark"] = "light") -> None:
        self.page: Page = screenshots.new_page(browser, width, scheme)
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))

    def _note(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.errors.append(f"{said.text} {said.location['url']}")

    def outside(self, *own: str) -> list[str]:
        """The requests to anything but these addresses."""
        return [one for one in self.requests if not one.startswith((*own, "data:", "blob:"))]


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A watched page, 1,440 pixels wide."""
    made = Watched(browser)
    yield made
    made.page.close()


def read_csv(settings: Settings, sql: str) -> str:
    """What `loyalty query --format csv` writes."""
    text = io.StringIO()
    with asked(settings, sql) as answer:
        write(answer, "csv", text)
    return text.getvalue()


@pytest.mark.parametrize(("language", "width"), SIZES)
def test_every_page_fits_asks_for_nothing_outside_and_has_no_error(
    browser: Browser, address: str, language: str, width: int
) -> None:
    words = Words(language)  # type: ignore[arg-type]
    for name, title in TITLES.items():
        seen = Watched(browser, width)
        screenshots.open_page(seen.page, address, page=name, language=language)
        expect(seen.page.locator("h1")).to_have_text(words.sentence(title))
        assert seen.errors == [], name
        assert seen.outside(address, address.replace("http", "ws")) == [], name
        assert seen.page.evaluate(TOO_WIDE) == 0, f"{name} is wider than the window"
        assert seen.page.locator('[data-testid="stException"]').count() == 0
        seen.page.close()


def test_filters_are_followed_and_the_download_is_that_of_the_query(
    watched: Watched, address: str, shop: Settings
) -> None:
    page = watched.page
    screenshots.open_page(page, address, page="retention")
    for label, value in (("customers by", "region"), ("segment", "north")):
        page.get_by_role("combobox", name=label).click()
        page.get_by_role("option", name=value, exact=True).click()
        page.wait_for_function(screenshots.READY)
    figure = page.locator(".st-key-figure-cohorts")
    figure.get_by_text("SQL", exact=True).click()
    sql = figure.locator("code").inner_text()
    assert "segment = 'north'" in sql
    figure.get_by_text("numbers", exact=True).click()
    with page.expect_download() as loaded:
        figure.get_by_role("button", name="Download CSV").click()
    shown = Path(loaded.value.path()).read_text(encoding="utf-8-sig")
    assert shown == read_csv(shop, sql)
    assert shown.splitlines()[1].split(",")[2:4] == ["36", "0.5"]
    figure.get_by_text("rows behind it", exact=True).click()
    with page.expect_download() as loaded:
        figure.locator(".st-key-XLSX-cohorts-rows button").click()
    assert loaded.value.suggested_filename == "cohorts-rows-000001.xlsx"
    assert watched.errors == []


def test_language_and_page_change_with_the_keyboard_alone(watched: Watched, address: str) -> None:
    page = watched.page
    screenshots.open_page(page, address)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "radio":
            break
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_have_text("变化及其原因")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("客户留存")


def test_a_dark_system_gives_a_dark_page(browser: Browser, address: str) -> None:
    seen = Watched(browser, scheme="dark")
    screenshots.open_page(seen.page, address, page="retention")
    colour = seen.page.evaluate("getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).backgroundColor")
    assert max(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) < 64
    seen.page.close()


def test_a_new_generation_shows_on_reload(browser: Browser, tmp_path: Path) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    with screenshots.dashboard(settings) as address:
        seen = Watched(browser)
        screenshots.open_page(seen.page, address)
        expect(seen.page.get_by_text("Generation 000001, published")).to_be_visible()
        few_marts.publish(settings, 2, "2026-04-01")
        seen.page.reload()
        expect(seen.page.get_by_text("Generation 000002, published")).to_be_visible()
        seen.page.close()


@pytest.mark.parametrize(("language", "width"), SIZES)
def test_the_report_fits_asks_for_nothing_outside_and_has_no_error(
    browser: Browser, shop: Settings, tmp_path: Path, language: str, width: int
) -> None:
    file = tmp_path / "report.html"
    copy_report(shop, require_current(shop), file)
    seen = Watched(browser, width)
    seen.page.goto(file.as_uri())
    seen.page.click(f"label[for=choose-{language}]")
    heading = Words(language).sentence("Loyalty report")  # type: ignore[arg-type]
    expect(seen.page.get_by_role("heading", name=heading)).to_be_visible()
    assert seen.errors == []
    assert seen.outside(file.as_uri()) == []
    assert seen.page.evaluate(TOO_WIDE) == 0
    seen.page.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    docs_site.make_site(folder / "work", folder / "site")
    return folder / "site"


@pytest.mark.parametrize("width", screenshots.WIDTHS)
def test_the_documentation_opens_without_a_server_and_asks_for_nothing_outside(
    browser: Browser, site: Path, width: int
) -> None:
    for name, text in {
        "index.html": "Loyalty warehouse",
        "README.zh-CN.html": "忠诚",
        "docs/marts.html": "retention__customers",
        "models/index.html": "Loyalty warehouse",
        "lineage/index.html": "models",
    }.items():
        seen = Watched(browser, width)
        seen.page.goto((site / name).as_uri(), wait_until="networkidle")
        expect(seen.page.locator("body")).to_contain_text(text)
        # dbt's page asks for its icons before their names are filled in
        assert [error for error in seen.errors if "getIcon(" not in error] == [], name
        assert seen.outside(site.as_uri()) == [], name
        seen.page.close()


def test_a_word_is_found_in_the_documentation(watched: Watched, site: Path) -> None:
    watched.page.goto((site / "index.html").as_uri())
    watched.page.locator(".md-search__input").fill("share of wallet")
    found = watched.page.locator(".md-search-result__item", has_text="Share of wallet")
    expect(found.first).to_be_visible()
    assert watched.errors == []


def test_the_sql_of_a_model_is_in_the_documentation(watched: Watched, site: Path) -> None:
    watched.page.goto((site / "models" / "index.html").as_uri() + "#!/model/model.loyalty.retention__customers")
    expect(watched.page.locator("body")).to_contain_text("customer_key")
    expect(watched.page.locator("body")).to_contain_text("select")
