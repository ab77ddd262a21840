"""Exports of shop, ticket and survey tools, read with YAML alone: headers as the tools write them, rows of our own."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal
from itertools import pairwise
from typing import Any

import openpyxl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loyalty.common.errors import LoadRejected
from loyalty.land.canonical import Fault, plan_columns, to_canonical
from loyalty.privacy.keys import Key
from loyalty.pull.feeds import BrokenFeed, FeedConfig
from loyalty.pull.formats.read import read_batches
from worlds.own_feeds import Workspace

KEY: Key = (b"k" * 32,)

SHOPIFY = """\
Name,Email,Currency,Total,Created at,Lineitem quantity,Lineitem price,Lineitem sku,Refunded Amount,Lineitem discount
#1001,a@b.example,EUR,25.00,2026-05-01 10:00:00 +0200,2,10.00,MUG,0.00,0.00
#1001,,,,,1,7.50,LID,,2.50
#1002,,EUR,9.99,2026-05-02 23:30:00 +0200,3,3.333,TEA,9.99,0.009
"""
QUALTRICS = """\
StartDate,Status,ResponseId,ExternalReference,Q1,Q2_TEXT
Start Date,Response Type,Response ID,External Data Reference,"How satisfied
are you?",Why?
"{""ImportId"":""startDate"",""timeZone"":""Z""}","{""ImportId"":""status""}","{""ImportId"":""_recordId""}","{""ImportId"":""ref""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2""}"
2026-05-01 10:00:00,IP Address,R_1,c1,9,"good, cheap"
2026-05-01 11:00:00,Survey Preview,R_2,c2,1,
2026-05-01 12:00:00,IP Address,R_3,c3,7,
"""
SURVEYMONKEY = """\
Respondent ID,Collector ID,Start Date,End Date,How satisfied are you?,What do you buy?,,
,,,,Response,Tea,Coffee,Open-Ended Response
7001,9,05/01/2026 09:00:00,05/13/2026 23:15:00,4,Tea,,
"""


def landed(
    workspace: Workspace, content: bytes | str, batch_rows: int = 100, **changes: Any
) -> tuple[list[dict], list[Fault], list[int]]:
    """The rows that an export becomes, what is wrong with them, and the line of each."""
    feed = workspace.feed(**({"columns": {}} | changes))
    assert isinstance(feed, FeedConfig)
    file = workspace.folder / "export"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    rows: list[dict] = []
    faults: list[Fault] = []
    lines: list[int] = []
    for batch in read_batches(file, feed, batch_rows, 10**6):
        typed = to_canonical(batch, plan_columns(feed, batch.cells.column_names), KEY)
        rows += typed.table.to_pylist()
        faults += typed.faults
        lines += batch.lines.to_pylist()
    return rows, faults, lines


def chosen(rows: list[dict], *names: str) -> list[tuple]:
    return [tuple(row[name] for name in names) for row in rows]


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_shopify_orders_are_the_first_lines_of_their_orders(workspace: Workspace, batch_rows: int) -> None:
    columns = {"order_id": "Name", "customer_id": {"value": "c"}, "ordered_at": "Created at", "total_amount": "Total"}
    rows, faults, lines = landed(
        workspace,
        SHOPIFY,
        batch_rows,
        columns=columns,
        rows={"record": "Name", "first_only": True},
    )
    assert chosen(rows, "order_id", "total_amount", "ordered_date") == [
        ("#1001", Decimal("25.0000"), rows[0]["ordered_date"]),
        ("#1002", Decimal("9.9900"), rows[1]["ordered_date"]),
    ]
    assert [str(row["ordered_at"]) for row in rows] == ["2026-05-01 08:00:00", "2026-05-02 21:30:00"]
    assert (faults, lines) == ([], [2, 4])


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_shopify_lines_are_numbered_within_their_order_and_worth_price_times_quantity(
    workspace: Workspace, batch_rows: int
) -> None:
    columns = {
        "order_id": "Name",
        "line_number": {"from": "_position"},
        "product_id": "Lineitem sku",
        "quantity": "Lineitem quantity",
        "net_amount": {"multiply": ["Lineitem quantity", "Lineitem price"], "minus": ["Lineitem discount"]},
    }
    rows, faults, _ = landed(
        workspace,
        SHOPIFY,
        batch_rows,
        feed="order_lines",
        columns=columns,
        rows={"record": "Name", "fill_down": ["Currency"]},
    )
    assert chosen(rows, "order_id", "line_number", "product_id", "net_amount", "x_currency") == [
        ("#1001", 1, "MUG", Decimal("20.0000"), "EUR"),
        ("#1001", 2, "LID", Decimal("5.0000"), "EUR"),
        ("#1002", 1, "TEA", Decimal("9.9900"), "EUR"),
    ]
    assert faults == []


def test_shopify_refunds_leave_out_what_was_not_refunded(workspace: Workspace) -> None:
    columns = {"refund_id": "Name", "order_id": "Name", "refunded_at": "Created at", "amount": "Refunded Amount"}
    rows, faults, lines = landed(
        workspace, SHOPIFY, feed="refunds", columns=columns, rows={"leave_out": {"Refunded Amount": ["", "0.00"]}}
    )
    assert (chosen(rows, "refund_id", "amount"), faults, lines) == ([("#1002", Decimal("9.9900"))], [], [4])


def test_woocommerce_items_in_cells_become_lines(workspace: Workspace) -> None:
    content = (
        "order_id,order_date,order_total,line_item_1,line_item_2\n"
        "11,2026-05-01 10:00:00,30,name:Mug|product_id:5|quantity:2|total:20,product_id:6|quantity:1|total:10\n"
        "12,2026-05-01 11:00:00,7,name:Tea|product_id:7|quantity:1|total:7,\n"
        "13,2026-05-01 12:00:00,1,name:Odd,\n"
    )
    columns = {
        "line_number": {"from": "_position"},
        "product_id": {"from": "item", "pattern": r"product_id:(\d+)"},
        "quantity": {"from": "item", "pattern": r"quantity:(\d+)"},
        "net_amount": {"from": "item", "pattern": r"\btotal:([\d.]+)"},
    }
    rows, faults, lines = landed(
        workspace,
        content,
        feed="order_lines",
        columns=columns,
        rows={"unpivot": {"columns": ["line_item_*"], "name": "item_number", "value": "item"}},
    )
    assert chosen(rows[:3], "order_id", "line_number", "product_id", "net_amount") == [
        ("11", 1, "5", Decimal("20.0000")),
        ("11", 2, "6", Decimal("10.0000")),
        ("12", 1, "7", Decimal("7.0000")),
    ]
    assert lines == [2, 2, 3, 4]
    assert {(fault.row, fault.reason) for fault in faults if fault.rule == "readable"} == {
        (3, f"{name}: a cell like `aaaa:aaa` does not fit the pattern of its column")
        for name in ("product_id", "quantity", "net_amount")
    }


def test_qualtrics_answers_one_row_each_without_previews(workspace: Workspace) -> None:
    common = {"options": {"skip_after_header": 2}, "group": "surveys", "timestamps_in": "UTC"}
    rows_key = {"leave_out": {"Status": ["Survey Preview"]}}
    responses, faults, lines = landed(
        workspace,
        QUALTRICS,
        feed="survey_responses",
        columns={
            "response_id": "ResponseId",
            "survey_id": {"value": "s"},
            "submitted_at": "StartDate",
            "customer_id": "ExternalReference",
        },
        rows=rows_key,
        **common,
    )
    assert (chosen(responses, "response_id", "customer_id"), faults, lines) == (
        [("R_1", "c1"), ("R_3", "c3")],
        [],
        [5, 7],
    )
    answers, faults, lines = landed(
        workspace,
        QUALTRICS,
        feed="survey_answers",
        columns={"response_id": "ResponseId", "question_code": "question", "value": "answer"},
        rows=rows_key | {"unpivot": {"columns": ["Q*"], "name": "question", "value": "answer"}},
        **common,
    )
    assert (chosen(answers, "response_id", "question_code", "value"), faults, lines) == (
        [("R_1", "Q1", "9"), ("R_1", "Q2_TEXT", "good, cheap"), ("R_3", "Q1", "7")],
        [],
        [5, 5, 7],
    )


def surveymonkey_workbook() -> bytes:
    book = openpyxl.Workbook()
    for line in SURVEYMONKEY.splitlines():
        book.active.append([cell or None for cell in line.split(",")])
    book.active.append([None])
    content = io.BytesIO()
    book.save(content)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Excel/survey.xlsx", content.getvalue())
    return packed.getvalue()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_surveymonkey_two_header_rows_also_as_a_workbook_in_a_zip(workspace: Workspace, form: str) -> None:
    rows, faults, lines = landed(
        workspace,
        SURVEYMONKEY if form == "csv" else surveymonkey_workbook(),
        feed="survey_answers",
        group="surveys",
        format=form,
        options={"header_rows": 2},
        columns={
            "response_id": "Respondent ID",
            "question_code": {
                "from": "question",
                "map": {"How satisfied are you? / Response": "satisfaction", "What do you buy? / Tea": "tea"},
            },
            "value": "answer",
        },
        rows={"unpivot": {"columns": ["* / *"], "name": "question", "value": "answer"}},
    )
    assert (chosen(rows, "response_id", "question_code", "value"), faults, lines) == (
        [("7001", "satisfaction", "4"), ("7001", "tea", "Tea")],
        [],
        [3, 3],
    )


def test_a_form_with_a_named_offset(workspace: Workspace) -> None:
    rows, faults, _ = landed(
        workspace,
        "#,Timestamp\n" + "".join(f"t,2026/09/27 3:00:00 PM {zone}\n" for zone in ("GMT+3", "GMT-3:30", "UTC")),
        feed="survey_responses",
        date_format="%Y/%m/%d %I:%M:%S %p %z",
        columns={"response_id": "#", "survey_id": {"value": "f"}, "submitted_at": "Timestamp"},
    )
    assert [str(row["submitted_at"].time()) for row in rows] == ["12:00:00", "18:30:00", "15:00:00"]
    assert faults == []


def test_lists_of_ids_are_split_or_their_first_is_taken(workspace: Workspace) -> None:
    content = (
        "Record ID,Create Date,Companies\n1,2024-03-12 09:14,9002;9999\n2,2024-03-13 10:00,\n3,2024-03-14 10:00,5\n"
    )
    columns = {"customer_id": "Record ID", "household_id": {"from": "Companies", "pattern": "^[^;]*"}}
    first, faults, _ = landed(workspace, content, feed="customers", columns=columns)
    assert (chosen(first, "customer_id", "household_id"), faults) == ([("1", "9002"), ("2", None), ("3", "5")], [])
    columns = {"customer_id": "Record ID", "into_customer_id": "Companies"}
    pairs, faults, lines = landed(
        workspace, content, feed="customer_links", columns=columns, rows={"split": {"column": "Companies", "by": ";"}}
    )
    assert chosen(pairs, "customer_id", "into_customer_id") == [("1", "9002"), ("1", "9999"), ("2", None), ("3", "5")]
    assert ([fault.reason for fault in faults], lines) == (["into_customer_id is missing"], [2, 2, 3, 4])


def test_a_reports_footer_is_no_row(workspace: Workspace) -> None:
    body = "Account ID,Created Date\n1,2026-05-01\n2,2026-05-02\n"
    footer = '\n"Accounts by month"\n"Copyright (c) the vendor"\n"Confidential"\n'
    common = {"feed": "customers", "columns": {"customer_id": "Account ID", "created_at": "Created Date"}}
    options = {"footer": "^Accounts by"}
    rows, faults, _ = landed(workspace, body + footer, options=options, **common)
    assert (chosen(rows, "customer_id"), faults) == ([("1",), ("2",)], [])
    assert len(landed(workspace, body, options=options, **common)[0]) == 2
    with pytest.raises(LoadRejected, match="more than 20 lines are below"):
        landed(workspace, body + footer + "3,2026-05-03\n" * 20, options=options, **common)


def test_a_workbook_without_header_keeps_its_first_row_and_leaves_out_its_footer(workspace: Workspace) -> None:
    book = openpyxl.Workbook()
    for line in (["Export of May"], ["c1", "2026-05-01"], ["c2", "2026-05-02"], [None], ["Total", 2]):
        book.active.append(line)
    content = io.BytesIO()
    book.save(content)
    options = {"header": False, "names": ["customer_id", "created_at"], "skip_lines": 1, "footer": "^Total"}
    rows, faults, lines = landed(workspace, content.getvalue(), feed="customers", format="xlsx", options=options)
    assert (chosen(rows, "customer_id"), faults, lines) == ([("c1",), ("c2",)], [], [2, 3])


def test_a_product_needs_its_factors_and_reads_numbers_as_the_feed_writes_them(workspace: Workspace) -> None:
    header = "order_id;line_number;product_id;quantity;price;less\n"
    content = header + "1;1;p;2;1.234,505;0,01\n1;2;p;2;;\n1;3;p;2;abc;\n1;4;p;3;1;\n"
    rows, faults, _ = landed(
        workspace,
        content,
        feed="order_lines",
        options={"delimiter": ";", "decimal": ",", "thousands": "."},
        columns={"net_amount": {"multiply": ["quantity", "price"], "minus": ["less"]}},
    )
    assert chosen(rows, "net_amount") == [(Decimal("2469.0000"),), (None,), (None,), (Decimal("3.0000"),)]
    assert {(fault.row, fault.reason) for fault in faults} == {
        (1, "net_amount is missing"),
        (2, "net_amount: a cell like `aaa` is not a number"),
    }


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            {"record": "Nam", "first_only": True},
            "the column `Nam`, which `rows` names, is missing; did you mean `Name`",
        ),
        ({"fill_down": ["Emil"]}, "`Emil`"),
        ({"leave_out": {"State": ["x"]}}, "`State`"),
        ({"split": {"column": "Tags", "by": ";"}}, "`Tags`"),
        ({"unpivot": {"columns": ["Q*"], "name": "n", "value": "v"}}, "`Q*`"),
        ({"unpivot": {"columns": ["Line*"], "name": "Total", "value": "v"}}, "choose another name"),
    ],
)
def test_a_column_that_rows_names_and_the_file_lacks_is_named(workspace: Workspace, rows: dict, sentence: str) -> None:
    with pytest.raises(LoadRejected) as refused:
        landed(workspace, SHOPIFY, rows=rows)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rows": {"first_only": True}}, "it needs `record`"),
        ({"rows": {"recrod": "Name"}}, "did you mean `record`"),
        ({"rows": {"record": "Name"}, "options": {"trailer": "^T"}}, "use options.footer"),
        ({"options": {"trailer": "^T", "footer": "^T"}}, "a `trailer`"),
        ({"options": {"footer": "("}}, "not a regular expression"),
        ({"options": {"footer": "^T"}, "format": "parquet"}, "only csv and xlsx"),
        ({"columns": {"order_id": {"from": "_position"}}}, "`_position` counts the rows of a record"),
        ({"columns": {"order_id": {"from": "Order", "pattern": "["}}}, "not a regular expression"),
        ({"columns": {"order_id": {"value": "1", "pattern": "1"}}}, "go with `from`"),
        ({"columns": {"order_id": {"from": "Order", "minus": ["Total"]}}}, "`minus` goes with `multiply`"),
        ({"columns": {"order_id": {"from": "Order", "patern": "x"}}}, "did you mean `pattern`"),
    ],
)
def test_a_wrong_declaration_is_refused_by_name(workspace: Workspace, changes: dict, sentence: str) -> None:
    broken = workspace.broken_feed("shop_orders", **changes)
    assert isinstance(broken, BrokenFeed)
    assert sentence in broken.message


@settings(max_examples=60)
@given(
    lines=st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(["", "x", "y"])), min_size=1, max_size=9),
    batch_rows=st.integers(1, 9),
)
def test_batches_do_not_matter(
    lines: list[tuple[str, str]], batch_rows: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Records, what is filled down, and positions are the same at every end of a batch."""
    names = [name for name, _ in lines if name]
    assume(names in (sorted(names), sorted(names, reverse=True)))  # the lines of a record are together
    workspace = Workspace(tmp_path_factory.mktemp("rows") / "shop")
    content = "Order,Customer,When,Total,z\n" + "".join(f"{a},{b},2026-05-04,1,z\n" for a, b in lines)
    columns = {
        "order_id": "Order",
        "customer_id": "Customer",
        "ordered_at": "When",
        "total_amount": "Total",
        "store_id": {"from": "_position"},
    }
    rules = {"record": "Order", "fill_down": ["Customer"]}
    whole = landed(workspace, content, columns=columns, rows=rules)
    assert landed(workspace, content, batch_rows, columns=columns, rows=rules)[0] == whole[0]
    of_order = [row["store_id"] for row in whole[0]]
    assert all(later == "1" or int(later) == int(earlier) + 1 for earlier, later in pairwise(of_order))
