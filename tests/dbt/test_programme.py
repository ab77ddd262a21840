"""Points, members, campaigns and offers on made-up shops in which the answer is known."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from surveys import build
from warehouse import Warehouse, new_warehouse

AS_OF = date(2017, 12, 31)
START = datetime(2017, 1, 1, 10)
MARTS = ("loyalty__programme_months", "loyalty__points_vintages")
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
    """The shop with these entries of points and no others; only what stands on them is built again."""
    shop.withdraw("programme", "entries")
    shop.load("programme", entries, load_id="entries")
    shop.dbt("run", "--select", *(f"+{mart},int_programme__current+" for mart in MARTS))
    return shop


def _assert_points_add_up(warehouse: Warehouse) -> None:
    """What holds whatever the accounts did."""
    months = warehouse.frame(
        "select month, earned_points - burned_points - expired_points + adjusted_points as change, balance_points"
        " from marts.loyalty__programme_months where balance_points is not null order by month"
    )
    assert len(months) > 0
    assert list(months["change"].astype(float).cumsum()) == list(months["balance_points"].astype(float))
    assert float(months["balance_points"].iloc[-1]) == float(
        warehouse.value("select sum(balance_points) from core.fct_programme_entries")
    )
    apart = warehouse.query(
        "select months.month from marts.loyalty__programme_months as months inner join"
        " (select programme_key, month, sum(outstanding_points) as points from marts.loyalty__points_vintages"
        " group by programme_key, month) as vintages using (programme_key, month)"
        " where months.balance_points <> vintages.points"
    )
    assert apart == [], "the vintages of a month make its balance"
    overspent = warehouse.query(
        "select lot_key from core.fct_points_uses inner join core.fct_programme_entries as lots"
        " on lots.entry_key = lot_key group by lot_key, lots.balance_points"
        " having sum(fct_points_uses.points) > lots.balance_points"
    )
    assert overspent == [], "no lot gives more than it holds"


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Warehouse:
    """Two customers, of whom one pays in a currency without a rate, and no programme."""
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
        " from marts.loyalty__programme_months order by month limit 1"
    )
    assert first == [
        (10, 0.0, None, None, None, "no burned point has a value", 1, None, 10,
         "fewer than 90 days of orders before")
    ]  # fmt: skip
    last = shop.query(
        "select age_months, outstanding_points, outstanding_rate, breakage_rate"
        " from marts.loyalty__points_vintages order by month desc limit 1"
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
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), accounts=st.integers(1, 60))
def test_points_add_up_whatever_the_accounts_did(shop: Warehouse, seed: int, accounts: int) -> None:
    entries = [*_random_programme(seed, accounts), _entry(99_999, "earn", 5, 0, "c0")]
    _assert_points_add_up(_with_entries(shop, entries))


def _shop_without_effect(seed: int) -> tuple[list[Row], list[Row], list[Row], list[Row]]:
    """600 customers whose own pace never changes.

    Who has bought more often so far joins the club in April; a campaign is sent by the toss of a coin in July,
    with a control arm; a tenth of the points expires, the rest is burned.
    """
    draw = np.random.default_rng(seed)
    orders: list[Row] = []
    members: list[Row] = []
    entries: list[Row] = []
    contacts: list[Row] = []
    for number in range(600):
        days = [int(day) for day in np.flatnonzero(draw.random(365) < draw.gamma(2, 0.05))]
        orders += _orders(number, days)
        arm = "treated" if draw.random() < 0.5 else "control"
        contacts.append(
            {"campaign_id": "july", "customer_id": f"c{number}", "contacted_at": datetime(2017, 7, 3), "arm": arm}
        )
        if draw.random() < min(0.9, 0.1 + 0.05 * sum(day < 90 for day in days)):
            joined = datetime(2017, 4, 1) + timedelta(days=int(draw.integers(0, 30)))
            members.append({"customer_id": f"c{number}", "programme_id": "club", "enrolled_at": joined})
            lots = [day for day in days if 120 <= day < 200]
            for day in lots:
                key = number * 1000 + day
                due = START + timedelta(days=day + 90)
                entries.append(_entry(key, "earn", 10, day, f"c{number}", expires_at=due))
                kind, gone = ("expire", day + 90) if draw.random() < 0.1 else ("burn", day + int(draw.integers(1, 89)))
                entries.append(_entry(-key, kind, 10, gone, f"c{number}", value_amount=0.2))
    return orders, members, entries, contacts


def test_planted_answers_are_found_again(
    tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch
) -> None:
    """True lift 0: the naive one finds what is not there, the matched one covers 0, as does the drawn control arm; a
    tenth of the points breaks."""
    made = new_warehouse(tmp_path_factory.mktemp("planted"), environment)
    orders, members, entries, contacts = _shop_without_effect(seed=5)
    made.load("orders", orders)
    made.load("memberships", members)
    made.load("programme", entries)
    made.load("campaigns", [{"campaign_id": "july", "started_at": datetime(2017, 7, 3), "objective": "retention"}])
    made.load("campaign_contacts", contacts)
    build(made, *MARTS, "loyalty__experiments", as_of=AS_OF)
    lift = made.frame("select * from marts.loyalty__programme_months where month = '2017-04-01'").iloc[0]
    assert lift["lift_reason"] is None
    assert lift["lift_order_days_naive_low"] > 0, "members bought more often before they joined"
    assert lift["lift_order_days_matched_low"] < 0 < lift["lift_order_days_matched_high"]
    assert lift["lift_pre_trend_p_value"] > 0.01
    last = made.frame("select * from marts.loyalty__programme_months order by month").iloc[-1]
    assert last["breakage_rate_low"] < 0.1 < last["breakage_rate_high"]
    assert last["point_value"] == pytest.approx(0.02)
    assert float(last["balance_points"]) == 0
    vintages = made.frame("select * from marts.loyalty__points_vintages where month = '2017-12-01'")
    assert set(vintages["is_settled"]) == {True}
    drawn = made.frame("select * from marts.loyalty__experiments where measure = 'order_days'").iloc[0]
    assert drawn["reason"] is None
    assert drawn["difference_matched_low"] < 0 < drawn["difference_matched_high"]
    width = drawn["difference_naive_high"] - drawn["difference_naive_low"]
    assert drawn["difference_matched_high"] - drawn["difference_matched_low"] < width, "what was before explains much"
