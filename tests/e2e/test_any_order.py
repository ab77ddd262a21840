"""Whatever is done to a workspace, in whatever order: what is shown is whole and adds up, and the forgotten are gone.

A state machine draws the steps. Beside the workspace it keeps a model of it in plain dictionaries, and compares.
"""

from __future__ import annotations

import json
import resource
import shutil
import signal
import tempfile
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loyalty.common.errors import UserError
from loyalty.common.failpoints import BUILD_POINTS, FORGET_POINTS, LAND_POINTS, PUBLISH_POINTS
from loyalty.land import quarantine
from loyalty.land.landing import load_feed
from loyalty.land.release import release
from loyalty.land.withdraw import withdraw
from loyalty.operate.erase import forget
from loyalty.operate.nightly import build_and_publish
from loyalty.operate.rotate import rotate_key
from loyalty.operate.verify import is_damaged, verify
from loyalty.publish.generations import current_generation, generations, resume, rollback
from loyalty.pull.feeds import get_feed
from worlds import one_mart
from worlds.killing import start
from worlds.opened import opened
from worlds.written_bytes import files_containing

SUITE = """
feed: orders
rows:
  - name: plausible
    severity: critical
    because: 'An order of this shop is worth a thousand at most.'
    expectation: {type: expect_column_values_to_be_between, kwargs: {column: total_amount, max_value: 1000}}
"""
# as in the project: the date in a file's name decides, then the order of acceptance
CURRENT = """
{{ config(materialized="table") }}
select orders.*, loads.load_seq as _load_seq
from {{ source("raw", "orders") }} as orders
inner join {{ source("raw", "loads") }} as loads on orders.load_id = loads.load_id
where loads.feed = 'orders'
qualify row_number() over (partition by order_id order by orders._version_at desc, loads.load_seq desc) = 1
"""
PEOPLE = ("annabella", "bartholomew", "clementine")
DAYS = st.sampled_from([f"2017-12-{day}" for day in (20, 21, 22, 23)])
AMOUNTS = st.integers(1, 99_999).map(lambda cents: Decimal(cents) / 100)
TOO_MUCH = st.integers(200_000, 300_000).map(lambda cents: Decimal(cents) / 100)
ROWS = st.dictionaries(st.integers(1, 6), st.tuples(st.sampled_from(PEOPLE), AMOUNTS), min_size=1, max_size=4)
BAD = st.dictionaries(st.integers(7, 9), st.tuples(st.sampled_from(PEOPLE), TOO_MUCH), max_size=1)

Rows = dict[int, tuple[str, Decimal]]
Sums = dict[str | None, tuple[int, Decimal]]


@dataclass
class Load:
    """A load of the model: its place in the order, its rows, the rows in quarantine, and whether it was withdrawn."""

    seq: int
    day: str
    rows: Rows
    open: Rows
    parent: tuple[str, str] | None = None
    is_out: bool = False


