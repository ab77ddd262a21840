"""A small made-up shop with everything that makes totals hard: corrections, merges, guests, refunds, test orders."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from worlds.warehouse import Warehouse

FIRST_DAY = datetime.fromisoformat("2024-01-01T10:00")
AS_OF = date(2024, 6, 15)

Row = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """One delivery: the rows of a feed, and the time that decides which version of a record is the newest."""

    feed: str
    rows: tuple[Row, ...]
    version_at: datetime
    source: str = "north"


def draw_loads(seed: int, order_count: int = 60, nights: int = 3) -> list[Load]:
    """Loads of several nights; later nights correct rows of earlier ones and bring late lines and refunds."""
    chance = random.Random(seed)
    loads = _odd_refunds()
    for night in range(nights):
        version_at = FIRST_DAY + timedelta(days=200 + night)
        numbers = [chance.randrange(order_count) for _ in range(order_count // 2)]
        for source in ("north", "south"):
            orders = [_order(chance, number, source) for number in sorted(set(numbers))]
            lines = [_line(chance, number, line) for number in sorted(set(numbers)) for line in (1, 2)]
            loads.append(Load("orders", tuple(orders), version_at, source))
            loads.append(Load("order_lines", tuple(lines), version_at, source))
        loads.append(Load("refunds", tuple(_refund(chance, number) for number in range(night, 12)), version_at))
    loads.append(Load("products", tuple(_product_versions()), FIRST_DAY))
    loads.append(Load("customers", tuple(_customers()), FIRST_DAY))
    loads.append(Load("customer_links", tuple(_links()), FIRST_DAY))
    loads.append(Load("fx_rates", tuple(_rates()), FIRST_DAY))
    loads.append(Load("costs", tuple(_costs()), FIRST_DAY))
    return loads


def land(warehouse: Warehouse, loads: list[Load]) -> None:
    """Accept the loads in this order."""
    for load in loads:
        known = f"{load.feed}-{load.source}-{load.version_at:%Y%m%d}"
        warehouse.load(load.feed, load.rows, source=load.source, version_at=load.version_at, load_id=known)


Money = dict[tuple[str, date, str], Decimal]


@dataclass(frozen=True)
class Refund:
    """A refund as the exports mean it: its amount in the currency of its row, and the order it is of, if any came."""

    source: str
    day: date
    currency: str
    amount: Decimal
    order: Row | None


def sold(loads: list[Load]) -> Money:
    """What was sold by source, day and currency, shipping included: worked out from the exports alone."""
    total: Money = defaultdict(Decimal)
    orders, lines = newest(loads, "orders", "order_id"), newest(loads, "order_lines", "order_id", "line_number")
    amounts: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for (source, order_id, _), line in lines.items():
        amounts[source, order_id].append(line["net_amount"])
    for (source, order_id), order in orders.items():
        currency, rate = _converted(order)
        parts = [*amounts[source, order_id], order["shipping_amount"] or 0]
        if _is_booked(order):
            total[source, order["ordered_at"].date(), currency] += sum(Decimal(str(part)) * rate for part in parts)
    return {key: amount for key, amount in total.items() if amount}


def refunds(loads: list[Load]) -> list[Refund]:
    """Every refund, on its own day: nothing for a cancelled order, the whole of it for one that is not on record."""
    orders = newest(loads, "orders", "order_id")
    found = []
    for (source, _), refund in newest(loads, "refunds", "refund_id").items():
        order = orders.get((source, refund["order_id"]))
        currency, rate = _converted(order) if order else ("USD", Decimal(1))
        amount = (Decimal(str(refund["amount"])) - Decimal(str(refund["tax_amount"]))) * rate
        earned = amount if order is None or _is_booked(order) else Decimal(0)
        found.append(Refund(source, refund["refunded_at"].date(), currency, earned, order))
    return found


def newest(loads: list[Load], feed: str, *key: str) -> dict[tuple[Any, ...], Row]:
    """The newest version of every record of a feed."""
    versions = sorted((load for load in loads if load.feed == feed), key=attrgetter("version_at"))
    return {(load.source, *(row[name] for name in key)): row for load in versions for row in load.rows}


def _is_booked(order: Row) -> bool:
    return order["status"] not in ("cancelled", "test")


def _converted(order: Row) -> tuple[str, Decimal]:
    """The currency of an order's row in the warehouse, and what its amounts are multiplied by."""
    rates = [rate for rate in _rates() if rate["date"] <= order["ordered_at"].date()]
    if order["currency_code"] != "CHF":
        return order["currency_code"], Decimal(1)
    return "USD", Decimal(str(max(rates, key=lambda rate: rate["date"])["rate"]))


