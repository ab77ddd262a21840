"""`status --verify` names what is not as it was written; `doctor` names what a night would stumble over."""

import shutil

import pytest

import tiny
from loyalty import privacy
from loyalty.status import doctor, feed_states, left_out, verify

pytest_plugins = ("tiny_fixtures",)


def landed(settings):
    return next((settings.landing / "orders").glob("load_id=*"))


def generation(settings):
    return settings.serve / "generations" / "000001"


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)


def foreign_wal(settings):
    (generation(settings) / "loyalty.duckdb.wal").write_bytes(b"not ours")


DAMAGE = {
    "landed part": (lambda s: flip(next(landed(s).glob("part-*"))), "bytes are not those"),
    "landed part gone": (lambda s: next(landed(s).glob("part-*")).unlink(), "is missing"),
    "landed manifest": (lambda s: (landed(s) / "_manifest.json").unlink(), "missing or damaged"),
    "stranger's part": (lambda s: (landed(s) / "part-00009.parquet").write_bytes(b"x"), "does not list it"),
    "unknown load": (lambda s: shutil.copytree(landed(s), landed(s).with_name("load_id=abc")), "knows no such load"),
    "published file": (lambda s: flip(generation(s) / "loyalty.duckdb"), "bytes are not those"),
    "published core": (lambda s: flip(generation(s) / "core.duckdb"), "bytes are not those"),
    "published Parquet": (lambda s: flip(generation(s) / "parquet/retention__customers.parquet"), "bytes are not"),
    "published manifest": (lambda s: (generation(s) / "manifest.json").unlink(), "missing or damaged"),
    "unknown generation": (
        lambda s: shutil.copytree(generation(s), generation(s).with_name("000009")),
        "no such generation",
    ),
    "foreign log": (foreign_wal, "write-ahead log"),
    "staging": (lambda s: (s.serve / ".staging-x").mkdir(), "left by a killed publish"),
    "current": (lambda s: shutil.rmtree(generation(s)), "which is gone"),
}


def test_untouched_workspace_is_as_it_was_written(published):
    assert verify(published) == []


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named(published, name):
    damage, words = DAMAGE[name]
    damage(published)
    findings = verify(published)
    assert any(words in finding for finding in findings), findings


def test_feed_states_tell_rows_and_lateness(published):
    feed = published.feeds / "orders.yml"
    feed.write_text(feed.read_text() + "max_age_days: 1\n")
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    on_time, late = feed_states(published, tiny.NOW)[0], feed_states(published, tiny.NOW.replace(day=3))[0]
    assert (on_time.rows, on_time.loads, on_time.is_late, late.is_late) == (3, 1, False, True)
    assert feed_states(published, tiny.NOW)[1].last_outcome == "off"


def test_missing_feeds_name_the_metrics_they_leave_out(published):
    missing = dict(left_out(published))
    assert "response rates" in missing["survey_sends"]
    assert "orders" not in missing


def test_doctor_finds_a_well_workspace_well(published):
    privacy.load_key(published)
    for folder in (published.landing, published.raw, published.work_file.parent, published.quarantine):
        if folder.exists():
            folder.chmod(0o700)
    assert [check for check in doctor(published) if not check.is_well] == []


def test_doctor_names_open_folders_a_broken_feed_and_an_open_key(published):
    published.landing.chmod(0o755)
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    privacy.load_key(published)
    privacy.key_file(published).chmod(0o644)
    amiss = {check.name: check.found for check in doctor(published) if not check.is_well}
    assert set(amiss) == {"umask", "feeds", "key"}
    assert "Feed `web` is off" in amiss["feeds"]
