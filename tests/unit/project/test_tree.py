"""What every change to the repository has to keep: every package pinned with its hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from counts import backward_imports, import_circles, ledger_openings

ROOT = Path(__file__).parents[3]
HOW = "requirements.lock is written by `make lock` from pyproject.toml"
PACKAGE = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>\S+)", re.MULTILINE)


def test_every_locked_package_has_its_hashes_and_none_comes_from_elsewhere() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock)
    packages = [block for block in blocks if PACKAGE.match(block)]
    assert len(packages) == len(PACKAGE.findall(lock)) > 100
    assert [block.splitlines()[0] for block in packages if "--hash=sha256:" not in block] == [], HOW
    assert not re.search(r"://|^-e |^--", lock, re.MULTILINE), HOW


def test_what_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[\[<>=! ]", one)[0].lower().replace("_", "-") for one in project["dependencies"]}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    missing = wanted - {found["name"].lower().replace("_", "-") for found in PACKAGE.finditer(lock)}
    assert missing == set(), HOW


def test_a_room_imports_only_the_rooms_before_it() -> None:
    """The order of the rooms is the way of the data; it is written down in CONTRIBUTING.md."""
    assert backward_imports(ROOT / "plugins" / "loyalty") == []


def test_the_ledger_is_opened_in_one_place() -> None:
    """A function that needs it takes the open `Workspace` (or its ledger) as a parameter."""
    assert ledger_openings(ROOT / "plugins" / "loyalty") == ["loyalty.common.workspace"]


def test_no_two_modules_import_each_other() -> None:
    assert import_circles(ROOT / "plugins" / "loyalty") == []
