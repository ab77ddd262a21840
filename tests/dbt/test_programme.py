"""Points, members, campaigns and offers on made-up shops in which the answer is known."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worlds.survey_rows import build
from worlds.warehouse import Warehouse, new_warehouse

AS_OF = date(2017, 12, 31)
START = datetime(2017, 1, 1, 10)
MARTS = ("programme__months", "programme__points_vintages")
Row = dict[str, Any]


def _orders(number: int, days: list[int], currency: str = "USD") -> list[Row]:
    return [
        {
            "order_id": f"{number}-{day}",
            "customer_id": f"c{number}",
            "ordered_at": START + timedelta(days=day),
            "kind": "sale",
            "status": "completed",
            "currency_code": currency,
            "total_amount": 10,
        }
        for day in days
    ]


def _entry(number: int, kind: str, points: float, day: int, customer: str, **more: Any) -> Row:
    return {
        "entry_id": f"e{number}",
        "customer_id": customer,
        "programme_id": "club",
        "at": START + timedelta(days=day),
        "kind": kind,
        "points": points,
        **more,
    }


def _random_account(chance: random.Random, customer: str, first: int) -> list[Row]:
    """Entries of one account in any order, some impossible: burned before earned, expired too early, overdrawn."""
    rows = []
    for number in range(first, first + chance.randrange(1, 12)):
        kind = chance.choice(["earn", "earn", "burn", "expire", "adjust"])
        points = chance.randrange(-40, 60) if kind == "adjust" else chance.randrange(0, 50)
        day = chance.randrange(0, 330)
        expires = START + timedelta(days=day + 60) if chance.random() < 0.7 else None
        value = chance.choice([None, points / 100])
        rows.append(_entry(number, kind, points, day, customer, value_amount=value, expires_at=expires))
    return rows


def _random_programme(seed: int, accounts: int = 40) -> list[Row]:
    chance = random.Random(seed)
    return [row for account in range(accounts) for row in _random_account(chance, f"c{account}", account * 100)]


def _with_entries(shop: Warehouse, entries: list[Row]) -> Warehouse:
    """The shop with these entries of points and no others; only what reads them is built again."""
    shop.withdraw("programme", "entries")
    shop.load("programme", entries, load_id="entries")
    shop.dbt("run", "--select", *(f"+{mart},stg_programme__entries+" for mart in MARTS))
    return shop


def _assert_points_add_up(warehouse: Warehouse) -> None:
    """What holds whatever the accounts did."""
    months = warehouse.frame(
        "select month, earned_points - burned_points - expired_points + adjusted_points as change, balance_points"
        " from marts.programme__months where balance_points is not null order by month"
    )
    assert len(months) > 0
    assert list(months["change"].astype(float).cumsum()) == list(months["balance_points"].astype(float))
    assert float(months["balance_points"].iloc[-1]) == float(
        warehouse.value("select sum(balance_points) from core.fct_programme_entries")
    )
    apart = warehouse.query(
        "select months.month from marts.programme__months as months inner join"
        " (select programme_key, month, sum(outstanding_points) as points from marts.programme__points_vintages"
        " group by programme_key, month) as vintages using (programme_key, month)"
        " where months.balance_points <> vintages.points"
    )
    assert apart == [], "the vintages of a month make its balance"
    overspent = warehouse.query(
        "select lot_key from steps.int_programme__points_uses inner join core.fct_programme_entries as lots"
        " on lots.entry_key = lot_key group by lot_key, lots.balance_points"
        " having sum(int_programme__points_uses.points) > lots.balance_points"
    )
    assert overspent == [], "no lot gives more than it holds"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Warehouse:
    """Two customers, one of them pays in a currency without a rate, and no programme."""
    made = new_warehouse(tmp_path_factory.mktemp("shop"), environment)
    made.load("orders", _orders(0, [0, 40, 300]) + _orders(1, [5], "EUR"))
    build(made, *MARTS, as_of=AS_OF)
    assert [made.value(f"select count(*) from marts.{mart}") for mart in MARTS] == [0, 0], "no programme, no row"
    return made


def test_one_member_with_one_entry_without_a_value(shop: Warehouse) -> None:
    """A liability without a value is unknown, not 0; a member whose currency has no rate counts, the amounts do not."""
    _with_entries(shop, [_entry(1, "earn", 10, 3, "c1")])
    first = shop.query(
        "select balance_points, redemption_rate, breakage_rate, liability_amount, full_liability_amount,"
        " liability_reason, member_count, member_net_amount, total_net_amount, lift_reason"
        " from marts.programme__months order by month limit 1"
    )
    assert first == [
        (10, 0.0, None, None, None, "no burned point has a value", 1, None, 10,
         "fewer than 90 days of orders before")
    ]  # fmt: skip
    last = shop.query(
        "select age_months, outstanding_points, outstanding_rate, breakage_rate"
        " from marts.programme__points_vintages order by month desc limit 1"
    )
    assert last == [(11, 10, 1.0, None)]


def test_points_add_up_in_any_order(shop: Warehouse) -> None:
    entries = _random_programme(seed=11)
    _assert_points_add_up(_with_entries(shop, entries))
    before = [shop.checksum(f"marts.{mart}") for mart in MARTS]
    random.Random(3).shuffle(entries)
    _with_entries(shop, entries)
    assert [shop.checksum(f"marts.{mart}") for mart in MARTS] == before


@pytest.mark.slow
@settings(max_examples=5, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), accounts=st.integers(1, 60))
def test_points_add_up_whatever_the_accounts_did(shop: Warehouse, seed: int, accounts: int) -> None:
    entries = [*_random_programme(seed, accounts), _entry(99_999, "earn", 5, 0, "c0")]
    _assert_points_add_up(_with_entries(shop, entries))


@dataclass(frozen=True)
class Club:
    """600 customers whose own pace never changes: order days by customer, and who joined the club in April. Who had
    bought more often so far joined more often, so the true lift is 0 and a naive one is not."""

    days: list[list[int]]
    members: list[bool]

    @classmethod
    def draw(cls, seed: int) -> Club:
        draw = np.random.default_rng(seed)
        days = [[int(day) for day in np.flatnonzero(draw.random(365) < draw.gamma(2, 0.05))] for _ in range(600)]
        chances = [min(0.9, 0.1 + 0.05 * sum(day < 90 for day in own)) for own in days]
        return cls(days, [bool(draw.random() < chance) for chance in chances])

    def matched_lift(self) -> tuple[float, float]:
        """Difference in differences within tenths of the days before, weighted by members, and its error: the formula
        of int_programme__comparisons, worked apart from it. Before: January to March; after: 90 days from May on."""
        known = [i for i, own in enumerate(self.days) if own and own[0] < 90]
        before = np.array([sum(day < 90 for day in self.days[i]) for i in known])
        after = np.array([sum(120 <= day < 210 for day in self.days[i]) for i in known])
        joined = np.array([self.members[i] for i in known])
        tenth = np.ceil(10 * np.array([(before <= own).sum() for own in before]) / len(known))
        change, total, variance, weight = after - before, 0.0, 0.0, 0
        for one in np.unique(tenth):
            treated, others = change[(tenth == one) & joined], change[(tenth == one) & ~joined]
            if min(len(treated), len(others)) > 1:
                total += len(treated) * (treated.mean() - others.mean())
                spread = treated.var(ddof=1) / len(treated) + others.var(ddof=1) / len(others)
                variance += len(treated) ** 2 * spread
                weight += len(treated)
        return total / weight, variance**0.5 / weight

    def entries(self) -> list[Row]:
        """Ten points a basket from May to July; a tenth of the lots expires after 90 days, the rest is burned."""
        draw = np.random.default_rng(0)
        rows: list[Row] = []
        for number, own in enumerate(self.days):
            for day in (day for day in own if self.members[number] and 120 <= day < 200):
                key = number * 1000 + day
                due = START + timedelta(days=day + 90)
                kind, gone = ("expire", day + 90) if draw.random() < 0.1 else ("burn", day + int(draw.integers(1, 89)))
                rows.append(_entry(key, "earn", 10, day, f"c{number}", expires_at=due))
                rows.append(_entry(-key - 1, kind, 10, gone, f"c{number}", value_amount=0.2))
        return rows


def test_a_lift_of_nothing_is_covered_as_often_as_an_interval_promises() -> None:
    lifts = [Club.draw(seed).matched_lift() for seed in range(40)]
    assert np.mean([abs(lift) < 1.96 * error for lift, error in lifts]) >= 0.9


def test_planted_answers_are_found_again(
    tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch
) -> None:
    """The naive lift finds what is not there, the matched one is the one worked apart; an arm drawn by lot shows no
    effect; a tenth of the points breaks."""
    club = Club.draw(seed=1)
    made = new_warehouse(tmp_path_factory.mktemp("planted"), environment)
    made.load("orders", [row for number, own in enumerate(club.days) for row in _orders(number, own)])
    joined = [number for number, is_member in enumerate(club.members) if is_member]
    in_april = datetime(2017, 4, 12)
    made.load(
        "memberships",
        [{"customer_id": f"c{number}", "programme_id": "club", "enrolled_at": in_april} for number in joined],
    )
    made.load("programme", club.entries())
    july = datetime(2017, 7, 3)
    made.load("campaigns", [{"campaign_id": "july", "started_at": july, "objective": "retention"}])
    made.load(
        "campaign_contacts",
        [
            {"campaign_id": "july", "customer_id": f"c{number}", "arm": arm, "contacted_at": july}
            for number, arm in enumerate(["treated", "control"] * 300)
        ],
    )
    build(made, *MARTS, "programme__experiments", as_of=AS_OF)

    lift = made.frame("select * from marts.programme__months where month = '2017-04-01'").iloc[0]
    expected, error = club.matched_lift()
    assert lift["lift_order_days_matched"] == pytest.approx(expected, abs=1e-7)
    assert lift["lift_order_days_matched_high"] == pytest.approx(expected + 1.959963985 * error, abs=1e-6)
    assert lift["lift_order_days_naive_low"] > 0, "members bought more often before they joined"

    last = made.frame("select * from marts.programme__months order by month").iloc[-1]
    assert last["breakage_rate_low"] < 0.1 < last["breakage_rate_high"]
    assert last["point_value"] == pytest.approx(0.02)
    assert float(last["balance_points"]) == 0
    settled = made.query(
        "select distinct is_settled from marts.programme__points_vintages where month = date '2017-12-01'"
    )
    assert settled == [(True,)]

    drawn = made.frame("select * from marts.programme__experiments where measure = 'order_days'").iloc[0]
    assert abs(drawn["difference_matched"]) < 1.5 * (drawn["difference_matched_high"] - drawn["difference_matched"])
    naive_width = drawn["difference_naive_high"] - drawn["difference_naive_low"]
    assert drawn["difference_matched_high"] - drawn["difference_matched_low"] < naive_width, "the past explains much"
