"""E-mail addresses and telephone numbers are found in any column; ids, dates and amounts are not taken for one."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.privacy.personal_text import holds_personal_text, is_personal_text


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.org",
        "Ada Lovelace <ada.lovelace+gift@mail.example.co.uk>",
        "mail ada(at)example.org please",
        "张伟@例子.中国",
        "müller@straße.example",
        "+49 171 2345678",
        "+491712345678",
        "call +1 (555) 234-5678 after six",
        "0049 171 2345678",
        "0171/2345678",
        "0171-234 5678",
        "(030) 1234 5678",
        "555-234-5678",
        "555.234.5678",
        "+86 138 1234 5678",
        "138 1234 5678",
        "13812345678",
        "+33 1 23 45 67 89",
        "01 23 45 67 89",
    ],
)
def test_addresses_and_telephones_are_found(text: str) -> None:
    assert holds_personal_text(pa.array(["", text, None]))


@pytest.mark.parametrize(
    "text",
    [
        "4006381333931",
        "2026-05-04",
        "2026-05-04 10:15:00",
        "2026-05-04T10:15:00+02:00",
        "04.05.2026",
        "1.234.567,89",
        "12,345,678.90",
        "-1234.5678",
        "ORD-2026-000123",
        "A-100-200-300",
        "gift wrap for 2 mugs",
        "@shop",
        "v1.2.3",
        "192.168.100.200",
        "0012345678",
        "10117 Berlin",
        "52.520008, 13.404954",
        "9.99 @ 3",
    ],
)
def test_ids_dates_and_amounts_are_none(text: str) -> None:
    assert not is_personal_text(pa.array([text])).to_pylist()[0]


@given(st.integers(0, 10**15), st.decimals(min_value=-(10**9), max_value=10**9, places=2), st.dates())
def test_numbers_and_dates_are_never_personal(number: int, amount: object, day: object) -> None:
    text = str(number)
    is_mobile_of_china = len(text) == 11 and text[0] == "1" and text[1] in "3456789"
    assert holds_personal_text(pa.array([text])) is is_mobile_of_china
    assert not holds_personal_text(pa.array([str(amount), str(day)]))
