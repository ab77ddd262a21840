"""The environment of the warehouses of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """Environment variables for a warehouse that all tests of a module share; see worlds/warehouse.py."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch
