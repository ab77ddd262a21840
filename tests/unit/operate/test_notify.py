"""One message per state: it names feed, rule, rows, lines, owner and next step, and never a person."""

import re

import pytest

from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.common.settings import shipped
from loyalty.operate import channels
from loyalty.operate.nightly import run_nightly
from loyalty.operate.notify import CHAPTERS, QUARANTINED, failed_task, notify, notify_failure
from loyalty.operate.status import feed_states
from loyalty.read.data_warnings import data_warnings
from worlds import one_mart
from worlds.opened import opened

BROKEN = one_mart.HEADER + "8,ann,2017-12-31 10:00:00,7.00\n9,ann@example.com,not a time,1.00\n"


@pytest.fixture
def loose(published):
    """A published workspace whose feed lets half of the rows be broken."""
    feed = published.feeds / "orders.yml"
    feed.write_text(feed.read_text() + "max_quarantine_rate: 0.5\n")
    return published


def test_well_workspace_says_nothing(published):
    assert notify(opened(published), one_mart.NOW) is None
    assert Ledger(published.ledger).last("notify") is None


def test_rows_held_back_are_reported_once_with_their_lines_and_without_their_content(loose):
    one_mart.deliver(loose, "2017-12-31", BROKEN)
    one_mart.load(loose)
    message = notify(opened(loose), one_mart.NOW)
    (item,) = message.items
    assert (item.feed, item.rows, item.owner) == ("orders", 1, "data-engineering")
    assert "(orders_2017-12-31.csv line 3): ordered_at: a cell like `aaa a aaaa` is not a timestamp." in item.what
    assert item.runbook == "docs/runbooks.md#many-rows-are-in-quarantine"
    assert "docs/runbooks.md" in message.written()
    assert "example.com" not in message.written()
    assert notify(opened(loose), one_mart.NOW) is None


def test_refused_file_is_reported_until_a_good_one_comes(published):
    one_mart.deliver(published, "2017-12-31", "id,customer\n1,ann\n")
    one_mart.load(published)
    message = notify(opened(published), one_mart.NOW)
    assert [item.rule for item in message.items] == ["rejected"]
    assert "orders_2017-12-31.csv" in message.written()
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    one_mart.load(published)
    assert notify(opened(published), one_mart.NOW).written() == "Loyalty warehouse shop: all is well again."
    assert notify(opened(published), one_mart.NOW) is None


def test_a_feed_that_cannot_be_loaded_at_all_is_reported_until_it_can(published):
    suite = published.expectations / "orders.yml"
    suite.write_text("rows: nothing\n")
    for _ in range(2):
        with pytest.raises(UserError):
            one_mart.load(published)
    (item,) = notify(opened(published), one_mart.NOW).items
    assert (item.feed, item.rule) == ("orders", "load_failed")
    assert str(suite) in item.what
    assert [state.last_outcome for state in feed_states(opened(published), one_mart.NOW)] == ["failed"]
    assert len(Ledger(published.ledger).events("feed_error")) == 1
    suite.unlink()
    one_mart.load(published)
    assert notify(opened(published), one_mart.NOW).written() == "Loyalty warehouse shop: all is well again."
    assert [state.last_outcome for state in feed_states(opened(published), one_mart.NOW)] == ["accepted"]


def test_late_feed_and_broken_yaml_are_reported(published):
    feed = published.feeds / "orders.yml"
    feed.write_text(feed.read_text() + "max_age_days: 1\n")
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    message = notify(opened(published), one_mart.NOW.replace(day=3))
    assert {item.rule for item in message.items} == {"late", "feed_disabled"}


def test_webhook_gets_the_message_as_json_and_its_failure_fails_nothing(published, monkeypatch):
    monkeypatch.setattr(channels, "POST_ATTEMPTS", 1)
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    hooked = published.model_copy(update={"notify_url": "https://alerts.example/hook?token=secret"})
    said, sent = [], []

    def down(*_):
        raise ConnectionError("no route")

    notify(opened(hooked, said.append), one_mart.NOW, post=down)
    assert said[-1] == (
        "The alert did not arrive: alerts.example could not be reached (ConnectionError): correct the address in "
        "notify_url, or try again later. It is tried again with the next run."
    )
    assert "secret" not in "".join(said)
    notify(opened(hooked, said.append), one_mart.NOW, post=lambda url, content: sent.append((url, content)))
    assert sent[0][0] == hooked.notify_url
    document = sent[0][1]
    assert (document["workspace"], document["severity"], document["items"][0]["feed"]) == ("shop", "critical", "web")
    assert notify(opened(hooked), one_mart.NOW) is None


