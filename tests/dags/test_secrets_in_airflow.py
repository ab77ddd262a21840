"""The login of a connection is in nothing that Airflow keeps of a task: database, rendered templates, logs."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

CANARY = "canary7Secret"
FEED = """feed: orders
source: web
group: orders
owner: data-engineering
description: Orders of a shop whose server is down.
http: {endpoint: /export, connection: webshop}
time_zone: UTC
currency: USD
columns: {order_id: id, customer_id: customer, ordered_at: at, total_amount: total, kind: {value: sale}}
"""


def files_containing(folder: Path, text: str) -> list[Path]:
    """The files below a folder that contain exactly this text."""
    return [file for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


def test_the_login_of_a_feed_is_in_no_record_of_airflow(airflow, shop, monkeypatch, caplog, capfd):
    (shop / "dags" / "feeds" / "webshop.yml").write_text(FEED)
    monkeypatch.setenv("AIRFLOW_CONN_WEBSHOP", f"http://user:{CANARY}@127.0.0.1:9")
    dag = airflow.bag().dags["load_orders"]
    for task in dag.tasks:
        task.retries = 0  # a server that is down is not waited for
    assert {str(task.state) for task in dag.test().get_task_instances() if task.task_id == "webshop"} == {"failed"}
    home = Path(os.environ["AIRFLOW_HOME"])
    with sqlite3.connect(home / "airflow.db") as database:
        rendered = database.execute(
            "select rendered_fields from rendered_task_instance_fields where task_id = 'webshop'"
        ).fetchall()
    assert rendered
    out, err = capfd.readouterr()
    assert "/export cannot be reached" in caplog.text + out + err
    assert CANARY not in caplog.text + out + err
    assert [file for file in files_containing(home, "webshop") if file.name.startswith("airflow.db")]  # it is searched
    assert files_containing(home, CANARY) + files_containing(shop, CANARY) == []
