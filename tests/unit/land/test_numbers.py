"""Amounts and currencies as shops write them: what says one thing is read, what may say two is not."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.land.numbers import CURRENCY_OF_SIGN, currency_codes, decimals, is_shown, money
from loyalty.pull.feeds import FormatOptions

ENGLISH = FormatOptions(thousands=",")
GERMAN = FormatOptions(decimal=",", thousands=".")
SWISS = FormatOptions(thousands="'")
FRENCH = FormatOptions(decimal=",", thousands=" ")


def read(cell: str, options: FormatOptions = ENGLISH) -> tuple[str | None, str | None]:
    numbers, currencies = money(pa.array([cell, "1"]), options)
    return numbers[0].as_py(), currencies[0].as_py()


@pytest.mark.parametrize(
    ("cell", "options", "amount", "currency"),
    [
        ("1,234.50", ENGLISH, "1234.50", None),
        ("$1,234.50", ENGLISH, "1234.50", None),
        ("US$ 3", ENGLISH, "3", "USD"),
        ("1,234.50 €", ENGLISH, "1234.50", "EUR"),
        ("EUR 12.50", ENGLISH, "12.50", "EUR"),
        ("12.50eur", ENGLISH, "12.50", "EUR"),
        ("usd 5", ENGLISH, "5", "USD"),
        ("1.234,50 zł", GERMAN, "1234.50", "PLN"),
        ("CHF 1'234.50", SWISS, "1234.50", "CHF"),
        ("1 234,50 €", FRENCH, "1234.50", "EUR"),
        ("1\u202f234,50\u00a0€", FRENCH, "1234.50", "EUR"),
        ("Rp 1.500.000", GERMAN, "1500000", "IDR"),
        ("5 kr", ENGLISH, "5", None),
        ("¥900", ENGLISH, "900", None),
        ("(12.50)", ENGLISH, "-12.50", None),
        ("($12.50)", ENGLISH, "-12.50", None),
        ("$(12.50)", ENGLISH, "-12.50", None),
        ("12.50-", ENGLISH, "-12.50", None),
        ("-$5", ENGLISH, "-5", None),
        ("$-5", ENGLISH, "-5", None),
        ("\u22125.00", ENGLISH, "-5.00", None),
        ("+5", ENGLISH, "+5", None),
    ],
)
def test_an_amount_is_read_as_it_is_written(
    cell: str, options: FormatOptions, amount: str, currency: str | None
) -> None:
    assert read(cell, options) == (amount, currency)


@pytest.mark.parametrize(
    "cell",
    ["-(5)", "(5", "5)", "--5", "5--", "-5-", "EUR 5 USD", "5 EUR USD", "12,50", "1.2.3", "abc", "EUR", "$", "()"],
)
def test_what_is_no_amount_or_says_two_things_is_not_read(cell: str) -> None:
    assert read(cell)[0] is None


def test_currencies_are_known_in_any_case_and_by_the_signs_of_one_currency() -> None:
    cells = ["eur", "USD", "€", "US$", "ft", "$", "¥", "Euro", None]
    assert currency_codes(pa.array(cells)).to_pylist() == ["EUR", "USD", "EUR", "USD", "HUF", None, None, "Euro", None]


@given(
    amount=st.decimals(min_value=-(10**9), max_value=10**9, places=2),
    sign=st.sampled_from(sorted(CURRENCY_OF_SIGN)),
    is_before=st.booleans(),
    style=st.sampled_from(["minus", "brackets", "minus at the end"]),
)
def test_every_way_to_write_an_amount_gives_the_amount(amount: Decimal, sign: str, is_before: bool, style: str) -> None:
    text = f"{sign} {abs(amount):,.2f}" if is_before else f"{abs(amount):,.2f} {sign}"
    if amount < 0:
        text = {"minus": f"-{text}", "brackets": f"({text})", "minus at the end": f"{text}-"}[style]
    number, currency = read(text)
    assert Decimal(number or "nan") == amount
    assert currency == CURRENCY_OF_SIGN[sign]


def test_decimals_are_rounded_half_away_from_zero_and_never_overflow() -> None:
    cells = pa.array(["0.00005", "-0.00005", "99999999999999.9999", "100000000000000", None])
    expected = [Decimal("0.0001"), Decimal("-0.0001"), Decimal("99999999999999.9999"), None, None]
    assert decimals(cells, 4).to_pylist() == expected


@pytest.mark.parametrize(("cell", "shown"), [("12,50 €", True), ("1.234.567,89", True), ("0171 2345678", False)])
def test_a_message_shows_amounts_and_no_phone_number(cell: str, shown: bool) -> None:
    assert is_shown(cell) is shown
    assert not is_shown("ada@example.org")
