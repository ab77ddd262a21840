"""A secret that the warehouse was given is in none of the files that it writes, and in no message."""

from __future__ import annotations

import pytest

from loyalty.operate.nightly import run_nightly
from loyalty.privacy import keys
from worlds import one_mart
from worlds.opened import opened
from worlds.written_bytes import files_containing

CANARY = "canary7Secret"
FEED = one_mart.FEED.replace("path: exports/orders_{date}.csv\n", "").replace("source: shop", "source: {name}")
SOURCES = {
    "down": "http: {endpoint: /export, connection: down}\n",
    "refusing": "sql: {query: select 1, connection: refusing}\n",
    "silent": "sql: {query: select 1, connection: silent}\n",
    "strange": "sql: {query: select 1, connection: strange}\n",
    "unknown": "http: {endpoint: /export, connection: nowhere}\n",
}
# The address with a login, by connection, and the sentence when it cannot be used.
LOGINS = {
    "down": f"http://user:{CANARY}@127.0.0.1:9",
    "refusing": f"sqlite:////nowhere/{CANARY}/x.db",
    "silent": f"postgresql://user:{CANARY}@127.0.0.1:9/shop",
    "strange": f"strange://user:{CANARY}@127.0.0.1:9/shop",
}
SENTENCES = {
    "rejected: Feed `down`: /export cannot be reached (ConnectError).",
    "rejected: Feed `refusing`: the database of connection `refusing` does not answer (OperationalError).",
    "rejected: Feed `silent`: the database of connection `silent` does not answer (OperationalError).",
    "rejected: Feed `strange`: databases of the type `strange` cannot be read (connection `strange`): install "
    "SQLAlchemy's driver for it.",
    "rejected: Feed `unknown`: there is no connection `nowhere`; define it in Airflow or as AIRFLOW_CONN_NOWHERE.",
}


@pytest.fixture
def trusted(published, monkeypatch):
    """A published workspace with a webhook and with feeds whose logins all hold the canary, none of which answers."""
    for name, source in SOURCES.items():
        (published.feeds / f"{name}.yml").write_text(FEED.replace("{name}", name) + source)
    for name, login in LOGINS.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", login)
    return published.model_copy(update={"notify_url": f"http://127.0.0.1:9/hook?token={CANARY}"})


def test_the_canary_is_in_no_artefact_log_or_sentence(trusted, monkeypatch, caplog, capfd):
    monkeypatch.setattr("loyalty.operate.channels.POST_ATTEMPTS", 1)
    said: list[str] = []
    assert run_nightly(opened(trusted, said.append), now=one_mart.NOW) == 3
    assert {sentence for sentence in said if sentence.startswith("rejected:")} == SENTENCES
    alerts = [line for line in said if line.startswith("Loyalty warehouse shop: 5 things need attention, 5 critical")]
    assert len(alerts) == 2  # at once and, since nothing answers, once more at the end
    assert all(sentence.removeprefix("rejected: ") in alert for sentence in SENTENCES for alert in alerts)
    out, err = capfd.readouterr()
    assert CANARY not in "".join([*said, caplog.text, out, err, repr(trusted), str(trusted)])
    assert files_containing(trusted, CANARY) == []


def test_the_canary_is_in_no_traceback_that_is_kept(trusted, monkeypatch):
    """What goes wrong unexpectedly while the login is in a variable: the traceback shows code and no values."""
    monkeypatch.setattr("sqlalchemy.create_engine", lambda *_, **__: 1 / 0)
    said: list[str] = []
    run_nightly(opened(trusted, said.append), now=one_mart.NOW)
    assert "it stopped landing with an unexpected ZeroDivisionError" in "".join(said)
    (kept,) = (trusted.home / "logs").glob("silent.log")
    assert "ZeroDivisionError" in kept.read_text()
    assert files_containing(trusted, CANARY) == []


def test_the_key_is_in_its_own_file_alone(published):
    key = keys.load_key(published)[0].hex()
    assert files_containing(published, key) == [keys.key_file(published)]
