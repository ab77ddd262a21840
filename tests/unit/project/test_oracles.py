"""The page of published figures against the files and tests that it names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ORACLES = ROOT / "tests" / "oracles"
REPRODUCED, LEFT_OUT = (ORACLES / "README.md").read_text(encoding="utf-8").split("\n## Left out\n")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in REPRODUCED.splitlines()
    if line.startswith("| ") and not line.startswith("| oracle ")
]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PART = re.compile(r"`([\w.]+\.(?:json|csv))(?:: ([\w.]+))?`")
FILES = sorted(file.name for file in ORACLES.iterdir() if file.suffix in {".csv", ".json"})


def _parts(text: str) -> set[tuple[str, str]]:
    return {(file, part) for file, part in PART.findall(text)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_every_oracle_names_its_source_and_tests_that_exist(row: list[str]) -> None:
    _, figures, source, tests = row
    how = "edit this row in tests/oracles/README.md: figures, source and `tests/...py::test_...`"
    assert figures and source, how
    assert TEST.findall(tests), how
    for file, name in TEST.findall(tests):
        assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8"), (
            f"{file} has no {name}: edit tests/oracles/README.md"
        )


@pytest.mark.parametrize("file", FILES)
def test_every_part_of_every_file_is_reproduced_or_left_out_with_a_reason(file: str) -> None:
    reproduced = _parts("".join(row[0] for row in ROWS))
    how = f"edit tests/oracles/README.md: say which test reproduces {file}, or why a part of it is left out"
    assert file in {name for name, _ in reproduced}, how
    if file.endswith(".json"):
        keys = set(json.loads((ORACLES / file).read_text(encoding="utf-8")))
        named = {part for name, part in reproduced | _parts(LEFT_OUT) if name == file}
        assert named == keys, how


def test_nothing_else_lies_among_the_oracles() -> None:
    assert {file.name for file in ORACLES.iterdir()} == {*FILES, "README.md"}, "tests/oracles holds CSV and JSON only"
