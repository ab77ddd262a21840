"""The memory of known customers: the same answer as reading every CRM export, from fewer files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from loyalty.land import known_customers
from loyalty.land.landing import load_feed
from loyalty.land.withdraw import withdraw
from worlds.opened import opened
from worlds.own_feeds import Workspace

NOW = datetime(2026, 6, 1, 5, tzinfo=UTC)


@pytest.fixture
def crm(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace that keeps a memory as soon as three CRM exports are new."""
    monkeypatch.setattr(known_customers, "MOST_LOADS", 2)
    return workspace


def deliver(workspace: Workspace, day: int, *customers: str) -> str:
    feed = workspace.feed(
        "crm",
        feed="customers",
        group="crm",
        path="exports/crm_{date}.csv",
        currency=None,
        columns={"customer_id": "id"},
    )
    file = workspace.export(f"crm_2026-05-{day:02}.csv", "id\n" + "".join(f"{one}\n" for one in customers))
    (outcome,) = load_feed(opened(workspace.settings), feed, files=[str(file)], now=NOW)
    assert outcome.load_id is not None, outcome.message
    return outcome.load_id


def unknown(workspace: Workspace, *asked: str) -> tuple[list[str], int]:
    """Which of these customers no CRM export lists, and how many files were read to know it."""
    with duckdb.connect() as connection:
        query = known_customers.known_customers(opened(workspace.settings), connection, "shop")
        known = {row[0] for row in connection.execute(query).fetchall()} if query else set()
        hashes = {one: connection.execute(f"select {HASH}", [one]).fetchone()[0] for one in asked}  # type: ignore[index]
    return [one for one in asked if hashes[one] not in known], query.count(".parquet'")


HASH = known_customers.CUSTOMER_HASH.replace("customer_id", "?")


def test_k8_many_exports_are_read_once(crm: Workspace) -> None:
    for day, customer in enumerate(("ann", "bob", "eve"), 1):
        deliver(crm, day, customer)
    assert unknown(crm, "ann", "zoe") == (["zoe"], 1)
    deliver(crm, 4, "zoe")
    assert unknown(crm, "ann", "bob", "eve", "zoe") == ([], 2)  # the memory, and the export that is new


def test_k8_a_load_that_does_not_count_any_more_is_forgotten(crm: Workspace) -> None:
    loads = [deliver(crm, day, customer) for day, customer in enumerate(("ann", "bob", "eve", "joe"), 1)]
    assert unknown(crm, "bob") == ([], 1)
    withdraw(opened(crm.settings), loads[1])
    assert unknown(crm, "ann", "bob") == (["bob"], 1)
    withdraw(opened(crm.settings), loads[1], undo=True)
    assert unknown(crm, "ann", "bob") == ([], 1)


@pytest.mark.parametrize("damage", ["no notes", "no memory", "damaged notes"])
def test_k8_a_lost_or_damaged_memory_is_made_again(crm: Workspace, damage: str) -> None:
    for day, customer in enumerate(("ann", "bob", "eve"), 1):
        deliver(crm, day, customer)
    unknown(crm, "ann")
    notes, memory = known_customers.memory_files(crm.settings)
    assert (notes.suffix, memory.suffix) == (".json", ".parquet")
    if damage == "damaged notes":
        notes.write_text("{")
    else:
        Path(notes if damage == "no notes" else memory).unlink()
    assert unknown(crm, "ann", "zoe") == (["zoe"], 1)
