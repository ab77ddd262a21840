"""The page in Airflow's UI: who may see it, what it shows, and that nothing happens without a confirmation."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from loyalty.build import plan
from loyalty.common.settings import Settings
from loyalty.operate import publishing
from loyalty.operate.airflow.page import MOUNTED_AT, Page, address
from loyalty.publish.generations import require_current
from worlds import one_mart
from worlds.opened import opened

RULE = """feed: orders
rows:
  - name: total_below_hundred
    severity: critical
    because: Nothing costs that much.
    expectation: {type: expect_column_values_to_be_between, kwargs: {column: total_amount, max_value: 100}}
"""
EXPENSIVE = one_mart.HEADER + "7,<b>ann</b>,2017-12-31 10:00:00,7.00\n8,eve,2017-12-31 11:00:00,500.00\n"

Visit = Callable[[str], TestClient]


@pytest.fixture
def visit(airflow_database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """A browser that is logged in to Airflow with a role; with "" it is not logged in."""
    from airflow.api_fastapi.app import init_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    manager = init_auth_manager()
    airflow = FastAPI()
    airflow.mount(MOUNTED_AT, Page())

    def browser(role: str, name: str = "ann") -> TestClient:
        user = SimpleAuthManagerUser(username=name, role=role)
        cookies = {"_token": manager.generate_jwt(user)} if role else {}
        return TestClient(airflow, base_url=f"http://airflow.test{MOUNTED_AT}", cookies=cookies)

    yield browser


@pytest.fixture
def shop(published: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A published workspace with a row in quarantine, which Airflow takes as its own."""
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(published.workspace))
    (published.expectations / "orders.yml").write_text(RULE)
    feed = published.feeds / "orders.yml"
    feed.write_text(feed.read_text() + "max_quarantine_rate: 0.5\n")
    one_mart.deliver(published, "2017-12-31", EXPENSIVE)
    one_mart.load(published)
    return published


def quarantined(shop: Settings) -> str:
    (load_id,) = opened(shop).ledger.quarantined_loads(only_open=True)
    return load_id


def text(page) -> str:
    """What a person reads."""
    body = re.sub(r"(?s)<style>.*?</style>|<[^>]*>", " ", page.text)
    return " ".join(html.unescape(body).split())


def token(page) -> str:
    return html.unescape(re.search(r'name="confirmed" value="([^"]+)"', page.text)[1])


@pytest.mark.parametrize("path", ["/", "/report", "/release/x", "/rollback/1"])
def test_who_is_not_logged_in_sees_nothing(visit, shop, path):
    page = visit("").get(path)
    assert page.status_code == 401
    assert (
        text(page)
        == "Loyalty warehouse Loyalty warehouse Log in to Airflow, then open this page again. Back to the overview"
    )
    assert visit("").post(path).status_code in (401, 405)


def test_a_forged_login_is_refused(visit, shop):
    browser = visit("")
    unsigned = (b'{"alg": "none"}', b'{"sub": "ann", "role": "admin"}', b"")
    browser.cookies.set("_token", ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in unsigned))
    assert browser.get("/").status_code in (401, 403)


def test_the_page_says_what_came_what_is_quarantined_and_what_is_published(visit, shop):
    page = visit("viewer").get("/")
    assert page.status_code == 200
    said = text(page)
    assert "Data up to 2017-12-30. Generation 000001, published 2018-01-01 05:00 UTC." in said
    assert f"orders_2017-12-31.csv 1 total_below_hundred 1 1 {quarantined(shop)}" in said
    assert "orders accepted 2018-01-01 05:00" in said
    assert "next run : 1 new load" in said or "next run: 1 new load" in said
    assert "All marts were renewed." in said
    assert "000001 2017-12-30 2018-01-01 05:00" in said


def test_what_needs_attention_comes_first(visit, shop):
    (shop.feeds / "kiosk.yml").write_text("feed: nothing\n")
    said = text(visit("viewer").get("/")).partition("owner")[2]
    assert said.index("kiosk disabled") < said.index("orders accepted")