def test_said_in_summary_a_warning_of_the_data_is_sent_once_while_its_counts_grow(published):
    one_mart.warn(published, {"on the moon": 2, "parked": 30, "as ever": 99})
    (item,) = notify(opened(published), one_mart.NOW).items
    assert (item.rule, item.rows) == ("data_warning", 32)
    assert item.what == (
        "Warning: orders of shop: unknown status `parked` in 30 rows: map the word. "
        "`loyalty status` shows 1 more of this kind."
    )
    one_mart.warn(published, {"on the moon": 9, "parked": 31})
    assert notify(opened(published), one_mart.NOW) is None
    assert [warning.sentence for warning in data_warnings(published)] == [
        "orders of shop: unknown status `on the moon` in 9 rows: map the word",
        "orders of shop: unknown status `parked` in 31 rows: map the word",
    ]


def test_what_was_sent_before_is_counted_and_not_repeated(published):
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    notify(opened(published), one_mart.NOW)
    (published.feeds / "kiosk.yml").write_text("feed: nothing\n")
    message = notify(opened(published), one_mart.NOW)
    assert [item.feed for item in message.items] == ["kiosk", "web"]
    assert [item.feed for item in message.unsent] == ["kiosk"]
    assert "`web`" not in message.written()
    assert "1 unchanged since the last message" in message.written()


def test_critical_items_come_first_and_the_rest_is_counted(loose):
    one_mart.deliver(loose, "2017-12-31", BROKEN)
    one_mart.load(loose)
    for name in ("kiosk", "web"):
        (loose.feeds / f"{name}.yml").write_text("feed: nothing\n")
    message = notify(opened(loose), one_mart.NOW, links={"Run": "https://airflow.example/dags/build_marts/runs/1"})
    assert [(item.severity, item.feed) for item in message.unsent] == [
        ("critical", "kiosk"),
        ("critical", "web"),
        ("warning", "orders"),
    ]
    lines = message.written().splitlines()
    assert lines[0] == "Loyalty warehouse shop: 3 things need attention, 2 critical"
    assert [line for line in lines if not line.startswith("-")][1:] == [
        "CRITICAL",
        "WARNING",
        "Run: https://airflow.example/dags/build_marts/runs/1",
    ]
    assert message.alert(most=1).sections[-1] == ("", ("2 more; `loyalty status` shows all.",))


def test_a_failed_load_is_sent_at_once_and_not_again_at_the_end_of_the_run(published):
    one_mart.deliver(published, "2017-12-31", "id,customer\n1,ann\n")
    one_mart.load(published)
    message = notify_failure(opened(published), one_mart.NOW, links={"Run": "https://airflow.example/log"})
    assert [item.rule for item in message.items] == ["rejected"]
    assert "Run: https://airflow.example/log" in message.written()
    assert notify_failure(opened(published), one_mart.NOW) is None
    assert notify(opened(published), one_mart.NOW) is None
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    one_mart.load(published)
    assert notify(opened(published), one_mart.NOW).written() == "Loyalty warehouse shop: all is well again."


def test_a_task_that_failed_is_sent_unless_a_load_explains_it(published):
    one_mart.deliver(published, "2017-12-31", "id,customer\n1,ann\n")
    (outcome,) = one_mart.load(published)
    explained = failed_task(published, "load_orders.orders", "shop-team", outcome.message)
    assert [item.rule for item in notify_failure(opened(published), one_mart.NOW, task=explained).items] == ["rejected"]
    assert notify_failure(opened(published), one_mart.NOW, task=explained) is None
    other = failed_task(published, "housekeeping.prune", "data-engineering", "OSError; its log says more.")
    message = notify_failure(opened(published), one_mart.NOW, task=other)
    assert [(item.what, item.severity, item.runbook) for item in message.items] == [
        (
            "The task `housekeeping.prune` failed: OSError; its log says more.",
            "critical",
            "docs/runbooks.md#a-task-failed",
        )
    ]
    assert notify(opened(published), one_mart.NOW) is None  # what needs attention is as it was sent


def test_the_nightly_run_sends_failed_loads_before_it_builds(published):
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    said = []
    run_nightly(opened(published, said.append), now=one_mart.NOW)
    heads = [line.partition("\n")[0] for line in said]
    assert heads.index("Loyalty warehouse shop: 1 thing needs attention, 1 critical") < next(
        number for number, line in enumerate(heads) if line.startswith("plan:")
    )


def test_the_report_of_the_generation_is_a_link(published):
    report = published.serve / "current" / "report.html"
    report.write_text("<!doctype html>")
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    assert notify(opened(published), one_mart.NOW).links == {"Report": str(report)}


def test_every_chapter_that_an_alert_points_at_is_in_the_runbooks():
    text = (shipped("dags").parent / "docs" / "runbooks.md").read_text(encoding="utf-8")
    titles = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert {*CHAPTERS.values(), QUARANTINED} <= anchors
