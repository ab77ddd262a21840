"""Faults of commands that were seen on small workspaces, and what is right instead."""

from __future__ import annotations

import re
import shutil
import socket
import threading
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest

from loyalty.build import build, work_file
from loyalty.common.errors import UserError
from loyalty.common.settings import Settings, load_settings
from loyalty.operate import channels, notify
from loyalty.operate.airflow.dags import load_dags
from loyalty.operate.erase import forget
from loyalty.operate.nightly import run_nightly
from loyalty.pull.feeds import BrokenFeed, load_feeds
from loyalty.pull.formats import text
from worlds import one_mart
from worlds.opened import opened


def test_b03_a_copied_yaml_disables_itself_and_no_other_feed(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(published.feeds / "orders.yml", published.feeds / "orders (copy).yml")
    feeds = load_feeds(published.feeds)
    broken = [feed for feed in feeds.values() if isinstance(feed, BrokenFeed)]
    assert len(broken) == 1
    assert "orders (copy).yml" in broken[0].message
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(published.workspace))
    assert any("orders" in dag.dag_id for dag in load_dags())


def test_b07_a_home_whose_path_looks_like_a_column_is_refused(tmp_path: Path) -> None:
    settings = one_mart.make_workspace(tmp_path / "shop")
    (settings.workspace / "loyalty.yml").write_text("home: total_amount=7/customer_id=evil/var\n")
    with pytest.raises(UserError, match="`=`"):
        load_settings(settings.workspace)


def test_b12_the_nightly_run_removes_old_raw_files_without_airflow(published: Settings) -> None:
    (raw,) = published.raw.glob("orders/*")
    run_nightly(opened(published), now=one_mart.NOW + timedelta(days=published.raw_days - 1))
    assert raw.exists()
    run_nightly(opened(published), now=one_mart.NOW + timedelta(days=published.raw_days + 1))
    assert not raw.exists()


def test_b27_two_workspaces_on_one_home_are_refused(tmp_path: Path) -> None:
    first, second = one_mart.make_workspace(tmp_path / "first"), one_mart.make_workspace(tmp_path / "second")
    for settings in (first, second):
        (settings.workspace / "loyalty.yml").write_text("dbt_project: project\nhome: ../data\n")
    (tmp_path / "data").mkdir()
    opened(load_settings(first.workspace))
    with pytest.raises(UserError, match="holds the data of the workspace") as refused:
        opened(load_settings(second.workspace))
    assert str(first.workspace) in str(refused.value)
    opened(load_settings(first.workspace))


def test_b27_a_workspace_that_was_moved_keeps_its_home(published: Settings, tmp_path: Path) -> None:
    opened(published)
    moved = shutil.move(published.workspace, tmp_path / "moved")
    assert opened(load_settings(Path(moved))).ledger.loads()


