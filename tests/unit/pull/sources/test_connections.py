"""Exports in an object storage, read through Airflow's, here one in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem

from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.land import landing
from loyalty.land.landing import LoadOutcome, load_feed
from worlds.opened import opened
from worlds.own_feeds import Workspace

NOW = datetime(2026, 5, 6, 2, tzinfo=UTC)
GOOD = "Order,Customer,When,Total\n1,a,2026-05-04 10:00:00,1.50\n"
ADDRESS = "memory://ours@shop/exports/orders_{date}.csv"


@pytest.fixture
def store() -> Iterator[MemoryFileSystem]:
    """What the connection `ours` leads to, empty."""
    store = MemoryFileSystem()
    attach("memory", "ours", fs=store)
    yield store
    store.rm("/shop", recursive=True)


@pytest.fixture(params=[True, False], ids=["says its size", "does not say its size"])
def large(request: pytest.FixtureRequest, workspace: Workspace, store: MemoryFileSystem) -> Workspace:
    """A workspace whose one export is larger than it may be."""
    (workspace.folder / "loyalty.yml").write_text("max_file_bytes: 10\n")
    put(store, "04", GOOD)
    if not request.param:
        original = MemoryFileSystem.info
        silent = pytest.MonkeyPatch()
        silent.setattr(MemoryFileSystem, "info", lambda *a, **more: original(*a, **more) | {"size": None})
        request.addfinalizer(silent.undo)
    return workspace


def put(store: MemoryFileSystem, day: str, content: str) -> None:
    store.pipe(f"/shop/exports/orders_2026-05-{day}.csv", content.encode())


def load(workspace: Workspace) -> list[LoadOutcome]:
    return load_feed(opened(workspace.settings), workspace.feed(path=ADDRESS), now=NOW)


@pytest.mark.parametrize(
    "source",
    [
        {"http": {"endpoint": "/orders", "connection": "nowhere"}},
        {"sql": {"query": "select 1", "connection": "nowhere"}},
    ],
    ids=["http", "sql"],
)
def test_what_could_not_be_fetched_leaves_no_file(workspace: Workspace, source: dict[str, object]) -> None:
    feed = workspace.feed(path=None, **source)
    with pytest.raises(UserError, match="there is no connection `nowhere`"):
        load_feed(opened(workspace.settings), feed, now=NOW)
    assert [file for file in workspace.settings.raw.rglob("*") if file.is_file()] == []


def test_a_remote_export_lands_once_and_again_when_it_was_corrected(
    workspace: Workspace, store: MemoryFileSystem
) -> None:
    put(store, "04", GOOD)
    put(store, "05", GOOD.replace("1,a", "2,b"))
    assert [(outcome.outcome, outcome.rows) for outcome in load(workspace)] == [("accepted", 1)] * 2
    assert load(workspace) == []
    put(store, "05", GOOD.replace("1,a", "2,b").replace("1.50", "2.50"))
    assert [outcome.message.partition(":")[0] for outcome in load(workspace)] == [
        "Feed `orders`, file orders_2026-05-05.csv"
    ]


def test_a_remote_file_that_is_too_large_is_refused_once_until_the_limit_is_raised(large: Workspace) -> None:
    assert "larger than 10 bytes" in load(large)[0].message
    assert load(large) == []
    assert len(Ledger(large.settings.ledger).events("delivery")) == 1
    (large.folder / "loyalty.yml").write_text("max_file_bytes: 1000\n")
    assert [outcome.outcome for outcome in load(large)] == ["accepted"]


def test_k8_a_remote_export_with_a_known_tag_is_not_read_again(
    workspace: Workspace, store: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = MemoryFileSystem.info
    monkeypatch.setattr(MemoryFileSystem, "info", lambda *a, **more: original(*a, **more) | {"ETag": "one"})
    put(store, "04", GOOD)
    assert [outcome.outcome for outcome in load(workspace)] == ["accepted"]
    monkeypatch.setattr(landing, "checksum", None)  # an error if the file were read
    assert load(workspace) == []


@pytest.mark.parametrize("scheme", ["nowhere", "memory"])  # the second is known, and no provider of Airflow brings it
def test_an_address_that_nothing_reads_is_said_in_one_sentence(workspace: Workspace, scheme: str) -> None:
    with pytest.raises(UserError, match=f"{scheme}:// addresses cannot be read"):
        load_feed(opened(workspace.settings), workspace.feed(path=f"{scheme}://bucket/x.csv"), now=NOW)
