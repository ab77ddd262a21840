"""A load of ten million rows takes no more memory than one of a million: what is read is let go again."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

import duckdb
import pytest

from loyalty.common.ledger import Ledger
from loyalty.common.settings import Settings, load_settings, shipped
from worlds import one_mart
from worlds.killing import start

pytestmark = pytest.mark.torture
MILLION = 1_000_000
# What a file ten times as large may add: the room in which the keys of any load are counted (MEMORY in profile.py).
# Without that bound the keys alone would add 560 MB.
LARGEST_GROWTH = 256_000_000 / 1024


def land_and_say_the_peak(folder: Path, said: Path) -> None:
    one_mart.load(load_settings(folder))
    said.write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


def shop_with(folder: Path, rows: int) -> Settings:
    """A workspace with one export of SIMULATED orders, each with a key of its own."""
    settings = one_mart.make_workspace(folder, expectations=shipped("expectations"))
    export = one_mart.deliver(settings, "2017-12-30", "")
    duckdb.sql(
        f"""
        copy (
            select 'order-' || range as id, 'customer-' || range % 200000 as customer,
                timestamp '2017-01-01' + to_seconds(range % 31000000) as at, (range % 9973) / 100 as total
            from range({rows})
        ) to '{export}' (header)
        """
    )
    return settings


def peak_of_landing(folder: Path, rows: int) -> int:
    """The most memory that landing an export of so many rows took, in a process of its own; the load is not kept."""
    settings = shop_with(folder / "shop", rows)
    process = start(land_and_say_the_peak, settings.workspace, folder / "peak")
    process.join()
    assert [load.row_count for load in Ledger(settings.ledger).loads()] == [rows]
    peak = int((folder / "peak").read_text())
    shutil.rmtree(folder)
    return peak


def test_ten_million_rows_take_no_more_memory_than_a_million(tmp_path):
    small, large = (peak_of_landing(tmp_path / str(rows), rows) for rows in (MILLION, 10 * MILLION))
    assert large - small < LARGEST_GROWTH, f"{small / 1024:,.0f} and {large / 1024:,.0f} MiB"
