"""Marts of two generated shops agree, column by column, with what pandas makes of the raw rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from recomputed import MARTS, Books, books
from shops import Shop, one_time_buyers, till

from worlds.warehouse import Warehouse, new_warehouse

CLOSE = 1e-9
CLOSE_BY_COLUMN = {  # see README.md
    "order_gap_trend_p_value": 1e-6,
    **dict.fromkeys(("c_ratio", "sow_stated_raw", "sow_stated", "sow_imputed"), 1e-8),
}
# Columns that are not what their page says; README.md has the smallest rows.
KNOWN_DIFFERENCES: dict[tuple[str, str], set[str]] = {}
CUSTOMERS = "select customer_key, customer_id from core.dim_customers"
AUDITED_SEGMENTS = {"all", "age_band"}


def _built(shop: Shop, marts: list[str], folder: Path, environment: pytest.MonkeyPatch) -> Warehouse:
    warehouse = new_warehouse(folder, environment)
    warehouse.set_build(shop.as_of, currency="EUR")
    for feed, rows in shop.feeds.items():
        warehouse.load(feed, rows, source=shop.source)
    untested = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    warehouse.dbt("build", "--select", *[f"+{mart}" for mart in marts], *untested)
    return warehouse


SHOPS = {"one_time_buyers": one_time_buyers, "till": till}
AUDITS = [
    (shop, mart) for shop in SHOPS for mart in MARTS if shop != "till" or not mart.startswith("satisfaction__")
]  # the till asks no customer anything


@pytest.fixture(scope="module")
def audited(
    tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch
) -> Callable[[str], tuple[Warehouse, Books]]:
    """Gives a built shop by its name, and the same shop's rows for pandas; each is built once."""

    @cache
    def built(name: str) -> tuple[Warehouse, Books]:
        shop = SHOPS[name]()
        marts = [mart for one, mart in AUDITS if one == name]
        return _built(shop, marts, tmp_path_factory.mktemp(name), environment), books(shop)

    return built


def _published(warehouse: Warehouse, mart: str, expected: pd.DataFrame) -> pd.DataFrame:
    """The mart's rows and columns that the audit covers, guests under their base."""
    with warehouse.connect() as connection:
        rows = connection.execute(f"select * from marts.{mart}")
        names = [column[0] for column in rows.description]
        frame = pd.DataFrame(rows.fetchall(), columns=names, dtype=object)
    if "base" in frame:
        frame["customer_id"] = frame["customer_id"].where(frame["base"] == "customer", frame["base"])
    elif "customer_id" in expected.index.names and "customer_id" not in frame:
        frame["customer_id"] = frame["customer_key"].map(dict(warehouse.query(CUSTOMERS)))
    if "segment_by" in frame:
        frame = frame[frame["segment_by"].isin(AUDITED_SEGMENTS)]
    return frame.set_index(list(expected.index.names)).sort_index()[list(expected.columns)]


def _plain(value: Any) -> Any:
    """None for every kind of empty."""
    return None if value is pd.NaT or value != value else value


def _agrees(found: Any, expected: Any, close: float) -> bool:
    if found is None or expected is None:
        return found is expected
    if isinstance(expected, float):
        return abs(float(found) - expected) <= close * max(1.0, abs(expected))
    if isinstance(expected, Decimal):
        return Decimal(str(found)) == expected
    return bool(found == expected)


def _differences(found: pd.DataFrame, expected: pd.DataFrame) -> dict[str, str]:
    """One sentence for each column that differs: how often, and the first row that shows it."""
    said = {}
    for column in expected:
        pairs = [
            (key, mart, _plain(page))
            for key, mart, page in zip(expected.index, found[column], expected[column], strict=True)
            if not _agrees(_plain(mart), _plain(page), CLOSE_BY_COLUMN.get(column, CLOSE))
        ]
        if pairs:
            key, mart, page = pairs[0]
            said[column] = f"{len(pairs)} rows, first {key}: the mart has {mart!r}, the page says {page!r}"
    return said


@pytest.mark.parametrize(("shop", "mart"), AUDITS)
def test_a_mart_is_what_its_page_says(audited: Callable[[str], tuple[Warehouse, Books]], shop: str, mart: str) -> None:
    warehouse, book = audited(shop)
    expected = MARTS[mart](book)
    found = _published(warehouse, mart, expected)
    assert set(_listed(mart)) >= set(expected.columns), f"edit the row of {mart} in tests/audit/README.md"
    missing = [key for key in expected.index if key not in found.index]
    more = [key for key in found.index if key not in expected.index]
    assert (missing[:3], more[:3]) == ([], []), f"{len(missing)} rows are missing, {len(more)} are not expected"
    said = _differences(found, expected)
    known = KNOWN_DIFFERENCES.get((book.shop.source, mart), set())
    assert {column: said[column] for column in said.keys() - known} == {}
    assert known <= said.keys(), "these agree now: take them out of KNOWN_DIFFERENCES and of README.md"


def _listed(mart: str) -> list[str]:
    """The columns that README.md lists for a mart."""
    page = (Path(__file__).parent / "README.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith(f"| `{mart}` | "))
    return re.findall(r"`(\w+)`", row)[1:]


def test_a_difference_names_its_column_and_row() -> None:
    index = pd.Index(["a", "b"])
    expected = pd.DataFrame({"n": [1, 2], "r": [0.5, None], "d": [date(2024, 1, 1)] * 2}, index=index, dtype=object)
    found = expected.copy()
    assert _differences(found, expected) == {}
    found.loc["b", "n"] = 3
    assert _differences(found, expected) == {"n": "1 rows, first b: the mart has 3, the page says 2"}
