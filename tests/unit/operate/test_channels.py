"""What Slack, Teams, a mail server and a program receive from an alert, and the sentence when nothing arrives."""

from __future__ import annotations

import email
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from loyalty.common.errors import UserError
from loyalty.operate import channels
from loyalty.operate.channels import Alert, send
from loyalty.operate.cli.main import app
from loyalty.operate.notify import Item, Message, send_test
from worlds import one_mart

ALERT = Alert(
    "Loyalty warehouse shop: 2 things need attention, 1 critical",
    (("CRITICAL", ("The file till.csv was rejected.",)), ("WARNING", ("7 rows are in quarantine.",))),
    {"Run": "https://airflow.example/dags/load_orders/runs/1", "Report": "/data/serve/current/report.html"},
    {"severity": "critical"},
)


@pytest.fixture
def shop(tmp_path):
    return one_mart.make_workspace(tmp_path / "shop")


def on(settings, url, how="json"):
    return settings.model_copy(update={"notify_url": url, "notify_format": how})


@contextmanager
def webhook(status: int = 200) -> Iterator[tuple[str, list[dict]]]:
    """A receiver of webhooks, and the documents that it got."""
    got: list[dict] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "https://elsewhere.example/login")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/services/T000/B000/secret7", got
        server.shutdown()


@contextmanager
def mail_server(refuse: str = "") -> Iterator[tuple[str, list[EmailMessage]]]:
    """A mail server without TLS, and the mails that it took; it refuses the command `refuse`."""
    got: list[EmailMessage] = []

    class Receiver(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            def say(line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

            say("220 mail.test")
            while line := self.rfile.readline().decode().strip():
                command = line.partition(" ")[0].upper()
                if command == refuse:
                    say("550 no such mailbox")
                elif command == "DATA":
                    say("354 go on")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    got.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
                    say("250 taken")
                else:
                    say("221 bye" if command == "QUIT" else "250 mail.test")
                    if command == "QUIT":
                        return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", got
        server.shutdown()


def test_a_program_gets_the_text_and_the_document(shop):
    with webhook() as (url, got):
        place = send(on(shop, url), ALERT)
    assert place.startswith("127.0.0.1:")
    assert got == [{"text": ALERT.text, "severity": "critical"}]


def test_slack_gets_one_text_with_a_link_that_opens(shop):
    with webhook() as (url, got):
        send(on(shop, url, "slack"), ALERT)
    assert got == [
        {
            "text": "*Loyalty warehouse shop: 2 things need attention, 1 critical*\n"
            "*CRITICAL*\n"
            "• The file till.csv was rejected.\n"
            "*WARNING*\n"
            "• 7 rows are in quarantine.\n"
            "<https://airflow.example/dags/load_orders/runs/1|Run>\n"
            "Report: /data/serve/current/report.html"
        }
    ]


def test_teams_gets_an_adaptive_card_with_a_button(shop):
    with webhook(202) as (url, got):
        send(on(shop, url, "teams"), ALERT)
    ((attachment,),) = [document["attachments"] for document in got]
    assert (got[0]["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.2")
    assert [block["text"] for block in card["body"]] == [
        "Loyalty warehouse shop: 2 things need attention, 1 critical",
        "CRITICAL",
        "The file till.csv was rejected.",
        "WARNING",
        "7 rows are in quarantine.",
        "Report: /data/serve/current/report.html",
    ]
    assert {block["type"] for block in card["body"]} == {"TextBlock"}
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Run", "url": "https://airflow.example/dags/load_orders/runs/1"}
    ]


def test_the_largest_card_is_below_the_28_kb_that_teams_takes(shop):
    many = tuple(
        Item("till", "rejected", 0, "拒" * 2_000 + str(number), "shop-team", "docs/r.md") for number in range(99)
    )
    with webhook() as (url, got):
        send(on(shop, url, "teams"), Message(many, workspace="shop").sendable())
    assert len(json.dumps(got[0], ensure_ascii=False).encode()) < 28_000


def test_a_mail_has_the_title_as_its_subject_and_the_text_in_it(shop):
    with mail_server() as (place, got):
        send(on(shop, f"smtp://{place}/?to=team@shop.example,boss@shop.example&from=loyalty@shop.example"), ALERT)
    (mail,) = got
    assert (mail["Subject"], mail["From"]) == (ALERT.title, "loyalty@shop.example")
    assert mail["To"] == "team@shop.example, boss@shop.example"
    assert mail.get_content().splitlines() == ALERT.text.splitlines()


def test_a_login_is_not_sent_without_tls(shop):
    with mail_server() as (place, got):
        login = "loyalty:secret7"
        with pytest.raises(UserError, match="offers no TLS, so the login is not sent") as failed:
            send(on(shop, f"smtp://{login}@{place}/?to=team@shop.example"), ALERT, attempts=1)
    assert got == []
    assert "secret7" not in str(failed.value)


def nowhere():
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (None, "notify_url is not set, so that no alert is sent: put the address of a webhook or a mail server into"),
        ("hooks.example/secret7", "notify_url does not begin with https://"),
        ("http://[secret7", "notify_url cannot be read as an address"),
        ("http://no-such-host.invalid/secret7", "there is no host no-such-host.invalid: correct the address"),
        ("http://{nowhere}/secret7", "{nowhere} refuses the connection: correct host and port in notify_url"),
        ("smtp://{nowhere}/?to=team@shop.example", "{nowhere} refuses the connection: correct host and port"),
        ("smtp://{nowhere}/", "names no host or no `?to=` for the mail"),
    ],
)
def test_a_test_alert_that_cannot_arrive_says_why_in_a_sentence(shop, url, sentence):
    place = nowhere()
    with pytest.raises(UserError) as failed:
        send_test(on(shop, url and url.format(nowhere=place)))
    assert sentence.format(nowhere=place) in str(failed.value)
    assert "secret7" not in str(failed.value)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (302, "answered 302 and leads to another address: put that one into notify_url"),
        (400, "answered 400 and does not take this message: set notify_format"),
        (404, "answered 404 and does not know or allow this address: make a new webhook"),
        (503, "answered 503, which is its own trouble: try again later"),
    ],
)
def test_an_answer_that_is_no_success_is_a_sentence(shop, status, sentence):
    with webhook(status) as (url, got), pytest.raises(UserError) as failed:
        send_test(on(shop, url))
    assert sentence in str(failed.value)
    assert "secret7" not in str(failed.value)
    assert len(got) == 1


