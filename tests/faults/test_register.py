"""The page of the faults has a row for every id, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = "tests/faults/README.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
UNIT_TEST = re.compile(r"`(dbt_project/[\w/]+\.yml)::(\w+)`")
# Numbers that were never given to a fault of their own.
NO_FAULT = {"B14", "B19", "B20", "B21", "B23", "B24", "B25", "B28", "F04", "F08", "F12", "F13", "F14", "F15"}
IDS = {
    *("B1", "B2", "R1", "R2", "R3"),
    *({f"B{number:02}" for number in range(1, 31)} - NO_FAULT),
    *({f"F{number:02}" for number in range(1, 19)} - NO_FAULT),
}


def rows() -> list[list[str]]:
    """The cells of each row: id, what, tests, result."""
    lines = (ROOT / PAGE).read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ") and not line.startswith("| id |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


@cache
def marked_in(file: str) -> dict[str, bool]:
    """The tests of a module, and whether each is marked as not corrected yet."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return {node.name: any("xfail" in ast.unparse(mark) for mark in node.decorator_list) for node in found}


def test_every_fault_has_one_row() -> None:
    ids = [row[0] for row in rows()]
    assert sorted(set(ids)) == sorted(ids), f"an id is there twice: edit {PAGE}"
    assert IDS - set(ids) == set(), f"these ids have no row: edit {PAGE}"


def test_every_row_names_a_test_or_says_open() -> None:
    for row in rows():
        assert len(row) == 4, f"edit row {row[0]} in {PAGE}: id, what, test, result"
        is_named = bool(NAMED.search(row[2]) or UNIT_TEST.search(row[2]))
        assert row[3] == "open" or (row[3] == "held" and is_named), (
            f"edit row {row[0]} in {PAGE}: name a test or say open"
        )


def test_every_named_test_is_there_and_held_by_no_xfail() -> None:
    for row in rows():
        for file, name in NAMED.findall(row[2]):
            assert name in marked_in(file), f"edit row {row[0]} in {PAGE}: there is no {file}::{name}"
            if row[3] == "held":
                assert not marked_in(file)[name], f"edit row {row[0]} in {PAGE}: {name} is marked xfail, so it is open"
        for file, name in UNIT_TEST.findall(row[2]):
            text = (ROOT / file).read_text(encoding="utf-8")
            assert f"name: {name}" in text, f"edit row {row[0]} in {PAGE}: {file} has no test {name}"


def test_every_test_that_shows_an_open_fault_has_its_row() -> None:
    named = {name for row in rows() for _, name in NAMED.findall(row[2])}
    here = [file.relative_to(ROOT).as_posix() for file in Path(__file__).parent.glob("test_*.py")]
    shown = {name for file in here for name, is_open in marked_in(file).items() if is_open}
    assert shown <= named, f"edit {PAGE}: these tests have no row"
