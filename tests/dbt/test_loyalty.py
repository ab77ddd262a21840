"""Loyalty in a small shop: every customer in one quadrant, at most one action due, and no claim is decided."""

from __future__ import annotations

import csv
import json
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worlds.survey_rows import SCENE, build, load_survey, question
from worlds.warehouse import PROJECT, Warehouse, new_warehouse

AS_OF = date(2017, 12, 31)
MARTS = ("loyalty__customers", "loyalty__next_actions", "loyalty__claims", "loyalty__early_signals", "dq__as_of")
CONSENT = {"consent_column": "x_may_contact"}
QUESTIONS = [
    question("s", "overall", "overall_satisfaction", 1, 5),
    question("s", "again", "repurchase_intent", 0, 100),
    question("s", "nps", "recommend", 0, 10),
]
PLEASED = {"overall": 5, "again": 90, "nps": 10}
DISPLEASED = {"overall": 2, "again": 10, "nps": 3}

# customer -> days before as_of with an order
ORDERS = {
    "true": (300, 30, 10),
    "latent": (10,),
    "spurious": (300, 30, 10),
    "none": (300, 200),
    "silent": (300, 30, 10),
    "angry": (300, 30, 10),
    "private": (300, 30, 10),
    "staff": (300, 30, 10),
}


def _order(customer: str, days: int) -> dict[str, Any]:
    at = datetime.combine(AS_OF, datetime.min.time()) + timedelta(hours=12) - timedelta(days=days)
    return {**SCENE[0], "order_id": f"{customer}-{days}", "customer_id": customer, "ordered_at": at}


