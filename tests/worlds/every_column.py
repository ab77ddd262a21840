"""A made-up shop in which every feed has rows and every column values, some of them odd; no oracle, only plenty.

What a feed's records are and how they are connected is drawn here; columns that nothing depends on are filled from the
contract. Two nights: the second corrects records of the first and brings late ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from loyalty.pull.contract import load_contract
from worlds.warehouse import Warehouse

FIRST_DAY = datetime.fromisoformat("2023-01-05T09:00")
AS_OF = date(2024, 6, 15)
NIGHTS = (datetime.fromisoformat("2024-06-14"), datetime.fromisoformat("2024-06-15"))
DAYS = (AS_OF - FIRST_DAY.date()).days
PEOPLE = 200
SOURCES = ("north", "south")
WAVES = {name: FIRST_DAY + timedelta(days=day) for name, day in (("w1", 150), ("w2", 260), ("w3", 370), ("w4", 470))}

# Bases are small here: with the usual ones most columns would be empty.
VARIABLES = {
    "min_base": 4,
    "min_base_nps": 4,
    "driver_min_base": 20,
    "driver_min_base_each": 1,
    "min_peer_cell": 3,
    "control_waves": 2,
    "lag_waves": 3,
    "trend_break_months": 6,
    "item_min_share": 0.1,
    "consent_column": "x_consent",
    "min_cost_coverage": 0.5,
    "value_window_months": 6,
}

Row = dict[str, Any]

# Texts that sort, fold and count differently from engine to engine.
NAMES = ("tea", "Tea", "Ängste", "zebra", "Émile's", "o'clock; or not", "中国茶", "a b", "A-b", "ab")

CHOICES: dict[str, tuple[Any, ...]] = {
    "arm": ("treated", "treated", "control"),
    "age_band": ("18-34", "35-54", "55+"),
    "acquisition_source": ("search", "friend", "Ads"),
    "carrier": ("fast", "Slow", "émile"),
    "category": ("checkout", "delivery", "price"),
    "channel": ("web", "store", "phone"),
    "compensation_amount": (None, Decimal("5.5"), 10),
    "count": (1, 2, 5),
    "dealer_id": ("d1", "d2"),
    "disposition": ("complete", "partial", "refusal", "noncontact", "unknown"),
    "end_reason": ("price", "moved"),
    "exit_fee_amount": (None, 20),
    "funded_by": ("own", "manufacturer"),
    "gender": ("f", "m", "x"),
    "handled_by": ("ann", "Bob", "çelik"),
    "handled_by_kind": ("bot", "human", "human"),
    "incentive": ("none", "voucher"),
    "language": ("en", "zh"),
    "mode": ("phone", "mail", "on_site", "web"),
    "payment_method": ("card", "cash", "Later"),
    "plan": ("small", "big"),
    "region": ("North", "south", "Süd"),
    "reopened_count": (0, 0, 1),
    "resolution": ("refund", "apology", "none"),
    "reason": ("broken", "late", "Übel"),
    "severity": ("major", "minor"),
    "store_id": ("s1", "s2"),
    "tier": ("gold", "silver"),
    "touchpoint": ("web", "app", "store", "phone", "delivery"),
    "birth_month": tuple(range(1, 13)),
}


@dataclass
class Shop:
    """The draws: who placed which order, and how content each customer is (0..1)."""

    chance: random.Random
    mood: dict[str, float]
    orders: list[Row]

    def some(self, *choices: Any) -> Any:
        """One of them."""
        return self.chance.choice(choices)

    def moment(self, first: int = 0, last: int = DAYS) -> datetime:
        """A second between two days of the span."""
        return FIRST_DAY + timedelta(days=self.chance.randint(first, last), seconds=self.chance.randrange(80_000))

    def money(self, low: int, high: int) -> Decimal:
        """An amount with cents."""
        return Decimal(self.chance.randrange(low * 100, high * 100)) / 100

    def score(self, customer: str | None, low: int, high: int) -> int:
        """An answer on a scale, as the customer's mood has it."""
        drawn = self.mood.get(customer or "", 0.6) + self.chance.gauss(0, 0.15)
        return round(low + (high - low) * min(1.0, max(0.0, drawn)))