def answering(answer: bytes) -> tuple[socket.socket, str]:
    """A server that answers every request so, and its address with a login that nothing may print."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            connection.recv(65_536)
            if answer:
                connection.sendall(answer)
                connection.close()
            else:
                kept.append(connection)  # it never answers

    kept: list[socket.socket] = []
    threading.Thread(target=serve, daemon=True).start()
    return server, f"http://127.0.0.1:{server.getsockname()[1]}/hook?token=CANARY"


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n.",
        b"HTTP/1.1 500 no\r\n\r\n",
        b"",
    ],
    ids=["no HTTP", "a short body", "an error", "nothing"],
)
def test_b11_a_webhook_that_answers_no_http_fails_no_run(
    published: Settings, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(channels, "POST_SECONDS", 0.2)
    monkeypatch.setattr(channels, "POST_ATTEMPTS", 1)
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    server, url = answering(answer)
    said: list[str] = []
    hooked = published.model_copy(update={"notify_url": url})
    with server:
        notify.notify(opened(hooked, said.append), one_mart.NOW)
    assert "CANARY" not in "".join(said)
    is_received = b"200" in answer
    assert ("The alert did not arrive: 127.0.0.1:" in said[-1]) is not is_received


@pytest.mark.parametrize(
    "url",
    [
        "http://user:CANARY@hooks.example/x",  # pragma: allowlist secret
        "http://127.0.0.1:1/a CANARY",
        "http://[CANARY",
    ],
)
def test_b11_a_webhook_with_a_wrong_address_fails_no_run(
    published: Settings, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(channels, "POST_ATTEMPTS", 1)
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    said: list[str] = []
    code = run_nightly(opened(published.model_copy(update={"notify_url": url}), said.append), now=one_mart.NOW)
    assert code == 3  # the broken YAML
    assert any("The alert did not arrive: " in line for line in said)
    assert "CANARY" not in "".join(said)


def test_b30_names_in_the_alert_are_no_marks_links_or_people(published: Settings) -> None:
    name = "orders_<!channel>&[pay](www.evil.example) @ann.csv"
    (published.feeds / "orders.yml").write_text(
        one_mart.FEED.replace("exports/orders_{date}.csv", "exports/orders_*.csv")
    )
    (published.home / "exports" / name).write_text("id\n1\n")
    one_mart.load(published)
    sent: list[dict] = []
    hooked = published.model_copy(update={"notify_url": "https://alerts.example/hook"})
    notify.notify(opened(hooked), one_mart.NOW, post=lambda _, content: sent.append(content))
    for said in (sent[0]["text"], sent[0]["items"][0]["what"]):
        assert "&lt;!channel&gt;&amp;" in said
        assert not re.search(r"<|\]\(|@ann|www\.", said)


def test_row_as_header_is_refused_and_no_name_is_shown(published: Settings) -> None:
    file = one_mart.deliver(
        published, "2017-12-31", "7,Anna Schmidt,anna@example.org,30.00\n8,Bo,bo@example.org,1.00\n"
    )
    (outcome,) = one_mart.load(published)
    assert outcome.outcome == "rejected"
    assert "looks like a row of data" in outcome.message
    assert not any(word in outcome.message for word in ("Anna", "Schmidt", "example.org", "30.00")), file


def test_b13_a_file_without_line_ends_ends_in_one_sentence(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "LONGEST_LINE", 100_000)
    monkeypatch.setattr(text, "BLOCK_CHARACTERS", 10_000)
    one_mart.deliver(published, "2017-12-31", one_mart.HEADER + "1,ann,2017-12-01 10:00:00,10.00 " * 100_000)
    tracemalloc.start()
    (outcome,) = one_mart.load(published)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "line 2 has more than 100,000 characters" in outcome.message
    assert peak < 20_000_000


def test_b13_old_line_ends_are_line_ends(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "LONGEST_LINE", 1_000)
    monkeypatch.setattr(text, "BLOCK_CHARACTERS", 500)
    rows = "".join(f"{number},ann,2017-12-01 10:00:00,10.00\r" for number in range(1_000))
    one_mart.deliver(published, "2017-12-31", one_mart.HEADER.replace("\n", "\r") + rows)
    (outcome,) = one_mart.load(published)
    assert (outcome.outcome, outcome.rows) == ("accepted", 1_000)


def test_checked_before_lock_a_wrong_var_is_named_while_another_run_holds_the_lock(published: Settings) -> None:
    (published.workspace / "loyalty.yml").write_text("dbt_project: project\nlock_wait_seconds: 0\nvars: {factr: 2}\n")
    wrong = load_settings(published.workspace)
    before = opened(wrong).ledger.last_seq()
    with work_file.lock(wrong, "another run"):
        for step in (build.build, lambda workspace: forget(workspace, "ann")):
            with pytest.raises(UserError, match="key `vars`.*factr"):
                step(opened(wrong))
    assert opened(wrong).ledger.last_seq() == before  # nothing was begun
