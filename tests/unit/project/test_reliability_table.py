"""docs/reliability.md has a row for every fault, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
FAULTS = 34
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows() -> dict[int, list[str]]:
    """Number -> the cells of its row."""
    lines = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| *\d+ *\|", line)]
    return {int(row[0]): row for row in cells}


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return frozenset(name for name in names if name.startswith("test_"))


def test_every_fault_has_one_row_with_protection_test_and_result() -> None:
    assert sorted(rows()) == list(range(1, FAULTS + 1)), "edit the table in docs/reliability.md: one row for each fault"
    for number, row in rows().items():
        how = f"edit row {number} in docs/reliability.md: five cells, and in the fourth `tests/...py::test_...`"
        assert len(row) == 5, how
        assert all(row), how
        assert NAMED.search(row[3]), how


def test_every_named_test_is_there() -> None:
    named = [found for row in rows().values() for found in NAMED.findall(row[3])]
    missing = [(file, test) for file, test in named if test not in names_in(file)]
    assert missing == [], "these tests are not there: edit docs/reliability.md"
