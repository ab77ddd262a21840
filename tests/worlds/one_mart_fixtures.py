"""Fixtures over one_mart.py. A build takes seconds, so it runs once and every test gets a copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from loyalty.build import build
from loyalty.common.settings import Settings, load_settings
from loyalty.publish.publish import publish
from worlds import one_mart
from worlds.opened import opened


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one load, built and not published."""
    folder = tmp_path_factory.mktemp("one_mart") / "shop"
    settings = one_mart.make_workspace(folder)
    one_mart.load(settings)
    build.build(opened(settings))
    return folder


@pytest.fixture(scope="session")
def built_twice(built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The night after: the first build is published, the second is built and waits."""
    settings = one_mart.copy_workspace(built_once, tmp_path_factory.mktemp("one_mart") / "shop")
    publish(opened(settings), now=one_mart.NOW)
    one_mart.deliver(settings, "2017-12-31", one_mart.DAY_31)
    one_mart.load(settings)
    build.build(opened(settings))
    return settings.workspace


@pytest.fixture
def built(built_once: Path, tmp_path: Path) -> Settings:
    """One's own copy of the first build, not published."""
    return one_mart.copy_workspace(built_once, tmp_path / "shop")


@pytest.fixture
def published(built: Settings) -> Settings:
    """One's own copy of the first build, published as generation 1."""
    publish(opened(built), now=one_mart.NOW)
    return built


@pytest.fixture
def waiting(built_twice: Path, tmp_path: Path) -> Settings:
    """One's own copy of the second night: generation 1 is published, the second build waits."""
    one_mart.copy_workspace(built_twice, tmp_path / "shop")
    return load_settings(tmp_path / "shop")