def draw_shop(seed: int = 7) -> Shop:
    """Orders of customers with a pace of their own, of guests, of unknown people."""
    chance = random.Random(seed)
    shop = Shop(chance, {_customer(n): chance.betavariate(4, 2) for n in range(PEOPLE)}, [])
    for number in range(PEOPLE):
        day = chance.randint(0, DAYS // 3)
        pace = chance.choice((15, 40, 60, 90))
        stays_until = DAYS + 20 if chance.random() < 0.6 else chance.randint(DAYS // 2, DAYS)
        while day < stays_until:
            shop.orders.append(_order(shop, day, _customer(number)))
            day += max(1, round(chance.expovariate(1 / pace)))
    shop.orders += [_order(shop, chance.randint(0, DAYS), None) for _ in range(15)]
    shop.orders += [_order(shop, chance.randint(0, DAYS), "stranger") for _ in range(3)]
    for number, order in enumerate(shop.orders):
        order["order_id"] = f"o{number:04}"
    return shop


def land_night(warehouse: Warehouse, night: int) -> None:
    """Everything but a part of the orders in the first night; late orders and corrections in the second."""
    shop = draw_shop()
    if night == 0:
        for feed, rows in FEEDS.items():
            _load(warehouse, feed, list(rows(shop)), night)
        _load(warehouse, "orders", shop.orders[:-40], night)
        _fill_bookkeeping(warehouse)
    else:
        corrected = [{**order, "shipping_amount": 1, "status": "cancelled"} for order in shop.orders[:5]]
        unclear = [{**shop.orders[5], "status": "on the moon"}]
        _load(warehouse, "orders", corrected + unclear + shop.orders[-40:], night)
        _load(warehouse, "customers", [{"customer_id": _customer(3), "age_band": "55+", "_source": "north"}], night)


def _load(warehouse: Warehouse, feed: str, rows: list[Row], night: int) -> None:
    contract = load_contract()[feed]
    columns = {name: column for name, column in contract.columns.items() if name in contract.landed_columns}
    chance = random.Random(f"{feed}{night}")
    for source in sorted({row.get("_source", SOURCES[0]) for row in rows}):
        mine = [
            {**_filled(chance, columns), **{name: value for name, value in row.items() if name != "_source"}}
            for row in rows
            if row.get("_source", SOURCES[0]) == source
        ]
        warehouse.load(feed, mine, source=source, version_at=NIGHTS[night])


def _filled(chance: random.Random, columns: dict[str, Any]) -> Row:
    """A value for every column, about one in ten empty; the caller replaces some with its own values."""
    row: Row = {}
    for column in columns.values():
        if column.type in ("timestamp", "date"):
            moment = FIRST_DAY + timedelta(days=chance.randrange(DAYS))
            value: Any = moment if column.type == "timestamp" else moment.date()
        elif column.name in CHOICES:
            value = chance.choice(CHOICES[column.name])
        elif column.type == "text":
            value = chance.choice(NAMES)
        else:
            value = {"boolean": chance.random() < 0.5, "integer": chance.randrange(1, 9)}.get(
                column.type, Decimal(chance.randrange(1, 999)) / 100
            )
        row[column.name] = None if chance.random() < 0.1 else value
    return row


def _customer(number: int) -> str:
    return f"c{number:03}"


def _source_of(customer: str | None) -> str:
    return SOURCES[1] if customer and customer[-1] in "37" else SOURCES[0]


def _level(customer: str | None) -> int:
    """How expensive the purchases of a customer are, 1..6."""
    return 1 + sum(map(ord, customer or "")) % 6


def _currency(source: str, chance: random.Random) -> str:
    """The north sells in USD, now and then in CHF, which has a rate; the south in USD or in JPY, which has none."""
    return chance.choice(("USD",) * 8 + (("CHF", "CHF") if source == "north" else ("JPY",)))


def _order(shop: Shop, day: int, customer: str | None) -> Row:
    source = _source_of(customer)
    at = shop.moment(day, day)
    return {
        "_source": source,
        "customer_id": customer,
        "ordered_at": at,
        "kind": shop.some(*("sale",) * 12, "replacement", "gift", "test", None),
        "status": shop.some(*("completed",) * 12, "cancelled", "Test", None),
        "currency_code": _currency(source, shop.chance),
        "gross_amount": None,
        "discount_amount": None,
        "total_amount": shop.money(5, 90) if shop.chance.random() < 0.1 else None,
        "promised_at": at + timedelta(days=3),
        "delivered_at": at + timedelta(days=shop.some(1, 2, 3, 5), hours=shop.some(0, 7)),
        "campaign_id": shop.some(None, None, None, "spring", "care"),
        "tax_amount": shop.money(0, 3),
        "shipping_amount": shop.some(None, Decimal("4.95")),
        "shipping_cost_amount": shop.some(None, Decimal("3.3333")),
        "payment_fee_amount": shop.some(None, Decimal("0.3")),
    }


def _order_lines(shop: Shop) -> Iterator[Row]:
    for order in shop.orders:
        if order["total_amount"] is None:
            for line in range(1, shop.chance.randint(2, 4)):
                asked = shop.some(1, 2, 3, Decimal("0.25"), 0)
                yield {
                    "_source": order["_source"],
                    "order_id": order["order_id"],
                    "line_number": line,
                    "product_id": f"p{min(shop.chance.randrange(14), shop.chance.randrange(14))}",
                    "quantity": asked * (40 if order["customer_id"] == _customer(9) else 1),
                    "fulfilled_quantity": shop.some(None, asked, asked, 0),
                    "net_amount": shop.money(1, 12) * _level(order["customer_id"]),
                    "discount_amount": shop.some(None, 0, Decimal("1.25")),
                    "list_price": None,
                    "unit_price": None,
                    "cost_amount": shop.some(None, Decimal("2.5")),
                    "seller_id": shop.some(None, "s1"),
                }
    yield {"order_id": "missing", "line_number": 1, "product_id": "p1", "quantity": 1, "net_amount": 3}


def _refunds(shop: Shop) -> Iterator[Row]:
    for number, order in enumerate(shop.orders[::9]):
        yield {
            "_source": order["_source"],
            "refund_id": f"r{number}",
            "order_id": order["order_id"],
            "line_number": shop.some(None, 1),
            "refunded_at": order["ordered_at"] + timedelta(days=shop.chance.randrange(1, 40)),
            "amount": shop.money(1, 12),
        }


def _products(shop: Shop) -> Iterator[Row]:
    for source in SOURCES:
        for number in range(13):  # p13 is not on the list
            for since in (None, date(2024, 1, 1))[: 1 + number % 2]:
                yield {
                    "_source": source,
                    "product_id": f"p{number}",
                    "name": NAMES[number % len(NAMES)],
                    "category": NAMES[number % 5],
                    "product_type": shop.some("good", "good", "add_on", "service", "fee"),
                    "launched_at": FIRST_DAY + timedelta(days=40 * number),
                    "unit_cost": shop.money(1, 6),
                    "valid_from": since,
                }


def _customers(shop: Shop) -> Iterator[Row]:
    for number in range(PEOPLE):
        customer = _customer(number)
        others = [_customer(n) for n in range(PEOPLE) if n % 10 == number % 10]
        yield {
            "_source": _source_of(customer),
            "customer_id": customer,
            "type": {8: "reseller", 12: "internal"}.get(number, "consumer"),
            "created_at": shop.moment(0, 60),
            "known_since_at": shop.moment(-90, 0),
            "household_id": f"h{number // 2}",
            "payer_id": shop.some(None, others[0]),
            "referrer_customer_id": shop.some(None, None, others[-1]),
            "acquisition_campaign_id": shop.some(None, "spring"),
            "has_email": number % 4 > 0,
            "email_hash": f"{number % 50:064x}" if number % 4 else None,
            "has_phone": number % 3 > 0,
            "x_consent": shop.some("yes", "no", "YES", None),
        }


def _links(shop: Shop) -> Iterator[Row]:
    """A chain, a circle, and a link that was taken back."""
    pairs = ((20, 21), (21, 22), (30, 31), (31, 30), (40, 41))
    for one, other in pairs:
        undone = shop.moment(200) if one == 40 else None
        yield {
            "customer_id": _customer(one),
            "into_customer_id": _customer(other),
            "linked_at": FIRST_DAY + timedelta(days=100),
            "unlinked_at": undone,
        }


def _interactions(shop: Shop) -> Iterator[Row]:
    for number in range(250):
        customer = _customer(shop.chance.randrange(PEOPLE))
        yield {
            "_source": _source_of(customer),
            "interaction_id": f"i{number}",
            "customer_id": customer,
            "at": shop.moment(),
            "direction": shop.some("in", "out"),
            "kind": shop.some("holiday", "birthday", "privilege", "privilege", "visit", "call", "mailing", "social"),
            "cost_amount": shop.some(None, Decimal("0.85")),
        }


def _tickets(shop: Shop) -> Iterator[Row]:
    for number in range(220):
        order = shop.some(*shop.orders)
        opened = min(order["ordered_at"], FIRST_DAY + timedelta(days=DAYS - 1)) + timedelta(hours=number % 50)
        answered = opened + timedelta(minutes=shop.chance.randrange(5, 4000), seconds=shop.chance.randrange(60))
        yield {
            "_source": order["_source"],
            "ticket_id": f"t{number}",
            "customer_id": order["customer_id"],
            "order_id": shop.some(order["order_id"], None),
            "opened_at": opened,
            "first_response_at": shop.some(answered, answered, None),
            "resolved_at": shop.some(answered + timedelta(hours=shop.some(1, 30, 90, 500)), None),
            "promised_at": opened + timedelta(hours=48),
            "status": shop.some("open", "solved"),
            "kind": shop.some(*("complaint",) * 5, "question", "suggestion", "praise", "review"),
            "satisfaction_score": shop.some(None, shop.score(order["customer_id"], 1, 5)),
        }


def _memberships(shop: Shop) -> Iterator[Row]:
    for number in range(0, PEOPLE, 2):
        customer = _customer(number)
        since = shop.moment(20, 250)
        for rank, tier in enumerate(("silver", "gold"), start=1):
            start = since.date() + timedelta(days=100 * (rank - 1))
            yield {
                "_source": _source_of(customer),
                "customer_id": customer,
                "programme_id": "club",
                "enrolled_at": since,
                "tier": tier,
                "tier_rank": rank,
                "valid_from": start,
                "valid_to": start + timedelta(days=99) if rank == 1 else None,
            }


def _points(shop: Shop) -> Iterator[Row]:
    """Earned with every order, burned and expired in parts; never more than there is."""
    balance: dict[str, int] = {}
    kept = [order for order in shop.orders if order["customer_id"] and order["customer_id"] in shop.mood]
    for number, order in enumerate(sorted(kept, key=lambda one: one["ordered_at"])):
        customer, at = order["customer_id"], order["ordered_at"]
        earned = shop.chance.randrange(5, 60)
        had = balance.get(customer, 0)
        used = shop.chance.randrange(had) if had > 30 and shop.chance.random() < 0.5 else 0
        balance[customer] = had + earned - used
        common = {"_source": order["_source"], "customer_id": customer, "programme_id": "club"}
        yield common | {
            "entry_id": f"e{number}",
            "at": at,
            "kind": "earn",
            "points": earned,
            "expires_at": at + timedelta(days=240),
            "order_id": order["order_id"],
        }
        if used:
            yield common | {
                "entry_id": f"b{number}",
                "at": at + timedelta(minutes=1),
                "kind": shop.some("burn", "burn", "expire"),
                "points": used,
                "value_amount": Decimal(used) / 100,
                "expires_at": None,
                "order_id": order["order_id"],
            }


def _campaigns(shop: Shop) -> Iterator[Row]:
    for number, (name, objective) in enumerate(
        (("spring", "acquisition"), ("care", "care"), ("back", "winback"), ("stay", "retention"))
    ):
        start = FIRST_DAY + timedelta(days=90 + 90 * number)
        yield {
            "campaign_id": name,
            "name": NAMES[number],
            "objective": objective,
            "started_at": start,
            "ended_at": start + timedelta(days=60),
            "cost_amount": shop.money(50, 90),
        }


def _contacts(shop: Shop) -> Iterator[Row]:
    for number, campaign in enumerate(("spring", "care", "back", "stay")):
        for person in range(PEOPLE):
            if shop.chance.random() < 0.7 and _source_of(_customer(person)) == "north":
                yield {
                    "campaign_id": campaign,
                    "customer_id": _customer(person),
                    "contacted_at": shop.some(None, FIRST_DAY + timedelta(days=91 + 90 * number)),
                    "cost_amount": shop.some(None, Decimal("0.55")),
                }


def _redemptions(shop: Shop) -> Iterator[Row]:
    for number, order in enumerate(shop.orders[::12]):
        if order["customer_id"]:
            yield {
                "_source": order["_source"],
                "campaign_id": shop.some("spring", "care", "unheard of"),
                "customer_id": order["customer_id"],
                "redeemed_at": order["ordered_at"],
                "order_id": shop.some(order["order_id"], None),
                "coupon_id": f"coupon {number}",
                "amount": shop.money(1, 4),
            }


def _costs(shop: Shop) -> Iterator[Row]:
    pools = (
        ("picking", "order", "lines"),
        ("packing", "order", "units"),
        ("counter", "order", "orders"),
        ("returns", "order", "returns"),
        ("fraud", "order", "amount"),
        ("care", "customer", "contacts"),
        ("support", "customer", "tickets"),
        ("hotline", "customer", "ticket_minutes"),
        ("club", "customer", "points"),
        ("ads", "campaign", "contacts"),
        ("rent", "sustaining", None),
    )
    for month in (date(2023 + n // 12, n % 12 + 1, 1) for n in range(18)):
        for pool, level, driver in pools:
            yield {
                "cost_id": f"{pool}{month}",
                "month": month,
                "pool": pool,
                "level": level,
                "driver": driver,
                "amount": shop.money(5, 70),
                "rate": None,
                "source": shop.some(None, "north"),
                "channel": None,
            }


def _contracts(shop: Shop) -> Iterator[Row]:
    for number in range(PEOPLE):
        start = shop.moment(0, 200)
        stay = shop.chance.betavariate(2, 1)
        periods = next((n for n in range(1, 40) if shop.chance.random() > stay), 40)
        ended = start + timedelta(days=30 * periods)
        yield {
            "_source": _source_of(_customer(number)),
            "contract_id": f"k{number}",
            "customer_id": _customer(number),
            "started_at": start,
            "ended_at": ended if ended.date() < AS_OF else None,
        }


# Every role of the closed list: role, lowest and highest answer, more.
QUESTIONS: tuple[tuple[str, int | None, int | None, Row], ...] = (
    ("overall_satisfaction", 1, 5, {}),
    ("disconfirmation", 1, 10, {}),
    ("ideal", 1, 10, {}),
    ("expectation", 1, 10, {}),
    ("perceived", 1, 10, {}),
    ("dimension:quality", 1, 10, {"driver_group": "drivers", "key_factor": "quality"}),
    ("dimension:service", 1, 10, {"driver_group": "drivers", "key_factor": "service"}),
    ("dimension:delivery", 1, 10, {"driver_group": "drivers", "key_factor": "delivery", "direction": "negative"}),
    ("importance:quality", 1, 10, {"key_factor": "quality"}),
    ("importance:service", 1, 10, {"key_factor": "service"}),
    ("importance:delivery", 1, 10, {"key_factor": "delivery"}),
    ("benefit:product", 1, 7, {}),
    ("sacrifice:price", 1, 7, {"direction": "negative"}),
    ("sacrifice:time", 1, 7, {"direction": "negative"}),
    ("value_given_price", 1, 10, {}),
    ("price_given_quality", 1, 10, {}),
    ("expected_price", 0, None, {}),
    ("recommend", 0, 10, {}),
    ("repurchase_intent", 0, 100, {"period_days": 14}),
    ("lifetime_intent", 1, 10, {}),
    ("trust", 1, 7, {}),
    ("identity", 1, 7, {}),
    ("preference", 1, 7, {}),
    ("belonging", 1, 7, {}),
    ("image", 1, 10, {}),
    ("perceived_response", 1, 7, {}),
    ("relational:social", 1, 7, {}),
    ("relational:confidence", 1, 7, {}),
    ("nonmonetary", 1, 7, {}),
    ("convenience", 1, 7, {}),
    ("effort", 1, 7, {}),
    ("switching_cost:money", 1, 7, {}),
    ("switching_cost:time", 1, 7, {}),
    ("norm", 1, 7, {}),
    ("situation", 0, 1, {}),
    ("price_tolerance", 0, 100, {}),
    ("problem_experienced", 0, 1, {"direction": "negative", "period_days": 90}),
    ("complained", 0, 1, {"direction": "negative", "period_days": 90}),
    ("resolution_satisfaction", 1, 5, {}),
    ("churn_reason", None, None, {}),
    ("wom_told_count", 0, None, {"period_days": 90}),
    ("category_spend", 0, None, {"period_days": 30, "category": "tea", "currency_code": "USD"}),
    ("considered_count", 0, None, {}),
    ("comment", None, None, {}),
)


def _questions(_: Shop) -> Iterator[Row]:
    empty = dict.fromkeys(("direction", "period_days", "category", "currency_code", "driver_group", "key_factor"))
    for role, low, high, more in QUESTIONS:
        yield empty | {
            "survey_id": "s",
            "question_code": role,
            "role": role,
            "scale_min": low,
            "scale_max": high,
            "missing_codes": "-99; 98",
            "construct": "quality" if role.startswith("dimension:") else None,
            **more,
        }


def _responses(shop: Shop) -> Iterator[Row]:
    """Most people in every wave, a few of them twice; employees and dealers, a stranger, a preview."""
    for wave, sent in WAVES.items():
        people = [_customer(n) for n in range(PEOPLE) if n % 10 != 5]
        people = [one for one in people if _source_of(one) == "north"] + ["c001", "stranger", "c002"]
        for number, person in enumerate(people):
            at = sent + timedelta(days=number % 9, seconds=number * 611)
            yield {
                "response_id": f"{wave}-{number:03}",
                "survey_id": "s",
                "wave": wave,
                "customer_id": person,
                "order_id": shop.some(None, *(one["order_id"] for one in shop.orders[:300])),
                "product_id": shop.some(None, "p1", "p2"),
                "respondent_type": "employee" if number % 17 == 4 else "dealer" if number % 17 == 5 else "customer",
                "sent_at": sent,
                "started_at": at - timedelta(seconds=shop.chance.randrange(20, 900)),
                "submitted_at": at,
                "status": "preview" if person == "c002" else shop.some("complete", "complete", "partial"),
                "device_hash": f"device {number}",
                "followed_up_at": shop.some(None, at + timedelta(hours=shop.some(3, 70), seconds=59)),
            }


def _answers(shop: Shop) -> Iterator[Row]:
    for number, response in enumerate(_responses(shop)):
        for role, low, high, _ in QUESTIONS:
            if low is None:
                value: Any = shop.some(None, *NAMES)
            elif high is None:
                value = shop.chance.randrange(20, 200) if "spend" in role or "price" in role else shop.some(0, 1, 2, 7)
            else:
                value = shop.score(response["customer_id"], low, high)
            odd = {3: "-99", 5: "98.0", 7: "four", 9: str(99), 11: ""}.get(number % 23) if role == "ideal" else None
            if shop.chance.random() < 0.98:
                yield {
                    "response_id": response["response_id"],
                    "question_code": role,
                    "value": None if value is None else odd if odd is not None else str(value),
                    "label": shop.some(None, "Very satisfied", "很满意") if role == "overall_satisfaction" else None,
                }


def _labels(_: Shop) -> Iterator[Row]:
    for score, label in enumerate(("one", "two", "three", "four"), start=1):
        yield {"survey_id": "s", "question_code": "ideal", "language": "en", "label": label, "score": score}


def _brands(shop: Shop) -> Iterator[Row]:
    for number, response in enumerate(_responses(shop)):
        for rank, brand in enumerate(shop.chance.sample(("us", "Rival", "other"), 3), start=1):
            yield {
                "response_id": response["response_id"],
                "category": "tea",
                "brand": brand,
                "is_us": brand == "us",
                "is_used": brand == "us" or shop.some(True, False),
                "is_considered": True,
                "rating": shop.score(response["customer_id"], 1, 10),
                "rank": shop.some(rank, rank, 1),
                "stated_amount": shop.some(None, shop.money(10, 99)),
                "stated_share": None if number % 4 else Decimal("0.3333"),
                "period_days": 30,
            }


def _sends(shop: Shop) -> Iterator[Row]:
    for wave, sent in WAVES.items():
        for person in range(PEOPLE):
            for attempt in range(1, shop.some(2, 2, 3)):
                yield {
                    "send_id": f"{wave}-{person}-{attempt}",
                    "survey_id": "s",
                    "wave": wave,
                    "customer_id": _customer(person),
                    "attempt": attempt,
                    "sent_at": sent + timedelta(days=5 * (attempt - 1)),
                    "incentive_amount": shop.some(None, 1),
                    "cost_amount": Decimal("0.7"),
                }


def _panel(shop: Shop) -> Iterator[Row]:
    for number in range(300):
        brand = shop.some("us", "us", "Rival", "other")
        yield {
            "purchase_id": f"u{number}",
            "household_id": f"h{shop.chance.randrange(40)}",
            "category": shop.some("tea", "zebra"),
            "brand": brand,
            "is_us": brand == "us",
            "purchased_at": shop.moment(),
            "amount": shop.money(1, 30),
        }


def _markets(shop: Shop) -> Iterator[Row]:
    for month in (date(2023 + n // 12, n % 12 + 1, 1) for n in range(17)):
        for category in ("tea", "zebra"):
            for region in (None, "North"):
                yield {
                    "category": category,
                    "region": region,
                    "month": month,
                    "amount": shop.money(900, 5000),
                    "households": shop.some(None, 400),
                }


def _market_events(shop: Shop) -> Iterator[Row]:
    for number, kind in enumerate(("rival_promo", "stockout", "price_rise", "outage") * 2):
        start = FIRST_DAY + timedelta(days=60 + 55 * number)
        yield {
            "event_id": f"m{number}",
            "kind": kind,
            "category": shop.some(None, "tea"),
            "store_id": None,
            "started_at": start,
            "ended_at": start + timedelta(days=12),
        }


def _referrals(shop: Shop) -> Iterator[Row]:
    for number in range(30):
        invited = shop.moment(30, 400)
        yield {
            "referrer_customer_id": _customer(number % 7 * 10),
            "invited_at": invited,
            "referred_customer_id": shop.some(None, _customer(number + 20)),
            "accepted_at": shop.some(None, invited + timedelta(days=2)),
        }


def _events(shop: Shop) -> Iterator[Row]:
    for number in range(400):
        customer = _customer(shop.chance.randrange(PEOPLE))
        yield {
            "_source": _source_of(customer),
            "customer_id": customer,
            "at": shop.moment() + timedelta(microseconds=number),
            "kind": shop.some("rec_shown", "rec_click", "checkout_start", "checkout_done", "social"),
            "order_id": shop.some(None, *(one["order_id"] for one in shop.orders)),
        }


def _rates(_: Shop) -> Iterator[Row]:
    for source in SOURCES:
        for day, rate in ((date(2022, 12, 31), "1.0987"), (date(2023, 9, 1), "1.23456789")):
            yield {
                "_source": source,
                "date": day,
                "from_currency": "CHF",
                "to_currency": "USD",
                "rate": Decimal(rate),
            }


def _paths(_: Shop) -> Iterator[Row]:
    for cause, effect in (("expectation", "satisfaction"), ("quality", "satisfaction"), ("satisfaction", "loyalty")):
        yield {"survey_id": "s", "cause": cause, "effect": effect, "is_standardised": True}


def _plan(_: Shop) -> Iterator[Row]:
    for wave, start in WAVES.items():
        for mode in ("phone", "web"):
            yield {
                "survey_id": "s",
                "wave": wave,
                "mode": mode,
                "planned_completes": 20,
                "start_date": start.date(),
                "end_date": start.date() + timedelta(days=20),
                "budget_amount": 90,
            }


def _targets(_: Shop) -> Iterator[Row]:
    for metric in ("top_box_rate", "top_two_rate", "response_rate", "repeat_rate"):
        yield {"metric": metric, "segment": "all", "target": Decimal("0.7")}


FEEDS: dict[str, Callable[[Shop], Iterator[Row]]] = {
    "order_lines": _order_lines,
    "refunds": _refunds,
    "products": _products,
    "customers": _customers,
    "customer_links": _links,
    "interactions": _interactions,
    "tickets": _tickets,
    "memberships": _memberships,
    "programme": _points,
    "campaigns": _campaigns,
    "campaign_contacts": _contacts,
    "redemptions": _redemptions,
    "costs": _costs,
    "contracts": _contracts,
    "survey_questions": _questions,
    "survey_responses": _responses,
    "survey_answers": _answers,
    "survey_answer_labels": _labels,
    "survey_brand_ratings": _brands,
    "survey_sends": _sends,
    "survey_paths": _paths,
    "survey_plan": _plan,
    "targets": _targets,
    "panel_purchases": _panel,
    "market_totals": _markets,
    "market_events": _market_events,
    "referrals": _referrals,
    "events": _events,
    "fx_rates": _rates,
}


def _fill_bookkeeping(warehouse: Warehouse) -> None:
    """A delivery, a rule that failed, a row held back, a night."""
    with warehouse.connect() as connection:
        connection.execute(
            "insert into raw.deliveries select load_seq, feed, feed_name, source, file, received_at, load_id, "
            "'accepted', null, row_count, 0 from raw.loads"
        )
        connection.execute(
            "insert into raw.rule_results select load_id, feed, feed_name, 'row', 'amount is not negative', "
            "'amount', 'warning', row_count, 1, false, '1 row' from raw.loads"
        )
        connection.execute(
            "insert into raw.quarantined_rows select load_id, feed, feed_name, source, file, 7, 'a rule', "
            "'cannot be read: ''x''', '{\"a\": \"é\"}', 3.5, 'USD', 'open' from raw.loads"
        )
        connection.execute(
            "insert into raw.runs values ('r1', 'night', '2024-06-14 03:00:00', '2024-06-14 03:04:59.5', 'done', "
            "'b1', '1', '')"
        )
