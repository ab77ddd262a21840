"""CDNOW (package lifetimes 0.11.3) as a workspace of its own: `loyalty init` and YAML, no Python.

The cohort figures are those of tests/oracles/cdnow_cohort_*.csv, computed from the same file with pandas.
"""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import lifetimes

from loyalty.common.progress import SILENT
from loyalty.common.settings import load_settings
from loyalty.operate import nightly
from loyalty.operate.new_workspace import make_workspace
from worlds.opened import opened

ORACLES = Path(__file__).parents[1] / "oracles"
SETTINGS = """\
home: var
vars:
  left_truncation: false
"""
FEED = """\
feed: orders
source: cdnow
group: orders
owner: data-engineering
description: CDNOW's master file, one row per purchase; it has no order id.
path: exports/CDNOW_master.txt
format: fixed_width
options: {names: [customer, date, cds, dollars], widths: [6, 9, 3, 8]}
time_zone: America/New_York
date_format: "%Y%m%d"
currency: USD
columns:
  order_id: _line
  customer_id: customer
  ordered_at: date
  total_amount: dollars
"""
COHORTS = """
    select strftime(cohort_month, '%Y-%m'), month_number, active_count, retention_rate, net_amount
    from marts.retention__cohort_months
    where segment_by = 'all' and active_count is not null
"""


def oracle(name: str) -> dict[tuple[str, int], str]:
    with (ORACLES / f"cdnow_cohort_{name}.csv").open(encoding="utf-8") as file:
        return {
            (row["cohort"], int(month)): value
            for row in csv.DictReader(file)
            for month, value in row.items()
            if month != "cohort" and value
        }


def test_cdnow_by_yaml_only(tmp_path: Path) -> None:
    workspace = tmp_path / "cdnow"
    make_workspace(workspace, SILENT)
    (workspace / "loyalty.yml").write_text(SETTINGS, encoding="utf-8")
    (workspace / "dags" / "feeds" / "orders.yml").write_text(FEED, encoding="utf-8")
    settings = load_settings(workspace)
    data = Path(lifetimes.__file__).parent / "datasets" / "CDNOW_master.txt"
    shutil.copy(data, settings.home / "exports" / data.name)

    said: list[str] = []
    assert nightly.run_nightly(opened(settings, said.append)) == nightly.CLEAN, said

    with duckdb.connect(str(settings.serve / "current" / "loyalty.duckdb"), read_only=True) as marts:
        rows = marts.execute(COHORTS).fetchall()
    counts = {(month, number): active for month, number, active, _, _ in rows}
    rates = {(month, number): rate for month, number, _, rate, _ in rows}
    amounts = {(month, number): amount for month, number, _, _, amount in rows}
    assert counts == {key: int(value) for key, value in oracle("counts").items()}
    assert {key: round(rate, 6) for key, rate in rates.items()} == {
        key: float(value) for key, value in oracle("retention").items()
    }
    assert amounts == {key: Decimal(value) for key, value in oracle("revenue").items()}
