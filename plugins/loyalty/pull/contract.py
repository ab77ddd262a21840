"""The input contract: which columns a canonical feed has, of which type, and which identify a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

ColumnType = Literal["text", "timestamp", "date", "decimal", "rate", "integer", "boolean"]

SQL_TYPES: dict[str, str] = {
    "text": "varchar",
    "timestamp": "timestamp",
    "date": "date",
    "decimal": "decimal(18,4)",
    "rate": "decimal(18,8)",
    "integer": "bigint",
    "boolean": "boolean",
}

# What landing adds to every row: where it came from and which version of the record it is.
LINEAGE: dict[str, str] = {
    "_feed": "varchar",
    "_source": "varchar",
    "_file": "varchar",
    "_line": "bigint",
    "_loaded_at": "timestamp",
    "_version_at": "timestamp",
    "_time_zone": "varchar",
}

# Every column of the contract that can hold a customer's id.
PERSON_COLUMNS = ("customer_id", "into_customer_id", "payer_id", "referrer_customer_id", "referred_customer_id")


@dataclass(frozen=True)
class Column:
    """One column of a canonical feed."""

    name: str
    type: ColumnType
    required: bool = False
    personal: Literal["hash", "drop"] | None = None

    @property
    def landed(self) -> dict[str, str]:
        """The landed columns this one becomes: name -> SQL type."""
        if self.personal == "hash":
            return {f"has_{self.name}": "boolean", f"{self.name}_hash": "varchar"}
        if self.personal == "drop":
            return {f"has_{self.name}": "boolean"}
        if self.type == "timestamp":
            return {self.name: "timestamp", local_date_name(self.name): "date"}
        return {self.name: SQL_TYPES[self.type]}


@dataclass(frozen=True)
class CanonicalFeed:
    """One feed of the contract: its columns, its key, and the columns of its time and its amount."""

    name: str
    columns: dict[str, Column]
    key: tuple[str, ...]
    event: str | None = None
    amount: str | None = None
    schema_version: int = 1
    required: tuple[str, ...] = field(default=())

    @property
    def landed_columns(self) -> dict[str, str]:
        """Every column of the landed Parquet but the user's own `x_*`: name -> SQL type."""
        landed: dict[str, str] = {}
        for column in self.columns.values():
            landed |= column.landed
        return landed | LINEAGE


def hashed_columns(manifest: dict[str, Any]) -> set[str]:
    """The columns of a landed load that hold keyed hashes: of personal columns, and ids that its mapping hashes."""
    columns = load_contract()[manifest["feed"]].columns.values()
    personal = {f"{column.name}_hash" for column in columns if column.personal == "hash"}
    return (personal | set(manifest.get("hashed_ids", []))) & manifest["columns"].keys()


def local_date_name(timestamp_column: str) -> str:
    """The name of the local business date kept beside a UTC timestamp: ordered_at -> ordered_date."""
    return f"{timestamp_column.removesuffix('_at')}_date" if timestamp_column != "at" else "at_date"


@cache
def load_contract() -> dict[str, CanonicalFeed]:
    """All canonical feeds by name, as contract.yml declares them."""
    document = yaml.safe_load(Path(__file__).with_name("contract.yml").read_text(encoding="utf-8"))
    return {name: _feed(name, declared, document["schema_version"]) for name, declared in document["feeds"].items()}


def _feed(name: str, declared: dict, schema_version: int) -> CanonicalFeed:
    personal = declared.get("personal", {})
    columns = {
        column: Column(column, kind.rstrip("!"), kind.endswith("!"), personal.get(column))
        for column, kind in declared["columns"].items()
    }
    return CanonicalFeed(
        name=name,
        columns=columns,
        key=tuple(declared["key"]),
        event=declared.get("event"),
        amount=declared.get("amount"),
        schema_version=schema_version,
        required=tuple(column.name for column in columns.values() if column.required),
    )
