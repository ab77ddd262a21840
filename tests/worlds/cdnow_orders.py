"""CDNOW's purchases (package lifetimes 0.11.3) as orders. The files have no order id, so every line is an order,
repeats and zero amounts included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import lifetimes
import pandas as pd
import pytest

from worlds.warehouse import Warehouse, new_warehouse

DATASETS = Path(lifetimes.__file__).parent / "datasets"
LAST_DAY = date(1998, 6, 30)


def master_orders() -> pd.DataFrame:
    """The master file: 69,659 lines of 23,570 customers."""
    lines = pd.read_fwf(DATASETS / "CDNOW_master.txt", widths=[6, 9, 3, 8], skiprows=1, header=None, dtype=str)
    lines.columns = ["customer_id", "day", "quantity", "amount"]
    return _orders(lines)


def sample_orders() -> pd.DataFrame:
    """The sample that papers are written about: 6,919 lines of 2,357 customers."""
    columns = ["master_id", "customer_id", "day", "quantity", "amount"]
    return _orders(pd.read_csv(DATASETS / "CDNOW_sample.txt", sep=r"\s+", names=columns, dtype=str))


@contextmanager
def master_warehouse(folder: Path, *selected: str, variables: Mapping[str, Any]) -> Iterator[Warehouse]:
    """A warehouse of the master file as of its last day, with what `dbt build --select` has built of it."""
    with pytest.MonkeyPatch.context() as environment:
        warehouse = new_warehouse(folder, environment)
        warehouse.load("orders", master_orders(), source="cdnow")
        warehouse.set_build(LAST_DAY)
        warehouse.dbt("build", "--select", *selected, variables=variables)
        yield warehouse


def _orders(lines: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "order_id": (lines.index + 1).astype(str),
            "customer_id": lines["customer_id"],
            "ordered_at": pd.to_datetime(lines["day"], format="%Y%m%d"),
            "currency_code": "USD",
            "total_amount": lines["amount"].astype(float),
        }
    )
