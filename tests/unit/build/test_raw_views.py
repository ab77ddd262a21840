"""`raw` shows exactly the accepted loads, typed by the contract, and a night opens the files of new loads alone."""

import re
from datetime import date, datetime

import duckdb
import pytest

from loyalty.build import raw_views
from loyalty.common.errors import UserError
from loyalty.common.ledger import Load
from loyalty.land.landing import load_feed
from loyalty.pull.contract import load_contract
from loyalty.pull.feeds import get_feed
from worlds import one_mart
from worlds.opened import opened


@pytest.fixture
def settings(tmp_path):
    settings = one_mart.make_workspace(tmp_path / "it's a shop")
    one_mart.load(settings)
    return settings


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def register(connection, settings):
    workspace = opened(settings)
    raw_views.register(connection, workspace, workspace.ledger.loads())
    return workspace.ledger.loads()


def test_every_feed_of_the_contract_is_there_typed_also_when_nothing_came(connection, settings):
    register(connection, settings)
    for feed in load_contract().values():
        columns = {row[0]: row[1] for row in connection.execute(f'describe raw."{feed.name}"').fetchall()}
        wanted = {name: kind.upper() for name, kind in feed.landed_columns.items()}
        assert columns == wanted | {"load_id": "VARCHAR"}
    assert connection.execute("select count(*) from raw.refunds").fetchall() == [(0,)]


def test_users_own_columns_are_there_and_null_where_an_export_lacks_them(connection, settings):
    one_mart.deliver(settings, "2017-12-31", "id,customer,at,total,Note\n4,eve,2017-12-31 10:00:00,7.00,gift\n")
    one_mart.load(settings)
    register(connection, settings)
    rows = connection.execute("select order_id, x_note from raw.orders order by order_id").fetchall()
    assert rows == [("1", None), ("2", None), ("3", None), ("4", "gift")]


def test_only_the_files_of_new_loads_are_opened(connection, settings):
    for day in range(10, 30):
        one_mart.deliver(settings, f"2017-11-{day}", one_mart.DAY_31.replace("2017-12-31", f"2017-11-{day}"))
        one_mart.load(settings)
    loads = register(connection, settings)
    newest = loads[-2].load_seq
    plan = connection.execute(
        "explain analyze select count(order_id) from raw.orders "
        f"where load_id in (select load_id from raw.loads where load_seq > {newest})"
    ).fetchall()[0][1]
    assert re.findall(r"Total Files Read: (\d+)", plan) == ["1"]


def test_loads_and_deliveries_separate_the_rejected_from_the_accepted(connection, settings):
    one_mart.deliver(settings, "2017-12-31", "id,customer\n1,ann\n")
    one_mart.load(settings)
    register(connection, settings)
    assert connection.execute("select outcome from raw.deliveries order by seq").fetchall() == [
        ("accepted",),
        ("rejected",),
    ]
    assert connection.execute("select feed_name, row_count, export_date from raw.loads").fetchall() == [
        ("orders", 3, date(2017, 12, 30))
    ]


def test_lost_manifest_is_one_sentence(connection, settings):
    next(settings.landing.glob("*/*/_manifest.json")).unlink()
    with pytest.raises(UserError, match=r"_manifest.json is missing or damaged.*loyalty load orders --again"):
        register(connection, settings)


def test_as_of_is_the_newest_export_date_else_the_newest_order(connection, settings):
    loads = register(connection, settings)
    span = raw_views.data_span(connection, settings, loads)
    assert (span.as_of, span.data_start, span.reporting_currency) == (date(2017, 12, 30), date(2017, 12, 1), "EUR")
    undated = [load.__class__(**{**load.__dict__, "version_at": None}) for load in loads]
    assert raw_views.data_span(connection, settings, undated).as_of == date(2017, 12, 30)
    assert raw_views.data_span(connection, settings, loads, date(2017, 6, 1)).as_of == date(2017, 6, 1)


def test_two_currencies_have_no_common_one_unless_the_workspace_names_it(connection, settings):
    feed = settings.feeds / "orders.yml"
    (settings.feeds / "web.yml").write_text(
        feed.read_text().replace("EUR", "USD").replace("source: shop", "source: web").replace("orders_", "web_")
    )
    (settings.home / "exports" / "web_2017-12-30.csv").write_text(one_mart.DAY_31)
    load_feed(opened(settings), get_feed(settings.feeds, "web"), now=one_mart.NOW)
    loads = register(connection, settings)
    assert raw_views.data_span(connection, settings, loads).reporting_currency is None
    named = settings.model_copy(update={"reporting_currency": "USD"})
    assert raw_views.data_span(connection, named, loads).reporting_currency == "USD"


def test_without_anything_that_has_a_date_there_is_nothing_to_build(connection, settings):
    with pytest.raises(UserError, match="No orders have been accepted yet, and no answers"):
        raw_views.data_span(connection, settings, [])


def test_k6_without_orders_today_is_the_newest_answer_purchase_or_contract_event(connection, settings):
    """What is dated after its delivery, such as the planned end of a contract, has not happened."""
    received = datetime(2026, 5, 10, 6)
    connection.execute("create schema raw")
    connection.execute("create table raw.loads (load_id varchar, received_at timestamp)")
    rows = {
        "survey_responses": [("2026-04-01",), ("2026-05-04",)],
        "panel_purchases": [("2026-03-01",)],
        "contracts": [("2026-03-05", "2026-05-06"), ("2026-03-06", "2027-03-05")],
    }
    loads = []
    for feed, columns in raw_views.DATES.items():
        declared = ", ".join(f"{column} date" for column in columns)
        connection.execute(f"create table raw.{feed} ({declared}, currency_code varchar, load_id varchar)")
        for row in rows.get(feed, []):
            dates = ", ".join(f"date '{day}'" for day in row)
            connection.execute(f"insert into raw.{feed} values ({dates}, null, '{feed}')")
        if feed in rows:
            connection.execute("insert into raw.loads values (?, ?)", [feed, received])
            loads.append(Load(feed, feed, "web", feed, len(loads) + 1, received, f"{feed}.csv", received))
    span = raw_views.data_span(connection, settings, loads)
    assert (span.as_of, span.data_start, span.reporting_currency) == (date(2026, 5, 6), date(2026, 3, 1), None)
    answers = [load for load in loads if load.feed == "survey_responses"]
    assert raw_views.data_span(connection, settings, answers).as_of == date(2026, 5, 4)
