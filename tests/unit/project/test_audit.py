"""What fails the audit of the locked packages, and what is only said."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import audit

TODAY = date(2026, 11, 28)
SOUND = {"name": "sound", "version": "1.0", "vulns": []}
WEAK = {
    "name": "weak",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-2026-1", "aliases": ["CVE-2026-11"], "fix_versions": ["1.1"]}],
}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}
EXCEPTION = {
    "package": "weak",
    "id": "CVE-2026-11",
    "because": "Not called.",
    "since": date(2026, 11, 1),
    "until": date(2026, 12, 31),
}


def test_a_known_weakness_is_named_with_the_version_that_fixes_it() -> None:
    wrong, note = audit.judge([SOUND, WEAK, UNKNOWN], [], TODAY)
    assert wrong == ["weak 1.0 has PYSEC-2026-1; fixed in 1.1"]
    assert "2 of 3 packages" in note


def test_an_index_that_does_not_answer_is_said_and_fails_nothing() -> None:
    for packages in ([], [UNKNOWN]):
        wrong, note = audit.judge(packages, [], TODAY)
        assert wrong == []
        assert "nothing is known" in note


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, None),
        ({"package": "sound"}, "weak 1.0 has PYSEC-2026-1"),
        ({"until": date(2026, 11, 27)}, "ended on 2026-11-27: look at it again"),
        ({"until": date(2027, 11, 27)}, "lasts longer than 180 days"),
    ],
)
def test_an_exception_holds_for_its_package_and_its_time(changed: dict, words: str | None) -> None:
    wrong, _ = audit.judge([WEAK], [EXCEPTION | changed], TODAY)
    assert len(wrong) == (1 if words else 0)
    assert not words or words in wrong[0]


def test_the_exceptions_that_are_kept_can_be_read() -> None:
    text = (audit.ROOT / "scripts" / "audit-exceptions.yml").read_text(encoding="utf-8")
    example = "\n".join(line.removeprefix("#") for line in text.splitlines() if line.startswith("#  "))
    kept = audit.yaml.safe_load(text)["exceptions"] + audit.yaml.safe_load(example)
    for one in kept:
        assert one.keys() == EXCEPTION.keys()
    assert audit.judge([], kept, TODAY)[0] == []


def test_a_secret_is_seen_and_its_place_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    secrets = {
        "private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
        "cloud key": "AKIA" + "QWERTZUIOPASDFGH",
        "token": "ghp_" + "Ab1" * 12,
        "address": "postgresql://me:" + "hunter22@db.example/x",
        "assigned": "api_key = '" + "a1B2" * 6 + "'",
    }
    for name, secret in secrets.items():
        (tmp_path / f"{name}.txt").write_text(f"first line\n{secret}\n")
    (tmp_path / "clean.txt").write_text("first line\nnothing to see\n")
    assert audit.secrets_found([str(file) for file in tmp_path.iterdir()])
    said = capfd.readouterr().out
    assert [name for name in secrets if f"{tmp_path / name}.txt:2" not in said] == []
    assert "clean.txt" not in said
    assert not audit.secrets_found([str(tmp_path / "clean.txt")])