def test_a_mailbox_that_is_refused_is_a_sentence(shop):
    with mail_server("RCPT") as (place, _), pytest.raises(UserError, match="takes no mail for `to` in notify_url"):
        send_test(on(shop, f"smtp://{place}/?to=unknown@shop.example"))


def test_only_what_may_be_over_soon_is_tried_again(shop, monkeypatch):
    monkeypatch.setattr(channels, "wait_exponential", lambda **_: lambda _: 0)
    for status, times in ((404, 1), (503, 3)):
        with webhook(status) as (url, got), pytest.raises(UserError):
            send(on(shop, url), ALERT)
        assert len(got) == times


def test_the_command_sends_one_test_alert_and_its_exit_code_says_whether_it_arrived(shop, monkeypatch):
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(shop.workspace))
    with webhook() as (url, got):
        monkeypatch.setenv("LOYALTY_NOTIFY_URL", url)
        done = CliRunner().invoke(app, ["notify", "--test"])
    assert (done.exit_code, done.output.startswith("The test alert arrived: 127.0.0.1:")) == (0, True)
    assert got[0]["text"].startswith("Loyalty warehouse shop: this is a test alert")
    assert got[0]["severity"] == "test"
    monkeypatch.delenv("LOYALTY_NOTIFY_URL")
    failed = CliRunner().invoke(app, ["notify", "--test"])
    assert isinstance(failed.exception, UserError)
    assert failed.exit_code != 0
