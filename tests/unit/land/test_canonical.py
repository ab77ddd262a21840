"""From text to types: decimals without floats, UTC with local business dates, personal data gone."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loyalty.common.errors import LoadRejected
from loyalty.land.canonical import (
    Typed,
    is_personal,
    local_dates,
    plan_columns,
    read_booleans,
    read_dates,
    read_decimals,
    read_integers,
    read_timestamps,
    to_canonical,
)
from loyalty.privacy.keys import keyed_hash
from loyalty.pull.feeds import FeedConfig, FormatOptions
from loyalty.pull.formats.batch import Batch
from worlds.own_feeds import Workspace

KEY = (b"k" * 32,)


def batch(**columns: list[str]) -> Batch:
    size = len(next(iter(columns.values())))
    return Batch(pa.table(columns), pa.array(range(2, size + 2), pa.int64()))


def typed(feed: FeedConfig, **columns: list[str]) -> Typed:
    rows = batch(**columns)
    return to_canonical(rows, plan_columns(feed, rows.cells.column_names), KEY)


@pytest.mark.parametrize(
    ("text", "options", "value"),
    [
        ("1.50", {}, "1.5000"),
        ("-0.00005", {}, "-0.0001"),
        ("0.30000000000000004", {}, "0.3000"),
        ("1.234,56", {"decimal": ",", "thousands": "."}, "1234.5600"),
        ("12 345,6", {"decimal": ",", "thousands": " "}, "12345.6000"),
        ("+7", {}, "7.0000"),
        ("1,50", {}, None),
        ("19.99", {"decimal": ",", "thousands": "."}, None),
        ("1,234.56", {"decimal": ",", "thousands": "."}, None),
        ("12,50", {"thousands": ","}, None),
        ("99999999999999.99999", {}, None),
        ("1e3", {}, None),
        ("12.3.4", {}, None),
        ("999999999999999", {}, None),
        ("NaN", {}, None),
    ],
)
def test_decimals(text: str, options: dict, value: str | None) -> None:
    (read,) = read_decimals(pa.array([text]), FormatOptions(**options), 4).to_pylist()
    assert read == (Decimal(value) if value else None)


LARGEST = Decimal("99999999999999.9999")


@given(st.decimals(-LARGEST, LARGEST, places=4), st.sampled_from([".", ","]))
@example(LARGEST, ".")
@example(-LARGEST, ",")
def test_every_amount_survives_exactly(amount: Decimal, point: str) -> None:
    text = f"{amount:f}".replace(".", point)
    assert read_decimals(pa.array([text]), FormatOptions(decimal=point), 4).to_pylist() == [amount]


def test_integers_booleans_and_dates() -> None:
    integers = read_integers(pa.array(["12", "12.0", "12.5", "-3", "+5"]), FormatOptions())
    assert integers.to_pylist() == [12, 12, None, -3, 5]
    assert read_booleans(pa.array(["Yes", "0", "maybe", None])).to_pylist() == [True, False, None, None]
    assert read_dates(pa.array(["2026-05-04", "2026-05", "05/04/2026"]), "%m/%d/%Y").to_pylist() == [
        date(2026, 5, 4),
        date(2026, 5, 1),
        date(2026, 5, 4),
    ]


@pytest.mark.parametrize("word", ["now", "today", "NOW", "NaT", "tomorrow", "infinity"])
@pytest.mark.parametrize("date_format", [None, "%d.%m.%Y %H:%M"])
def test_a_word_is_no_moment(workspace: Workspace, word: str, date_format: str | None) -> None:
    text = pa.array([word, "2026-05-04"])
    assert [moment is None for moment in read_dates(text, date_format).to_pylist()] == [True, False]
    feed = workspace.feed(date_format=date_format)
    assert [moment is None for moment in read_timestamps(text, feed).to_pylist()] == [True, False]


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29 01:00:00"),  # skipped by the clock: the first moment after
        ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 00:30:00"),  # happens twice: the earlier
        ("Europe/Berlin", "2026-10-25T02:30:00+01:00", "2026-10-25 01:30:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00:00"),  # this day had no midnight
        ("Asia/Shanghai", "2024-02-29 23:59:59", "2024-02-29 15:59:59"),
        ("Asia/Shanghai", "2026-05-04T10:00:00Z", "2026-05-04 10:00:00"),
        ("Asia/Shanghai", "2026-05-04 00:00:00 +0800", "2026-05-03 16:00:00"),
    ],
)
def test_stamps_become_utc_by_the_feeds_zone(workspace: Workspace, zone: str, text: str, utc: str) -> None:
    feed = workspace.feed(time_zone=zone)
    assert read_timestamps(pa.array([text]), feed).to_pylist() == [datetime.fromisoformat(utc)]


def test_a_bare_date_is_a_business_date_even_where_stamps_are_utc(workspace: Workspace) -> None:
    feed = workspace.feed(time_zone="America/New_York", timestamps_in="UTC")
    stamps = read_timestamps(pa.array(["2026-05-04", "2026-05-04 02:00:00"]), feed)
    assert local_dates(stamps, feed.zone).to_pylist() == [date(2026, 5, 4), date(2026, 5, 3)]


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)))
def test_the_local_date_is_that_of_the_zone(stamp: datetime) -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("America/Sao_Paulo")
    expected = stamp.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).date()
    assert local_dates(pa.array([stamp], pa.timestamp("us")), zone).to_pylist() == [expected]


def test_what_cannot_be_read_is_a_fault_and_never_a_null(workspace: Workspace) -> None:
    result = typed(
        workspace.feed(),
        Order=["1", "2", ""],
        Customer=["a", "", "c"],
        When=["2026-05-04", "yesterday", "2026-05-04"],
        Total=["1.50", "abc", "3"],
    )
    assert [(fault.row, fault.rule, fault.column) for fault in result.faults] == [
        (2, "required", "order_id"),
        (1, "readable", "ordered_at"),
        (1, "readable", "total_amount"),
    ]
    assert result.faults[1].reason == "ordered_at: a cell like `aaaaaaaaa` is not a timestamp"


def test_constants_maps_line_numbers_currency_and_extras(workspace: Workspace) -> None:
    feed = workspace.feed(
        columns={
            "order_id": "_line",
            "customer_id": "Customer",
            "ordered_at": "When",
            "total_amount": "Total",
            "status": {"value": "completed"},
            "kind": {"from": "Type", "map": {"": "sale", "G": "gift"}},
        }
    )
    result = typed(
        feed,
        Customer=["a", "b"],
        When=["2026-05-04"] * 2,
        Total=["1", "2"],
        Type=["", "G"],
        **{"Sales Rep": ["x", "y"], "Billing Phone": ["1", "2"]},
    )
    first, second = result.table.to_pylist()
    assert (first["order_id"], first["kind"], first["status"], first["currency_code"]) == (
        "2",
        "sale",
        "completed",
        "EUR",
    )
    assert (second["kind"], second["x_sales_rep"]) == ("gift", "y")
    assert "x_billing_phone" not in result.table.column_names


def test_a_missing_required_column_is_named_with_its_nearest(workspace: Workspace) -> None:
    with pytest.raises(LoadRejected, match="column `When` .*is missing; the nearest is `Whenn`"):
        typed(workspace.feed(), Order=["1"], Customer=["a"], Whenn=["2026-05-04"], Total=["1"])


def test_the_order_of_columns_does_not_matter(workspace: Workspace) -> None:
    rows = {"Order": ["1"], "Customer": ["a"], "When": ["2026-05-04"], "Total": ["1"]}
    forwards = typed(workspace.feed(), **rows).table
    backwards = typed(workspace.feed(), **dict(reversed(rows.items()))).table
    assert forwards.equals(backwards)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *(
            (name, True)
            for name in ("E-Mail", "mail", "Kunden-Mail", "Billing Name", "Zip Code", "IP", "Straße", "手机")
        ),
        *((name, False) for name in ("mail_campaign", "Shop Name", "shipping method", "商品", "handled by")),
    ],
)
def test_columns_called_as_personal_data_are(name: str, is_one: bool) -> None:
    assert is_personal(name) is is_one


def test_personal_columns_are_hashed_or_dropped(workspace: Workspace) -> None:
    feed = workspace.feed("customers", feed="customers", group="crm", columns={}, currency=None)
    result = typed(
        feed,
        customer_id=["a", "b"],
        email=[" Ada@Example.COM ", ""],
        name=["Ada", ""],
        phone=["1", "2"],
        ip_address=["", ""],
    )
    first, second = result.table.to_pylist()
    assert (first["has_email"], first["has_name"], second["has_email"]) == (True, True, False)
    assert first["email_hash"] == keyed_hash(KEY, "ada@example.com")
    assert second["email_hash"] is None
    assert not {"email", "name", "phone", "x_ip_address"} & set(result.table.column_names)
    assert "Ada" not in str(result.table.to_pylist())
