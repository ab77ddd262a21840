"""Text tables: aligned in terminal cells, cut to a terminal's width, whole in a pipe."""

from __future__ import annotations

from rich.cells import cell_len

from loyalty.common.text_table import table

LONG = "the export has no column for the customer, and no column for the order " * 2


def test_chinese_text_is_aligned_with_latin_text() -> None:
    lines = table(("city", "n"), [("满意度", 1), ("Bern", 20)]).splitlines()
    assert lines == ["city     n", "------  --", "满意度   1", "Bern    20"]
    assert {cell_len(line) for line in lines} == {10}


def test_the_widest_text_column_is_cut_until_a_line_fits() -> None:
    text = table(("feed", "why", "rows"), [("orders", LONG, 12_345), ("满意" * 30, "short", 1)], width=80)
    assert max(cell_len(line) for line in text.splitlines()) == 80
    assert "12345" in text
    assert "orders" in text
    assert text.count("...") == 2


def test_a_table_in_a_pipe_is_not_cut() -> None:
    assert LONG.strip() in table(("why",), [(LONG,)])
