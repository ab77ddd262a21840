"""What was not delivered is empty: without a feed, or a column that may be left out, no figure becomes 0 or 1.

And no data test of dbt fails, because a test that fails withholds the marts of a shop whose exports are in order.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.pull.contract import load_contract
from worlds.taken_away import Shop, build

# Where 0 or 1 is right without a feed or a column, and why: by what was taken away, mart and column.
KNOWN = Path(__file__).parents[1] / "worlds" / "zero_without_feed.csv"
OPTIONAL = sorted(
    f"{feed.name}.{column.name}"
    for feed in load_contract().values()
    for column in feed.columns.values()
    if not column.required
)
# The shop's fits are not made anew: without some of its questions, the shares of a fit miss those of their drivers.
SHARES_OF_A_FIT = "shares_add_up_satisfaction__drivers"
DRAWN = (
    "tickets",
    "refunds",
    "contracts.ended_at",
    "costs.level",
    "orders.customer_id",
    "orders.promised_at",
    "programme.programme_id",
    "referrals.accepted_at",
    "survey_sends.disposition",
    "tickets.kind",
    "tickets.reopened_count",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop with everything."""
    with pytest.MonkeyPatch.context() as environment:
        yield build(tmp_path_factory.mktemp("whole"), environment)


def known() -> list[dict[str, str]]:
    """The rows of the list."""
    with KNOWN.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def hold(shop: Shop, taken: str) -> None:
    """The figures of the list, and no others, become 0 or 1 when a feed, or `feed.column`, is taken away.

    No data test fails.
    """
    feed, _, column = taken.partition(".")
    missing = shop.without(feed, column or None)
    failed = [one for one in missing.failed_tests if not one.startswith(SHARES_OF_A_FIT)]
    assert failed == [], f"these data tests must hold without {taken} too: nothing is wrong with the data"
    found = {(one.mart, one.column) for one in missing.changes}
    listed = {(row["mart"], row["column"]) for row in known() if row["taken"] == taken}
    assert found - listed == set(), f"make these figures empty without {taken}, or say in {KNOWN} why 0 or 1 is right"
    assert listed - found == set(), f"these figures are empty without {taken}: delete their rows from {KNOWN}"


@pytest.mark.parametrize("taken", DRAWN)
def test_k2_no_figure_becomes_0_or_1_without_some_feeds_and_columns(shop: Shop, taken: str) -> None:
    hold(shop, taken)


@pytest.mark.slow
@pytest.mark.parametrize("feed", sorted(load_contract()))
def test_k2_no_figure_becomes_0_or_1_without_a_feed(shop: Shop, feed: str) -> None:
    hold(shop, feed)


@pytest.mark.slow
@pytest.mark.parametrize("column", OPTIONAL)
def test_k2_no_figure_becomes_0_or_1_without_an_optional_column(shop: Shop, column: str) -> None:
    hold(shop, column)


def test_k2_every_0_or_1_that_stays_has_its_reason() -> None:
    rows = known()
    assert all(None not in row for row in rows), "a reason with a comma is in quotes"
    assert all(len(row["why"]) > 20 for row in rows), "say in the column `why` why it is no missing figure"
    assert len({(row["taken"], row["mart"], row["column"]) for row in rows}) == len(rows)
    assert {row["taken"] for row in rows} <= {*load_contract(), *OPTIONAL}
