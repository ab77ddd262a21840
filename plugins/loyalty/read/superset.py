"""The datasets of the Superset bundle in bi/superset, written from the marts' yml; charts and dashboard are by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import yaml

from loyalty.read.catalogue import models

FOLDER = "bi/superset"
# Superset knows what it imported before by these: they never change.
NAMES = uuid5(NAMESPACE_DNS, "loyalty-warehouse")
DATES = ("date", "timestamp")


def bundle_id(kind: str, name: str) -> str:
    """The id of a database, dataset, chart or dashboard of the bundle."""
    return str(uuid5(NAMES, f"{kind}/{name}"))


def dataset_files(manifest: Mapping[str, Any], bundle: Path) -> dict[str, str]:
    """A dataset for each mart that a chart of the bundle reads, by its path in the bundle."""
    read = {yaml.safe_load(chart.read_text("utf-8"))["dataset_uuid"] for chart in (bundle / "charts").glob("*.yaml")}
    return {
        f"datasets/loyalty/{model.name}.yaml": yaml.safe_dump(
            {
                "table_name": model.name,
                "schema": "quality" if model.topic == "quality" else "marts",
                "description": model.description,
                "main_dttm_col": next((name for name, (kind, _) in model.columns.items() if kind in DATES), None),
                "filter_select_enabled": True,
                "columns": [
                    {
                        "column_name": name,
                        "type": kind.upper() or None,
                        "description": says,
                        "is_dttm": kind in DATES,
                        "is_active": True,
                        "groupby": True,
                        "filterable": True,
                    }
                    for name, (kind, says) in model.columns.items()
                ],
                "metrics": [{"metric_name": "count", "metric_type": "count", "expression": "count(*)"}],
                "uuid": bundle_id("dataset", model.name),
                "version": "1.0.0",
                "database_uuid": bundle_id("database", "loyalty"),
            },
            sort_keys=False,
            width=120,
            allow_unicode=True,
        )
        for model in models(manifest)
        if bundle_id("dataset", model.name) in read
    }
