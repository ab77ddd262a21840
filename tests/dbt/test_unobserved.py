"""What was not delivered is empty: without a feed, no figure becomes 0 or 1 in every row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.pull.contract import load_contract
from worlds.taken_away import Shop, build

pytestmark = pytest.mark.slow

# Figures that are still 0 or 1 without a feed: a list to make shorter, by feed, mart and column.
KNOWN = Path(__file__).parents[1] / "worlds" / "zero_without_feed.csv"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop with everything."""
    with pytest.MonkeyPatch.context() as environment:
        yield build(tmp_path_factory.mktemp("whole"), environment)


def known(feed: str) -> set[tuple[str, str]]:
    """Marts and columns that are known to become 0 or 1 without a feed."""
    with KNOWN.open(encoding="utf-8", newline="") as rows:
        return {(row["mart"], row["column"]) for row in csv.DictReader(rows) if row["feed"] == feed}


@pytest.mark.parametrize("feed", sorted(load_contract()))
def test_k2_no_figure_becomes_0_or_1_without_a_feed(shop: Shop, feed: str) -> None:
    found = {(one.mart, one.column) for one in shop.without(feed)}
    assert found - known(feed) == set(), "make these figures empty where the feed is missing"
