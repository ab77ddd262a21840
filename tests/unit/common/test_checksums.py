"""Equal results have equal checksums, whatever their order and a double's last digits; all else differs."""

import duckdb
import pytest

from loyalty.common.checksums import table_checksum, table_fingerprint


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        yield connection


def checksum(connection: duckdb.DuckDBPyConnection, select: str) -> str:
    connection.execute(f"create or replace table marts.one as {select}")
    return table_checksum(connection, "memory", "marts", "one")


SAME = [
    ("from (values (1, 'a'), (2, 'b')) t(x, y)", "from (values (2, 'b'), (1, 'a')) t(x, y)"),
    ("select 1 as x, 'a' as y", "select 'a' as y, 1 as x"),
    ("select 1234.56789012::double as x", "select 1234.56789013::double as x"),
    ("select 0.0::double as x", "select -0.0::double as x"),
    (
        "select 1 as x, 'p' as load_id, now() as _loaded_at",
        "select 1 as x, 'q' as load_id, date '2020-01-01' as _loaded_at",
    ),
]
DIFFERENT = [
    ("select 1 as x", "select 2 as x"),
    ("select 1 as x", "select 1 as y"),
    ("select 1::bigint as x", "select 1::integer as x"),
    ("select 1.00::decimal(9,2) as x", "select 1.000::decimal(9,3) as x"),
    ("select 1234.5678::double as x", "select 1234.5679::double as x"),
    ("select null::varchar as x", "select '' as x"),
    ("select null::varchar as x", "select '-' as x"),
    ("select 'a' as x, 'bc' as y", "select 'ab' as x, 'c' as y"),
    ("select 'a' || chr(31) || '1:b' as x, 'c' as y", "select 'a' as x, 'b' || chr(31) || '1:c' as y"),
    ("select 1 as x", "select unnest([1, 1]) as x"),
    ("select unnest([1, 1, 2]) as x", "select unnest([1, 2, 2]) as x"),
    ("select 1 as x where false", "select 1 as x"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same_results_have_the_same_checksum(connection, one, other):
    assert checksum(connection, one) == checksum(connection, other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_results_have_another_checksum(connection, one, other):
    assert checksum(connection, one) != checksum(connection, other)


def test_fingerprint_sees_a_changed_cell_and_no_order(connection):
    def fingerprint(select: str) -> str:
        connection.execute(f"create or replace table marts.one as {select}")
        return table_fingerprint(connection, "memory", "marts", "one", {"x": "INTEGER"})

    assert fingerprint("select unnest([1, 2, 3]) as x") == fingerprint("select unnest([3, 2, 1]) as x")
    assert fingerprint("select unnest([1, 2, 3]) as x") != fingerprint("select unnest([1, 2, 4]) as x")
