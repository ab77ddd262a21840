"""Readers of PostgreSQL see one whole generation or the next one, whatever they ask meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.operate.nightly import build_and_publish
from loyalty.operate.publishing import publish, rollback
from loyalty.publish import postgres
from loyalty.publish.generations import current_generation, resume
from worlds import one_mart
from worlds.opened import opened
from worlds.postgres_server import Postgres
from worlds.postgres_server import postgres as started

CUSTOMERS = "select customer_id, net_amount from loyalty.retention__customers order by 1"
SHOWN = "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = 'loyalty'"
SCHEMAS = "select nspname from pg_namespace where nspname like 'loyalty%' order by 1"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with started() as running:
        yield running


@pytest.fixture
def ask(server: Postgres, waiting: Settings) -> Iterator[Callable[[str], list[Any]]]:
    """What the server answers; the workspace publishes to it, and its schemas are dropped at the end."""

    def asked(statement: str) -> list[Any]:
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    waiting.postgres_url = server.address
    yield asked
    for (schema,) in asked(SCHEMAS):
        asked(f"drop schema {schema} cascade")


def in_files(settings: Settings) -> list[Any]:
    return one_mart.published(settings, CUSTOMERS.replace("loyalty.", "marts."))


def test_a_generation_is_copied_with_keys_comments_and_readers(waiting: Settings, ask: Callable) -> None:
    postgres.show_current(opened(waiting))
    assert ask(CUSTOMERS) == in_files(waiting)
    tables = "select table_name from information_schema.tables where table_schema {} order by 1"
    published = one_mart.published(waiting, tables.format("in ('marts', 'quality', 'reference')"))
    assert ask(tables.format("= 'loyalty'")) == published
    assert ask("select obj_description('loyalty.retention__customers'::regclass)") == [
        ("One row per customer. Key: customer_id.",)
    ]
    keys = "select contype, conkey from pg_constraint where conrelid = 'loyalty.retention__customers'::regclass"
    assert ("p", [1]) in ask(keys)
    assert ask("select has_table_privilege('loyalty_readers', 'loyalty.retention__customers', 'select')") == [(True,)]
    assert ask("select has_table_privilege('loyalty_readers', 'loyalty.retention__customers', 'insert')") == [(False,)]


def test_the_next_generation_takes_the_name_and_rollback_gives_it_back(waiting: Settings, ask: Callable) -> None:
    postgres.show_current(opened(waiting))
    before = ask(CUSTOMERS)
    publish(opened(waiting), now=one_mart.NOW)
    assert ask(CUSTOMERS) == in_files(waiting) != before
    assert ask(SCHEMAS) == [("loyalty",), ("loyalty_000001",)]
    rollback(opened(waiting))
    assert ask(CUSTOMERS) == in_files(waiting) == before
    assert "generation 000001," in ask(SHOWN)[0][0]
    resume(opened(waiting))
    postgres.show_current(opened(waiting), only=True)
    assert ask(SCHEMAS) == [("loyalty",)], "an erased person is in no older generation"


def behind_by_a_rollback(settings: Settings, ask: Callable) -> None:
    """PostgreSQL shows generation 2; the files went back to generation 1 while it could not be reached."""
    address = settings.postgres_url
    publish(opened(settings), now=one_mart.NOW)
    settings.postgres_url = None
    rollback(opened(settings))
    settings.postgres_url = address
    assert ask(CUSTOMERS) != in_files(settings)


def test_publishing_that_is_held_or_refused_brings_the_copy_all_the_same(waiting: Settings, ask: Callable) -> None:
    behind_by_a_rollback(waiting, ask)
    with pytest.raises(UserError, match="Publishing is held"):
        publish(opened(waiting), now=one_mart.NOW)
    assert ask(CUSTOMERS) == in_files(waiting)
    waiting.postgres_url, address = None, waiting.postgres_url
    rollback(opened(waiting), 2)
    rollback(opened(waiting), 1)
    resume(opened(waiting))
    ask("drop schema loyalty cascade")
    waiting.postgres_url = address
    with pytest.raises(UserError, match="was rolled back and is not published again"):
        publish(opened(waiting), now=one_mart.NOW)
    assert ask(CUSTOMERS) == in_files(waiting)


def test_a_run_with_nothing_to_do_brings_the_copy(waiting: Settings, ask: Callable) -> None:
    behind_by_a_rollback(waiting, ask)
    assert build_and_publish(opened(waiting), now=one_mart.NOW) is None
    assert ask(CUSTOMERS) == in_files(waiting)


def test_a_refusal_and_a_server_that_is_not_there_are_both_named(waiting: Settings) -> None:
    publish(opened(waiting), now=one_mart.NOW)
    rollback(opened(waiting))
    waiting.postgres_url = "postgresql://reader@127.0.0.1:1/none"
    with pytest.raises(UserError, match="Publishing is held.*PostgreSQL does not show the current generation"):
        publish(opened(waiting), now=one_mart.NOW)


def test_readers_see_whole_generations_while_they_change(server: Postgres, waiting: Settings, ask: Callable) -> None:
    postgres.show_current(opened(waiting))
    seen: list[Any] = []
    is_over = threading.Event()

    def read() -> None:
        with server.connect() as connection:
            while not is_over.is_set():
                with connection.cursor() as cursor:
                    cursor.execute(f"select array_agg(t::text) from ({CUSTOMERS}) t")
                    seen.append(tuple(cursor.fetchone()[0]))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    first = tuple(row for (row,) in ask(f"select t::text from ({CUSTOMERS}) t"))
    publish(opened(waiting), now=one_mart.NOW)
    second = tuple(row for (row,) in ask(f"select t::text from ({CUSTOMERS}) t"))
    for _ in range(5):
        rollback(opened(waiting), 1)
        resume(opened(waiting))
        rollback(opened(waiting), 2)
    is_over.set()
    for reader in readers:
        reader.join()
    assert set(seen) == {first, second}


def test_a_query_that_runs_delays_the_drop_of_its_generation_alone(
    server: Postgres, waiting: Settings, ask: Callable
) -> None:
    postgres.show_current(opened(waiting))
    with server.connect() as connection, connection.cursor() as cursor:
        connection.autocommit = False
        cursor.execute(CUSTOMERS)
        before = cursor.fetchall()
        publish(opened(waiting), now=one_mart.NOW)
        assert ask(CUSTOMERS) != before
        with pytest.raises(UserError, match="loyalty_000001 in PostgreSQL is being read"):
            postgres.show_current(opened(waiting), only=True)
        cursor.execute("select customer_id, net_amount from loyalty_000001.retention__customers order by 1")
        assert cursor.fetchall() == before
    postgres.show_current(opened(waiting), only=True)
    assert ask(SCHEMAS) == [("loyalty",)]


def test_a_copy_that_is_cut_off_leaves_what_readers_see(
    waiting: Settings, ask: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.show_current(opened(waiting))
    before = ask(CUSTOMERS)
    copy = postgres._copy_table

    def fail(*arguments: Any) -> None:
        copy(*arguments)
        if arguments[3] == "retention__customers":
            raise psycopg2.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as cut:
        cut.setattr(postgres, "_copy_table", fail)
        with pytest.raises(UserError, match="server closed the connection.*still see the one before.*loyalty publish"):
            publish(opened(waiting), now=one_mart.NOW)
    assert (ask(CUSTOMERS), ask(SCHEMAS)) == (before, [("loyalty",)])
    assert publish(opened(waiting), now=one_mart.NOW) is None, "the files were published already"
    assert ask(CUSTOMERS) == in_files(waiting) != before


def test_a_schema_of_another_owner_is_left_alone(waiting: Settings, ask: Callable) -> None:
    ask("create schema loyalty")
    ask("create table loyalty.mine as select 1 as one")
    with pytest.raises(UserError, match="schema loyalty of this database was not made by the warehouse"):
        postgres.show_current(opened(waiting))
    assert ask("select one from loyalty.mine") == [(1,)]


def test_a_server_that_is_not_there_is_one_sentence(waiting: Settings) -> None:
    waiting.postgres_url = "postgresql://reader@127.0.0.1:1/none"
    with pytest.raises(UserError, match="PostgreSQL does not show the current generation .*run `loyalty publish`"):
        postgres.show_current(opened(waiting))
    assert current_generation(waiting).number == 1


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("'a \"quoted\", word\nand a line'", "VARCHAR"),
        ("'\\N'", "VARCHAR"),
        ("''", "VARCHAR"),
        ("null", "VARCHAR"),
        ("12345678901234567890.1234", "DECIMAL(28,4)"),
        ("0.1", "DOUBLE"),
        ("1e-300", "DOUBLE"),
        ("date '2024-02-29'", "DATE"),
        ("timestamp '2024-02-29 23:59:59.123456'", "TIMESTAMP"),
        ("true", "BOOLEAN"),
        ("null", "BIGINT"),
    ],
)
def test_every_kind_of_value_arrives_as_it_is(
    server: Postgres, waiting: Settings, ask: Callable, tmp_path: Path, value: str, kind: str
) -> None:
    marts = duckdb.connect()
    marts.execute(f"create table main.one as select cast({value} as {kind}) as cell")
    table = {"rows": 1, "key": []}
    ask("create schema loyalty_test")
    with server.connect() as connection, connection.cursor() as cursor:
        postgres._copy_table(cursor, marts, "main", "one", table, "loyalty_test", tmp_path / "rows.csv")
        cursor.execute("select cell from loyalty_test.one")
        assert cursor.fetchall() == marts.execute("from main.one").fetchall()
