"""Texts that hold an e-mail address or a telephone number, whatever their column is called."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# RE2 syntax, read alike by pyarrow and DuckDB. Letters of every script are allowed in an address (RFC 6531).
EMAIL = r"[\p{L}\p{N}._%+'-]+\s?(?:@|\(at\)|\[at\]|\x{FF20})\s?(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}"
# International numbers (E.164: at most 15 digits after + or 00) in groups as people write them, and national ones in
# groups that begin with a trunk zero or an area code in brackets. Plain digits are ids and barcodes, not telephones.
_GROUPS = r"(?:[\s./-]?\(?\d{1,5}\)?){2,7}"
PHONES = (
    rf"(?:^|[^\d+])\+\s?[1-9]\d{{0,2}}{_GROUPS}(?:[^\d]|$)",
    r"(?:^|[^\d.,-])00[1-9]\d{0,2}[\s./-]\(?\d{1,5}\)?(?:[\s./-]?\d{2,5}){1,5}(?:[^\d]|$)",
    r"(?:^|[^\d])\(\d{2,5}\)[\s-]?\d{2,4}[\s./-]?\d{2,4}(?:[\s./-]?\d{2,4})?(?:[^\d]|$)",
    r"(?:^|[^\d.,/-])0\d{1,4}[\s/-]\d{2,4}(?:[\s/-]?\d{2,5}){1,3}(?:[^\d]|$)",
    r"(?:^|[^\d.,/-])[2-9]\d{2}[\s.-][2-9]\d{2}[\s.-]\d{4}(?:[^\d]|$)",
    r"(?:^|[^\d])1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?:[^\d]|$)",
)
FEWEST_DIGITS = 8
PERSONAL_TEXT = "|".join((EMAIL, *PHONES))
DATE = r"^\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([ T].*)?$"


def is_personal_text(texts: pa.Array) -> pa.Array:
    """Which texts hold an e-mail address or a telephone number."""
    has_email = pc.match_substring_regex(texts, EMAIL)
    digits = pc.utf8_length(pc.replace_substring_regex(texts, r"\D", ""))
    is_long = pc.and_(pc.greater_equal(digits, FEWEST_DIGITS), pc.invert(pc.match_substring_regex(texts, DATE)))
    has_phone = pc.and_(is_long, pc.match_substring_regex(texts, "|".join(PHONES)))
    return pc.fill_null(pc.or_(has_email, has_phone), False)


def holds_personal_text(texts: pa.Array) -> bool:
    """Whether a column holds at least one such text."""
    return bool(pc.any(is_personal_text(texts)).as_py())
