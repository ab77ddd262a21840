"""What every change to the repository has to keep: no secret in it, and every package pinned with its hashes."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT = {".git", ".venv", "var", "target", "logs", "__pycache__", ".hypothesis", ".ruff_cache", ".mypy_cache"}
LARGEST = 1_000_000
SECRETS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "cloud key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|xox[abprs]-[A-Za-z0-9-]{10,}|glpat-[A-Za-z0-9_-]{20})"),
    "password in an address": re.compile(
        r"\b[a-z]+://[^\s:/@{}$<>'\"]+:[^\s:/@{}$<>'\"]{3,}@(?!127\.0\.0\.1|localhost)"
    ),
    "assigned secret": re.compile(r"(?i)\b(?:api_?key|secret_key|passwd)\s*[=:]\s*['\"][A-Za-z0-9+/_-]{20,}['\"]"),
}
PACKAGE = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>\S+)", re.MULTILINE)


def texts() -> list[tuple[Path, str]]:
    """Every text of the project, without what is installed, generated or data."""
    files = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        files += [Path(folder) / name for name in sorted(names)]
    small = [file for file in files if file.is_file() and file.stat().st_size < LARGEST]
    return [(file.relative_to(ROOT), file.read_text(encoding="utf-8", errors="ignore")) for file in small]


def findings(text: str) -> list[str]:
    return [name for name, pattern in SECRETS.items() if pattern.search(text)]


def test_no_file_holds_a_secret() -> None:
    assert [(str(file), findings(text)) for file, text in texts() if findings(text)] == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("-----BEGIN " + "RSA PRIVATE KEY-----", "private key"),
        ("AKIA" + "ABCDEFGHIJKLMNOP", "cloud key"),
        ("ghp_" + "a" * 36, "token"),
        ("postgresql://me:" + "hunter22@db.example/x", "password in an address"),
        ("api_key = '" + "a1" * 12 + "'", "assigned secret"),
    ],
)
def test_the_scan_knows_a_secret_when_it_sees_one(text: str, name: str) -> None:
    assert findings(text) == [name]


def test_every_locked_package_has_its_hashes_and_none_comes_from_elsewhere() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock)
    packages = [block for block in blocks if PACKAGE.match(block)]
    assert len(packages) == len(PACKAGE.findall(lock)) > 100
    assert [block.splitlines()[0] for block in packages if "--hash=sha256:" not in block] == []
    assert not re.search(r"://|^-e |^--", lock, re.MULTILINE)


def test_what_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[\[<>=! ]", one)[0].lower().replace("_", "-") for one in project["dependencies"]}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert wanted <= {found["name"].lower().replace("_", "-") for found in PACKAGE.finditer(lock)}


def test_every_module_has_its_place_in_the_contributors_map() -> None:
    told = set(re.findall(r"(\w+)/?`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    parts = [part for part in (ROOT / "plugins" / "loyalty").iterdir() if part.suffix == ".py" or part.is_dir()]
    assert {part.stem for part in parts if not part.name.startswith("__")} - told == set()