@dataclass
class Model:
    """What the workspace should hold, and what each generation shows."""

    seq: int = 0
    loads: dict[tuple[str, str], Load] = field(default_factory=dict)
    newest: dict[str, tuple[str, str]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    shown: dict[int, Sums] = field(default_factory=dict)

    def deliver(self, key: tuple[str, str], rows: Rows, bad: Rows) -> None:
        """A file whose day and content are the key."""
        self.seq += 1
        day = key[0]
        for other, load in self.loads.items():
            if other != key and day >= load.day:
                load.open = {order: row for order, row in load.open.items() if order not in rows}
        if self.newest.get(day) == key:
            return
        self.newest[day] = key
        known = self.loads.get(key)
        bad = {order: row for order, row in bad.items() if row[0] not in self.forgotten}
        self.loads[key] = Load(self.seq, day, rows, known.open if known else bad, None, bool(known and known.is_out))

    def release(self, key: tuple[str, str]) -> None:
        """The open rows of a load become a load of their own, which also brings them where they wait in older loads."""
        self.seq += 1
        load = self.loads[key]
        rows = {order: load.open[order] for order in self.open_orders()[key]}
        for other in self.loads.values():
            if load.day >= other.day:
                other.open = {order: row for order, row in other.open.items() if order not in rows}
        self.loads[f"released {self.seq}", key[1]] = Load(self.seq, load.day, rows, {}, key)

    def open_orders(self) -> dict[tuple[str, str], set[int]]:
        """The orders in quarantine by load: each once, in the newest load that counts and has it."""
        newest = {order: load for load in self.counting() for order in load.open}
        found = {key: {order for order in load.open if newest.get(order) is load} for key, load in self.loads.items()}
        return {key: orders for key, orders in found.items() if orders}

    def forget(self, person: str) -> None:
        """Orders stay without the person; rows in quarantine go."""
        self.forgotten.add(person)
        for load in self.loads.values():
            load.open = {order: row for order, row in load.open.items() if row[0] != person}

    def counting(self) -> list[Load]:
        """The loads that count, the oldest version first: by the day of the file, then by its place in the order."""
        loads = self.loads.values()
        kept = [one for one in loads if not one.is_out and not (one.parent and self.loads[one.parent].is_out)]
        return sorted(kept, key=lambda load: (load.day, load.seq))

    def sums(self) -> Sums:
        """Orders and their amount by customer, of the newest version of each order."""
        orders = {order: row for load in self.counting() for order, row in load.rows.items()}
        sums: dict[str | None, list[Decimal]] = defaultdict(list)
        for person, amount in orders.values():
            sums[None if person in self.forgotten else person].append(amount)
        return {person: (len(amounts), sum(amounts, Decimal(0))) for person, amounts in sums.items()}


def land_in(folder: Path, file: str, room: int = 0) -> None:
    """Land one file, in a process that may be killed or have no room on the disk."""
    if room:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    opened_here = opened(one_mart.load_settings(folder))
    load_feed(opened_here, get_feed(opened_here.settings.feeds, "orders"), files=[file], now=one_mart.NOW)


def publish_in(folder: Path) -> None:
    build_and_publish(opened(one_mart.load_settings(folder)), now=one_mart.NOW)


def forget_in(folder: Path, person: str) -> None:
    with suppress(UserError):  # nothing is known of the person
        forget(opened(one_mart.load_settings(folder)), person)


class AnyOrder(RuleBasedStateMachine):
    """One workspace, and all that is done to it."""

    @initialize(rows=ROWS)
    def begin(self, rows: Rows) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.place, self.moves = Path(self.folder.name) / "shop", 0
        one_mart.make_workspace(self.place, max_age_days=36_500)
        made = one_mart.load_settings(self.place)
        shutil.rmtree(made.home / "exports")
        (self.place / "dags/feeds/orders.yml").write_text(one_mart.FEED + "max_quarantine_rate: 0.9\n")
        (self.place / "expectations/orders.yml").write_text(SUITE)
        (self.place / "project/models/intermediate/int_orders__current.sql").write_text(CURRENT)
        self.model, self.now, self.ledger_bytes = Model(), one_mart.NOW, b""
        self.deliver("2017-12-20", rows, {})
        self.publish()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @property
    def settings(self):
        return one_mart.load_settings(self.place)

    @property
    def workspace(self):
        return opened(self.settings)

    def file_of(self, day: str, rows: Rows, bad: Rows) -> tuple[Path, tuple[str, str]]:
        lines = [f"{order},{person},2017-12-01 10:00:00,{amount}\n" for order, (person, amount) in (rows | bad).items()]
        content = one_mart.HEADER + "".join(lines)
        return one_mart.deliver(self.settings, day, content), (day, content)

    def land(self, file: Path) -> list:
        return load_feed(self.workspace, get_feed(self.settings.feeds, "orders"), files=[str(file)], now=self.now)

    @rule(day=DAYS, rows=ROWS, bad=BAD)
    def deliver(self, day: str, rows: Rows, bad: Rows) -> None:
        file, key = self.file_of(day, rows, bad)
        (outcome,) = self.land(file)
        assert outcome.outcome in ("accepted", "unchanged"), outcome.message
        self.model.deliver(key, rows, bad)

    @precondition(lambda self: any(not load.parent for load in self.model.loads.values()))
    @rule(data=st.data())
    def deliver_once_more(self, data: st.DataObject) -> None:
        day, content = data.draw(st.sampled_from([key for key, load in self.model.loads.items() if not load.parent]))
        self.land(one_mart.deliver(self.settings, day, content))
        self.model.deliver((day, content), self.model.loads[day, content].rows, {})

    @rule(day=DAYS, rows=ROWS)
    def drop_a_column(self, day: str, rows: Rows) -> None:
        lines = [f"{order},{person}\n" for order, (person, _) in rows.items()]
        (outcome,) = self.land(one_mart.deliver(self.settings, day, "id,customer\n" + "".join(lines)))
        assert outcome.outcome == "rejected"

    @rule(day=DAYS, rows=ROWS, point=st.sampled_from(LAND_POINTS))
    def kill_landing(self, day: str, rows: Rows, point: str) -> None:
        file, key = self.file_of(day, rows, {})
        start(land_in, self.place, str(file), point=point).join()
        self.land(file)
        self.model.deliver(key, rows, {})

    @rule(day=DAYS, rows=ROWS, room=st.sampled_from([10, 1_000, 3_000]))
    def land_without_room(self, day: str, rows: Rows, room: int) -> None:
        file, key = self.file_of(day, rows, {})
        start(land_in, self.place, str(file), room).join()
        self.land(file)
        self.model.deliver(key, rows, {})

    @precondition(lambda self: self.model.open_orders())
    @rule()
    def release_all(self) -> None:
        by_load: dict[str, set[int]] = defaultdict(set)
        for entry in quarantine.entries(self.workspace, only_open=True):
            by_load[entry.load_id].add(int(json.loads(entry.row_json)["id"]))
        expected = self.model.open_orders()
        assert sorted(map(sorted, by_load.values())) == sorted(map(sorted, expected.values()))
        for load_id, orders in by_load.items():
            self.release_load(load_id)
            self.model.release(next(key for key, open_orders in expected.items() if open_orders == orders))

    def release_load(self, load_id: str) -> None:
        """From the raw file; where that named a forgotten person and is gone, from what quarantine has of the rows."""
        try:
            release(self.workspace, load_id)
        except UserError as error:
            assert "its raw file is no longer kept" in str(error)
            corrected = self.place.with_name("corrected.csv")
            quarantine.export(self.workspace, load_id, corrected)
            release(self.workspace, load_id, corrected=corrected)
            corrected.unlink()

    @precondition(lambda self: len([load for load in self.model.counting() if not load.parent]) > 1)
    @rule(data=st.data())
    def withdraw_a_load(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, 20))
        loads = [load for load in self.workspace.ledger.loads() if not load.released_from]
        withdraw(self.workspace, loads[place % len(loads)].load_id)
        mine = sorted((load for load in self.model.counting() if not load.parent), key=lambda load: load.seq)
        mine[place % len(mine)].is_out = True

    @precondition(lambda self: any(load.is_out for load in self.model.loads.values()))
    @rule()
    def bring_all_back(self) -> None:
        out = [load for load in self.workspace.ledger.withdrawn_loads().values() if not load.released_from]
        assert len(out) == len([load for load in self.model.loads.values() if load.is_out])
        for load in out:
            withdraw(self.workspace, load.load_id, undo=True)
        for mine in self.model.loads.values():
            mine.is_out = False

    @rule(person=st.sampled_from(PEOPLE), point=st.sampled_from([None, *FORGET_POINTS]))
    def forget_a_person(self, person: str, point: str | None) -> None:
        if point:
            start(forget_in, self.place, person, point=point).join()
        try:
            forget(self.workspace, person)
        except UserError as error:
            assert "No landed load has a customer" in str(error)
            return
        self.model.forget(person)
        self.has_published(only=True)

    @rule()
    def rotate(self) -> None:
        rotate_key(self.workspace)

    @rule(point=st.sampled_from([None, *BUILD_POINTS, *PUBLISH_POINTS]))
    def publish(self, point: str | None = None) -> None:
        if point:
            start(publish_in, self.place, point=point).join()
        try:
            build_and_publish(self.workspace, now=self.now)
        except UserError as error:
            assert "Publishing is held" in str(error)
            return
        if not self.is_held():
            self.has_published()
            assert build_and_publish(self.workspace, now=self.now) is None

    @precondition(lambda self: len(generations(self.settings)) > 1)
    @rule()
    def roll_back(self) -> None:
        if min(one.number for one in generations(self.settings)) < current_generation(self.settings).number:
            rollback(self.workspace)

    @precondition(lambda self: self.is_held())
    @rule()
    def go_on(self) -> None:
        resume(self.workspace)

    @rule(days=st.integers(-30, 400))
    def jump(self, days: int) -> None:
        self.now = max(one_mart.NOW, self.now + timedelta(days=days))

    @rule()
    def move(self) -> None:
        self.moves += 1
        self.place = Path(shutil.move(self.place, self.place.with_name(f"moved-{self.moves}")))
        outcomes = load_feed(self.workspace, get_feed(self.settings.feeds, "orders"), now=self.now)
        assert [outcome for outcome in outcomes if outcome.outcome == "accepted"] == []

    def is_held(self) -> bool:
        event = self.workspace.ledger.last("rollback", "resume")
        return event is not None and event.kind == "rollback"

    def has_published(self, only: bool = False) -> None:
        number = current_generation(self.settings).number
        self.model.shown = ({} if only else self.model.shown) | {number: self.model.sums()}

    @invariant()
    def what_is_shown_is_whole_and_adds_up(self) -> None:
        if not hasattr(self, "model") or not self.model.shown:
            return
        assert not is_damaged(findings := verify(self.workspace)), findings
        rows = one_mart.published(
            self.settings, "select customer_id, orders_count, net_amount from marts.retention__customers"
        )
        shown = {person: (count, amount) for person, count, amount in rows}
        assert shown == self.model.shown[current_generation(self.settings).number]

    @invariant()
    def the_forgotten_are_in_no_byte(self) -> None:
        for person in self.model.forgotten if hasattr(self, "model") else ():
            assert files_containing(self.settings, person) == []

    @invariant()
    def the_ledger_only_grows(self) -> None:
        if hasattr(self, "model"):
            now = (self.settings.ledger / "events.jsonl").read_bytes()
            assert now.startswith(self.ledger_bytes)
            self.ledger_bytes = now


CHECKS = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=CHECKS, database=None
        ),
    )


def test_any_order_of_steps_ends_whole() -> None:
    run(examples=4, steps=8)  # the first one is always the simplest


@pytest.mark.torture
def test_any_order_of_steps_ends_whole_long_form() -> None:
    run(examples=200, steps=20)