def _ticket(customer: str, days: int) -> dict[str, Any]:
    at = datetime.combine(AS_OF, datetime.min.time()) - timedelta(days=days)
    return {
        "ticket_id": f"{customer}-{days}",
        "customer_id": customer,
        "opened_at": at,
        "status": "open",
        "kind": "complaint",
        "category": "price",
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Warehouse:
    made = new_warehouse(tmp_path_factory.mktemp("loyalty"), environment)
    made.load("orders", [_order(customer, days) for customer, list_ in ORDERS.items() for days in list_])
    made.load(
        "customers",
        [
            {
                "customer_id": customer,
                "type": "internal" if customer == "staff" else None,
                "x_may_contact": "no" if customer == "private" else "yes",
            }
            for customer in ORDERS
        ],
    )
    answered_at = datetime(2017, 12, 20, 12)
    sheets = [
        {**answer, "_customer_id": customer, "_submitted_at": answered_at}
        for customer, answer in (
            ("true", PLEASED),
            ("latent", PLEASED),
            ("spurious", DISPLEASED),
            ("none", DISPLEASED),
            ("private", DISPLEASED),
        )
    ]
    load_survey(made, QUESTIONS, sheets)
    made.load("tickets", [_ticket("angry", 3), _ticket("staff", 3)])
    yesterday = datetime(2017, 12, 30, 12)
    made.load(
        "interactions",
        [{"interaction_id": "i1", "customer_id": "angry", "at": yesterday, "kind": "call", "cost_amount": 1}],
    )
    build(made, *MARTS, as_of=AS_OF, variables=CONSENT)
    return made


def test_every_customer_is_in_one_quadrant(shop: Warehouse) -> None:
    found = dict(shop.query("select customer_id, loyalty_quadrant from marts.loyalty__customers"))
    named = {name: name for name in ("true", "latent", "spurious", "none")}
    assert found == named | {"silent": "unmeasured", "angry": "unmeasured", "private": "spurious"}


def test_the_most_urgent_action_is_due(shop: Warehouse) -> None:
    due = dict(shop.query("select customer_id, action from marts.loyalty__next_actions where is_due"))
    assert due["angry"] == "apologise", "an apology is owed, even a day after a call"
    assert due["spurious"] == due["none"] == "follow_up"
    first = dict(
        shop.query("select customer_id, next_action from marts.loyalty__customers where next_action is not null")
    )
    assert first == due


def test_staff_and_who_did_not_agree_get_no_next_action(shop: Warehouse) -> None:
    listed = {row[0] for row in shop.query("select customer_id from marts.loyalty__next_actions")}
    assert listed.isdisjoint({"staff", "private"})


def test_a_single_alert_is_counted_and_not_rated(shop: Warehouse) -> None:
    """Days after a signal it is not known yet who leaves, and no lapse came late enough to have been announced."""
    signals = "select signal, alert_count, lapse_count, warned_count, precision_rate, is_suppressed"
    assert shop.query(f"{signals} from marts.loyalty__early_signals order by 1") == [
        (signal, 0, 0, 0, None, True) for signal in ("any", "complaint", "detractor", "low score")
    ]


def test_a_handful_of_customers_proves_no_claim(shop: Warehouse) -> None:
    assert shop.query("select distinct verdict, observed_value from marts.loyalty__claims") == [("cannot tell", None)]


def test_one_customer_and_no_survey(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> None:
    made = new_warehouse(tmp_path_factory.mktemp("one"), environment)
    made.load("orders", SCENE)
    build(made, *MARTS, as_of=AS_OF)
    row = (
        "select loyalty_quadrant, loyalty_index, is_recommender, is_member, contact_count, signs_known_count "
        "from marts.loyalty__customers"
    )
    assert made.query(row) == [("unmeasured", None, None, None, None, 1)]


@pytest.mark.slow
@settings(max_examples=3, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000))
def test_quadrants_add_up_and_no_one_is_contacted_twice(
    tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch, seed: int
) -> None:
    """Whatever customers do: the quadrants sum to the base, one action is due at most, and never within its cadence."""
    chance = random.Random(seed)
    made = new_warehouse(tmp_path_factory.mktemp("any"), environment)
    people = [f"c{number}" for number in range(25)]
    made.load(
        "orders", [_order(one, days) for one in people for days in chance.sample(range(400), chance.randint(1, 6))]
    )
    sheets = [
        {
            "overall": chance.randint(1, 5),
            "again": chance.randint(0, 100),
            "nps": chance.randint(0, 10),
            "_customer_id": one,
            "_submitted_at": datetime(2017, 12, 1) + timedelta(days=chance.randint(0, 29)),
        }
        for one in chance.sample(people, 15)
    ]
    load_survey(made, QUESTIONS, sheets)
    made.load("tickets", [_ticket(one, chance.randint(0, 99)) for one in chance.sample(people, 5)])
    touches = [
        (one, datetime(2017, 12, 31) - timedelta(days=chance.randint(0, 60))) for one in chance.choices(people, k=40)
    ]
    made.load(
        "interactions",
        [
            {"interaction_id": f"i{number}", "customer_id": one, "at": at, "kind": "call", "cost_amount": 0}
            for number, (one, at) in enumerate(touches)
        ],
    )
    build(made, *MARTS, as_of=AS_OF)
    quadrants = ("true", "latent", "spurious", "none", "unmeasured")
    counted = dict(made.query("select loyalty_quadrant, count(*) from marts.loyalty__customers group by 1"))
    assert sum(counted.get(name, 0) for name in quadrants) == len(people)
    due = made.query(
        "select customer_key, action, cadence_days, days_since_contact from marts.loyalty__next_actions where is_due"
    )
    assert len({row[0] for row in due}) == len(due)
    assert all(wait == 0 or since is None or since > wait for _, _, wait, since in due)


def test_claims_are_quoted_as_the_textbook_has_them() -> None:
    """The figures of tests/oracles/seed_arithmetic.json; what complaint research really published is in the warning."""
    oracles = Path(__file__).parents[1] / "oracles" / "seed_arithmetic.json"
    textbook = json.loads(oracles.read_text(encoding="utf-8"))
    with (PROJECT / "seeds" / "reference" / "claims.csv").open(encoding="utf-8") as file:
        claims = {row["claim_id"]: row for row in csv.DictReader(file)}
    figures = {name: (float(row["claim_low"]), float(row["claim_high"] or "nan")) for name, row in claims.items()}
    complaints = textbook["complaint_repurchase_seed"]
    assert figures["major_complaint_4"] == (complaints["major_resolved"],) * 2
    assert figures["minor_complaint_53"] == (complaints["minor_resolved"],) * 2
    assert figures["quick_complaint_52_95"] == tuple(complaints["fast_resolved_range"])
    for severity in ("major", "minor"):
        published = "/".join(f"{rate * 100:.0f}" for rate in complaints["TARP"][severity].values())
        assert published in claims["major_complaint_4"]["warning"]
    shares = [figures[name][0] for name in ("top_5_give_half", "next_15_give_30", "last_80_give_20")]
    assert shares == textbook["tiers"]["profit_share"]
    assert figures["one_in_25_complains"] == (textbook["silent"]["complaint_rate"],) * 2
    mouth = textbook["wom"]
    assert [figures[name][0] for name in ("dissatisfied_tells_22", "satisfied_tells_8", "delighted_tells_10")] == [
        mouth["negative_people_told"] / mouth["dissatisfied"],
        8,
        (mouth["positive_people_told"] - 8 * mouth["satisfied"]) / mouth["delighted"],
    ]
    assert figures["six_times_4_5_v_1_2"] == figures["six_times_5_v_4"] == (6, 6)
