"""Fixtures of the unit tests. Built workspaces come from tests/worlds/one_mart_fixtures.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from worlds.own_feeds import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace without feeds and files: the test writes what it needs."""
    return Workspace(tmp_path / "shop")
