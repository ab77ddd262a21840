"""A secret that the warehouse was given stands in none of the files it writes and in nothing it says."""

from __future__ import annotations

import pytest

import tiny
from loyalty import privacy
from loyalty.night import run_night
from workspace_content import files_saying

pytest_plugins = ("tiny_fixtures",)

CANARY = "canary7Secret"
FEED = tiny.FEED.replace("path: exports/orders_{date}.csv\n", "").replace("source: shop", "source: {name}")
SOURCES = {
    "down": "http: {endpoint: /export, connection: down}\n",
    "refusing": "sql: {query: select 1, connection: refusing}\n",
    "unknown": "http: {endpoint: /export, connection: nowhere}\n",
}


@pytest.fixture
def trusted(published, monkeypatch):
    """A published workspace with a webhook and with feeds whose logins all hold the canary, none of which answers."""
    for name, source in SOURCES.items():
        (published.feeds / f"{name}.yml").write_text(FEED.replace("{name}", name) + source)
    monkeypatch.setenv("AIRFLOW_CONN_DOWN", f"http://user:{CANARY}@127.0.0.1:9")
    monkeypatch.setenv("AIRFLOW_CONN_REFUSING", f"sqlite:////nowhere/{CANARY}/x.db")
    return published.model_copy(update={"notify_url": f"http://127.0.0.1:9/hook?token={CANARY}"})


def test_the_canary_is_in_no_artefact_log_or_sentence(trusted, monkeypatch, caplog, capfd):
    monkeypatch.setattr("loyalty.notify.POST_ATTEMPTS", 1)
    said: list[str] = []
    assert run_night(trusted, say=said.append, now=tiny.NOW) == 3
    assert sum("refused:" in sentence for sentence in said) == len(SOURCES)
    out, err = capfd.readouterr()
    assert CANARY not in "".join([*said, caplog.text, out, err, repr(trusted), str(trusted)])
    assert files_saying(trusted, CANARY) == []


def test_the_key_stands_in_its_own_file_alone(published):
    key = privacy.load_key(published)[0].hex()
    assert files_saying(published, key) == [privacy.key_file(published)]
