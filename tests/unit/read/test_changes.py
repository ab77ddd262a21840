"""The change of a month's revenue: its parts add up, to the cent, and each factor gets what it did."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from loyalty.read.changes import Month, known_sum, shapley, split_change, to_cents

AMOUNTS = st.decimals("0", "1000000", places=4)
MONTHS = st.builds(
    Month,
    customer_count=st.integers(0, 1000),
    order_count=st.integers(0, 5000),
    order_amount=AMOUNTS,
    refund_amount=st.none() | AMOUNTS,
    outside_amount=AMOUNTS,
)


def month(customers: int, orders: int, amount: str, refunds: str | None = "0", outside: str = "0") -> Month:
    refund_amount = None if refunds is None else Decimal(refunds)
    return Month(customers, orders, Decimal(amount), refund_amount, Decimal(outside))


def test_only_the_factor_that_changed_gets_the_change() -> None:
    """10 customers with 2 orders of 5 each; then 12 such customers: all 20 come from the customers."""
    parts = split_change(month(10, 20, "100"), month(12, 24, "120"))
    assert parts["customers"] == Decimal("20.00")
    assert {name for name, amount in parts.items() if amount} == {"customers"}


def test_two_factors_share_what_they_did_together() -> None:
    """2 x 3 becomes 4 x 5: +14. First the one, then the other: 2 * 3 = 6 and 4 * 2 = 8; the other way 2 * 5 = 10 and
    2 * 2 = 4. The means are 8 and 6."""
    assert shapley([Fraction(2), Fraction(3)], [Fraction(4), Fraction(5)]) == [8, 6]


def test_refunds_and_what_is_outside_the_base_are_parts_of_their_own() -> None:
    parts = split_change(month(1, 1, "10", "4", "1"), month(1, 1, "10", "9", "3"))
    assert parts == {
        "customers": Decimal("0.00"),
        "orders per customer": Decimal("0.00"),
        "revenue per order": Decimal("0.00"),
        "refunds": Decimal("-5.00"),
        "outside the base": Decimal("2.00"),
    }


def test_refunds_that_were_never_delivered_are_not_known() -> None:
    """Without refunds in both months nothing is said of them; where they begin, all of them is a change."""
    assert split_change(month(1, 1, "10", None), month(1, 1, "12", None))["refunds"] is None
    assert split_change(month(1, 1, "10", None), month(1, 1, "12", "3"))["refunds"] == Decimal("-3.00")


def test_the_first_orders_come_with_the_customers() -> None:
    assert split_change(month(0, 0, "0"), month(3, 4, "40"))["customers"] == Decimal("40.00")


def test_a_third_of_a_cent_is_not_lost() -> None:
    """Three times 1/3 cent is one cent, and it goes to one of them."""
    parts = to_cents({name: Fraction(1, 300) for name in "abc"})
    assert sorted(map(str, parts.values())) == ["0.00", "0.00", "0.01"]


@given(MONTHS, MONTHS)
def test_the_parts_add_up_to_the_change(before: Month, after: Month) -> None:
    parts = split_change(before, after)
    assert known_sum(parts) == round(after.net_amount - before.net_amount, 2)


@given(MONTHS, MONTHS)
def test_back_is_the_opposite_of_forth(before: Month, after: Month) -> None:
    forth, back = split_change(before, after), split_change(after, before)
    assert [name for name in forth if forth[name] is None] == [name for name in back if back[name] is None]
    known = [(forth[name], back[name]) for name in forth]
    assert all(abs(one + other) <= Decimal("0.01") for one, other in known if one is not None and other is not None)
