"""What a reader takes along has the same rows as the query, and no cell that a spreadsheet runs."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pytest

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.publish.generations import Generation, require_current
from loyalty.read.dashboard import downloads
from loyalty.read.query import asked, write
from worlds import few_marts

SQL = "select * from marts.retention__customer_months order by all"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Generation]:
    """A workspace and its published generation."""
    settings = few_marts.make_workspace(tmp_path_factory.mktemp("few_marts") / "shop")
    return settings, require_current(settings)


def test_the_csv_is_that_of_loyalty_query(shop: tuple[Settings, Generation]) -> None:
    expected = io.StringIO()
    with asked(shop[0], SQL) as answer:
        write(answer, "csv", expected)
    assert downloads.csv_of(*shop, SQL).decode("utf-8-sig") == expected.getvalue()
    assert "'=b" in expected.getvalue()


def test_the_workbook_has_the_rows_and_says_what_they_are(shop: tuple[Settings, Generation]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(downloads.xlsx_of(*shop, SQL, [("about", "=1+1"), ("SQL", SQL)])))
    head, first, *_ = book["rows"].values
    assert head[:3] == ("customer_key", "source", "base")
    assert first[0] == "'=b"
    assert (first[3].year, first[7]) == (2026, 130)
    assert list(book["about"].values) == [("about", "'=1+1"), ("SQL", SQL)]


def test_more_rows_than_a_sheet_holds_are_offered_as_csv(
    shop: tuple[Settings, Generation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_SHEET_ROWS", 3)
    with pytest.raises(UserError, match="A sheet holds 3 rows and these are more: download them as CSV."):
        downloads.xlsx_of(*shop, SQL, [])


def test_a_download_is_of_the_generation_on_the_page(tmp_path: Path) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    on_the_page = require_current(settings)
    few_marts.publish(settings, 2, "2026-04-01", "delete from marts.retention__customer_months")
    assert downloads.csv_of(settings, on_the_page, SQL).count(b"\n") == 4


def test_two_readers_can_take_rows_at_the_same_time(shop: tuple[Settings, Generation]) -> None:
    with ThreadPoolExecutor(4) as readers:
        found = list(readers.map(lambda _: downloads.csv_of(*shop, SQL), range(12)))
    assert len(set(found)) == 1
