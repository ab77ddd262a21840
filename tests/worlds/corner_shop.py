"""A workspace small enough for Airflow's own tests: a few dozen orders of twelve customers."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from loyalty.common.settings import shipped

CUSTOMERS = 12
FIRST_DAY = date(2024, 1, 1)

FEEDS = {
    "till": """
feed: orders
source: corner_shop
group: orders
owner: shop-team
description: Orders of the corner shop's till.
path: exports/till_{date}.csv
time_zone: Europe/Berlin
currency: EUR
columns: {order_id: receipt, customer_id: card, ordered_at: sold_at, total_amount: paid}
""",
    "members": """
feed: customers
source: corner_shop
group: crm
owner: crm-team
description: Members of the corner shop's club.
path: exports/members.csv
time_zone: Europe/Berlin
columns: {customer_id: card, created_at: joined_at}
""",
    "answers": """
feed: survey_responses
source: corner_shop
group: surveys
owner: crm-team
description: Questionnaires that came back.
path: exports/answers_*.csv
time_zone: Europe/Berlin
columns: {response_id: id, customer_id: card, survey_id: {value: club}, submitted_at: sent_in_at}
""",
}


def make_workspace(folder: Path, load_schedule: str = "0 2 1 1 *") -> Path:
    """A workspace with three feeds and no file yet; timed once a year, so that only what has landed wakes a build."""
    (folder / "dags" / "feeds").mkdir(parents=True)
    exports(folder).mkdir(parents=True)
    settings = {
        "expectations": shipped("expectations"),
        "load_schedule": f'"{load_schedule}"',
        "build_schedule": '"0 5 1 1 *"',
    }
    (folder / "loyalty.yml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    for name, text in FEEDS.items():
        (folder / "dags" / "feeds" / f"{name}.yml").write_text(text.lstrip())
    return folder


def exports(folder: Path) -> Path:
    """Where the workspace's exports arrive."""
    return folder / "var" / "exports"


def write_till(folder: Path, day: date, orders: int = 36) -> Path:
    """One till export: `orders` orders of the hundred days up to `day`, with receipts of their own."""
    rows = [
        {
            "receipt": f"{day:%y%m%d}-{number}",
            "card": number % CUSTOMERS + 1,
            "sold_at": _moment(day - timedelta(days=100 * (orders - 1 - number) // orders)),
            "paid": f"{10 + number % 7}.50",
        }
        for number in range(orders)
    ]
    return _write(exports(folder) / f"till_{day}.csv", rows)


def write_members(folder: Path) -> Path:
    """The members' list."""
    rows = [{"card": card, "joined_at": _moment(FIRST_DAY)} for card in range(1, CUSTOMERS + 1)]
    return _write(exports(folder) / "members.csv", rows)


def write_answers(folder: Path, wave: int, day: date) -> Path:
    """One wave of answers."""
    rows = [{"id": f"{wave}-{card}", "card": card, "sent_in_at": _moment(day)} for card in range(1, CUSTOMERS + 1)]
    return _write(exports(folder) / f"answers_{wave}.csv", rows)


def write_broken_till(folder: Path, day: date) -> Path:
    """A till export without the column that says when."""
    return _write(exports(folder) / f"till_{day}.csv", [{"receipt": "1", "card": "1", "paid": "1.00"}])


def write_broken_feed(folder: Path) -> Path:
    """A feed YAML with a misspelt key."""
    file = folder / "dags" / "feeds" / "kiosk.yml"
    file.write_text(FEEDS["till"].lstrip().replace("time_zone:", "timezone:"))
    return file


def _moment(day: date) -> str:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC).isoformat()


def _write(file: Path, rows: list[dict[str, object]]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file
