"""Whatever is in a name or a text, SQL reads it as that name or text and never runs it."""

from __future__ import annotations

import duckdb
import pytest

from loyalty.common.sql import quote_identifier, quote_text, text_list

NASTY = ['a"; drop table t; --', "a'; drop table t; --", '""', "''", "a\\'b", "[1]", "ä b"]


@pytest.mark.parametrize("nasty", NASTY)
def test_a_name_and_a_text_come_back_as_they_were(nasty: str) -> None:
    found = duckdb.sql(f"select {quote_text(nasty)} as {quote_identifier(nasty)}, {text_list(NASTY)} as many")
    assert found.columns == [nasty, "many"]
    assert found.fetchall() == [(nasty, NASTY)]
