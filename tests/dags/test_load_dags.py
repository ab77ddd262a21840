"""The load DAGs on a small workspace: what lands, what is skipped, what fails and how it says so."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from loyalty.common.ledger import Ledger
from loyalty.common.settings import load_settings
from worlds.corner_shop import (
    write_broken_feed,
    write_broken_till,
    write_members,
    write_till,
)
from worlds.opened import opened

DAY = date(2024, 6, 1)


def loads(shop):
    """(feed, file, rows) of every accepted load."""
    settings = load_settings(shop)
    return [(load.feed_name, load.data["file"], load.row_count) for load in Ledger(settings.ledger).loads()]


def test_new_files_land_once(airflow, shop):
    write_till(shop, DAY)
    write_members(shop)
    assert airflow.run("load_orders") == {"till": "success", "run": "success"}
    assert airflow.run("load_crm") == {"members": "success", "run": "success"}
    assert airflow.run("load_orders") == {"till": "skipped", "run": "success"}
    assert loads(shop) == [("till", "till_2024-06-01.csv", 36), ("members", "members.csv", 12)]


def test_a_group_without_files_is_skipped_and_not_green(airflow, shop):
    assert airflow.run("load_surveys")["answers"] == "skipped"
    assert loads(shop) == []


def test_a_refused_file_fails_its_task_at_once_after_the_others_have_landed(airflow, shop):
    write_broken_till(shop, date(2024, 5, 31))
    write_till(shop, DAY)
    assert airflow.run("load_orders") == {"till": "failed", "run": "failed"}
    assert loads(shop) == [("till", "till_2024-06-01.csv", 36)]


def test_the_failure_names_file_and_column(shop):
    from airflow.sdk.exceptions import AirflowFailException

    from loyalty.land.landing import load_feed
    from loyalty.operate.airflow.tasks import final_errors, raise_rejected
    from loyalty.pull.feeds import get_feed

    write_broken_till(shop, DAY)
    settings = load_settings(shop)
    outcomes = load_feed(opened(settings), get_feed(settings.feeds, "till"))
    with pytest.raises(AirflowFailException, match=r"till_2024-06-01\.csv.*sold_at"), final_errors():
        raise_rejected(outcomes)


def test_a_broken_yaml_fails_its_own_dag_and_the_others_load(airflow, shop):
    write_broken_feed(shop)
    write_till(shop, DAY)
    assert airflow.run("load_kiosk_broken") == {"kiosk": "failed", "run": "failed"}
    assert airflow.run("load_orders")["run"] == "success"


def test_what_is_over_in_a_minute_is_left_to_the_retries():
    from loyalty.common.errors import LockBusy
    from loyalty.operate.airflow.tasks import final_errors

    with pytest.raises(LockBusy), final_errors():
        raise LockBusy("Another run holds the work file.")


class Events(dict):
    """The events of a task's assets, by the asset's name."""

    def __getitem__(self, asset):
        return self.setdefault(asset.name, SimpleNamespace())


def a_run(run_type):
    moment = datetime(2024, 6, 1, 23, tzinfo=UTC)
    return {"dag_run": SimpleNamespace(run_type=run_type), "logical_date": moment, "outlet_events": Events()}


def test_a_backfill_is_for_the_local_day_of_its_date():
    from loyalty.operate.airflow.tasks import backfilled_day

    assert backfilled_day(a_run("backfill"), "UTC") == date(2024, 6, 1)
    assert backfilled_day(a_run("backfill"), "Europe/Berlin") == date(2024, 6, 2)


@pytest.mark.parametrize("run_type", ["scheduled", "manual", "asset_triggered"])
def test_any_other_run_takes_all_that_is_new(run_type):
    from loyalty.operate.airflow.tasks import backfilled_day

    assert backfilled_day(a_run(run_type), "UTC") is None


def test_a_feed_without_dates_refuses_a_backfill_in_a_sentence(shop, monkeypatch):
    from airflow.sdk.exceptions import AirflowFailException

    from loyalty.operate.airflow import tasks

    write_members(shop)
    monkeypatch.setattr(tasks, "get_current_context", lambda: a_run("backfill"))
    with pytest.raises(AirflowFailException, match=r"`members` has no \{date\} in its path"):
        tasks.load_feed("members")
    assert loads(shop) == []


def test_a_backfill_takes_the_file_of_its_day_only(shop, monkeypatch):
    from loyalty.operate.airflow import tasks

    write_till(shop, DAY, orders=5)
    write_till(shop, date(2024, 6, 2), orders=7)
    monkeypatch.setattr(tasks, "get_current_context", lambda: a_run("backfill"))
    assert tasks.load_feed("till") == 5
    assert loads(shop) == [("till", "till_2024-06-01.csv", 5)]


def test_a_failed_load_alerts_at_once_with_the_address_of_its_log(airflow, shop, monkeypatch, capfd, caplog):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example")
    write_broken_till(shop, DAY)
    assert airflow.run("load_orders")["till"] == "failed"
    alerts = Ledger(load_settings(shop).ledger).events("notify")
    assert len(alerts) == 1
    said = "".join(capfd.readouterr()) + caplog.text
    assert "Loyalty warehouse shop: 1 thing needs attention, 1 critical" in said
    assert "till_2024-06-01.csv" in said
    assert "Run: https://airflow.example/dags/load_orders/runs/" in said
    assert "/tasks/till" in said
    assert "Report: " not in said  # nothing is published
    airflow.run("load_orders")
    assert Ledger(load_settings(shop).ledger).events("notify") == alerts


def test_an_alert_has_no_address_that_does_not_open(airflow, shop, capfd, caplog):
    write_broken_till(shop, DAY)
    airflow.run("load_orders")
    assert "Run: " not in "".join(capfd.readouterr()) + caplog.text


def test_the_log_of_a_load_is_a_few_lines_that_say_what_to_do_next(airflow, shop, capfd, caplog):
    file = write_till(shop, DAY)
    file.write_text(file.read_text().replace("10.50", "1O.50", 1))
    feed = shop / "dags" / "feeds" / "till.yml"
    feed.write_text(feed.read_text() + "max_quarantine_rate: 0.5\n")
    assert airflow.run("load_orders")["till"] == "success"
    (load,) = Ledger(load_settings(shop).ledger).loads()
    said = "".join(capfd.readouterr()) + caplog.text
    assert (
        f"till: landed 35 rows of till_2024-06-01.csv as load {load.load_id}. Feed `till`, file till_2024-06-01.csv: "
        f"1 row quarantined (readable_total_amount 1). `loyalty quarantine show {load.load_id}` shows them."
    ) in said
    assert "great_expectations" not in said
    assert "Calculating Metrics" not in said
    with sqlite3.connect(Path(os.environ["AIRFLOW_HOME"]) / "airflow.db") as database:
        events = database.execute(
            "select asset.name, asset.extra, asset_event.extra from asset_event join asset on asset.id = asset_id "
            "order by asset_event.id"
        ).fetchall()
    name, about, extra = events[-1]
    assert (name, json.loads(about)["owner"], json.loads(about)["feed"]) == ("till", "shop-team", "orders")
    assert json.loads(about)["description"] == "Orders of the corner shop's till."
    assert {key: json.loads(extra)[key] for key in ("rows", "quarantined", "loads", "files")} == {
        "rows": 35,
        "quarantined": 1,
        "loads": [load.load_id],
        "files": ["till_2024-06-01.csv"],
    }
