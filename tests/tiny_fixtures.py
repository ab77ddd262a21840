"""Fixtures over the tiny workspace; a build takes seconds, so it is made once and copied."""

from __future__ import annotations

from pathlib import Path

import pytest

import tiny
from loyalty.build import build
from loyalty.common.settings import Settings, load_settings
from loyalty.publish.publish import publish


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one load, built and not published."""
    folder = tmp_path_factory.mktemp("tiny") / "shop"
    settings = tiny.make_workspace(folder)
    tiny.load(settings)
    build.build(settings, say=tiny.quiet)
    return folder


@pytest.fixture(scope="session")
def built_twice(built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The night after: the first build is published, the second is built and waits."""
    settings = tiny.copy_workspace(built_once, tmp_path_factory.mktemp("tiny") / "shop")
    publish(settings, say=tiny.quiet, now=tiny.NOW)
    tiny.deliver(settings, "2017-12-31", tiny.DAY_31)
    tiny.load(settings)
    build.build(settings, say=tiny.quiet)
    return settings.workspace


@pytest.fixture
def built(built_once: Path, tmp_path: Path) -> Settings:
    """One's own copy of the first build, not published."""
    return tiny.copy_workspace(built_once, tmp_path / "shop")


@pytest.fixture
def published(built: Settings) -> Settings:
    """One's own copy of the first build, published as generation 1."""
    publish(built, say=tiny.quiet, now=tiny.NOW)
    return built


@pytest.fixture
def waiting(built_twice: Path, tmp_path: Path) -> Settings:
    """One's own copy of the second night: generation 1 is published, the second build waits."""
    tiny.copy_workspace(built_twice, tmp_path / "shop")
    return load_settings(tmp_path / "shop")
