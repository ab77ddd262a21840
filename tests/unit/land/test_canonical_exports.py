"""What a feed's YAML can say of everyday exports: factors, Unix time, durations, joined and nested cells, sums."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from loyalty.common.errors import LoadRejected
from loyalty.land.canonical import Fault, plan_columns, to_canonical
from loyalty.pull.feeds import BrokenFeed, FeedConfig
from loyalty.pull.formats.read import read_batches
from worlds.own_feeds import Workspace

KEY = (b"k" * 32,)
ORDER = {"order_id": "id", "customer_id": "who", "ordered_at": "at", "total_amount": "total"}
HEAD = "id,who,at,total,currency\n"


def read(
    workspace: Workspace, content: str, batch_rows: int = 100, **changes: Any
) -> tuple[list[dict[str, Any]], list[Fault]]:
    feed = workspace.feed(**({"columns": ORDER} | changes))
    assert isinstance(feed, FeedConfig)
    file = workspace.folder / "export"
    file.write_text(content, encoding="utf-8")
    rows: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for batch in read_batches(file, feed, batch_rows, 10**6):
        typed = to_canonical(batch, plan_columns(feed, batch.cells.column_names), KEY)
        rows += typed.table.to_pylist()
        faults += typed.faults
    return rows, faults


def refused(workspace: Workspace, **changes: Any) -> str:
    feed = workspace.broken_feed(**({"columns": ORDER} | changes))
    assert isinstance(feed, BrokenFeed)
    return feed.message


def test_a_factor_is_exact(workspace: Workspace) -> None:
    columns = ORDER | {
        "total_amount": {"from": "total", "factor": 0.01},
        "discount_amount": {"from": "total", "factor": -1},
    }
    rows, faults = read(workspace, HEAD + "1,a,2026-05-04,29997,EUR\n2,a,2026-05-04,,EUR\n", columns=columns)
    assert [row["total_amount"] for row in rows] == [Decimal("299.97"), None]
    assert [row["discount_amount"] for row in rows] == [Decimal(-29997), None]
    assert faults == []


def test_a_factor_of_a_german_number(workspace: Workspace) -> None:
    columns = ORDER | {"total_amount": {"from": "total", "factor": 1000}}
    options = {"decimal": ",", "thousands": ".", "delimiter": ";"}
    content = HEAD.replace(",", ";") + "1;a;2026-05-04;1.234,5 €;EUR\n"
    rows, _ = read(workspace, content, columns=columns, options=options)
    assert rows[0]["total_amount"] == Decimal(1234500)


@pytest.mark.parametrize(
    ("unit", "cell"),
    [("seconds", "1779700000"), ("milliseconds", "1779700000000"), ("microseconds", "1779700000000000")],
)
def test_unix_time_is_utc(workspace: Workspace, unit: str, cell: str) -> None:
    columns = ORDER | {"ordered_at": {"from": "at", "unix": unit}}
    rows, _ = read(workspace, HEAD + f"1,a,{cell},1,EUR\n", columns=columns)
    assert rows[0]["ordered_at"] == datetime(2026, 5, 25, 9, 6, 40)


def test_a_fraction_of_a_unix_second_is_kept(workspace: Workspace) -> None:
    columns = ORDER | {"ordered_at": {"from": "at", "unix": "seconds"}}
    rows, faults = read(workspace, HEAD + "1,a,1779700000.25,1,EUR\n2,a,yesterday,1,EUR\n", columns=columns)
    assert rows[0]["ordered_at"] == datetime(2026, 5, 25, 9, 6, 40, 250_000)
    assert [fault.row for fault in faults] == [1]


def test_a_count_without_its_unit_is_named_with_the_way_to_read_it(workspace: Workspace) -> None:
    _, faults = read(workspace, HEAD + "1,a,1779700000,1,EUR\n")
    assert "unix: seconds" in faults[0].reason


@pytest.mark.parametrize(
    ("stamp", "utc"),
    [
        ("2026-05-31T20:30:00+00", "20:30"),
        ("2026-05-31 22:30:00+02", "20:30"),
        ("2026-05-31 22:30:00.123456+02", "20:30"),
        ("2026-05-31 22:30:00+02:00", "20:30"),
        ("2026-05-31 22:30:00 +0200", "20:30"),
        ("2026-05-31T22:30+02", "20:30"),
        ("2026-05-31T2030Z", "20:30"),
        ("2026-05-31T20:30:00z", "20:30"),
        ("2026-05-31 16:30:00-04", "20:30"),
        ("2026-06-01 02:00:00+05:30", "20:30"),
        ("2026-05-31 22:30:00", "20:30"),
        ("20260531T223000+0200", "20:30"),
    ],
)
def test_every_offset_of_iso_8601_is_read(workspace: Workspace, stamp: str, utc: str) -> None:
    rows, faults = read(workspace, HEAD + f"1,a,{stamp},1,EUR\n")
    assert faults == []
    assert f"{rows[0]['ordered_at']:%Y-%m-%d %H:%M}" == f"2026-05-31 {utc}"


@pytest.mark.parametrize(
    ("date_format", "cell"),
    [("%H:%M %d-%m-%Y", "22:30 31-05-2026"), ("%H:%M-%d-%m-%Y", "22:30-31-05-2026"), ("%H:%M -%Y", "22:30 -2026")],
)
def test_a_year_is_no_offset(workspace: Workspace, date_format: str, cell: str) -> None:
    rows, faults = read(workspace, HEAD + f"1,a,{cell},1,EUR\n", date_format=date_format)
    assert faults == []
    assert f"{rows[0]['ordered_at']:%H:%M}" in ("20:30", "21:30")  # Berlin's summer and winter time
    assert rows[0]["ordered_at"].year == 2026


def test_a_date_and_a_clock_are_joined_and_ids_too(workspace: Workspace) -> None:
    columns = ORDER | {
        "order_id": {"join": ["store", "id"], "separator": "-"},
        "ordered_at": {"join": ["day", "clock"]},
    }
    content = "store,id,who,day,clock,total\n7,1,a,2026-05-04,10:15,1\n7,,a,2026-05-04,10:15,1\n"
    rows, faults = read(workspace, content, columns=columns)
    assert (rows[0]["order_id"], rows[0]["ordered_at"]) == ("7-1", datetime(2026, 5, 4, 8, 15))
    assert [(fault.row, fault.rule) for fault in faults] == [(1, "required")]


def test_a_duration_is_added_to_its_time(workspace: Workspace) -> None:
    columns = {
        "ticket_id": "id",
        "opened_at": "at",
        "first_response_at": {"from": "at", "plus": {"minutes": "reply"}},
    }
    content = "id,at,reply\n1,2026-05-04T10:00:00Z,7.5\n2,2026-05-04T10:00:00Z,\n3,2026-05-04T10:00:00Z,soon\n"
    rows, faults = read(workspace, content, feed="tickets", columns=columns)
    assert [row["first_response_at"] for row in rows] == [datetime(2026, 5, 4, 10, 7, 30), None, None]
    assert [fault.row for fault in faults] == [2]


def test_constants_are_written_as_yaml_writes_them(workspace: Workspace) -> None:
    columns = ORDER | {
        "total_amount": {"value": 1},
        "discount_amount": {"value": 2.5},
        "promised_at": {"value": "2026-05-04"},
    }
    rows, _ = read(workspace, HEAD + "1,a,2026-05-04,1,EUR\n", columns=columns)
    assert (rows[0]["total_amount"], rows[0]["discount_amount"]) == (Decimal(1), Decimal("2.5"))


def test_a_word_that_is_mapped_to_nothing_is_nothing(workspace: Workspace) -> None:
    columns = ORDER | {"customer_id": {"from": "who", "map": {"0": "", "-": " "}}}
    rows, _ = read(
        workspace, HEAD + "1,0,2026-05-04,1,EUR\n2,-,2026-05-04,1,EUR\n3,7,2026-05-04,1,EUR\n", columns=columns
    )
    assert [row["customer_id"] for row in rows] == [None, None, "7"]


def test_pattern_comes_before_map(workspace: Workspace) -> None:
    columns = ORDER | {"status": {"from": "who", "pattern": "^wc-(.*)", "map": {"done": "completed"}}}
    rows, _ = read(workspace, HEAD + "1,wc-done,2026-05-04,1,EUR\n", columns=columns)
    assert rows[0]["status"] == "completed"


def test_nested_json_is_read_by_its_path(workspace: Workspace) -> None:
    line = {
        "id": 7,
        "who": {"id": 501},
        "at": "2026-05-04",
        "money": {"total": {"value": 10.10}, "parts": [3, {"x": 4}]},
    }
    columns = {
        "order_id": "id",
        "customer_id": "who.id",
        "ordered_at": "at",
        "total_amount": "money.total.value",
        "discount_amount": "money.parts.1.x",
        "tax_amount": "money.missing.value",
    }
    rows, faults = read(workspace, json.dumps(line) + "\n", format="jsonl", columns=columns)
    chosen = [rows[0][name] for name in ("customer_id", "total_amount", "discount_amount", "tax_amount")]
    assert chosen == ["501", Decimal("10.10"), Decimal(4), None]
    assert faults == []


def test_numbers_in_nested_json_stay_numbers(workspace: Workspace) -> None:
    columns = {
        "order_id": "id",
        "customer_id": {"from": "who", "pattern": r'"id": (\d+)'},
        "ordered_at": "at",
        "total_amount": "t",
    }
    rows, _ = read(workspace, '{"id":1,"who":{"id":501},"at":"2026-05-04","t":1}\n', format="jsonl", columns=columns)
    assert rows[0]["customer_id"] == "501"


def test_only_the_kept_kinds_of_rows_are_read(workspace: Workspace) -> None:
    content = "kind," + HEAD + "Order,1,a,2026-05-04,1,EUR\nFee,2,a,2026-05-04,1,EUR\nNew kind,3,a,2026-05-04,1,EUR\n"
    rows, _ = read(workspace, content, rows={"keep": {"kind": ["Order"]}})
    assert [row["order_id"] for row in rows] == ["1"]


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 100])
def test_a_column_is_added_up_over_the_lines_of_a_record(workspace: Workspace, batch_rows: int) -> None:
    content = (
        HEAD
        + "1,a,2026-05-04,1.10,EUR\n1,a,2026-05-04,2.20,EUR\n2,b,2026-05-05,,EUR\n"
        + "3,b,2026-05-05,5,EUR\n3,b,2026-05-05,,EUR\n"
    )
    rows, _ = read(workspace, content, batch_rows, rows={"record": "id", "first_only": True, "sum": ["total"]})
    assert [(row["order_id"], row["total_amount"]) for row in rows] == [
        ("1", Decimal("3.30")),
        ("2", None),
        ("3", Decimal(5)),
    ]


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_lines_of_a_record_that_are_apart_reject_the_file(workspace: Workspace, batch_rows: int) -> None:
    content = HEAD + "1,a,2026-05-04,1,EUR\n2,b,2026-05-05,1,EUR\n1,a,2026-05-04,1,EUR\n"
    with pytest.raises(LoadRejected, match="line 4 belongs to the record that begins in line 2"):
        read(workspace, content, batch_rows, rows={"record": "id"})


def test_choices_of_one_cell_have_a_number_for_their_key(workspace: Workspace) -> None:
    columns = {
        "response_id": "id",
        "question_code": {"join": ["question", "place"], "separator": "/"},
        "value": "answer",
    }
    rules = {
        "unpivot": {"columns": ["Q*"], "name": "question", "value": "answer"},
        "split": {"column": "answer", "by": ",", "position": "place"},
    }
    content = 'id,Q1,Q2\n1,5,"Mugs, Bowls"\n2,4,Mugs\n'
    rows, _ = read(workspace, content, feed="survey_answers", group="surveys", columns=columns, rows=rules)
    assert [(row["response_id"], row["question_code"], row["value"]) for row in rows] == [
        ("1", "Q1/1", "5"),
        ("1", "Q2/1", "Mugs"),
        ("1", "Q2/2", "Bowls"),
        ("2", "Q1/1", "4"),
        ("2", "Q2/1", "Mugs"),
    ]


def test_an_amount_in_another_currency_than_its_row_is_named(workspace: Workspace) -> None:
    content = HEAD + "1,a,2026-05-04,5 USD,EUR\n2,a,2026-05-04,5 €,eur\n"
    _, faults = read(workspace, content, columns=ORDER | {"currency_code": "currency"})
    assert [(fault.row, fault.reason) for fault in faults] == [
        (0, "total_amount: the cell is in USD and currency_code says EUR")
    ]


def test_an_amount_that_cannot_be_read_is_shown_with_the_remedy(workspace: Workspace) -> None:
    _, faults = read(workspace, HEAD + '1,a,2026-05-04,"1,234.50",EUR\n')
    assert faults[0].reason == (
        "total_amount: the cell `1,234.50` is not a decimal; "
        "if it has marks between thousands, name them in `options: {thousands: ...}`"
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"order_id": {"from": "id", "factor": 2}}, "`factor` is for numbers"),
        ({"total_amount": {"from": "total", "unix": "seconds"}}, "`unix` is for times"),
        ({"total_amount": {"from": "total", "factor": 0}}, "zero"),
        ({"total_amount": {"join": ["a"], "from": "b"}}, "give one of"),
        ({"order_id": {"from": "id", "separator": "-"}}, "`separator` goes with `join`"),
        ({"customer_id": {"from": "who", "pattern": "(?=a)"}}, "look-around"),
    ],
)
def test_what_does_not_go_together_is_named(workspace: Workspace, columns: dict, message: str) -> None:
    assert message in refused(workspace, columns=ORDER | columns)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"sum": ["total"]}, "it needs `record`"),
        ({"sum": ["total"], "record": "id"}, "it needs `first_only`"),
        ({"keep": {"kind": ["a"]}, "leave_out": {"kind": ["a"]}}, "in `leave_out` too"),
    ],
)
def test_rows_that_do_not_go_together_are_named(workspace: Workspace, rows: dict, message: str) -> None:
    assert message in refused(workspace, rows=rows)
