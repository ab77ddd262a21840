"""Hardly any data, and data that are all alike: every mart builds, holds its own tests, and says NULL where it must."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from surveys import load_survey, question
from warehouse import Warehouse, new_warehouse

from loyalty import estimation
from loyalty.warehouse import LATE

AS_OF = date(2017, 12, 31)
CURRENCIES = ("USD", "EUR", "JPY")


def _orders(customers: int, each: int, currencies: tuple[str, ...] = ("USD",)) -> list[dict[str, Any]]:
    """Every customer buys `each` times, four weeks apart, always in the same currency."""
    return [
        {
            "order_id": f"{customer}-{number}",
            "customer_id": f"c{customer:02}",
            "ordered_at": datetime(2017, 12, 20, 12) - timedelta(days=28 * number + customer % 5),
            "currency_code": currencies[customer % len(currencies)],
        }
        for customer in range(customers)
        for number in range(each)
    ]


def _lines(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"order_id": order["order_id"], "line_number": 1, "product_id": "p", "quantity": 1, "net_amount": Decimal(10)}
        for order in orders
    ]


def _land_shop(warehouse: Warehouse, orders: list[dict[str, Any]]) -> None:
    warehouse.load("orders", orders)
    warehouse.load("order_lines", _lines(orders))
    warehouse.load("products", [{"product_id": "p", "category": "all there is", "unit_cost": Decimal(4)}])


def one_of_everything(warehouse: Warehouse) -> None:
    """One customer, one order, one product, one day, and no survey."""
    _land_shop(warehouse, _orders(customers=1, each=1))


def one_answer(warehouse: Warehouse) -> None:
    """25 customers, one of whom answered one question."""
    _land_shop(warehouse, _orders(customers=25, each=4))
    load_survey(
        warehouse,
        [question("s", "overall", "overall_satisfaction", 1, 5)],
        [{"overall": 5, "_customer_id": "c01", "_submitted_at": datetime(2017, 11, 1, 12)}],
    )


def all_alike(warehouse: Warehouse) -> None:
    """25 customers in three currencies without a rate, who all answer the same to every question."""
    _land_shop(warehouse, _orders(customers=25, each=4, currencies=CURRENCIES))
    roles = ("overall_satisfaction", "recommend", "expectation", "perceived", "dimension:quality", "dimension:service")
    sheet = {f"q{position}": 8 for position in range(len(roles))}
    load_survey(
        warehouse,
        [question("s", f"q{position}", role, 0, 10) for position, role in enumerate(roles)],
        [
            {**sheet, "_customer_id": f"c{customer:02}", "_submitted_at": datetime(2017, 11, 1, 12)}
            for customer in range(25)
        ],
    )


def _build(warehouse: Warehouse) -> list[estimation.Fit]:
    """The whole night's build, its data tests included."""
    warehouse.set_build(AS_OF)
    warehouse.dbt("build", "--exclude", *LATE, "--exclude-resource-type", "unit_test")
    with warehouse.connect() as connection:
        fits = estimation.run(connection, AS_OF, lambda _: None)
    warehouse.dbt("build", "--select", *LATE, "--exclude-resource-type", "unit_test")
    return fits


def _not_finite(warehouse: Warehouse) -> list[str]:
    """Columns of marts that hold an infinity or something that is no number."""
    columns = warehouse.query(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts' and data_type = 'DOUBLE'"
    )
    assert columns
    return [
        f"{table}.{column}"
        for table, column in columns
        if warehouse.value(f'select count(*) from marts."{table}" where not isfinite("{column}")')
    ]


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(one_of_everything, marks=pytest.mark.slow, id="one of everything"),
        pytest.param(one_answer, marks=pytest.mark.slow, id="one answer"),
        pytest.param(all_alike, id="all alike, in three currencies"),
    ],
)
def test_every_mart_builds_and_keeps_its_own_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: Callable[[Warehouse], None]
) -> None:
    warehouse = new_warehouse(tmp_path, monkeypatch)
    scene(warehouse)
    fits = _build(warehouse)
    assert _not_finite(warehouse) == []
    assert [str(fit) for fit in fits if fit.is_fitted] == []
    assert all(fit.reason for fit in fits)
    net = warehouse.query("select currency_code, sum(net_amount) from core.fct_orders group by 1 order by 1")
    earned = warehouse.query(
        "select currency_code, sum(net_amount) from marts.profitability__customers where net_amount <> 0 "
        "group by 1 order by 1"
    )
    assert earned == net
    figures = warehouse.query("select satisfaction_index, top_box_rate, nps from marts.satisfaction__segment_months")
    assert set(figures) <= {(None, None, None)}
