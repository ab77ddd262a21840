"""The index beside the ledger: it saves reading, decides nothing, and can be lost, damaged or left behind."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger

FIGURES = {"row_count": 1, "quarantined_count": 0, "feed": "orders", "source": "shop", "mapping_id": "m"}


def deliver(ledger: Ledger, load_id: str, feed_name: str = "orders", **more: object) -> None:
    ledger.deliver(feed_name=feed_name, load_id=load_id, uri=f"{load_id}.csv", sha256=load_id, **FIGURES | more)


def counting(ledger: Ledger) -> list[str]:
    return [load.load_id for load in ledger.loads()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ledger = Ledger(tmp_path / "ledger")
    for name in "abc":
        deliver(ledger, name)
    assert counting(ledger) == ["a", "b", "c"]
    return ledger.folder


def test_k8_a_further_command_reads_only_the_lines_that_are_new(folder: Path) -> None:
    first = Ledger(folder)
    deliver(first, "d")
    assert first.lines_read == 0  # its own line is read when it is asked for
    assert counting(first) == ["a", "b", "c", "d"]
    assert first.lines_read == 1
    second = Ledger(folder)
    assert counting(second) == ["a", "b", "c", "d"]
    assert second.lines_read == 0


@pytest.mark.parametrize("damage", ["removed", "no database", "torn", "other version", "no write-ahead log"])
def test_k8_a_lost_or_damaged_index_is_made_again(folder: Path, damage: str) -> None:
    index = folder / "index.sqlite"
    if damage == "removed":
        index.unlink()
    elif damage == "no database":
        index.write_bytes(b"not a database " * 500)
    elif damage == "torn":
        index.write_bytes(index.read_bytes()[:5000] + b"\0" * 9000)
    elif damage == "other version":
        with sqlite3.connect(index) as connection:
            connection.execute("pragma user_version = 999")
    else:
        (folder / "index.sqlite-wal").write_bytes(b"rubbish")
    ledger = Ledger(folder)
    assert counting(ledger) == ["a", "b", "c"]
    deliver(ledger, "d")
    assert counting(Ledger(folder)) == ["a", "b", "c", "d"]


def test_k8_an_index_damaged_while_it_is_open_is_made_again(folder: Path) -> None:
    ledger = Ledger(folder)
    assert counting(ledger) == ["a", "b", "c"]
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute("drop table load")
    assert counting(ledger) == ["a", "b", "c"]


def test_k8_an_index_that_cannot_be_written_is_kept_in_memory(folder: Path) -> None:
    (folder / "index.sqlite").unlink()
    (folder / "index.sqlite").mkdir()
    ledger = Ledger(folder)
    assert counting(ledger) == ["a", "b", "c"]
    deliver(ledger, "d")
    assert counting(ledger) == ["a", "b", "c", "d"]


def test_k8_a_ledger_restored_to_an_older_state_is_read_anew(folder: Path) -> None:
    file = folder / "events.jsonl"
    shutil.copy(file, folder / "backup")
    deliver(Ledger(folder), "d")
    still_open = Ledger(folder)
    assert counting(still_open) == ["a", "b", "c", "d"]
    shutil.copy(folder / "backup", file)  # in place: the same inode, shorter
    deliver(Ledger(folder), "longer than the event that was there before")
    for ledger in (still_open, Ledger(folder)):
        assert counting(ledger) == ["a", "b", "c", "longer than the event that was there before"]
    (folder / "backup").replace(file)  # another file in its place
    for ledger in (still_open, Ledger(folder)):
        assert counting(ledger) == ["a", "b", "c"]


def test_b16_a_line_damaged_in_place_is_found_in_spite_of_the_index(folder: Path) -> None:
    file = folder / "events.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"seq": 2', b'"seq": X'))
    with pytest.raises(UserError, match="line 2 is damaged"):
        Ledger(folder).loads()


def test_k8_a_process_that_forks_opens_the_index_again(folder: Path) -> None:
    ledger = Ledger(folder)
    counting(ledger)
    child = multiprocessing.get_context("fork").Process(target=deliver, args=(ledger, "d"))
    child.start()
    child.join()
    assert counting(ledger) == ["a", "b", "c", "d"]


def test_k8_the_last_delivery_of_a_file_and_the_rejected_ones(folder: Path) -> None:
    ledger = Ledger(folder)
    for name, outcome in (("x", "rejected"), ("y", "rejected"), ("x", "accepted")):
        ledger.append(
            "delivery", feed_name="orders", uri=name, load_id=None, sha256=name, outcome="rejected", reason=outcome
        )
    deliver(ledger, "y", row_count=2)
    ledger.append("delivery", feed_name="orders", uri="y", load_id=None, sha256="y", outcome="unchanged")
    assert [(event.data["uri"], event.data["reason"]) for event in ledger.rejected_files()] == [("x", "accepted")]
    last = ledger.last_delivery("orders", "x", "other name of x")
    assert last is not None and last.data["reason"] == "accepted"
    assert ledger.last_delivery("orders", "unknown") is None
    assert [event.data["sha256"] for event in ledger.deliveries_of_bytes("y")] == ["y", "y", "y"]


def test_k8_loads_with_rows_that_are_still_quarantined(folder: Path) -> None:
    ledger = Ledger(folder)
    deliver(ledger, "q", quarantined_count=2)
    ledger.append("correct", load_id="q", lines=[4], by_load_id="b")
    assert ledger.quarantined_loads(only_open=True) == ["q"]
    ledger.append("correct", load_id="q", lines=[5], by_load_id="b")
    assert ledger.quarantined_loads(only_open=True) == []
    assert ledger.quarantined_loads() == ["q"]
    assert ledger.done_lines("q") == {4: "corrected", 5: "corrected"}


def reference(file: Path) -> list[str]:
    """The loads that count, worked out from all lines with plain lists."""
    loads: list[dict] = []
    withdrawn: set[str] = set()
    for line in file.read_text().splitlines():
        event = json.loads(line)
        if event["kind"] == "delivery":
            loads = [load for load in loads if load["id"] not in event.get("supersedes", [])]
            if event["outcome"] == "accepted":
                loads = [load for load in loads if load["id"] != event["load_id"]]
                loads.append(
                    {"id": event["load_id"], **{key: event[key] for key in ("feed_name", "version_at", "snapshot")}}
                )
                loads[-1]["seq"] = event["seq"]
        elif event["kind"] == "withdraw":
            (withdrawn.discard if event["is_undone"] else withdrawn.add)(event["load_id"])
        elif event["kind"] == "forget":
            for old, new in event["rewritten"].items():
                withdrawn |= {new} if old in withdrawn else set()
                loads = [{**load, "id": new} if load["id"] == old else load for load in loads]
    whole = [load for load in loads if load["snapshot"] and load["id"] not in withdrawn]
    newest = {
        name: max(
            (one for one in whole if one["feed_name"] == name), key=lambda one: (one["version_at"] or "", one["seq"])
        )
        for name in {one["feed_name"] for one in whole}
    }
    return [
        load["id"]
        for load in loads
        if load["id"] not in withdrawn
        and (not load["snapshot"] or newest.get(load["feed_name"], load)["id"] == load["id"])
    ]


STEPS = st.one_of(
    st.tuples(
        st.just("deliver"),
        st.sampled_from("abcdef"),
        st.sampled_from([None, "2026-01-01", "2026-01-02"]),
    ),
    st.tuples(st.just("withdraw"), st.sampled_from("abcdef"), st.booleans()),
    st.tuples(st.just("forget"), st.sampled_from("abcdef")),
    st.tuples(st.just("reopen")),
)


@given(st.lists(STEPS, max_size=15))
@settings(max_examples=40, deadline=None)
def test_k8_the_index_says_what_all_lines_say(steps: list[tuple]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        ledger.append("run", run_kind="night", outcome="done")
        for number, (step, *what) in enumerate(steps):
            if step == "deliver":
                load_id, version_at = what
                feed_name = "orders" if load_id in "abc" else "stock"  # a load is of one feed
                gone = [one.load_id for one in ledger.loads(feed_name=feed_name, sha256=load_id) if number % 3 == 0]
                deliver(
                    ledger, load_id, feed_name, version_at=version_at, snapshot=feed_name == "stock", supersedes=gone
                )
            elif step == "withdraw":
                ledger.withdraw(what[0], undo=what[1])
            elif step == "forget":
                ledger.append("forget", rewritten={what[0]: f"{what[0]}{number}"})
            else:
                ledger = Ledger(Path(folder))
            assert counting(ledger) == reference(ledger.file)
            totals = ledger.load_totals()
            assert sum(total.count for total in totals) == len(ledger.loads())
            assert {total.feed_name: total.last_received_at for total in totals} == {
                load.feed_name: load.received_at for load in sorted(ledger.loads(), key=lambda load: load.received_at)
            }
        assert counting(Ledger(Path(folder))) == reference(ledger.file)
