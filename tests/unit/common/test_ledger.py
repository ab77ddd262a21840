"""The ledger: whole events or none, and which loads count."""

from __future__ import annotations

import multiprocessing
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.common.ledger import Event, Ledger

FIGURES = {"row_count": 1, "quarantined_count": 0}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def deliver(ledger: Ledger, load_id: str, version_at: str | None = None, **more: object) -> Event:
    return ledger.deliver(
        feed_name="orders",
        load_id=load_id,
        feed="orders",
        source="shop",
        uri=f"{load_id}.csv",
        version_at=version_at,
        **FIGURES,
        **more,
    )


def test_events_come_back_in_order_with_their_numbers(ledger: Ledger) -> None:
    first = ledger.append("build", build_id="b1", note="第一")
    second = ledger.append("publish", generation=1)
    assert [event.seq for event in ledger.events()] == [1, 2]
    assert ledger.events("build") == [first]
    assert ledger.last("build", "publish") == second


def test_an_event_cut_short_is_not_there_and_the_next_one_is_whole(ledger: Ledger) -> None:
    ledger.append("build", build_id="b1")
    whole = ledger.file.read_bytes()
    ledger.file.write_bytes(whole + whole[: len(whole) // 2])
    assert [event.seq for event in ledger.events()] == [1]
    ledger.append("publish", generation=1)
    assert [(event.seq, event.kind) for event in ledger.events()] == [(1, "build"), (2, "publish")]


def test_events_of_an_older_version_are_read_under_todays_names(ledger: Ledger) -> None:
    deliver(ledger, "whole", gate_id="r1")
    released = FIGURES | {"feed_name": "orders", "feed": "orders", "source": "shop", "uri": "a.csv"}
    ledger.append("release", load_id="part", of_load_id="whole", outcome="accepted", lines=[3], **released)
    ledger.append("trouble", feed_name="orders", message="no connection")
    assert [(load.load_id, load.released_from) for load in ledger.loads()] == [("whole", None), ("part", "whole")]
    assert ledger.events("delivery")[0].data["rules_id"] == "r1"
    assert ledger.events("release")[0].data["released_from"] == "whole"
    assert ledger.feed_errors() == {"orders": "no connection"}
    assert len(ledger.events("feed_error")) == 1


def append_many(folder: Path) -> None:
    for number in range(25):
        Ledger(folder).append("run", number=number)


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=append_many, args=(tmp_path,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [event.seq for event in Ledger(tmp_path).events()] == list(range(1, 76))


def test_the_same_content_again_is_a_delivery_but_no_new_load(ledger: Ledger) -> None:
    assert deliver(ledger, "a").data["outcome"] == "accepted"
    assert deliver(ledger, "a").data["outcome"] == "unchanged"
    assert len(ledger.events("delivery")) == 2
    assert [(load.load_id, load.load_seq) for load in ledger.loads()] == [("a", 1)]


def test_a_then_b_then_a_again_leaves_a_as_the_newest(ledger: Ledger) -> None:
    for load_id in ("a", "b", "a"):
        deliver(ledger, load_id)
    assert [(load.load_id, load.load_seq) for load in ledger.loads()] == [("b", 2), ("a", 3)]


def test_an_older_export_delivered_again_does_not_move(ledger: Ledger) -> None:
    deliver(ledger, "monday", "2026-05-04")
    deliver(ledger, "tuesday", "2026-05-05")
    assert deliver(ledger, "monday", "2026-05-04").data["outcome"] == "unchanged"
    assert [load.load_id for load in ledger.loads()] == ["monday", "tuesday"]


def test_of_whole_snapshots_only_the_newest_counts(ledger: Ledger) -> None:
    deliver(ledger, "new", "2026-05-05", snapshot=True)
    deliver(ledger, "old", "2026-05-04", snapshot=True)
    assert [load.load_id for load in ledger.loads()] == ["new"]


def test_superseded_and_forgotten_loads_do_not_count(ledger: Ledger) -> None:
    for load_id in ("a", "b", "c"):
        deliver(ledger, load_id)
    ledger.append("supersede", load_id="a")
    ledger.append("forget", rewritten={"b": "b2", "c": None})
    assert [(load.load_id, load.load_seq) for load in ledger.loads()] == [("b2", 2)]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12))
@settings(max_examples=40)
def test_whatever_the_order_the_last_delivered_content_is_the_newest(order: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        for load_id in order:
            deliver(ledger, load_id)
        assert ledger.loads()[-1].load_id == order[-1]
        assert {load.load_id for load in ledger.loads()} == set(order)


def test_times_are_kept_with_their_zone(ledger: Ledger) -> None:
    at = datetime.fromisoformat("2026-05-04T03:00:00+02:00")
    ledger.append("run", at=at)
    assert ledger.events()[0].at == at
