"""A workspace small enough to be built in seconds: one feed of orders, one mart."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from loyalty.common.settings import Settings, load_settings, shipped
from loyalty.land.landing import LoadOutcome, load_feed
from loyalty.publish.generations import current_generation
from loyalty.pull.feeds import get_feed
from worlds.opened import opened

HERE = Path(__file__).parent
NOW = datetime(2018, 1, 1, 5, tzinfo=UTC)

FEED = """
feed: orders
source: shop
group: orders
owner: data-engineering
description: Orders of the shop.
path: exports/orders_{date}.csv
time_zone: UTC
currency: EUR
columns: {order_id: id, customer_id: customer, ordered_at: at, total_amount: total}
"""

CRM = """
feed: customers
source: shop
group: crm
owner: data-engineering
description: Customers of the shop.
path: exports/customers*.csv
time_zone: UTC
max_quarantine_rate: 0.9
columns: {customer_id: id, email: mail, created_at: since}
"""

HEADER = "id,customer,at,total\n"
DAY_30 = HEADER + "1,ann,2017-12-01 10:00:00,10.00\n2,ann,2017-12-29 10:00:00,20.50\n3,bob,2017-12-30 10:00:00,5.00\n"
DAY_31 = HEADER + "3,bob,2017-12-30 10:00:00,6.00\n4,eve,2017-12-31 10:00:00,7.00\n"


def make_workspace(folder: Path, **settings: object) -> Settings:
    """A workspace with one feed, its dbt project and the export of 2017-12-30, not loaded yet."""
    (folder / "dags/feeds").mkdir(parents=True)
    (folder / "expectations").mkdir()
    (folder / "dags/feeds/orders.yml").write_text(FEED)
    shutil.copytree(HERE / "one_mart_project", folder / "project")
    shutil.copy(shipped("dbt_project") / "profiles.yml", folder / "project")
    lines = [f"{name}: {value}" for name, value in settings.items()]
    (folder / "loyalty.yml").write_text("\n".join(["dbt_project: project", *lines]))
    made = load_settings(folder)
    deliver(made, "2017-12-30", DAY_30)
    return made


def deliver(settings: Settings, day: str, content: str) -> Path:
    """Drop one day's export."""
    file = settings.home / "exports" / f"orders_{day}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def load(settings: Settings, now: datetime = NOW) -> list[LoadOutcome]:
    """Load what is new, as if it came at NOW."""
    return load_feed(opened(settings), get_feed(settings.feeds, "orders"), now=now)


def fetch(file: Path, sql: str) -> list[tuple]:
    """Rows of a DuckDB file."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def published(settings: Settings, sql: str) -> list[tuple]:
    """Rows of the published marts."""
    return fetch(settings.serve / "current" / "loyalty.duckdb", sql)


def warn(settings: Settings, rows: dict[str, int]) -> None:
    """Give the current generation a table of warnings, as a build would."""
    file = current_generation(settings).marts_file
    file.chmod(0o644)
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema if not exists quality")
        connection.execute(
            "create or replace table quality.dq__data_warnings as select 'unknown status' as warning, 'orders' as feed,"
            " 'shop' as source, unnest(?) as detail, unnest(?) as row_count, 'map the word' as remedy,"
            " case when detail = 'as ever' then 'notice' else 'warning' end as severity",
            [list(rows), list(rows.values())],
        )


def copy_workspace(source: Path, target: Path) -> Settings:
    """A workspace of one's own, as far as another one has come."""
    shutil.copytree(source, target, symlinks=True)
    return load_settings(target)
