"""Two small shops of another kind than the sample, as rows of canonical feeds.

`one_time_buyers`: most customers order once; a survey is sent after orders.
`till`: receipts with returns (negative documents), guests, and no costs.
All amounts are whole cents; the seed is fixed, so every run gets the same rows.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd

Row = dict[str, Any]
CENT = Decimal("0.01")
AGES = ("18-29", "30-49", "50+", None)


@dataclass
class Shop:
    """Rows by feed, and the day that is "today"."""

    source: str
    as_of: date
    feeds: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, feed: str, **row: Any) -> None:
        """Add one row to a feed."""
        self.feeds.setdefault(feed, []).append(row)

    def frame(self, feed: str) -> pd.DataFrame:
        """A feed as a data frame; amounts stay Decimal."""
        return pd.DataFrame(self.feeds[feed], dtype=object)


def one_time_buyers() -> Shop:
    """Sixty percent of 500 customers order once, in fourteen months; each fifth order is asked about."""
    chance = random.Random(17)
    shop = Shop("boutique", date(2024, 3, 10))
    first_day = date(2023, 1, 2)
    for number in range(8):
        shop.add("products", product_id=f"p{number}", category=f"g{number % 3}")
    for number in range(500):
        customer_id = f"c{number:03}"
        if number % 10:  # each tenth customer is known from orders only
            shop.add(
                "customers",
                customer_id=customer_id,
                age_band=chance.choice(AGES),
                type="consumer",
            )
        day = first_day + timedelta(days=chance.randrange((shop.as_of - first_day).days + 1))
        times = 1 if chance.random() < 0.6 else chance.randrange(2, 9)
        for visit in range(times):
            if day > shop.as_of:
                break
            _boutique_order(shop, chance, f"{customer_id}-{visit}", customer_id, day)
            day += timedelta(days=chance.choice([0, 1, 7, 20, 30, 59, 60, 61, 90, 130]))
    _boutique_yearly_survey(shop, chance)
    return shop


def _boutique_yearly_survey(shop: Shop, chance: random.Random) -> None:
    """One wave to 240 customers, on a scale of seven, with what they spend in all shops in 90 days."""
    for code, role, low, high in (("all", "overall_satisfaction", 1, 7), ("advise", "recommend", 0, 10)):
        scale = {"scale_min": low, "scale_max": high}
        shop.add("survey_questions", survey_id="yearly", question_code=code, role=role, **scale)
    shop.add(
        "survey_questions",
        survey_id="yearly",
        question_code="spent",
        role="category_spend",
        category="all",
        period_days=90,
        currency_code="EUR",
    )
    for number in range(240):
        response_id = f"y-{number:03}"
        shop.add(
            "survey_responses",
            response_id=response_id,
            survey_id="yearly",
            wave="2023",
            customer_id=f"c{number * 2:03}",
            sent_at=datetime(2023, 12, 1, 9),
            submitted_at=datetime(2023, 12, 2, 9) + timedelta(hours=chance.randrange(200)),
            mode="mail",
            status="complete",
        )
        answers = {"all": chance.randrange(1, 8), "advise": chance.randrange(11)}
        if chance.random() < 0.5:
            answers["spent"] = chance.choice([37, 50, 80, 125, 149, 400])
        for code, value in answers.items():
            shop.add("survey_answers", response_id=response_id, question_code=code, value=str(value))


def _boutique_order(shop: Shop, chance: random.Random, order_id: str, customer_id: str, day: date) -> None:
    status = chance.choices(["completed", "cancelled"], [19, 1])[0]
    lines = []
    for number in range(1, chance.choice([2, 2, 3, 4])):
        quantity = chance.randrange(1, 4)
        list_price = Decimal(chance.randrange(100, 9000)).scaleb(-2)
        discount = (list_price * quantity * chance.choice([0, 0, 10]) / 100).quantize(CENT)
        lines.append(
            {
                "order_id": order_id,
                "line_number": number,
                "product_id": f"p{chance.randrange(8)}",
                "quantity": Decimal(quantity),
                "list_price": list_price,
                "discount_amount": discount,
                "net_amount": list_price * quantity - discount,
                # a few unit costs are not known
                "cost_amount": (list_price * quantity * Decimal("0.45")).quantize(CENT)
                if chance.random() < 0.96
                else None,
            }
        )
    for line in lines:
        shop.add("order_lines", **line)
    goods = sum((line["net_amount"] for line in lines), Decimal(0))
    shipping = Decimal(chance.choice(["0", "4.90"]))
    shop.add(
        "orders",
        order_id=order_id,
        customer_id=customer_id,
        ordered_at=datetime.combine(day, time(chance.randrange(8, 20))),
        kind="sale",
        status=status,
        currency_code="EUR",
        shipping_amount=shipping,
        tax_amount=Decimal(0),
        total_amount=goods + shipping,
        shipping_cost_amount=Decimal("3.10"),
        payment_fee_amount=Decimal("0.35"),
    )
    if status == "completed" and chance.random() < 0.08:
        _boutique_refund(shop, chance, order_id, day, goods + shipping)
    if chance.random() < 0.4:
        _boutique_answer(shop, chance, order_id, customer_id, day)


def _boutique_refund(shop: Shop, chance: random.Random, order_id: str, day: date, paid: Decimal) -> None:
    back = day + timedelta(days=chance.randrange(1, 40))
    if back <= shop.as_of:
        amount = paid if chance.random() < 0.5 else (paid / 4).quantize(CENT)
        shop.add(
            "refunds",
            refund_id=f"r-{order_id}",
            order_id=order_id,
            refunded_at=datetime.combine(back, time(12)),
            amount=amount,
            tax_amount=Decimal(0),
            is_restocked=False,
        )


QUESTIONS = (
    ("overall", "overall_satisfaction", 1, 5),
    ("recommend", "recommend", 0, 10),
    ("hoped", "expectation", 1, 10),
    ("got", "perceived", 1, 10),
    ("again", "repurchase_intent", 0, 10),
)


def _boutique_answer(shop: Shop, chance: random.Random, order_id: str, customer_id: str, day: date) -> None:
    if "survey_questions" not in shop.feeds:
        for code, role, low, high in QUESTIONS:
            shop.add(
                "survey_questions", survey_id="after", question_code=code, role=role, scale_min=low, scale_max=high
            )
    sent = datetime.combine(day + timedelta(days=2), time(9))
    submitted = sent + timedelta(hours=chance.randrange(1, 90))
    if submitted.date() > shop.as_of:
        return
    shop.add(
        "survey_responses",
        response_id=f"a-{order_id}",
        survey_id="after",
        order_id=order_id,
        customer_id=customer_id if chance.random() < 0.5 else None,  # the others name the order only
        sent_at=sent,
        submitted_at=submitted,
        mode="web",
        status="complete",
    )
    for code, _, low, high in QUESTIONS:
        if chance.random() < 0.93:
            shop.add(
                "survey_answers",
                response_id=f"a-{order_id}",
                question_code=code,
                value=str(chance.randrange(low, high + 1)),
            )


def till() -> Shop:
    """Eighty customers and guests buy often; documents with negative quantities take goods back; no cost is known."""
    chance = random.Random(29)
    shop = Shop("till", date(2024, 6, 30))
    day, number = date(2023, 10, 1), 0
    while day <= shop.as_of:
        for _ in range(chance.randrange(2, 6)):
            number += 1
            buyer = None if chance.random() < 0.25 else f"k{chance.randrange(80):02}"
            _receipt(shop, chance, f"b{number:05}", buyer, day)
        day += timedelta(days=1)
    return shop


def _receipt(shop: Shop, chance: random.Random, order_id: str, buyer: str | None, day: date) -> None:
    sign = -1 if chance.random() < 0.1 else 1
    total = Decimal(0)
    for line in range(1, chance.choice([2, 3, 4])):
        quantity = chance.randrange(1, 5)
        amount = sign * quantity * Decimal(chance.randrange(50, 2500)).scaleb(-2)
        total += amount
        shop.add(
            "order_lines",
            order_id=order_id,
            line_number=line,
            product_id=f"p{chance.randrange(12)}",
            quantity=Decimal(sign * quantity),
            net_amount=amount,
        )
    shop.add(
        "orders",
        order_id=order_id,
        customer_id=buyer,
        ordered_at=datetime.combine(day, time(chance.randrange(8, 20))),
        status="completed",
        currency_code="EUR",
        total_amount=total,
    )
