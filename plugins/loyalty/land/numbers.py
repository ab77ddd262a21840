"""Numbers as shops write them: `$1,234.50`, `12,50 €`, `EUR 12.50`, `(12.50)` and `12.50-` for negatives.

What is read is exact and has one meaning only. Separators are those that the feed declares: `1,234` may be a
thousand or a little more than one, so nothing is guessed.
"""

from __future__ import annotations

import re
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from loyalty.pull.feeds import FormatOptions

NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)$"
WHOLE_NUMBER = r"^[+-]?\d{1,18}(\.0*)?$"
LONGEST_NUMBER = 40  # characters; what is longer is no amount
FEWEST_PHONE_DIGITS = 7
# Signs that name one currency. `$`, `¥`, `kr`, `Rs` are written for several, so they are read and name none.
CURRENCY_OF_SIGN = {
    **{"€": "EUR", "£": "GBP", "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD"},
    **{"NT$": "TWD", "S$": "SGD", "R$": "BRL", "MX$": "MXN", "NZ$": "NZD", "₹": "INR", "₩": "KRW", "₫": "VND"},
    **{"₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₦": "NGN", "₱": "PHP", "฿": "THB", "zł": "PLN", "Kč": "CZK"},
    **{"Ft": "HUF", "円": "JPY", "원": "KRW", "元": "CNY", "RMB": "CNY", "CN¥": "CNY", "JP¥": "JPY", "Rp": "IDR"},
    **{"RM": "MYR", "lei": "RON", "лв": "BGN", "Fr.": "CHF", "SFr.": "CHF"},
}
# The power of ten that one US dollar is at most, by currency (rates of 2025, central banks); 1 for all others.
_UNITS_OF_A_DOLLAR = {
    10: "BOB CNY DKK GTQ HKD MAD MOP NOK SEK SVC TTD BWP SZL LSL NAD",
    100: "AFN ALL BTN CZK DOP EGP GMD HNL INR KGS MDL MKD MUR MXN MZN NIO PHP RUB SLE SRD STN THB TRY TWD UAH UYU "
    "ZAR ZMW",
    1_000: "AMD AOA BDT CLP CRC CVE DJF DZD ETB GYD HTG HUF ISK JMD JPY KES KMF KZT LKR LRD NPR PKR RSD SDG SOS VES "
    "VUV XAF XOF XPF YER",
    10_000: "ARS BIF CDF COP GNF IQD KHR KRW MGA MMK MNT MWK NGN PYG RWF SSP TZS UGX",
    100_000: "IDR LAK LBP SYP UZS VND",
    1_000_000: "IRR",
}
UNITS_OF_A_DOLLAR = {code: units for units, codes in _UNITS_OF_A_DOLLAR.items() for code in codes.split()}
OTHER_SIGNS = ("$", "¥", "￥", "kr", "kr.", "Rs", "Rs.", "USD$")
MINUS = "[\u2212\ufe63\uff0d\u2012\u2013]"
BLANKS = "[\u00a0\u202f\u2007\u2009]"  # what typesetters put between thousands, or before a currency's sign
# ISO 4217 codes are three letters; which ones exist is the suite's rule `currency_is_iso`.
_SIGNS = "|".join(sorted(map(re.escape, [*CURRENCY_OF_SIGN, *OTHER_SIGNS]), key=len, reverse=True))
_CURRENCY = rf"(?i:{_SIGNS}|[A-Z]{{3}})"
# (sign) currency (sign) number currency minus, perhaps in brackets
MONEY = (
    rf"^(?P<open>\(?)\s*(?P<minus_1>[+-]?)\s*(?P<before>(?:{_CURRENCY})?)\s*(?P<minus_2>[+-]?)\s*(?P<inner>\(?)"
    rf"(?P<number>[\d.,' ]*\d[\d.,' ]*?)\s*(?P<after>(?:{_CURRENCY})?)\s*(?P<minus_3>-?)\s*(?P<close>\)*)$"
)


def plain_numbers(text: pa.Array, options: FormatOptions) -> pa.Array:
    """Numbers with a decimal point and nothing else; NULL where the separators are not as declared."""
    point = re.escape(options.decimal)
    grouped = rf"|\d{{1,3}}({re.escape(options.thousands)}\d{{3}})+" if options.thousands else ""
    text = only_matching(text, rf"^[+-]?(\d*{grouped})({point}\d*)?$")
    if options.thousands:
        text = pc.replace_substring(text, options.thousands, "")
    return only_matching(pc.replace_substring(text, ",", ".") if options.decimal == "," else text, NUMBER)