def _order(chance: random.Random, number: int, source: str) -> Row:
    return {
        "order_id": str(number),
        "customer_id": None if number % 7 == 0 else f"c{number % 9}",
        "ordered_at": FIRST_DAY + timedelta(days=number * 3),  # the last ones lie after the as-of date
        "kind": "replacement" if number % 11 == 0 else "sale",
        "status": chance.choice(["completed", "completed", "completed", "cancelled", "test"]),
        "currency_code": _currency(number, source),
        "shipping_amount": chance.choice([None, 4.95]),
        "payment_fee_amount": 0.3,
        "total_amount": None,
        "channel": chance.choice(["web", "store"]),
    }


def _currency(number: int, source: str) -> str:
    """The north sells in USD, at times in CHF, which has a rate; the south in EUR, which has none."""
    if source == "south":
        return "USD" if number % 5 == 0 else "EUR"
    return "CHF" if number % 13 == 0 else "USD"


def _line(chance: random.Random, number: int, line: int) -> Row:
    return {
        "order_id": str(number + (60 if chance.random() < 0.02 else 0)),  # now and then an order that is not on record
        "line_number": line,
        "product_id": chance.choice(["p", "q"]),
        "quantity": chance.randrange(4),
        "net_amount": chance.randrange(0, 5000) / 100,
        "discount_amount": chance.choice([None, 1.25]),
        "cost_amount": chance.choice([None, 2.5]),
    }


def _refund(chance: random.Random, number: int) -> Row:
    return {
        "refund_id": f"r{number}",
        "order_id": str(number * 4),
        "line_number": chance.choice([None, 1]),
        "refunded_at": FIRST_DAY + timedelta(days=number * 15 + 5),
        "amount": chance.randrange(1, 2000) / 100,
        "tax_amount": 0.1,
        "is_restocked": chance.choice([True, False]),
    }


def _odd_refunds() -> list[Load]:
    """Refunds of a cancelled order, before their order, larger than it, and in another currency."""
    day = FIRST_DAY + timedelta(days=40)
    cases = {
        "cancelled": {"status": "cancelled"},
        "early": {"ordered_at": day + timedelta(days=40)},
        "large": {"net_amount": 5},
        "converted": {"currency_code": "CHF"},
    }
    order = _order(random.Random(0), 8, "north") | {"status": "completed", "ordered_at": day}
    line = {**_line(random.Random(0), 8, 1), "line_number": 1, "net_amount": 30}
    refund = {**_refund(random.Random(0), 1), "line_number": None, "amount": 10, "refunded_at": day + timedelta(days=3)}
    rows: dict[str, list[Row]] = {"orders": [], "order_lines": [], "refunds": []}
    for name, case in cases.items():
        rows["orders"].append({**order, "order_id": name} | {key: case[key] for key in case.keys() & order.keys()})
        rows["order_lines"].append({**line, "order_id": name} | {key: case[key] for key in case.keys() & line.keys()})
        rows["refunds"].append({**refund, "order_id": name, "refund_id": name})
    return [Load(feed, tuple(some), FIRST_DAY) for feed, some in rows.items()]


def _product_versions() -> list[Row]:
    return [
        {"product_id": "p", "unit_cost": 3, "valid_from": None, "category": "tea"},
        {"product_id": "p", "unit_cost": 4, "valid_from": date(2024, 3, 1), "category": "tea"},
    ]


def _customers() -> list[Row]:
    types = {"c1": "reseller", "c2": "internal"}
    return [{"customer_id": f"c{number}", "type": types.get(f"c{number}"), "x_club": "gold"} for number in range(8)]


LONG_CHAIN = 64


def _links() -> list[Row]:
    """c3 -> c4 -> c5 is a chain, and so is d0 -> d1 -> ... -> d64; c6 and c7 run in a circle; c0 was let go again."""
    chain = [(f"d{number}", f"d{number + 1}") for number in range(LONG_CHAIN)]
    pairs = [("c3", "c4"), ("c4", "c5"), ("c6", "c7"), ("c7", "c6"), *chain]
    links = [{"customer_id": one, "into_customer_id": other, "linked_at": FIRST_DAY} for one, other in pairs]
    undone = {"customer_id": "c0", "into_customer_id": "c1", "linked_at": FIRST_DAY, "unlinked_at": FIRST_DAY}
    return [*({**link, "unlinked_at": None} for link in links), undone]


def _rates() -> list[Row]:
    days = (date(2023, 12, 31), date(2024, 2, 1))
    return [
        {"date": day, "from_currency": "CHF", "to_currency": "USD", "rate": rate}
        for day, rate in zip(days, (1.1, 1.25), strict=True)
    ]


def _costs() -> list[Row]:
    pools = (
        ("picking", "order", "lines", 33.33),
        ("care", "customer", "returns", 10),
        ("rent", "sustaining", None, 50),
    )
    return [
        {
            "cost_id": f"{pool}-{month}",
            "month": date(2024, month, 1),
            "pool": pool,
            "level": level,
            "driver": driver,
            "amount": amount,
        }
        for month in range(1, 8)
        for pool, level, driver, amount in pools
    ]
