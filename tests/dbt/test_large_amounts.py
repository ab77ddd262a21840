"""Amounts in yen, won or rupiah, or of a very large shop: every mart is built, and its totals are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from loyalty.build import estimates
from loyalty.build.build import AFTER_ESTIMATES
from loyalty.pull.contract import load_contract
from worlds import every_column
from worlds.warehouse import Warehouse, new_warehouse

# Decimals of the contract that are no money. Every other one is, so that a new amount is tested as soon as it exists.
NO_MONEY = {
    *("quantity", "fulfilled_quantity", "points", "depth"),
    *("satisfaction_score", "rating", "rank", "stated_share", "scale_min", "scale_max", "score", "target"),
}
TABLES = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
TESTS = ("--exclude-resource-type", "unit_test")


def shop(folder: Path, environment: pytest.MonkeyPatch, amount: str) -> Warehouse:
    """Every feed with every column; `amount` is what becomes of a cell of money, as SQL of `{}`."""
    warehouse = new_warehouse(folder, environment)
    warehouse.set_build(every_column.AS_OF)
    every_column.land_night(warehouse, 0)
    with warehouse.connect() as connection:
        for feed in load_contract().values():
            money = [name for name, column in feed.columns.items() if column.type == "decimal" and name not in NO_MONEY]
            if money:
                changes = ", ".join(f"{name} = {amount.format(name)}" for name in money)
                connection.execute(f"update raw.{feed.name} set {changes}")
    return warehouse


def build(warehouse: Warehouse, resources: tuple[str, ...]) -> None:
    """What a build does: the models, the fits, what is scored from them."""
    warehouse.dbt("build", "--exclude", AFTER_ESTIMATES, *resources, variables=every_column.VARIABLES)
    with warehouse.connect() as connection:
        estimates.run(connection, every_column.AS_OF)
    warehouse.dbt("build", "--select", AFTER_ESTIMATES, *resources, variables=every_column.VARIABLES)


def test_f17_f18_a_million_millions_in_every_cell_of_money(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = shop(tmp_path, monkeypatch, "1000000000000 + {}")
    warehouse.dbt("build", "--exclude", AFTER_ESTIMATES, *TABLES, variables=every_column.VARIABLES)
    raw = warehouse.value(
        "select sum(lines.net_amount) from raw.order_lines as lines join raw.orders as orders "
        "on lines._source = orders._source and lines.order_id = orders.order_id"
    )
    assert raw > 10**15
    assert warehouse.value("select sum(recorded_net_amount) from core.fct_order_lines where base <> 'unknown'") == raw
    sold = warehouse.query(
        "select currency_code, sum(goods_amount + shipping_amount - refund_amount) from core.fct_customer_order_days "
        "group by all order by all"
    )
    assert dict(sold)["USD"] > 10**14
    for mart in ("retention__customer_months", "profitability__customer_months"):
        total = f"select currency_code, sum(net_amount) from marts.{mart} group by all order by all"
        assert warehouse.query(total) == sold, mart


@pytest.mark.slow
def test_f17_every_total_grows_with_the_amounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten million times the money: so large is every total, and every test of the project holds."""
    factor = 10**7
    large = shop(tmp_path / "large", monkeypatch, f"{{}} * {factor}")
    with large.connect() as connection:  # an answer with eleven digits would be a telephone number
        connection.execute(
            f"update raw.survey_answers set value = cast(cast(value as bigint) * {factor} as varchar) "
            "where question_code in ('category_spend', 'expected_price') and value is not null"
        )
    build(large, TESTS)
    plain = shop(tmp_path / "plain", monkeypatch, "{}")
    build(plain, TABLES)
    columns = plain.query(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "where table_schema = 'marts' and column_name like '%\\_amount' escape '\\' order by all"
    )
    assert len(columns) > 150
    wrong = []
    for table, column in columns:
        total = f"select coalesce(sum({column}), 0)::double from {table}"
        expected, found = plain.value(total), large.value(total) / factor
        # cents are cut before amounts are multiplied, not after
        if found != pytest.approx(expected, rel=0.01, abs=1):
            wrong.append((f"{table}.{column}", expected, found))
    assert wrong == []
