"""Exports by HTTP and from databases: whole answers only, the login for its own host only, and nothing but reading."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loyalty.common.errors import LoadRejected, Transient, UserError
from loyalty.pull.feeds import BrokenFeed
from loyalty.pull.sources import connections
from loyalty.pull.sources.connections import download
from worlds.own_feeds import Workspace

Answer = Callable[[BaseHTTPRequestHandler], None]
CSV = b"Order,Customer,When,Total\n1,a,2026-05-04 10:00:00,1.50\n"


class Server(ThreadingHTTPServer):
    """A server on this machine that remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.seen: list[tuple[str, str | None]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.seen.append((self.path, self.headers["Authorization"]))
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], Server]]:
    """Starts a server that answers so; the connection `shop` leads to the last one."""
    servers: list[Server] = []

    def start(answer: Answer) -> Server:
        servers.append(Server(answer))
        address = f"ann:CANARY@127.0.0.1:{servers[-1].server_port}"
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", f"http://{address}/http")
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def whole(handler: BaseHTTPRequestHandler, status: int = 200, length: int = len(CSV), **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(length))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(CSV)


def get(workspace: Workspace, max_bytes: int = 10_000) -> bytes:
    feed = workspace.feed(path=None, http={"endpoint": "/orders.csv", "connection": "shop"})
    return download(feed, workspace.folder / "raw", max_bytes).read_bytes()


def test_a_whole_answer_is_the_export(workspace: Workspace, serve: Callable[[Answer], Server]) -> None:
    server = serve(whole)
    assert get(workspace) == CSV
    assert server.seen[0][0] == "/orders.csv"
    assert server.seen[0][1] is not None


def test_http_an_answer_that_is_cut_short_is_tried_again(
    workspace: Workspace, serve: Callable[[Answer], Server]
) -> None:
    serve(lambda handler: whole(handler, length=len(CSV) + 10))
    with pytest.raises(Transient, match="cut its answer short"):
        get(workspace)


def test_http_a_part_of_the_export_is_refused(workspace: Workspace, serve: Callable[[Answer], Server]) -> None:
    serve(lambda handler: whole(handler, status=206))
    with pytest.raises(UserError, match="answered 206"):
        get(workspace)


def test_http_a_huge_answer_ends_at_the_limit(workspace: Workspace, serve: Callable[[Answer], Server]) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(CSV * 100)
        except OSError:
            pass

    serve(endless)
    with pytest.raises(LoadRejected, match="more than 10,000 bytes"):
        get(workspace)
    assert not list((workspace.folder / "raw").iterdir())


def test_http_an_answer_without_an_end_is_left(
    workspace: Workspace, serve: Callable[[Answer], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LONGEST_SECONDS", -1)
    serve(whole)
    with pytest.raises(Transient, match="has not ended"):
        get(workspace)


def test_b29_another_host_gets_no_login(workspace: Workspace, serve: Callable[[Answer], Server]) -> None:
    elsewhere = serve(whole)
    away = f"http://localhost:{elsewhere.server_port}/moved.csv"
    serve(lambda handler: whole(handler, status=302, Location=away))
    assert get(workspace) == CSV
    assert elsewhere.seen == [("/moved.csv", None)]


@pytest.mark.parametrize(
    "endpoint",
    [
        "@evil.example/x",
        ".evil.example/x",
        ":80@evil.example/",
        "//evil.example/x",
        "/\\evil.example",
        "https://evil.example/x",
        "orders",
        "",
        "/a b",
        "/a\nHost: b",
    ],
)
def test_b29_an_endpoint_is_a_path_on_the_connections_host(workspace: Workspace, endpoint: str) -> None:
    feed = workspace.broken_feed(path=None, http={"endpoint": endpoint, "connection": "shop"})
    assert isinstance(feed, BrokenFeed)
    assert "a path on the connection's host" in feed.message


@pytest.mark.parametrize(
    "query",
    [
        "delete from orders",
        "select 1; select 2",
        "select 1; drop table orders",
        "with gone as (delete from orders returning *) select * from gone",
        "select * into copied from orders",
        "create table a as select 1",
        "insert into a select 1",
        "update orders set total = 0",
        "/* select */ truncate orders",
        "call sweep()",
        "pragma journal_mode = off",
        "-- nothing",
        "",
    ],
)
def test_sql_a_query_that_does_more_than_ask_is_refused(workspace: Workspace, query: str) -> None:
    feed = workspace.broken_feed(path=None, sql={"query": query, "connection": "base"})
    assert isinstance(feed, BrokenFeed)
    assert "one SELECT" in feed.message


@pytest.mark.parametrize(
    "query",
    [
        "select * from orders where note = 'please delete; thanks'",
        'SELECT id, updated_at AS "update" FROM orders -- all of them\n;',
        "with a as (select 1 as id) select replace(name, 'x', 'y'), a.id from orders, a",
        "select deleted, created, set_id from orders order by 1 limit 5",
    ],
)
def test_sql_questions_of_every_kind_are_read(workspace: Workspace, query: str) -> None:
    workspace.feed(path=None, sql={"query": query, "connection": "base"})


def test_sql_a_session_can_change_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base.db"
    with sqlite3.connect(base) as database:
        database.execute("create table orders (id integer)")
        database.execute("insert into orders values (1)")
    monkeypatch.setenv("AIRFLOW_CONN_BASE", f"sqlite:///{base}")
    feed = workspace.feed(path=None, sql={"query": "select id from orders", "connection": "base"})
    assert download(feed, tmp_path / "raw", 10_000).read_text().split() == ["id", "1"]
    object.__setattr__(feed.sql, "query", "delete from orders")  # had the check of the YAML overlooked it
    with pytest.raises((UserError, Transient)):
        download(feed, tmp_path / "raw", 10_000)
    with sqlite3.connect(base) as database:
        assert database.execute("select count(*) from orders").fetchone() == (1,)
