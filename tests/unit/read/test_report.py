"""The report of a generation: whole in itself, written with the generation, and never the reason that marts wait."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from loyalty.common.settings import Settings
from loyalty.operate import publishing
from loyalty.publish.generations import current_generation, wrong_files
from loyalty.read import changes, report
from worlds import one_mart
from worlds.opened import opened

MONTHS = """
    create schema marts;
    create table marts.retention__customer_months (
        customer_key varchar, base varchar, month date, is_partial_month boolean, currency_code varchar,
        order_count bigint, net_amount decimal(28, 4), refund_amount decimal(28, 4)
    );
    create table marts.retention__segment_months (
        segment_by varchar, segment varchar, month date, currency_code varchar, order_amount decimal(28, 4)
    );
"""


def test_a_generation_has_its_report_and_the_manifest_knows_it(waiting: Settings) -> None:
    generation = publishing.publish(opened(waiting), now=one_mart.NOW)
    assert generation is not None
    page = (waiting.serve / "current" / report.REPORT).read_text(encoding="utf-8")
    assert report.REPORT in generation.manifest["files"]
    assert wrong_files(generation.folder) == []
    assert f"Generation {generation.name}" in page
    assert "Compared with generation 000001" in page


def test_the_report_asks_for_nothing_from_outside(waiting: Settings) -> None:
    publishing.publish(opened(waiting), now=one_mart.NOW)
    page = (waiting.serve / "current" / report.REPORT).read_text(encoding="utf-8")
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!#)[^"]+"', page) == []
    assert "@import" not in page


def test_both_languages_say_why_a_figure_has_no_rows(waiting: Settings) -> None:
    publishing.publish(opened(waiting), now=one_mart.NOW)
    page = (waiting.serve / "current" / report.REPORT).read_text(encoding="utf-8")
    assert page.count("Nothing to show") > 5
    assert page.count("Nothing to show") == page.count("暂无内容")


def test_without_a_report_the_marts_are_published_all_the_same(
    waiting: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no font")

    monkeypatch.setattr(report, "render", broken)
    said: list[str] = []
    generation = publishing.publish(opened(waiting, said.append), now=one_mart.NOW)
    assert generation is not None
    assert generation == current_generation(waiting)
    assert "the report could not be made (no font): the marts are published without it" in said


def test_a_change_is_split_by_what_customers_did_and_by_segment() -> None:
    """Two customers with an order of 10 each; then a third comes with 16, and one gives 4 back."""
    with duckdb.connect() as connection:
        connection.execute(MONTHS)
        connection.execute("""
            insert into marts.retention__customer_months values
                ('a', 'customer', '2026-01-01', false, 'USD', 1, 10, 0),
                ('b', 'customer', '2026-01-01', false, 'USD', 1, 10, 0),
                ('a', 'customer', '2026-02-01', false, 'USD', 1, 6, 4),
                ('b', 'customer', '2026-02-01', false, 'USD', 1, 10, 0),
                ('c', 'customer', '2026-02-01', false, 'USD', 1, 16, 0),
                ('c', 'customer', '2026-03-01', true, 'USD', 1, 99, 0);
            insert into marts.retention__segment_months values
                ('region', 'north', '2026-01-01', 'USD', 20), ('region', 'north', '2026-02-01', 'USD', 20),
                ('region', 'south', '2026-02-01', 'USD', 16);
        """)
        change = report.last_change(connection)
    assert change is not None
    assert (change.month, change.month_before) == (date(2026, 2, 1), date(2026, 1, 1))
    # 2 x 10 becomes 3 x 12: the customers bring (1 * 10 + 1 * 12) / 2 = 11, the orders' value (2 * 2 + 3 * 2) / 2 = 5
    assert change.factors == {
        "customers": Decimal("11.00"),
        "orders per customer": Decimal("0.00"),
        "revenue per order": Decimal("5.00"),
        "refunds": Decimal("-4.00"),
        "outside the base": Decimal("0.00"),
    }
    assert change.amount == Decimal("12.00")
    assert change.segments == {"region": {"south": Decimal("16.00"), "north": Decimal("0.00")}}


def test_a_month_that_was_over_and_is_another_now_is_restated() -> None:
    with duckdb.connect() as connection:
        connection.execute(MONTHS)
        connection.execute("attach ':memory:' as earlier; use earlier")
        connection.execute(MONTHS)
        connection.execute("use memory")
        row = "('a', 'customer', '2026-0{0}-01', {1}, 'USD', 1, {2}, 0)"
        for schema, amounts in (("earlier.", (10, 20, 5)), ("", (10, 25, 30))):
            rows = ", ".join(
                row.format(month, "true" if month == 3 and schema else "false", amount)
                for month, amount in enumerate(amounts, 1)
            )
            connection.execute(f"insert into {schema}marts.retention__customer_months values {rows}")
        found = changes.restated(connection)
    assert found == [(date(2026, 2, 1), "USD", Decimal("20.0000"), Decimal("25.0000"))]