def test_a_late_feed_and_a_mart_that_was_not_renewed_say_since_when_and_why(visit, shop):
    feed = shop.feeds / "orders.yml"
    feed.write_text(feed.read_text() + "max_age_days: 1\n")
    file = require_current(shop).folder / "manifest.json"
    state = {"state": "kept", "since": "2017-12-30T05:00:00+00:00", "reason": "the test `unique_key` failed for 2 rows"}
    file.chmod(0o644)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"mart_states": {"retention__customers": state}}))
    said = text(visit("viewer").get("/"))
    assert re.search(r"orders late 2018-01-01 05:00 \d+ d ", said)
    reason = "not renewed since 2017-12-30 05:00 UTC: retention__customers: the test `unique_key` failed for 2 rows"
    assert f"Marts that were not renewed {reason}" in said
    assert f"feed orders is late; its owner is data-engineering {reason}" in said


def test_the_page_is_in_chinese_too(visit, shop):
    said = text(visit("viewer").get("/?language=zh"))
    assert "数据截至 2017-12-30。第 000001 代" in said
    assert "按规则隔离" in said


def test_nothing_of_a_row_is_shown_and_no_name_is_a_mark(visit, shop):
    (shop.feeds / "kiosk.yml").write_text("feed: '<script>alert(1)</script>'\n")
    for path in ("/", f"/release/{quarantined(shop)}"):
        page = visit("admin").get(path)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "<b>ann" not in page.text
        assert "500.00" not in page.text
        assert "script" not in page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]


def test_a_workspace_without_a_generation_says_so(visit, tmp_path, monkeypatch):
    settings = one_mart.make_workspace(tmp_path / "new")
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(settings.workspace))
    said = text(visit("viewer").get("/"))
    assert "Nothing has been published yet: load an export, then run the DAG `build_marts`." in said
    assert "No load has been accepted yet." in said
    page = visit("viewer").get("/report")
    assert (page.status_code, "Nothing has been published yet" in text(page)) == (400, True)


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/release/nowhere", 400, "Load nowhere has no rows in quarantine"),
        ("/rollback/9", 400, "There is no generation 9; there are: 1."),
        ("/rollback/abc", 400, "There is no generation abc; there are: 1."),
        ("/rollback/1", 400, "Readers see generation 000001 already."),
        ("/delete/1", 404, "There is no such page."),
        ("/nothing", 404, "There is no such page."),
    ],
)
def test_what_is_not_there_is_a_sentence(visit, shop, path, status, sentence):
    page = visit("admin").get(path)
    assert page.status_code == status
    assert sentence in text(page)


def test_the_report_of_the_generation_opens(visit, shop):
    assert "has no report" in text(visit("viewer").get("/report"))
    (require_current(shop).folder / "report.html").write_text("<!doctype html><title>The report</title>")
    page = visit("viewer").get("/report")
    assert page.headers["content-type"].startswith("text/html")
    assert "The report" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_who_may_only_look_releases_nothing_and_rolls_nothing_back(visit, shop):
    load = quarantined(shop)
    browser = visit("viewer")
    assert f"/release/{load}" not in browser.get("/").text
    assert "the right to edit the DAG `build_marts` is needed" in text(browser.get("/"))
    for path in (f"/release/{load}", "/rollback/1"):
        assert browser.get(path).status_code == 403
        refused = browser.post(path, data={"confirmed": token(visit("user").get(f"/release/{load}"))})
        assert refused.status_code == 403
        assert "Your role in Airflow does not allow this" in text(refused)
    assert quarantined(shop) == load


