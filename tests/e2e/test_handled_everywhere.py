"""A reader sees what people did beside new files, wherever figures are compared with the generation before."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from loyalty.common.settings import Settings
from loyalty.land import quarantine
from loyalty.land.release import release
from loyalty.land.withdraw import withdraw
from loyalty.operate import nightly
from loyalty.operate.cli.main import app
from loyalty.operate.erase import forget
from loyalty.operate.notify import notify
from loyalty.publish.generations import REPORT, current_generation, generation_before, resume, rollback
from loyalty.read.handled_sentences import sentences
from loyalty.read.words import Words
from worlds import one_mart
from worlds.opened import opened

SUITE = """
feed: orders
rows:
  - name: plausible
    severity: critical
    because: 'An order of this shop is worth a thousand at most.'
    expectation: {type: expect_column_values_to_be_between, kwargs: {column: total_amount, max_value: 1000}}
"""
TOO_MUCH = one_mart.DAY_31 + "5,eve,2017-12-31 11:00:00,5000\n6,ann,2017-12-31 12:00:00,6000\n"
RELEASED = "2 rows of orders released from quarantine (file orders_2017-12-31.csv, rule plausible)"


@pytest.fixture
def held(published: Settings) -> Settings:
    """Generation 2 of a shop that has two rows of its second day in quarantine."""
    feed = published.feeds / "orders.yml"
    feed.write_text(feed.read_text() + "max_quarantine_rate: 0.9\n")
    (published.expectations / "orders.yml").write_text(SUITE)
    one_mart.deliver(published, "2017-12-31", TOO_MUCH)
    run(published)
    return published


def run(settings: Settings) -> str:
    """A nightly run; returns what it printed."""
    lines: list[str] = []
    nightly.run_nightly(opened(settings, lines.append), now=one_mart.NOW)
    return "\n".join(lines)


def done(settings: Settings) -> list[str] | None:
    current = current_generation(settings)
    assert current is not None
    return sentences(current.manifest, Words("en"))


def test_rows_released_are_named_in_run_report_difference_and_alert(
    held: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert done(held) == []
    (load_id,) = {entry.load_id for entry in quarantine.entries(opened(held), only_open=True)}
    release(opened(held), load_id)
    assert f"done since the generation before: {RELEASED}" in run(held)
    assert done(held) == [RELEASED]

    page = (held.serve / "current" / REPORT).read_text(encoding="utf-8")
    assert f"<li>{RELEASED}</li>" in page
    assert "<li>orders 有 2 行解除隔离" in page

    monkeypatch.setenv("LOYALTY_WORKSPACE", str(held.workspace))
    assert RELEASED in CliRunner().invoke(app, ["generations", "--diff"]).output
    document = json.loads(CliRunner().invoke(app, ["generations", "--diff", "--format", "json"]).output)
    assert [item["kind"] for item in document["handled"]] == ["released"]


def test_an_alert_has_what_was_done_once(held: Settings) -> None:
    (load_id,) = {entry.load_id for entry in quarantine.entries(opened(held), only_open=True)}
    release(opened(held), load_id)
    nightly.build_and_publish(opened(held), now=one_mart.NOW)
    message = notify(opened(held), one_mart.NOW)  # the rows are no longer in quarantine
    assert message is not None
    assert f": all is well again.\nDONE SINCE THE GENERATION BEFORE\n- {RELEASED}\n" in message.written()
    (held.feeds / "web.yml").write_text("feed: nothing\n")
    later = notify(opened(held), one_mart.NOW)
    assert later is not None
    assert "DONE SINCE" not in later.written()


def test_after_a_rollback_readers_compare_with_what_they_saw(held: Settings) -> None:
    """Generation 2 is taken back and its load withdrawn: generation 3 follows generation 1."""
    wrong = next(load for load in opened(held).ledger.loads() if load.data["file"] == "orders_2017-12-31.csv")
    rollback(opened(held))
    withdraw(opened(held), wrong.load_id)
    resume(opened(held))
    one_mart.deliver(held, "2018-01-01", one_mart.HEADER + "9,bob,2018-01-01 01:00:00,1.00\n")
    run(held)
    current = current_generation(held)
    assert current is not None
    before = generation_before(held, current)
    assert (current.number, before and before.number) == (3, 1)
    assert done(held) == [
        "1 load of orders withdrawn (2 rows, file orders_2017-12-31.csv)",
        "generation 1 shown instead of generation 2 by a rollback",
    ]


def test_a_person_who_was_forgotten_is_a_number(held: Settings) -> None:
    forget(opened(held), "eve")
    assert done(held) == ["1 person forgotten, 1 load written again"]
