"""How the cost of a command grows with the ledger, and what many small files cost in one run.

The ledger is filled with SIMULATED deliveries of the past: their loads are not on disk, for no command here reads them.
CPU seconds are counted, not the clock's, so that other work on the machine matters little.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loyalty.build.plan import make_plan
from loyalty.common.progress import SILENT
from loyalty.common.settings import load_settings, shipped
from loyalty.common.workspace import Workspace, open_workspace
from loyalty.land.landing import load_feed
from loyalty.operate.notify import notify
from loyalty.operate.status import attention, feed_states
from loyalty.pull.feeds import usable_feeds

FEW, MANY, SMALL_FILES = 1_000, 100_000, 10_000
FIRST = datetime(2015, 1, 1, tzinfo=UTC)
HEADER = "order_id,customer_id,ordered_at,total_amount\n"
FEED = """\
feed: orders
source: bench
group: orders
owner: bench
description: SIMULATED orders for the benchmark.
path: exports/orders_{date}_*.csv
time_zone: UTC
currency: EUR
"""


def make_workspace(folder: Path, events: int) -> None:
    """A workspace whose ledger has so many events of the past."""
    (folder / "dags" / "feeds").mkdir(parents=True)
    (folder / "loyalty.yml").touch()
    (folder / "dags" / "feeds" / "orders.yml").write_text(FEED, encoding="utf-8")
    write_file(folder, 0)
    land(folder)
    opened = open_past(folder)
    ledger, mapping_id = opened.ledger, usable_feeds(opened.settings.feeds)["orders"].mapping_id
    first = ledger.last_seq()
    with ledger.file.open("a", encoding="utf-8") as handle:
        for number in range(first + 1, first + 1 + events):
            handle.write(json.dumps(past_event(number, mapping_id), sort_keys=True) + "\n")
    open_past(folder).ledger.last_seq()  # the index is made once, by whatever command comes first


def past_event(number: int, mapping_id: str) -> dict[str, object]:
    """A SIMULATED event of a day of the past: nine in ten are deliveries, the others runs, builds and publishes."""
    event: dict[str, object] = {"seq": number, "at": (FIRST + timedelta(minutes=number)).isoformat()}
    kind = number % 10
    if kind == 0:
        names = ("run", "build", "publish")
        more: dict[str, object] = {"run_kind": "night", "outcome": "done", "message": "", "build_id": f"b{number}"}
        more |= {"code_version": "", "history_version": "", "is_as_of_given": False, "generation": number}
        more |= {"kind": names[number // 10 % 3], "ledger_seq": number, "load_seq": number, "as_of": "2015-01-01"}
        return event | more
    day = (FIRST + timedelta(days=number // 30)).date().isoformat()
    return event | {
        "kind": "delivery",
        "feed": "orders",
        "feed_name": "orders",
        "source": "bench",
        "group": "orders",
        "uri": f"exports/orders_{day}_{number}.csv",
        "file": f"orders_{day}_{number}.csv",
        "sha256": f"{number:064x}",
        "stamp": "",
        "load_id": f"{number:024x}",
        "mapping_id": mapping_id,
        "rules_id": "r",
        "version_at": day,
        "snapshot": False,
        "supersedes": [],
        "restates": [],
        "outcome": "accepted",
        "row_count": 1,
        "quarantined_count": 0,
        "quarantined_amount": "0",
    }


def open_past(folder: Path) -> Workspace:
    """The workspace as a command opens it."""
    return open_workspace(load_settings(folder, expectations=shipped("expectations")), SILENT)


def write_file(folder: Path, number: int) -> None:
    """An export of one SIMULATED order."""
    file = folder / "var" / "exports" / f"orders_2026-01-01_{number:06}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HEADER + f"{number},c{number % 997},2026-01-01 10:00:00,{number % 100 + 1}.00\n", encoding="utf-8")


def land(folder: Path) -> int:
    """Land what is new; the number of files."""
    opened = open_past(folder)
    outcomes = load_feed(opened, usable_feeds(opened.settings.feeds)["orders"])
    assert all(outcome.outcome == "accepted" for outcome in outcomes), outcomes
    return len(outcomes)


def land_one(folder: Path) -> None:
    """Land one more file."""
    write_file(folder, time.time_ns())
    assert land(folder) == 1


def land_many(folder: Path, files: int) -> float:
    """Land so many files of one row in one run; the CPU seconds that it took."""
    for number in range(1, files + 1):
        write_file(folder, number)
    started = time.process_time()
    assert land(folder) == files
    return time.process_time() - started


def plan(folder: Path) -> None:
    """Ask what is to be built."""
    make_plan(open_past(folder))


def status(folder: Path) -> None:
    """Ask for the state of the feeds, and what needs attention."""
    opened = open_past(folder)
    attention(opened, feed_states(opened))


def alert(folder: Path) -> None:
    """Make the message about what needs attention."""
    notify(open_past(folder))


WORKS: dict[str, Callable[[Path], object]] = {"land_one": land_one, "plan": plan, "status": status, "alert": alert}


def cpu_seconds(folder: Path, work: str) -> float:
    """The least CPU seconds of three, as after start."""
    return min(_timed(WORKS[work], folder) for _ in range(3))


def _timed(work: Callable[[Path], object], folder: Path) -> float:
    started = time.process_time()
    work(folder)
    return time.process_time() - started
