"""Whatever goes wrong with one file stays with it: a sentence, and the feed's other files land."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from loyalty.common.errors import Transient, UserError
from loyalty.common.ledger import Ledger
from loyalty.land import landing
from loyalty.land.landing import LoadOutcome, load_feed
from loyalty.operate.airflow.tasks import raise_rejected
from loyalty.pull.feeds import FeedConfig, load_feeds
from worlds.opened import opened
from worlds.own_feeds import Workspace

NOW = datetime(2026, 5, 6, 2, tzinfo=UTC)
HEADER = "Order,Customer,When,Total\n"
GOOD = HEADER + "1,a,2026-05-04 10:00:00,1.50\n"


def load(workspace: Workspace, feed: FeedConfig, **more: object) -> list[LoadOutcome]:
    return load_feed(opened(workspace.settings), feed, now=NOW, **more)  # type: ignore[arg-type]


def landed(workspace: Workspace, outcome: LoadOutcome) -> list[dict]:
    folder = workspace.settings.landing / "orders" / f"load_id={outcome.load_id}"
    return [row for file in sorted(folder.glob("part-*")) for row in pq.read_table(file, partitioning=None).to_pylist()]


def test_a_crash_in_one_file_stops_no_later_file_and_is_tried_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = landing.check_load

    def crash(suite: object, profile: dict, passed: object) -> list:
        if profile["sum_total_amount"] == 4:
            raise ZeroDivisionError("boom")
        return whole(suite, profile, passed)  # type: ignore[arg-type]

    feed = workspace.feed()
    for day in (4, 5):
        workspace.export(f"orders_2026-05-0{day}.csv", GOOD.replace("1.50", f"{day}.00"))
    monkeypatch.setattr(landing, "check_load", crash)
    first, second = load(workspace, feed)
    assert (first.outcome, second.outcome) == ("rejected", "accepted")
    assert "stopped landing with an unexpected ZeroDivisionError; details in" in first.message
    assert "boom" in (workspace.settings.home / "logs" / "orders.log").read_text(encoding="utf-8")
    assert not list(workspace.settings.landing.rglob(".draft*"))
    monkeypatch.undo()
    assert [outcome.outcome for outcome in load(workspace, feed)] == ["accepted"]
    assert load(workspace, feed) == []


def test_a_file_that_cannot_be_read_is_left_to_the_retries_and_stops_no_other(workspace: Workspace) -> None:
    feed = workspace.feed()
    there = workspace.export("orders_2026-05-05.csv", GOOD)
    outcomes = load(workspace, feed, files=[str(there.with_name("orders_2026-05-04.csv")), str(there)])
    assert [outcome.outcome for outcome in outcomes] == ["rejected", "accepted"]
    assert outcomes[0].is_transient
    with pytest.raises(Transient, match="cannot be read"):
        raise_rejected(outcomes)


def test_a_full_disk_refuses_in_a_sentence_and_the_next_run_lands(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    feed = workspace.feed()
    workspace.export("orders_2026-05-04.csv", GOOD)
    monkeypatch.setattr("loyalty.pull.sources.files.os.fsync", full)
    (outcome,) = load(workspace, feed)
    assert "has no room for a copy of " in outcome.message
    assert outcome.is_transient
    monkeypatch.undo()
    monkeypatch.setattr(landing, "write_json", full)
    (outcome,) = load(workspace, feed)
    assert outcome.message == "Feed `orders`, file orders_2026-05-04.csv: landing stopped (No space left on device)."
    assert outcome.is_transient
    assert Ledger(workspace.settings.ledger).loads() == []
    monkeypatch.undo()
    assert [outcome.outcome for outcome in load(workspace, feed)] == ["accepted"]


def test_an_event_that_the_disk_has_no_room_for_is_not_half_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path)
    ledger.append("run", number=1)
    whole = ledger.file.read_bytes()
    written = landing.Ledger.append.__globals__["os"].write
    monkeypatch.setattr("loyalty.common.ledger.os.write", lambda to, line: written(to, line[:10]))
    with pytest.raises(OSError, match="No space left"):
        ledger.append("run", number=2)
    assert ledger.file.read_bytes() == whole


BAD_NAMES = [b"orders_\xff.csv", b"orders_\n2.csv", b"orders_\x1b[31m.csv", "orders_\u202ecsv.exe.csv".encode()]


@pytest.mark.parametrize("name", BAD_NAMES, ids=["not UTF-8", "line end", "terminal escape", "reversed"])
def test_a_name_that_no_log_can_hold_is_refused_in_one_printable_line(workspace: Workspace, name: bytes) -> None:
    feed = workspace.feed(path="exports/orders*.csv")
    folder = workspace.export("orders_1.csv", GOOD).parent
    Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(GOOD)
    said: list[str] = []
    outcomes = load_feed(opened(workspace.settings, said.append), feed, now=NOW)
    refused = [outcome for outcome in outcomes if outcome.outcome == "rejected"]
    assert len(outcomes) == 2
    assert "rename the file" in refused[0].message
    assert all(sentence.isprintable() and sentence.encode() for sentence in [refused[0].message, *said])
    assert len(Ledger(workspace.settings.ledger).loads()) == 1
    assert load(workspace, feed) == []  # the same refusal is recorded once


def test_what_is_no_file_is_refused_once_in_a_sentence_and_stops_no_other(workspace: Workspace) -> None:
    feed = workspace.feed()
    folder = workspace.export("orders_2026-05-07.csv", GOOD).parent
    (folder / "orders_2026-05-04.csv").symlink_to("gone.csv")
    os.mkfifo(folder / "orders_2026-05-05.csv")
    (folder / "orders_2026-05-06.csv").mkdir()
    *refused, accepted = load(workspace, feed)
    assert [outcome.message for outcome in refused] == [
        "Feed `orders`, file orders_2026-05-04.csv: is a link to a file that is not there; put the file itself there.",
        "Feed `orders`, file orders_2026-05-05.csv: is not a file but a pipe, a socket or a device; put a file there.",
        "Feed `orders`, file orders_2026-05-06.csv: is a folder; name the files in it in the feed's path, or put one "
        "file there.",
    ]
    assert accepted.outcome == "accepted"
    assert load(workspace, feed) == []
    assert len(Ledger(workspace.settings.ledger).events("delivery")) == 4
    workspace.export("gone.csv", GOOD)
    assert [outcome.outcome for outcome in load(workspace, feed)] == ["accepted"]


def test_an_archive_beside_the_exports_is_passed_over(workspace: Workspace) -> None:
    feed = workspace.feed(path="exports/*")
    (workspace.export("orders.csv", GOOD).parent / "archive").mkdir()
    assert [outcome.outcome for outcome in load(workspace, feed)] == ["accepted"]


def test_a_file_that_is_too_large_is_refused_once_until_the_limit_is_raised(workspace: Workspace) -> None:
    feed = workspace.feed()
    workspace.export("orders_2026-05-04.csv", GOOD)
    (workspace.folder / "loyalty.yml").write_text("max_file_bytes: 10\n")
    assert "larger than 10 bytes" in load(workspace, feed)[0].message
    assert load(workspace, feed) == []
    (workspace.folder / "loyalty.yml").write_text("max_file_bytes: 1000\n")
    assert [outcome.outcome for outcome in load(workspace, feed)] == ["accepted"]


def test_a_link_out_of_its_folder_is_refused_and_one_within_is_read(workspace: Workspace, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD)
    feed = workspace.feed()
    inside = workspace.export("real.csv", GOOD)
    (inside.parent / "orders_2026-05-04.csv").symlink_to(secret)
    (inside.parent / "orders_2026-05-05.csv").symlink_to("real.csv")
    first, second = load(workspace, feed)
    assert (first.outcome, second.outcome) == ("rejected", "accepted")
    assert "leads out of its folder" in first.message
    assert not list(workspace.settings.raw.rglob("*secret*"))


@pytest.mark.parametrize(
    ("total", "sentence"),
    [
        ("TOTAL;many;;4,00", "has `many` where a number of rows is expected"),
        ("TOTAL;2;;four", "has `four` where a total is expected"),
        ("TOTAL;2;;4,01", "that is not what was read"),
        ("TOTAL;1.002;;4,00", "that is not what was read"),
    ],
)
def test_a_total_line_that_cannot_be_read_refuses_the_file(workspace: Workspace, total: str, sentence: str) -> None:
    options = {"delimiter": ";", "decimal": ",", "thousands": ".", "trailer": "^TOTAL;(?P<rows>[^;]*);;(?P<total>.*)"}
    rows = "Order;Customer;When;Total\n1;a;2026-05-04;1,50\n2;a;2026-05-04;2,50\n"
    workspace.export("orders_2026-05-04.csv", f"{rows}{total}\n")
    workspace.export("orders_2026-05-05.csv", f"{rows}TOTAL;2;;4,00\n")
    refused, accepted = load(workspace, workspace.feed(options=options))
    assert sentence in refused.message
    assert accepted.outcome == "accepted"


def lines(*records: dict) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_json_objects_may_leave_out_what_has_no_value(workspace: Workspace) -> None:
    columns = {"order_id": "o", "customer_id": "c", "ordered_at": "w", "total_amount": "t", "discount_amount": "d"}
    feed = workspace.feed(format="jsonl", path="exports/orders_{date}.jsonl", columns=columns)
    record = {"o": "1", "w": "2026-05-04", "t": 1.5}
    workspace.export("orders_2026-05-04.jsonl", lines({**record, "c": "a"}, {**record, "o": "2", "d": 0.5}))
    workspace.export("orders_2026-05-05.jsonl", lines({**record, "c": "a"}))
    workspace.export("orders_2026-05-06.jsonl", lines({"o": "1", "c": "a", "w": "2026-05-04"}))
    workspace.export("orders_2026-05-07.jsonl", lines({"c": "a", "w": "2026-05-04", "t": 1}))
    first, second, lost, without_key = load(workspace, feed)
    assert [row["discount_amount"] is None for row in landed(workspace, first)] == [True, False]
    assert (second.outcome, second.rows) == ("accepted", 1)
    assert "column `total_amount` is missing" in lost.message
    assert "column `o` (the feed's order_id) is missing" in without_key.message


def test_json_rows_that_fill_the_last_batch_exactly_are_not_refused(workspace: Workspace) -> None:
    (workspace.folder / "loyalty.yml").write_text("batch_rows: 2\n")
    feed = workspace.feed(format="jsonl", path="exports/orders_{date}.jsonl")
    record = {"Customer": "a", "When": "2026-05-04", "Total": 1}
    workspace.export("orders_2026-05-04.jsonl", lines({**record, "Order": 1}, {**record, "Order": 2}))
    (outcome,) = load(workspace, feed)
    assert (outcome.outcome, outcome.rows) == ("accepted", 2)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("hello", "must hold `key: value` lines, such as `feed: orders`"),
        ("", "must hold `key: value` lines, such as `feed: orders`"),
        ("feed: refunds", "key `feed`: the file's name is `orders` (found 'refunds')"),
        ("feed: orders\nrows: []\nrows: []", "line 3: the key `rows` is there twice"),
    ],
)
def test_a_file_that_is_no_suite_of_its_feed_is_named_and_nothing_is_loaded_unchecked(
    workspace: Workspace, content: str, sentence: str
) -> None:
    workspace.export("orders_2026-05-04.csv", GOOD)
    (workspace.settings.expectations / "orders.yml").write_text(content)
    with pytest.raises(UserError, match=re.escape(sentence)):
        load(workspace, workspace.feed())


def test_a_suite_with_the_other_ending_is_named_and_nothing_is_loaded_unchecked(workspace: Workspace) -> None:
    workspace.suite("orders")
    folder = workspace.settings.expectations
    (folder / "orders.yml").rename(folder / "orders.yaml")
    workspace.export("orders_2026-05-04.csv", GOOD)
    with pytest.raises(UserError, match=r"orders\.yaml must be called orders\.yml"):
        load(workspace, workspace.feed())


def packed(change: dict[str, int]) -> bytes:
    """A zip with one export, its member's method or flags changed in both headers."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("orders.csv", GOOD)
    content = bytearray(file.getvalue())
    central = content.index(b"PK\x01\x02")
    for place, value in change.items():
        local_at, central_at = {"flags": (6, 8), "method": (8, 10)}[place]
        content[local_at] = content[central + central_at] = value
    return bytes(content)


@pytest.mark.parametrize(
    ("change", "sentence"), [({"flags": 1}, "has a password"), ({"method": 97}, "packed by method 97")]
)
def test_a_zip_that_cannot_be_unpacked_is_refused(workspace: Workspace, change: dict, sentence: str) -> None:
    workspace.export("orders_2026-05-04.csv", packed(change))
    assert sentence in load(workspace, workspace.feed())[0].message


def test_a_folder_that_cannot_be_read_is_no_night_without_exports(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = workspace.feed()
    (workspace.settings.home).mkdir(parents=True, exist_ok=True)
    (workspace.settings.home / "exports").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=r"exports cannot be read \(Not a directory\)"):
        load_feed(opened(workspace.settings), feed)

    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UserError, match=r"feeds cannot be read \(Permission denied\): no feed is known"):
        load_feeds(workspace.settings.feeds)
