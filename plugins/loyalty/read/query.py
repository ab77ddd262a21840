"""Reading the published marts from the command line: one statement, read-only, nothing outside the file."""

from __future__ import annotations

import csv
import json
import math
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, Literal, TextIO

import duckdb

from loyalty.common.duckdb_session import prepare_session
from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.common.spreadsheet import neutral
from loyalty.common.text_table import plain, table
from loyalty.publish.generations import CONTENT, CORE_FILE, MARTS_FILE, Generation, require_current

Format = Literal["table", "csv", "json"]

READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
# Table functions that read the marts and the catalogue, or make rows; files, logs and settings are not among them.
TABLE_FUNCTIONS = {
    *("range", "generate_series", "unnest", "repeat", "json_each", "json_tree", "summary"),
    *("duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_functions", "duckdb_keywords"),
    *("duckdb_schemas", "duckdb_tables", "duckdb_types", "duckdb_views", "duckdb_indexes"),
    *("pragma_table_info", "pragma_show", "pragma_version", "pg_timezone_names", "pragma_database_size"),
}
NOT_READING = {"write_log", "nextval", "currval", "getenv", "json_execute_serialized_sql"}
EXPLAIN = re.compile(r"^explain\s+(analyze\s+)?(\([^)]*\)\s*)?", re.IGNORECASE)
ASK_CORE = '`loyalty query` asks the marts; core is for analysts: `loyalty dev`, then `loyalty dev --query "..."`.'
LONGEST_SECONDS = 300.0
EXPLAINED = ("explain_key", "explain_value")
LONGEST_TABLE = 1000
ROWS_AT_ONCE = 10_000
EXACT_DIGITS = 15


@dataclass(frozen=True)
class Answer:
    """The rows of a query under their column names; `rows` may come as they are read, once."""

    columns: tuple[str, ...]
    rows: Iterable[tuple[Any, ...]]


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a question to the current generation; see `asked`."""
    with asked(settings, sql) as answer:
        return list(answer.rows)


@contextmanager
def asked(
    settings: Settings, sql: str, seconds: float = LONGEST_SECONDS, generation: Generation | None = None
) -> Iterator[Answer]:
    """Ask a generation, or the current one; marts need no schema name (`select * from retention__cohort_months`).

    The rows are read while the block takes them, so that a result of any size takes the same memory.
    Raises UserError with DuckDB's own message for a wrong statement, and for one that does not only read.
    """
    file = (generation or require_current(settings)).marts_file
    config: dict[str, Any] = {
        "enable_external_access": "false",
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "temp_directory": "",  # a question that needs more memory than that ends instead of filling the disk
    }
    try:
        with duckdb.connect(str(file), read_only=True, config=config) as connection:
            statement = _one_question(connection, sql)
            prepare_session(connection)
            connection.execute(f"set search_path = '{_schemas(connection)}'")
            connection.execute("set lock_configuration = true")
            with _time_limit(connection, seconds):
                cursor = connection.execute(statement)
                names = tuple(column[0] for column in cursor.description or [])
                yield Answer(names, _rows(cursor))
    except duckdb.InterruptException:
        raise UserError(
            f"The query took longer than {seconds:g} seconds and was stopped: ask for less, or give it more with "
            "`--timeout SECONDS`."
        ) from None
    except duckdb.Error as error:
        message = " ".join(str(error).split())
        is_of_core = any(f'schema "{name}" does not exist' in message for name in CONTENT[CORE_FILE])
        raise UserError(f"{message}. {ASK_CORE}" if is_of_core else message) from None


@contextmanager
def _time_limit(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _one_question(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The one statement of the text; UserError for more, for one that does not read, and for strange functions."""
    statements = duckdb.extract_statements(sql)
    if len(statements) != 1 or statements[0].type not in READING:
        raise UserError(
            "`loyalty query` takes one statement that reads: select, with, from, describe, show or explain."
        )
    text = EXPLAIN.sub("", statements[0].query.strip(), count=1)
    tree = json.loads(connection.execute("select json_serialize_sql(?)", [text]).fetchall()[0][0])
    if tree["error"]:
        raise UserError("`loyalty query` takes select, with, from, describe, show and summarize, or explain of these.")
    if strange := sorted(_functions(tree) & NOT_READING | (_functions(tree, "TABLE_FUNCTION") - TABLE_FUNCTIONS)):
        raise UserError(f"`loyalty query` does not run the function `{strange[0]}`: it reads the marts alone.")
    return statements[0]


def _functions(node: Any, kind: str = "FUNCTION") -> set[str]:
    """The names of the functions in a statement as DuckDB parsed it."""
    if isinstance(node, list):
        return {name for item in node for name in _functions(item, kind)}
    if not isinstance(node, dict):
        return set()
    own = node["function"] if kind == "TABLE_FUNCTION" and node.get("type") == kind else node
    found = {str(own["function_name"]).lower()} if node.get("type") == kind and "function_name" in own else set()
    return found | {name for item in node.values() for name in _functions(item, kind)}


def _rows(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while some := cursor.fetchmany(ROWS_AT_ONCE):
        yield from some


def _schemas(connection: duckdb.DuckDBPyConnection) -> str:
    """The published schemas in the order in which a plain name is looked for."""
    found = {row[0] for row in connection.execute("select schema_name from duckdb_schemas()").fetchall()}
    return ",".join(schema for schema in CONTENT[MARTS_FILE] if schema in found)


def write(answer: Answer, style: Format, target: TextIO, width: int | None = None) -> None:
    """Write the answer as a table for people (cut to `width`), CSV that is safe in a spreadsheet, or JSON."""
    if style == "json":
        _write_json(answer, target)
    elif style == "csv":
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow([neutral(name) for name in answer.columns])
        writer.writerows([neutral(plain(cell)) for cell in row] for row in answer.rows)
    elif answer.columns == EXPLAINED:
        target.writelines(f"{plan}\n" for _, plan in answer.rows)
    else:
        rows = iter(answer.rows)
        target.write(table(answer.columns, list(islice(rows, LONGEST_TABLE)), width))
        if next(rows, None):
            target.write(f"These are the first {LONGEST_TABLE:,} rows; `--format csv` or `--format json` writes all.\n")


def _write_json(answer: Answer, target: TextIO) -> None:
    if twice := [name for name in answer.columns if answer.columns.count(name) > 1]:
        raise UserError(f"Two columns are called `{twice[0]}`, and JSON keeps one: name them apart with `as`.")
    before = "["
    for row in answer.rows:
        record = dict(zip(answer.columns, map(_json_ready, row), strict=True))
        target.write(f"{before}\n {json.dumps(record, ensure_ascii=False, default=_json)}")
        before = ","
    target.write("\n]\n" if before == "," else "[]\n")


def _json_ready(cell: Any) -> Any:
    """A cell that JSON can hold: no NaN, no infinity, and nothing but texts as the keys of a map."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, list | tuple):
        return [_json_ready(item) for item in cell]
    if isinstance(cell, dict):
        return {str(plain(key)): _json_ready(value) for key, value in cell.items()}
    return cell


def _json(cell: Any) -> Any:
    """A decimal as a number, unless a reader of JSON would round it."""
    if isinstance(cell, Decimal) and len(cell.normalize().as_tuple().digits) <= EXACT_DIGITS:
        return float(cell)
    return str(plain(cell))