def test_rows_are_released_once_after_a_page_that_says_what_will_happen(visit, shop):
    load, browser = quarantined(shop), visit("user")
    assert f"/release/{load}" in browser.get("/").text
    asked = browser.get(f"/release/{load}")
    assert "Rows of orders_2017-12-31.csv (feed orders) in quarantine by total_below_hundred: 1." in text(asked)
    assert opened(shop).ledger.quarantined_loads(only_open=True) == [load]
    done = browser.post(f"/release/{load}", data={"confirmed": token(asked)})
    assert done.status_code == 200
    assert re.search(r"Rows released as load [0-9a-f]{24}: 1\.", text(done))
    assert opened(shop).ledger.quarantined_loads(only_open=True) == []
    again = browser.post(f"/release/{load}", data={"confirmed": token(asked)})
    assert (again.status_code, "no row is open any more" in text(again)) == (400, True)


def test_nothing_is_released_without_a_token_for_this_user_and_this_step(visit, shop):
    load, browser = quarantined(shop), visit("user")
    mine = token(browser.get(f"/release/{load}"))
    # not the last character: some of its bits mean nothing
    changed = mine[:-2] + ("A" if mine[-2] != "A" else "B") + mine[-1]
    for path, confirmed in (
        (f"/release/{load}", {}),
        (f"/release/{load}", {"confirmed": "forged"}),
        (f"/release/{load}", {"confirmed": changed}),
        (f"/release/{load}", {"confirmed": token(visit("user", "eve").get(f"/release/{load}"))}),
    ):
        refused = browser.post(path, data=confirmed)
        assert refused.status_code == 403
        assert "Nothing was done" in text(refused)
    assert quarantined(shop) == load


def test_a_rollback_shows_the_generation_before_and_stops_publishing(visit, waiting, monkeypatch):
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(waiting.workspace))
    publishing.publish(opened(waiting), now=one_mart.NOW)
    browser = visit("user")
    asked = browser.get("/rollback/1")
    assert "Readers see generation 000001 (data up to 2017-12-30) instead of 000002 (data up to 2017-12-31)" in text(
        asked
    )
    assert require_current(waiting).number == 2
    done = browser.post("/rollback/1", data={"confirmed": token(asked)})
    assert "Readers see generation 000001 now." in text(done)
    assert require_current(waiting).number == 1
    assert plan.is_held(opened(waiting).ledger)
    assert "publishing is held since a rollback" in text(browser.get("/"))


def test_airflow_keeps_who_did_it(visit, shop):
    from airflow.models.log import Log
    from airflow.utils.session import create_session

    load, browser = quarantined(shop), visit("user", "rollo")
    browser.post(f"/release/{load}", data={"confirmed": token(browser.get(f"/release/{load}"))})
    with create_session() as session:
        kept = session.query(Log).filter(Log.event == "loyalty_release", Log.owner == "rollo").all()
    assert [load in one.extra for one in kept] == [True]


def test_airflow_finds_the_page_and_the_menu():
    from airflow import plugins_manager

    apps, _ = plugins_manager.get_fastapi_plugins()
    assert [(app["url_prefix"], type(app["app"])) for app in apps if app["name"] == "Loyalty warehouse"] == [
        ("/loyalty", Page)
    ]
    views = {view["name"]: view["href"] for view in plugins_manager._get_ui_plugins()[0]}
    assert (views["Loyalty"], views["Loyalty report"]) == ("/loyalty/", "/loyalty/report")


def test_below_a_path_the_menu_leads_there(monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://tools.example/airflow/")
    assert address("/") == "/airflow/loyalty/"


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_fits_a_screen_and_a_phone_and_fetches_nothing(visit, shop, width):
    from screenshots import chromium

    (shop.feeds / "kiosk.yml").write_text("feed: nothing\n")
    pages = [visit("user").get(path).text for path in ("/", "/?language=zh", f"/release/{quarantined(shop)}")]
    with chromium() as browser:
        for page in pages:
            tab = browser.new_page(viewport={"width": width, "height": 900})
            fetched: list[str] = []
            tab.on("request", lambda request, fetched=fetched: fetched.append(request.url))
            tab.set_content(page)
            assert tab.evaluate("document.documentElement.scrollWidth") == width
            assert tab.evaluate(
                "[...document.querySelectorAll('h1, td, li, p')].every(e => e.scrollWidth <= e.clientWidth)"
            )
            assert fetched == []
            tab.close()
