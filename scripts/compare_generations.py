"""Compare the marts of two published generations, cell by cell, where marts and columns were renamed between them.

    scripts/compare_generations.py OLD NEW [--renames FILE]

OLD and NEW are folders of generations, or files of marts. FILE is a table (CSV) with the columns kind, old, new:
`mart`, `loyalty__offer_months`, `programme__offer_months`; or `column`, `retention__customers.gap_days`,
`order_gap_days` (mart and column by their old names). A mart that was renamed may have moved to the schema `quality`.
A mart or column without a new name was removed, and is not compared. The kind `values` names a column whose values
changed on purpose.

Every mart of OLD must be in NEW with the same columns, types, rows and cells; the exit code is 1 when one is not.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

SCHEMAS = ("marts", "quality")


@dataclass
class Renames:
    """New names by old ones; an empty name means removed."""

    marts: dict[str, str] = field(default_factory=dict)
    columns: dict[tuple[str, str], str] = field(default_factory=dict)
    values: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def read(cls, file: Path | None) -> Renames:
        """The renames of a file, or none."""
        renames = cls()
        if file is None:
            return renames
        with file.open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                if row["kind"] == "mart":
                    renames.marts[row["old"]] = row["new"]
                    continue
                mart, _, column = row["old"].partition(".")
                if row["kind"] == "column":
                    renames.columns[mart, column] = row["new"]
                else:
                    renames.values.add((mart, column))
        return renames


def main() -> int:
    """Print what differs; 0 when nothing does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--renames", type=Path)
    asked = parser.parse_args()
    renames = Renames.read(asked.renames)
    with duckdb.connect() as connection:
        for name, path in (("before", asked.old), ("after", asked.new)):
            file = path / "loyalty.duckdb" if path.is_dir() else path
            connection.execute(f"attach '{file}' as {name} (read_only)")
        tables = _tables(connection, "after")
        marts = [name for (schema, name) in sorted(_tables(connection, "before")) if schema == "marts"]
        wrong = [line for mart in marts for line in _differences(connection, mart, renames, tables)]
    print("\n".join(wrong) or f"{len(marts)} marts are equal")
    return 1 if wrong else 0


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> set[tuple[str, str]]:
    found = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ? and list_contains(?, schema_name)",
        [database, list(SCHEMAS)],
    ).fetchall()
    return {(schema, name) for schema, name in found}


def _columns(connection: duckdb.DuckDBPyConnection, database: str, schema: str, table: str) -> dict[str, str]:
    found = connection.execute(
        "select column_name, data_type from duckdb_columns() "
        "where database_name = ? and schema_name = ? and table_name = ? order by column_index",
        [database, schema, table],
    ).fetchall()
    return dict(found)


def _differences(
    connection: duckdb.DuckDBPyConnection, mart: str, renames: Renames, tables: set[tuple[str, str]]
) -> Iterator[str]:
    name = renames.marts.get(mart, mart)
    if not name:
        return
    schema = next((schema for schema in SCHEMAS if (schema, name) in tables), None)
    if schema is None:
        yield f"{mart}: there is no {name}"
        return
    old = {
        column: (renames.columns.get((mart, column), column), kind)
        for column, kind in _columns(connection, "before", "marts", mart).items()
    }
    before = {new: kind for new, kind in old.values() if new}
    after = _columns(connection, "after", schema, name)
    if before.keys() - after.keys():
        yield f"{mart}: {name} lacks the columns {', '.join(sorted(before.keys() - after.keys()))}"
    is_merged = [renames.marts.get(one, one) for one in {mart, name, *renames.marts}].count(name) > 1
    if is_merged:  # it has the columns of the other mart too, and perhaps its rows
        after = {column: kind for column, kind in after.items() if column in before}
    if after.keys() - before.keys():
        yield f"{mart}: {name} has the new columns {', '.join(sorted(after.keys() - before.keys()))}"
    shared = sorted(before.keys() & after.keys())
    types = [f"{column} {before[column]}, now {after[column]}" for column in shared if before[column] != after[column]]
    if types:
        yield f"{mart}: other types: {'; '.join(types)}"
    was = {new: column for column, (new, _) in old.items() if new}
    shared = [column for column in shared if (mart, was[column]) not in renames.values]
    left = f"select {_list(was[column] for column in shared)} from before.marts.{_quoted(mart)}"
    right = f"select {_list(shared)} from after.{_quoted(schema)}.{_quoted(name)}"
    directions = (("only before", left, right), ("only after", right, left))
    for what, one, other in directions[:1] if is_merged else directions:
        count = connection.execute(f"select count(*) from ({one} except all {other})").fetchall()[0][0]
        if count:
            yield f"{mart}: {count:,} rows {what} ({_different_columns(connection, mart, schema, name, was, shared)})"


def _different_columns(
    connection: duckdb.DuckDBPyConnection, mart: str, schema: str, name: str, was: dict[str, str], shared: list[str]
) -> str:
    """The columns whose values differ, each looked at alone."""
    found = []
    for column in shared:
        one = f"select {_quoted(was[column])} from before.marts.{_quoted(mart)}"
        other = f"select {_quoted(column)} from after.{_quoted(schema)}.{_quoted(name)}"
        if connection.execute(f"select count(*) from ({one} except all {other})").fetchall()[0][0]:
            found.append(column)
    return f"columns that differ: {', '.join(found)}" if found else "columns are equal one by one"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _list(names: Iterable[str]) -> str:
    return ", ".join(_quoted(name) for name in names)


if __name__ == "__main__":
    sys.exit(main())
