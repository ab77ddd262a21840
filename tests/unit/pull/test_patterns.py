"""Regular expressions in linear time."""

from __future__ import annotations

import pyarrow as pa
import pytest

from loyalty.pull.patterns import first_group, is_found, named_groups, wrong_pattern


def test_the_first_group_is_taken_and_without_a_group_the_whole() -> None:
    cells = pa.array(["12、abc", "x", None])
    assert first_group(cells, "^[0-9]+").to_pylist() == ["12", None, None]
    assert first_group(cells, "、([a-z])[a-z]").to_pylist() == ["a", None, None]
    assert first_group(pa.array(["id: null", "id: 7"]), r"id: (?:null|(\d+))").to_pylist() == [None, "7"]


def test_named_groups_of_a_total_line() -> None:
    assert named_groups("TOTAL;3;4.5", r"^TOTAL;(?P<rows>\d+);(?P<total>[\d.]+)") == {"rows": "3", "total": "4.5"}
    assert named_groups("TOTAL", "^TOTAL") == {}
    assert named_groups("1;2", "^TOTAL") is None


@pytest.mark.parametrize("pattern", ["(a", "(?=a)b", r"(a)\1", "a{2000}"])
def test_what_the_engine_does_not_know_is_named(pattern: str) -> None:
    assert wrong_pattern(pattern)


def test_a_total_line_names_each_of_its_groups() -> None:
    assert "name" in wrong_pattern(r"^(TOTAL|SUM);(?P<rows>\d+)", only_named=True)
    assert not wrong_pattern(r"^(?:TOTAL|SUM);(?P<rows>\d+)", only_named=True)


def test_nested_repeats_end_at_once() -> None:
    """A backtracking engine needs 2^40 steps for this cell."""
    cells = pa.array(["a" * 40 + "!"] * 1000)
    assert first_group(cells, r"^(\w+\s?)*$").null_count == 1000
    assert not is_found(cells, r"^(\w+\s?)*$").to_pylist()[0]
