"""Lines, totals, discounts of the whole order, tax and returns: what was sold is what the documents say."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from worlds.warehouse import Warehouse, new_warehouse

Row = dict[str, Any]
FIRST_DAY = datetime.fromisoformat("2024-01-01T10:00")
AS_OF = date(2024, 6, 30)
MOST_ORDERS = 150


def _order(order_id: str, customer: str, day: int, **columns: Any) -> Row:
    blank = dict.fromkeys(("total_amount", "tax_amount", "shipping_amount", "discount_amount", "kind"))
    return {
        "order_id": order_id,
        "customer_id": customer,
        "ordered_at": FIRST_DAY + timedelta(days=day),
        "status": "completed",
        "currency_code": "USD",
        **blank,
        **columns,
    }


def _line(order_id: str, number: int, quantity: float, amount: float, **columns: Any) -> Row:
    return {
        "order_id": order_id,
        "line_number": number,
        "product_id": "p",
        "quantity": quantity,
        "net_amount": amount,
        "cost_amount": None,
        "list_price": None,
        "discount_amount": None,
        **columns,
    }


def _drawn_orders(seed: int) -> tuple[list[Row], list[Row], dict[str, Decimal]]:
    """Orders of one to five lines, their lines, and what each order earned without tax and shipping."""
    chance = random.Random(seed)
    orders, lines, earned = [], [], {}
    for number in range(MOST_ORDERS):
        order_id = f"o{number}"
        prices = [Decimal(chance.randrange(1, 9999)).scaleb(-2) for _ in range(chance.randrange(1, 6))]
        goods = sum(prices, Decimal(0))
        discount = (goods * Decimal(chance.choice([0, 0, 7, 33, 100])) / 100).quantize(Decimal("0.01"))
        tax = ((goods - discount) * Decimal(chance.choice([0, 19]))).quantize(Decimal(1)).scaleb(-2)
        shipping = Decimal(chance.choice(["0", "4.95"]))
        # the lines of some shops include the tax of the goods
        is_gross = tax > 0 and discount == 0 and chance.random() < 0.5
        shown = [price + (tax if is_gross and place == 0 else 0) for place, price in enumerate(prices)]
        orders.append(
            _order(
                order_id,
                f"c{number % 9}",
                number,
                total_amount=goods - discount + tax + shipping,
                tax_amount=tax,
                shipping_amount=shipping,
                discount_amount=discount,
            )
        )
        lines += [_line(order_id, place, 1, price) for place, price in enumerate(shown, start=1)]
        earned[order_id] = goods - discount
    return orders, lines, earned


def _drawn_exchanges(seed: int) -> tuple[list[Row], list[Row], dict[str, Decimal]]:
    """Documents of lines with any signs and rates of tax, and what each one earned: its total less its tax."""
    chance = random.Random(seed)
    orders, lines, earned = [], [], {}
    for number in range(MOST_ORDERS):
        order_id = f"x{number}"
        rates = chance.choice([[0], [19], [7], [7, 19]])
        with_tax = chance.random() < 0.7
        goods, tax = Decimal(0), Decimal(0)
        for place in range(1, chance.randrange(2, 6)):
            price = Decimal(chance.randrange(100, 9999)).scaleb(-2)
            line_tax = (price * chance.choice(rates) / 100).quantize(Decimal("0.01"))
            sign = chance.choice([1, -1])
            goods, tax = goods + sign * price, tax + sign * line_tax
            lines.append(_line(order_id, place, sign, sign * (price + line_tax if with_tax else price)))
        shipping = Decimal(chance.choice(["0", "4.95"])) if goods > 0 else Decimal(0)
        amounts = {"total_amount": goods + tax + shipping, "tax_amount": tax, "shipping_amount": shipping}
        orders.append(_order(order_id, f"c{number % 9}", number, **amounts))
        earned[order_id] = goods
    return orders, lines, earned


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Warehouse:
    made = new_warehouse(tmp_path_factory.mktemp("totals"), environment)
    made.set_build(AS_OF)
    orders, lines, _ = _drawn_orders(seed=3)
    made.load("orders", orders, source="drawn")
    made.load("order_lines", lines, source="drawn")
    exchanges, exchanged_lines, _ = _drawn_exchanges(seed=5)
    made.load("orders", exchanges, source="exchanges")
    made.load("order_lines", exchanged_lines, source="exchanges")
    made.load("orders", _till_orders(), source="till")
    made.load("order_lines", _till_lines(), source="till")
    made.load("refunds", _till_refunds(), source="till")
    without_tests = ("--exclude-resource-type", "unit_test")
    made.dbt("build", "--select", "+fct_customer_days", "+dq__data_warnings", *without_tests)
    return made


def _till_orders() -> list[Row]:
    return [
        _order("sale", "keeps", 0, total_amount=100),
        _order("same-day", "returns", 0, total_amount=80),
        _order("back", "returns", 0, total_amount=-80),
        _order("exchange", "swaps", 1, total_amount=-30),
        _order("swap-up", "swaps-up", 1, total_amount=59.5, tax_amount=9.5),
        _order("swap-down", "swaps-down", 1, total_amount=-59.5, tax_amount=-9.5),
        _order("said", "said", 2, kind="return", total_amount=12),
        _order("header", "header", 3, total_amount=-12, tax_amount=-2),
        _order("lost-lines", "never", 4),
    ]


def _till_lines() -> list[Row]:
    return [
        _line("sale", 1, 2, 100),
        _line("same-day", 1, 1, 80, cost_amount=30),
        _line("back", 1, -1, -80, cost_amount=-30),
        _line("exchange", 1, 1, 20),
        _line("exchange", 2, -1, -50),
        _line("swap-up", 1, 1, 119),
        _line("swap-up", 2, -1, -59.5),
        _line("swap-down", 1, 1, 59.5),
        _line("swap-down", 2, -1, -119),
        _line("said", 1, 1, 12),
    ]


def _till_refunds() -> list[Row]:
    return [
        {
            "refund_id": "by-customer",
            "order_id": None,
            "customer_id": "keeps",
            "refunded_at": FIRST_DAY + timedelta(days=9),
            "amount": 40,
        }
    ]


def test_f02_the_lines_of_an_order_add_up_to_its_total(warehouse: Warehouse) -> None:
    found = dict(warehouse.query("select order_id, goods_amount from core.fct_orders where source = 'drawn'"))
    earned = _drawn_orders(seed=3)[2]
    assert found == earned
    by_line = dict(
        warehouse.query("select order_id, sum(net_amount) from core.fct_order_lines where source = 'drawn' group by 1")
    )
    assert by_line == earned


def test_f02_no_line_is_below_zero_or_above_what_it_was(warehouse: Warehouse) -> None:
    odd = "select count(*) from core.fct_order_lines where net_amount < 0 or net_amount > recorded_net_amount"
    assert warehouse.value(odd) == 0


def test_f02_what_was_done_to_the_lines_is_said(warehouse: Warehouse) -> None:
    found = dict(
        warehouse.query(
            "select warning, row_count from quality.dq__data_warnings where source = 'drawn' and feed = 'orders'"
        )
    )
    assert found.keys() == {"lines above total", "lines include tax"}


def test_r2_what_is_sold_less_what_comes_back_is_the_total_less_the_tax(warehouse: Warehouse) -> None:
    kept = (
        "select order_id, sum(amount) from (select order_id, goods_amount as amount from core.fct_orders"
        " where source = 'exchanges' union all select split_part(refund_id, '/', 1), -refund_amount"
        " from core.fct_refunds where source = 'exchanges') group by order_id"
    )
    assert dict(warehouse.query(kept)) == _drawn_exchanges(seed=5)[2]


def test_r2_both_sides_of_an_exchange_lose_their_tax(warehouse: Warehouse) -> None:
    """At 19 %: 119 against 59.50, and 59.50 against 119."""
    for customer, sold, back in (("swaps-up", 100, 50), ("swaps-down", 50, 100)):
        found = warehouse.query(
            "select sum(days.gross_amount), sum(days.refund_amount), sum(days.discount_amount)"
            " from core.fct_customer_days as days"
            " inner join core.dim_customers as customers on days.base_key = customers.customer_key"
            f" where customers.customer_id = '{customer}'"
        )
        assert found == [(sold, back, 0)]
    warned = (
        "select warning, detail, severity from quality.dq__data_warnings where source = 'till' and warning like '%tax%'"
        " order by warning"
    )
    assert warehouse.query(warned) == [
        # 59.50 - 59.50 in lines, 50 - 50 in totals
        ("lines include tax", "0.00 USD in lines, 0.00 USD in totals without tax and shipping", "notice"),
        ("refund without tax", "40.00 USD", "warning"),  # of a customer, without its order
    ]


def test_r1_an_order_whose_lines_are_missing_is_no_purchase(warehouse: Warehouse) -> None:
    assert warehouse.value("select is_counted from core.fct_orders where order_id = 'lost-lines'") is False
    assert warehouse.value("select order_day_count from core.dim_customers where customer_id = 'never'") == 0
    warned = "select row_count from quality.dq__data_warnings where warning = 'no lines and no total'"
    assert warehouse.value(warned) == 1


@pytest.mark.parametrize(
    ("customer", "net_amount", "orders", "margin"),
    [
        ("keeps", 60, 1, None),  # 100, and 40 came back without the number of its sale
        ("returns", 0, 1, 0),  # all came back on the same day, and its cost too
        ("swaps", -30, 1, None),
        ("said", -12, 0, None),
        ("header", -10, 0, None),
    ],
)
def test_r2_a_return_without_its_sale_reduces_what_its_customer_spent(
    warehouse: Warehouse, customer: str, net_amount: int, orders: int, margin: int | None
) -> None:
    found = warehouse.query(
        "select sum(goods_amount + shipping_amount) - sum(refund_amount), sum(days.order_count),"
        " sum(goods_amount - sold_cost_amount) - sum(refund_amount - returned_cost_amount)"
        " from core.fct_customer_days as days"
        " inner join core.dim_customers as customers on days.base_key = customers.customer_key"
        f" where customers.customer_id = '{customer}'"
    )[0]
    assert found[:2] == (net_amount, orders)
    if margin is not None:
        assert found[2] == margin


def test_r2_a_return_is_no_order_and_the_refunds_are_what_came_back(warehouse: Warehouse) -> None:
    assert warehouse.value("select count(*) from core.fct_orders where source = 'till' and is_counted") == 5
    assert (
        warehouse.value("select sum(refund_amount) from core.fct_refunds where source = 'till'")
        == 40 + 80 + 50 + 50 + 100 + 22
    )
