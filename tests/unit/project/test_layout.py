"""The tests are laid out as the package is, and what they share lives in tests/worlds alone."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parents[2]
PACKAGE = TESTS.parent / "plugins" / "loyalty"
KINDS = ("unit", "dags", "dbt", "e2e", "audit")
# Tests of the repository itself: pages, scripts, locked packages, layout.
PROJECT = TESTS / "unit" / "project"


def names_of(folder: Path) -> list[str]:
    """What a test in the folder's mirror may be named after: the folder's modules, its packages and itself."""
    modules = [file.stem for file in folder.glob("*.py") if file.stem != "__init__"]
    return [*modules, *(one.name for one in folder.iterdir() if one.is_dir()), folder.name]


def is_named_after(test: str, names: list[str]) -> bool:
    """Whether a test's name is `test_<module>` or, for one side of a large module, `test_<module>_<side>`."""
    return any(test == f"test_{name}" or test.startswith(f"test_{name}_") for name in names)


def test_unit_tests_lie_where_their_module_lies() -> None:
    strangers = []
    for file in sorted((TESTS / "unit").rglob("test_*.py")):
        if file.parent == PROJECT:
            continue
        room = PACKAGE / file.parent.relative_to(TESTS / "unit")
        if not room.is_dir() or not is_named_after(file.stem, names_of(room)):
            strangers.append(str(file.relative_to(TESTS)))
    assert strangers == [], (
        "these tests have no module of that name: tests/unit/<room>/test_<module>.py mirrors "
        "plugins/loyalty/<room>/<module>.py; tests of the repository itself go to tests/unit/project/"
    )


def test_no_two_test_modules_have_one_name() -> None:
    names = Counter(file.name for file in TESTS.rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == [], "pytest takes two of one name for one"


def test_no_test_module_imports_another() -> None:
    wrong = [
        f"{file.relative_to(TESTS)}:{node.lineno}"
        for file in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if any(re.match(r"(\w+\.)*(test_\w+|conftest)$", name) for name in _imported(node))
    ]
    assert wrong == [], "what two test modules share belongs in tests/worlds/"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_a_kind_of_tests_has_one_conftest_at_most() -> None:
    found = {str(file.parent.relative_to(TESTS)) for file in TESTS.rglob("conftest.py")}
    assert found <= {".", *KINDS}


def test_the_table_of_worlds_has_a_row_for_each() -> None:
    worlds = TESTS / "worlds"
    modules = {file.name for file in worlds.glob("*.py")} - {"__init__.py"}
    rows = re.findall(r"^\| `(\w+\.py)`", (worlds / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(modules), "edit tests/worlds/README.md: one row for each module, by its file name"
