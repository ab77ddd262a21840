"""Landing and the gate: whole loads, held-back rows, one sentence per refusal."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.common.spreadsheet import neutral
from loyalty.land.landing import LoadOutcome, load_feed, unseen_files
from loyalty.land.loads import MANIFEST, load_folder, read_manifest
from loyalty.land.quarantine import entries, export
from loyalty.land.release import release
from loyalty.pull.feeds import FeedConfig
from worlds.opened import opened
from worlds.own_feeds import Workspace, rule

NOW = datetime(2026, 5, 6, 2, tzinfo=UTC)
HEADER = "Order,Customer,When,Total\n"
GOOD = "1,a,2026-05-04 10:00:00,1.50\n2,b,2026-05-04 11:00:00,2.50\n"
CRM = {"feed": "customers", "group": "crm", "path": "exports/crm.csv", "columns": {}, "currency": None}
BAD = "3,c,yesterday,1.75\n"


def load(workspace: Workspace, feed: FeedConfig, **more: object) -> list[LoadOutcome]:
    return load_feed(opened(workspace.settings), feed, now=NOW, **more)  # type: ignore[arg-type]


def landed(workspace: Workspace, outcome: LoadOutcome, feed: str = "orders") -> list[dict]:
    folder = workspace.settings.landing / feed / f"load_id={outcome.load_id}"
    return [row for file in sorted(folder.glob("part-*")) for row in pq.read_table(file, partitioning=None).to_pylist()]


def test_a_load_is_whole_with_its_lineage_and_its_manifest(workspace: Workspace) -> None:
    feed = workspace.feed()
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD)
    (outcome,) = load(workspace, feed)
    assert (outcome.outcome, outcome.rows, outcome.quarantined, outcome.message) == ("accepted", 2, 0, "")
    row = landed(workspace, outcome)[0]
    assert (row["order_id"], row["total_amount"], row["currency_code"]) == ("1", Decimal("1.5"), "EUR")
    assert (row["ordered_at"], row["ordered_date"]) == (datetime(2026, 5, 4, 8), date(2026, 5, 4))
    assert (row["_source"], row["_file"], row["_line"]) == ("shop", "orders_2026-05-04.csv", 2)
    assert row["_version_at"] == datetime(2026, 5, 4)
    manifest = read_manifest(workspace.settings.landing / "orders" / f"load_id={outcome.load_id}")
    assert manifest["profile"]["sum_total_amount"] == "4.0000"
    assert [part["rows"] for part in manifest["parts"]] == [2]


def test_nothing_is_loaded_twice(workspace: Workspace) -> None:
    feed = workspace.feed()
    file = workspace.export("orders_2026-05-04.csv", HEADER + GOOD)
    assert len(load(workspace, feed)) == 1
    assert load(workspace, feed) == []
    file.touch()
    assert unseen_files(opened(workspace.settings), feed) == []
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD + "4,d,2026-05-04,1\n")
    assert [outcome.outcome for outcome in load(workspace, feed)] == ["accepted"]


def test_a_renamed_copy_lands_once(workspace: Workspace) -> None:
    feed = workspace.feed(path="exports/orders*.csv")
    workspace.export("orders.csv", HEADER + GOOD)
    workspace.export("orders_copy.csv", HEADER + GOOD)
    assert [outcome.outcome for outcome in load(workspace, feed)] == ["accepted", "unchanged"]
    assert len(Ledger(workspace.settings.ledger).loads()) == 1


def test_the_same_content_under_a_later_date_is_the_newest_again(workspace: Workspace) -> None:
    feed, first, corrected = workspace.feed(), HEADER + GOOD, HEADER + GOOD.replace("1.50", "9.00")
    for day, content in (("04", first), ("05", corrected), ("06", first)):
        workspace.export(f"orders_2026-05-{day}.csv", content)
    assert [outcome.outcome for outcome in load(workspace, feed)] == ["accepted"] * 3
    loads = Ledger(workspace.settings.ledger).loads()
    assert [load.version_at.day for load in loads if load.version_at] == [4, 5, 6]


def test_a_copy_says_what_it_is_a_copy_of(workspace: Workspace) -> None:
    feed = workspace.feed(path="exports/orders*.csv")
    workspace.export("orders.csv", HEADER + GOOD)
    workspace.export("orders_copy.csv", HEADER + GOOD)
    assert load(workspace, feed)[1].message == (
        "Feed `orders`, file orders_copy.csv: the same content was delivered before as orders.csv; "
        "nothing is loaded twice."
    )


def test_broken_rows_are_held_back_counted_and_valued(workspace: Workspace) -> None:
    feed = workspace.feed(max_quarantine_rate=0.5)
    workspace.suite(
        "orders", rows=[rule("too_high", "expect_column_values_to_be_between", column="total_amount", max_value=2)]
    )
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD + BAD + GOOD.replace("2.50", "0.50"))
    (outcome,) = load(workspace, feed)
    assert (outcome.rows, outcome.quarantined) == (3, 2)
    assert "2 rows quarantined (readable_ordered_at 1, too_high 1)" in outcome.message
    held = entries(opened(workspace.settings))
    assert [(entry.line, entry.rules, entry.amount, entry.status) for entry in held] == [
        (3, "too_high", Decimal("2.5"), "open"),
        (4, "readable_ordered_at", Decimal("1.75"), "open"),
    ]
    assert held[1].reason == "ordered_at: a cell like `aaaaaaaaa` is not a timestamp"
    assert json.loads(held[1].row_json)["Order"] == "3"


def test_a_warning_keeps_the_row_and_is_counted(workspace: Workspace) -> None:
    between = rule("too_high", "expect_column_values_to_be_between", "warning", column="total_amount", max_value=2)
    workspace.suite("orders", rows=[between])
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD)
    (outcome,) = load(workspace, workspace.feed())
    assert (outcome.rows, outcome.quarantined) == (2, 0)
    assert [(result.rule, result.failed, result.severity) for result in outcome.rules] == [("too_high", 1, "warning")]


REFUSALS = {
    "missing column": ("Order,Customer,Whenn,Total\n1,a,2026-05-04,1\n", "the nearest is `Whenn`"),
    "truncated gzip": (gzip.compress((HEADER + GOOD * 99).encode())[:-30], "cut short or damaged"),
    "gb18030 as utf-8": (HEADER.encode() + "1,比较满意,2026-05-04,1\n".encode("gb18030"), "line 2 is not utf-8"),
    "empty": (b"", "the file is empty"),
    "half broken": (HEADER + GOOD + BAD + BAD, "2 of 4 rows are broken"),
    "header only": (HEADER, "breaks the rule `not_empty` (row_count is 0)"),
}


@pytest.mark.parametrize("name", list(REFUSALS))
def test_a_bad_file_gets_one_sentence_and_the_others_of_its_feed_load(workspace: Workspace, name: str) -> None:
    content, sentence = REFUSALS[name]
    workspace.suite(
        "orders", load=[rule("not_empty", "expect_column_values_to_be_between", column="row_count", min_value=1)]
    )
    workspace.export("orders_2026-05-04.csv", content)
    workspace.export("orders_2026-05-05.csv", HEADER + GOOD)
    first, second = load(workspace, workspace.feed())
    assert (first.outcome, second.outcome) == ("rejected", "accepted")
    assert first.message.startswith("Feed `orders`, file orders_2026-05-04.csv: ")
    assert sentence in first.message
    assert "\n" not in first.message
    assert [load.load_id for load in Ledger(workspace.settings.ledger).loads()] == [second.load_id]
    assert not list(workspace.settings.landing.rglob(".draft*"))


def test_a_refused_file_is_tried_again_only_when_its_rules_have_changed(workspace: Workspace) -> None:
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD + BAD + BAD)
    assert [outcome.outcome for outcome in load(workspace, workspace.feed())] == ["rejected"]
    assert load(workspace, workspace.feed()) == []
    assert [outcome.outcome for outcome in load(workspace, workspace.feed(max_quarantine_rate=0.5))] == ["accepted"]


# Broken rows, rows in all, the feed's own limit, and what becomes of the file.
SMALL_FILES = [
    (1, 16, {}, "accepted"),
    (5, 16, {}, "accepted"),
    (6, 16, {}, "rejected"),
    (1, 3, {}, "accepted"),
    (2, 4, {}, "rejected"),
    (3, 3, {}, "rejected"),
    (6, 200, {}, "accepted"),
    (11, 200, {}, "rejected"),
    (1, 200, {"max_quarantine_rate": 0}, "rejected"),
]


@pytest.mark.parametrize(("broken", "rows", "limit", "becomes"), SMALL_FILES)
def test_a_few_broken_rows_of_a_small_file_are_quarantined_alone(
    workspace: Workspace, broken: int, rows: int, limit: dict[str, float], becomes: str
) -> None:
    good = "".join(f"g{number},a,2026-05-04 10:00:00,1.50\n" for number in range(rows - broken))
    workspace.export("orders_2026-05-04.csv", HEADER + good + BAD * broken)
    (outcome,) = load(workspace, workspace.feed(**limit))
    assert outcome.outcome == becomes
    if becomes == "accepted":
        assert (outcome.rows, outcome.quarantined) == (rows - broken, broken)
    else:
        assert re.search(rf"{broken} of {rows} rows (is|are) broken, more than max_quarantine_rate", outcome.message)
        assert ("with up to 5, less than half of the file, only these rows" in outcome.message) is not bool(limit)


def test_files_cannot_be_named_where_all_are_read_again(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="of `orders`: leave out order_lines"):
        load(workspace, workspace.feed(), files=["order_lines"], again=True)


def test_a_changed_mapping_takes_the_old_loads_place(workspace: Workspace) -> None:
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD)
    load(workspace, workspace.feed())
    (outcome,) = load(workspace, workspace.feed(currency="CHF"), again=True)
    (counted,) = Ledger(workspace.settings.ledger).loads()
    assert counted.load_id == outcome.load_id
    assert {row["currency_code"] for row in landed(workspace, outcome)} == {"CHF"}


def test_a_rule_that_cannot_run_is_an_error_and_not_bad_data(workspace: Workspace) -> None:
    workspace.suite(
        "orders", rows=[rule("typo", "expect_column_values_to_be_between", column="totl_amount", max_value=2)]
    )
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD)
    with pytest.raises(UserError, match="rule `typo`: it could not run"):
        load(workspace, workspace.feed())
    workspace.suite("orders", rows=[rule("typo", "expect_column_values_to_be_lovely", column="total_amount")])
    with pytest.raises(UserError, match="Great Expectations has no `expect_column_values_to_be_lovely`"):
        load(workspace, workspace.feed())


def test_the_trailer_must_agree_with_what_was_read(workspace: Workspace) -> None:
    feed = workspace.feed(options={"trailer": r"^TOTAL,(?P<rows>\d+),,(?P<total>[\d.]+)"})
    agree = rule("trailer", "expect_column_values_to_be_in_set", column="trailer_matches", value_set=[True])
    workspace.suite("orders", load=[agree])
    workspace.export("orders_2026-05-03.csv", HEADER + GOOD + "TOTAL,2,,4.00\n")
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD + "TOTAL,3,,4.00\n")
    workspace.export("orders_2026-05-05.csv", HEADER + GOOD + "TOTAL,2,,4.01\n")
    assert [outcome.outcome for outcome in load(workspace, feed)] == ["accepted", "rejected", "rejected"]


def test_a_date_asks_for_that_days_file_alone(workspace: Workspace) -> None:
    for day in (3, 4, 5):
        workspace.export(f"orders_2026-05-0{day}.csv", HEADER + GOOD.replace("1.50", f"{day}.00"))
    feed = workspace.feed()
    assert [Path(o.uri).name for o in load(workspace, feed, date=date(2026, 5, 4))] == ["orders_2026-05-04.csv"]
    with pytest.raises(UserError, match=r"has no \{date\} in its path"):
        load(workspace, workspace.feed("latest", path="exports/latest.csv"), date=date(2026, 5, 4))


def test_unknown_customers_and_volume_are_seen_in_the_profile(workspace: Workspace) -> None:
    customers = workspace.feed("customers", **CRM)
    workspace.export("crm.csv", "customer_id\na\n")
    load(workspace, customers)
    for day in range(1, 7):
        workspace.export(
            f"orders_2026-05-0{day}.csv", HEADER + GOOD * (2 if day == 6 else 1) + f"{day}9,a,2026-05-04,1\n"
        )
    last = load(workspace, workspace.feed())[-1]
    profile = read_manifest(workspace.settings.landing / "orders" / f"load_id={last.load_id}")["profile"]
    assert profile["unknown_customer_rate"] == "0.4"
    assert float(profile["rows_vs_median"]) == pytest.approx(5 / 3)
    assert profile["duplicate_key_count"] == "2"


def quarantined(workspace: Workspace) -> tuple[FeedConfig, str]:
    feed = workspace.feed(max_quarantine_rate=0.9)
    workspace.suite(
        "orders", rows=[rule("too_high", "expect_column_values_to_be_between", column="total_amount", max_value=2)]
    )
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD + BAD)
    (outcome,) = load(workspace, feed)
    return feed, str(outcome.load_id)


def test_the_manifest_of_a_release_of_an_older_version_is_read_under_todays_names(workspace: Workspace) -> None:
    _, load_id = quarantined(workspace)
    released = release(opened(workspace.settings), load_id, [3])
    folder = load_folder(workspace.settings.landing, "orders", released.load_id)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    old = {"of_load_id" if key == "released_from" else key: value for key, value in manifest.items()}
    (folder / MANIFEST).write_text(json.dumps(old), encoding="utf-8")
    assert "of_load_id" in old
    assert read_manifest(folder) == manifest


def test_a_row_is_released_as_a_load_of_its_own_with_its_source_line(workspace: Workspace) -> None:
    _, load_id = quarantined(workspace)
    released = release(opened(workspace.settings), load_id, [3])
    assert released.row_count == 1
    assert [entry.status for entry in entries(opened(workspace.settings))] == ["released", "open"]
    loads = Ledger(workspace.settings.ledger).loads()
    assert [(load.load_id, load.released_from) for load in loads] == [(load_id, None), (released.load_id, load_id)]
    assert loads[1].version_at == loads[0].version_at
    part = workspace.settings.landing / "orders" / f"load_id={released.load_id}" / "part-00000.parquet"
    row = duckdb.sql(f"select order_id, _line, _file from '{part}'").fetchall()
    assert row == [("2", 3, "orders_2026-05-04.csv")]
    with pytest.raises(UserError, match="line 3 is not open"):
        release(opened(workspace.settings), load_id, [3])


def test_a_row_that_breaks_the_contract_is_corrected_before_its_release(workspace: Workspace, tmp_path: Path) -> None:
    _, load_id = quarantined(workspace)
    with pytest.raises(
        UserError, match="line 4: ordered_at: a cell like `a{9}` is not a timestamp; nothing was released"
    ):
        release(opened(workspace.settings), load_id)
    assert {entry.status for entry in entries(opened(workspace.settings))} == {"open"}
    file = tmp_path / "corrected.csv"
    assert export(opened(workspace.settings), load_id, file) == 2
    file.write_text(file.read_text(encoding="utf-8").replace("yesterday", "2026-05-05"), encoding="utf-8")
    assert release(opened(workspace.settings), load_id, corrected=file).row_count == 2
    assert {entry.status for entry in entries(opened(workspace.settings))} == {"released"}


def test_a_later_good_version_of_the_record_closes_the_entry(workspace: Workspace) -> None:
    feed, _ = quarantined(workspace)
    workspace.export("orders_2026-05-05.csv", HEADER + "3,c,2026-05-05,1.00\n9,z,2026-05-05,1.00\n")
    load(workspace, feed)
    found = entries(opened(workspace.settings))
    assert [(entry.line, entry.status) for entry in found] == [(3, "open"), (4, "corrected")]


def test_a_refusal_ends_with_one_stop_and_says_the_date_format_it_expected(workspace: Workspace) -> None:
    feed = workspace.feed(date_format="%d.%m.%Y %H:%M")
    workspace.export("orders_2026-05-04.csv", HEADER + "1,a,04.05.2026,1.00\n")
    (outcome,) = load(workspace, feed)
    assert outcome.message.endswith("a cell like `99.99.9999` is not a timestamp (%d.%m.%Y %H:%M).")
    workspace.suite("orders", [rule("named", "expect_column_values_to_be_in_set", column="order_id", value_set=["9"])])
    workspace.export("orders_2026-05-05.csv", HEADER + GOOD)
    refused = [outcome.message for outcome in load(workspace, workspace.feed()) if outcome.outcome == "rejected"]
    assert all(message.endswith("must hold; known are 9.") for message in refused)
    assert refused


def test_rows_of_one_line_are_corrected_together(workspace: Workspace, tmp_path: Path) -> None:
    """A line with two answers becomes two rows; neither is lost by correcting both, nor closed by one of them."""
    feed = workspace.feed(
        "answers",
        feed="survey_brand_ratings",
        group="surveys",
        path="exports/answers_{date}.csv",
        columns={"response_id": "id", "brand": "brand", "rating": "rating"},
        currency=None,
        max_quarantine_rate=1,
        rows={"unpivot": {"columns": ["A", "B"], "name": "brand", "value": "rating"}},
    )
    workspace.export("answers_2026-05-04.csv", "id,A,B\n1,bad,worse\n")
    (outcome,) = load(workspace, feed)
    workspace.export("answers_2026-05-05.csv", "id,A,B\n1,4,\n")
    load(workspace, feed)
    assert [(entry.line, entry.status) for entry in entries(opened(workspace.settings))] == [(2, "open"), (2, "open")]
    file = tmp_path / "corrected.csv"
    export(opened(workspace.settings), str(outcome.load_id), file)
    file.write_text(file.read_text(encoding="utf-8").replace("bad", "5").replace("worse", "3"), encoding="utf-8")
    assert release(opened(workspace.settings), str(outcome.load_id), corrected=file).row_count == 2
    assert {entry.status for entry in entries(opened(workspace.settings))} == {"released"}


def test_released_loads_that_do_not_exist_are_named(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="Load nothing has no rows in quarantine"):
        release(opened(workspace.settings), "nothing")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        *(("=1+1", "'=1+1"), ("@x", "'@x"), ("-5.20", "-5.20"), ("+49 30", "'+49 30"), ("a=b", "a=b")),
        *(("\uff1d1+1", "'\uff1d1+1"), ("\n=1", "'\n=1"), ("-1+1", "'-1+1")),
    ],
)
def test_what_we_write_is_safe_to_open_in_a_spreadsheet(cell: str, written: str) -> None:
    assert neutral(cell) == written


def test_personal_data_do_not_reach_landing_or_quarantine(workspace: Workspace) -> None:
    feed = workspace.feed("customers", **CRM, max_quarantine_rate=1)
    workspace.export(
        "crm.csv", "customer_id,email,birth_month,Notes Phone\na,ada@example.com,x,0301234\n,eve@example.com,1,5\n"
    )
    load(workspace, feed)
    workspace.export("crm.csv", "customer_id,email,birth_month,Notes Phone\na,ada@example.com,2,0301234\n")
    load(workspace, feed)
    kept = [
        *workspace.settings.landing.rglob("*"),
        *workspace.settings.quarantine.rglob("*"),
        *workspace.settings.ledger.rglob("*"),
    ]
    text = b"".join(file.read_bytes() for file in kept if file.is_file())
    everything = text.decode("latin-1") + str(entries(opened(workspace.settings)))
    assert "example.com" not in everything
    assert "0301234" not in everything


def test_a_renamed_money_column_is_refused_and_not_read_as_nothing(workspace: Workspace) -> None:
    feed = workspace.feed("refunds", feed="refunds", path="exports/refunds_{date}.csv", columns={}, currency=None)
    header, row = "refund_id,order_id,refunded_at,amount,{tax}\n", "{n},1,2026-05-04,5,1\n"
    workspace.export("refunds_2026-05-04.csv", header.format(tax="tax_amount") + row.format(n=1))
    workspace.export("refunds_2026-05-05.csv", header.format(tax="taxes") + row.format(n=2))
    assert [outcome.outcome for outcome in load(workspace, feed)] == ["accepted"] * 2  # tax may come and go
    orders = workspace.feed("plain", path="exports/plain_{date}.csv", columns={})
    workspace.feed("lines", feed="order_lines", path="exports/lines.csv", columns={}, currency=None)  # these could do
    rows = "order_id,{customer},ordered_at,{total}\n1,a,2026-05-04,5\n"
    workspace.export("plain_2026-05-04.csv", rows.format(customer="customer_id", total="total_amount"))
    workspace.export("plain_2026-05-05.csv", rows.format(customer="customer_id", total="total_amt"))
    workspace.export("plain_2026-05-06.csv", rows.format(customer="customer_idd", total="total_amount"))
    accepted, worthless, anonymous = load(workspace, orders)
    assert [one.outcome for one in (accepted, worthless, anonymous)] == ["accepted", "rejected", "rejected"]
    assert "column `total_amount` is missing; the nearest is `total_amt`" in worthless.message
    assert "column `customer_id` is missing; the nearest is `customer_idd`" in anonymous.message


def test_a_lost_header_is_refused_without_the_cells_of_its_first_row(workspace: Workspace) -> None:
    workspace.export("orders_2026-05-04.csv", "1,Ada Lovelace,2026-05-04 10:00:00,1.50\n")
    (outcome,) = load(workspace, workspace.feed())
    assert "looks like a row of data (`9, aaa aaaaaaaa, 9999-99-99 99:99:99, 9.99`)" in outcome.message
    assert "Ada" not in Ledger(workspace.settings.ledger).file.read_text()


def test_orders_without_a_total_need_their_lines(workspace: Workspace) -> None:
    feed = workspace.feed(path="exports/orders_{date}.csv", columns={})
    workspace.export("orders_2026-05-04.csv", "order_id,customer_id,ordered_at\n1,a,2026-05-04\n")
    assert "column `total_amount` is missing" in load(workspace, feed)[0].message
    workspace.feed("lines", feed="order_lines", path="exports/lines.csv", columns={}, currency=None)
    workspace.export("orders_2026-05-05.csv", "order_id,customer_id,ordered_at\n1,a,2026-05-04\n")
    assert load(workspace, feed)[0].outcome == "accepted"


def test_what_was_released_goes_with_the_load_it_came_from(workspace: Workspace) -> None:
    _, load_id = quarantined(workspace)
    release(opened(workspace.settings), load_id, [3])
    (outcome,) = load(workspace, workspace.feed(currency="CHF", max_quarantine_rate=0.9), again=True)
    assert [load.load_id for load in Ledger(workspace.settings.ledger).loads()] == [outcome.load_id]


def test_a_version_that_cannot_be_read_holds_its_row_back(workspace: Workspace) -> None:
    feed = workspace.feed(version="Rev", max_quarantine_rate=0.9)
    rows = "Order,Customer,When,Total,Rev\n1,a,2026-05-04,1,2026-05-04 10:00\n1,a,2026-05-04,2,tomorrow\n"
    workspace.export("orders_2026-05-04.csv", rows)
    (outcome,) = load(workspace, feed)
    assert (outcome.rows, outcome.quarantined) == (1, 1)
    assert entries(opened(workspace.settings))[0].reason == "version: a cell like `aaaaaaaa` is not a timestamp"


def test_a_total_line_that_does_not_agree_refuses_the_file_without_a_rule(workspace: Workspace) -> None:
    feed = workspace.feed(options={"trailer": r"^TOTAL,(?P<rows>\d+),,(?P<total>[\d.]+)"})
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD + "TOTAL,3,,4.00\n")
    (outcome,) = load(workspace, feed)
    assert "the total line names rows: 3" in outcome.message


def test_without_the_folder_of_suites_nothing_is_loaded_unchecked(workspace: Workspace) -> None:
    workspace.settings.expectations.rmdir()
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD)
    with pytest.raises(UserError, match="nothing would be checked"):
        load(workspace, workspace.feed())


TWO_BAD = BAD + "4,d,tomorrow,2.50\n"


def corrected_file(workspace: Workspace, folder: Path) -> tuple[str, Path, str]:
    """A load with two rows in quarantine, a file for its corrected rows, and what was exported, corrected."""
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD + TWO_BAD)
    (outcome,) = load(workspace, workspace.feed(max_quarantine_rate=0.9))
    file = folder / "corrected.csv"
    export(opened(workspace.settings), str(outcome.load_id), file)
    rows = file.read_text(encoding="utf-8").replace("yesterday", "2026-05-05").replace("tomorrow", "2026-05-06")
    return str(outcome.load_id), file, rows


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_corrected_file_may_be_saved_as_any_spreadsheet_does(
    workspace: Workspace, tmp_path: Path, separator: str, encoding: str
) -> None:
    load_id, file, rows = corrected_file(workspace, tmp_path)
    file.write_text(rows.replace(",", separator), encoding=encoding)
    assert release(opened(workspace.settings), load_id, corrected=file).row_count == 2
    landed = workspace.settings.landing / "orders"
    amounts = pq.read_table(landed).column("total_amount").to_pylist()
    assert sorted(map(str, amounts)) == ["1.5000", "1.7500", "2.5000", "2.5000"]


def test_a_decimal_comma_that_a_spreadsheet_put_in_is_not_misread(workspace: Workspace, tmp_path: Path) -> None:
    load_id, file, rows = corrected_file(workspace, tmp_path)
    file.write_text(rows.replace(",", ";").replace("1.75", "1,75"), encoding="utf-8")
    with pytest.raises(UserError, match="line 4: total_amount"):
        release(opened(workspace.settings), load_id, corrected=file)


def test_only_the_rows_of_the_corrected_file_are_released(workspace: Workspace, tmp_path: Path) -> None:
    load_id, file, rows = corrected_file(workspace, tmp_path)
    header, first, _ = rows.splitlines()
    file.write_text(f"{header}\n{first}\n", encoding="utf-8")
    released = release(opened(workspace.settings), load_id, corrected=file)
    assert (released.row_count, released.open_count) == (1, 1)
    assert [entry.status for entry in entries(opened(workspace.settings))] == ["released", "open"]
    with pytest.raises(UserError, match="line 4 is not open in quarantine"):
        release(opened(workspace.settings), load_id, corrected=file)


def test_a_line_that_is_named_must_be_in_the_corrected_file(workspace: Workspace, tmp_path: Path) -> None:
    load_id, file, rows = corrected_file(workspace, tmp_path)
    file.write_text("\n".join(rows.splitlines()[:2]), encoding="utf-8")
    with pytest.raises(UserError, match="line 5, which `--line` names, is not in it"):
        release(opened(workspace.settings), load_id, [4, 5], corrected=file)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 a workbook", "is a workbook, .*: save it as CSV in UTF-8"),
        ("_line,Order\n4,M\u00fcller\n".encode("cp1252"), "is not in UTF-8"),
        (b"_line,_rules,Order,Customer,When,Total\n", "has no row"),
    ],
    ids=["a workbook", "another encoding", "no row"],
)
def test_a_file_that_cannot_be_released_from_says_what_to_do(
    workspace: Workspace, tmp_path: Path, content: bytes, sentence: str
) -> None:
    load_id, file, _ = corrected_file(workspace, tmp_path)
    file.write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        release(opened(workspace.settings), load_id, corrected=file)


@pytest.mark.parametrize("content", ["Order;Customer\n", "", "_line,Order\nx,1\n"])
def test_a_corrected_file_that_is_none_is_refused(workspace: Workspace, tmp_path: Path, content: str) -> None:
    _, load_id = quarantined(workspace)
    (tmp_path / "corrected.csv").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=r"corrected\.csv"):
        release(opened(workspace.settings), load_id, corrected=tmp_path / "corrected.csv")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda rows: [*rows, rows[-1]], "line 4 of the load is in it 2 times instead of 1"),
        (lambda rows: [row.replace(",Total", ",Sum") for row in rows], "the column `Total` that was exported"),
        (lambda rows: [row.rpartition(",")[0] for row in rows], "the column `Total` that was exported"),
        (lambda rows: [rows[0] + ",When", *(row + ",2026-05-06" for row in rows[1:])], "`When` is in it more than"),
    ],
    ids=["a row twice", "a column renamed", "a column gone", "a column twice"],
)
def test_a_corrected_file_with_other_rows_or_columns_is_refused(
    workspace: Workspace, tmp_path: Path, change: Callable[[list[str]], list[str]], sentence: str
) -> None:
    """Nothing counts twice, and no amount is lost with its column."""
    _, load_id = quarantined(workspace)
    file = tmp_path / "corrected.csv"
    export(opened(workspace.settings), load_id, file)
    rows = change(file.read_text(encoding="utf-8").replace("yesterday", "2026-05-05").splitlines())
    file.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(UserError, match=sentence):
        release(opened(workspace.settings), load_id, corrected=file)
    assert {entry.status for entry in entries(opened(workspace.settings))} == {"open"}


def test_a_corrected_file_that_is_not_there_is_said_to_be_missing(workspace: Workspace, tmp_path: Path) -> None:
    _, load_id = quarantined(workspace)
    with pytest.raises(UserError, match=r"corrected\.csv cannot be read \(No such file or directory\)"):
        release(opened(workspace.settings), load_id, corrected=tmp_path / "corrected.csv")


def test_of_a_line_with_other_cells_than_the_header_only_its_number_is_exported(
    workspace: Workspace, tmp_path: Path
) -> None:
    workspace.export("orders_2026-05-04.csv", HEADER + GOOD + BAD + "4,d\n")
    (outcome,) = load(workspace, workspace.feed(max_quarantine_rate=0.9))
    file = tmp_path / "rows.csv"
    export(opened(workspace.settings), str(outcome.load_id), file)
    assert file.read_text(encoding="utf-8").splitlines() == [
        *("_line,_rules,Order,Customer,When,Total", "4,readable_ordered_at,3,c,yesterday,1.75", "5,whole_lines,,,,")
    ]


def test_a_load_id_is_no_pattern(workspace: Workspace) -> None:
    quarantined(workspace)
    with pytest.raises(UserError, match="has no rows in quarantine"):
        release(opened(workspace.settings), "*")


def test_a_damaged_quarantine_is_named(workspace: Workspace) -> None:
    quarantined(workspace)
    (part,) = workspace.settings.quarantine.rglob("part-*.parquet")
    part.write_bytes(b"")
    with pytest.raises(UserError, match="is damaged"):
        entries(opened(workspace.settings))


def test_a_folder_whose_name_is_a_pattern_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="takes for a pattern"):
        _ = Workspace(tmp_path / "shop[1]").settings


def test_a_person_stays_one_person_through_quarantine(workspace: Workspace, tmp_path: Path) -> None:
    feed = workspace.feed("customers", **CRM, max_quarantine_rate=1)
    rows = "customer_id,email,region,created_at\n1,ada@example.com,'s-Hertogenbosch,2026-05-04\n"
    workspace.export("crm.csv", rows + "2,ada@example.com,'s-Hertogenbosch,soon\n")
    (outcome,) = load(workspace, feed)
    file = tmp_path / "corrected.csv"
    export(opened(workspace.settings), str(outcome.load_id), file)
    file.write_text(file.read_text(encoding="utf-8").replace("soon", "2026-05-05"), encoding="utf-8")
    released = release(opened(workspace.settings), str(outcome.load_id), corrected=file)
    folder = workspace.settings.landing / "customers"
    first, second = (
        pq.read_table(folder / f"load_id={load_id}" / "part-00000.parquet", partitioning=None).to_pylist()[0]
        for load_id in (outcome.load_id, released.load_id)
    )
    assert first["email_hash"] == second["email_hash"]
    assert first["region"] == second["region"] == "'s-Hertogenbosch"