def money(text: pa.Array, options: FormatOptions) -> tuple[pa.Array, pa.Array]:
    """Amounts as plain numbers, and the currency that each cell names (NULL where it names none).

    NULL where a cell is no amount, or has more than one sign of its direction, such as `-(5)`.
    """
    plain = plain_numbers(text, options)
    currencies = pa.nulls(len(text), pa.string())
    if plain.null_count == text.null_count:
        return plain, currencies
    spaced = pc.replace_substring_regex(pc.replace_substring_regex(text, MINUS, "-"), BLANKS, " ")
    parts = pc.extract_regex(spaced, MONEY)
    part = {name: pc.struct_field(parts, name) for name in ("number", "before", "after")}
    signs = pc.binary_join_element_wise(
        *(pc.struct_field(parts, name) for name in ("minus_1", "minus_2", "minus_3")), ""
    )
    brackets = pc.binary_join_element_wise(*(pc.struct_field(parts, name) for name in ("open", "inner", "close")), "")
    is_bracketed = pc.equal(brackets, "()")
    is_signed = pc.is_in(signs, value_set=pa.array(["-", "+"]))
    is_once = pc.or_(
        pc.and_(is_bracketed, pc.equal(signs, "")),
        pc.and_(pc.equal(brackets, ""), pc.or_(is_signed, pc.equal(signs, ""))),
    )
    has_one_currency = pc.or_(pc.equal(part["before"], ""), pc.equal(part["after"], ""))
    number = plain_numbers(pc.utf8_trim_whitespace(part["number"]), options)
    negative = pc.or_(is_bracketed, pc.equal(signs, "-"))
    signed = pc.if_else(negative, pc.binary_join_element_wise("-", number, ""), number)
    is_money = pc.fill_null(pc.and_(is_once, has_one_currency), False)
    named = pc.binary_join_element_wise(part["before"], part["after"], "")
    return (
        pc.coalesce(plain, pc.if_else(is_money, signed, None)),
        pc.if_else(pc.and_(is_money, pc.is_null(plain)), currency_codes(named), None),
    )


def currency_codes(text: pa.Array) -> pa.Array:
    """ISO 4217 codes of codes in any case and of signs that name one currency; other words stay as they are.

    A sign of several currencies names none: NULL.
    """
    lowered = pc.utf8_lower(text)
    place = pc.index_in(lowered, value_set=pa.array([sign.lower() for sign in CURRENCY_OF_SIGN]))
    of_sign = pc.take(pa.array(list(CURRENCY_OF_SIGN.values())), place)
    is_other = pc.is_in(lowered, value_set=pa.array(["", *(sign.lower() for sign in OTHER_SIGNS)]))
    is_code = pc.match_substring_regex(text, "^[A-Za-z]{3}$")
    word = pc.if_else(is_code, pc.utf8_upper(text), text)
    return pc.coalesce(of_sign, pc.if_else(is_other, None, word))


def decimals(plain: pa.Array, scale: int) -> pa.Array:
    """Plain numbers as decimals, never through floats; more than `scale` digits are rounded half away from zero."""
    short = pc.if_else(pc.less_equal(pc.utf8_length(plain), LONGEST_NUMBER), plain, None)
    rounded = pc.round(short.cast(pa.decimal256(76, LONGEST_NUMBER)), scale, round_mode="half_towards_infinity")
    limit = pa.scalar(Decimal(10) ** (18 - scale), rounded.type)
    return pc.if_else(pc.less(pc.abs(rounded), limit), rounded, None).cast(pa.decimal128(18, scale))


def only_matching(text: pa.Array, pattern: str) -> pa.Array:
    """The texts that fit a pattern, NULL for the others."""
    return pc.if_else(pc.match_substring_regex(text, pattern), text, pa.scalar(None, pa.string()))


def is_shown(text: str) -> bool:
    """Whether a cell that should be an amount may be in a message: it looks like one, and like no phone number."""
    digits = sum(c.isdigit() for c in text)
    letters = sum(c.isalpha() for c in text)
    has_cents = bool(re.search(r"\d[.,]\d{1,2}\D*$", text))
    return digits > 0 and letters <= 4 and "@" not in text and (digits < FEWEST_PHONE_DIGITS or has_cents)
