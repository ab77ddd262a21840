"""`status --verify` names what is not as it was written; `doctor` names what a night would stumble over."""

import shutil

import pytest

from loyalty.build import build
from loyalty.build.plan import make_plan
from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.land.landing import load_feed
from loyalty.operate.notify import notify
from loyalty.operate.status import attention, doctor, feed_states, left_out
from loyalty.operate.verify import is_damaged, verify
from loyalty.privacy import keys
from loyalty.publish.generations import rollback
from loyalty.publish.publish import publish
from loyalty.pull.feeds import get_feed
from loyalty.read.query import query
from worlds import one_mart
from worlds.opened import opened


def landed(settings):
    return next((settings.landing / "orders").glob("load_id=*"))


def generation(settings):
    return settings.serve / "generations" / "000001"


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)


def killed_publish(settings):
    """Killed while it copied the marts: DuckDB's own log lies beside its draft, and no reader ever opens that."""
    (settings.serve / ".staging-x").mkdir()
    (settings.serve / ".staging-x" / "loyalty.duckdb.wal").write_bytes(b"ours")


def foreign_wal(settings):
    (generation(settings) / "loyalty.duckdb.wal").write_bytes(b"not ours")


DAMAGE = {
    "landed part": (lambda s: flip(next(landed(s).glob("part-*"))), "bytes are not those"),
    "landed part gone": (lambda s: next(landed(s).glob("part-*")).unlink(), "is missing"),
    "landed manifest": (lambda s: (landed(s) / "_manifest.json").unlink(), "missing or damaged"),
    "stranger's part": (lambda s: (landed(s) / "part-00009.parquet").write_bytes(b"x"), "does not list it"),
    "unknown load": (lambda s: shutil.copytree(landed(s), landed(s).with_name("load_id=abc")), "has no such load"),
    "published file": (lambda s: flip(generation(s) / "loyalty.duckdb"), "bytes are not those"),
    "published core": (lambda s: flip(generation(s) / "core.duckdb"), "bytes are not those"),
    "published Parquet": (lambda s: flip(generation(s) / "parquet/retention__customers.parquet"), "bytes are not"),
    "published manifest": (lambda s: (generation(s) / "manifest.json").unlink(), "missing or damaged"),
    "unknown generation": (
        lambda s: shutil.copytree(generation(s), generation(s).with_name("000009")),
        "no such generation",
    ),
    "foreign log": (foreign_wal, "write-ahead log"),
    "staging": (killed_publish, "left by a killed publish"),
    "staged, then removed": (lambda s: (s.serve / ".removed-000001").mkdir(), "left by a killed publish"),
    "draft": (lambda s: (s.landing / "orders" / ".draft-x").mkdir(), "left by a killed load"),
    "tables of Spark": (lambda s: (s.spark_warehouse / "build-x").mkdir(parents=True), "left by a killed build"),
    "copy": (lambda s: (s.raw / "orders" / ".copy-x").write_bytes(b""), "left by a killed load"),
    "unknown quarantine": (
        lambda s: (s.quarantine / "orders" / "load_id=abc").mkdir(parents=True),
        "has no such load",
    ),
    "current": (lambda s: shutil.rmtree(generation(s)), "which is gone"),
    "current gone": (lambda s: (s.serve / "current").unlink(), "is missing, so readers see nothing"),
    "current elsewhere": (lambda s: point_elsewhere(s), "which is not a generation"),
    "current a folder": (lambda s: replace_link(s), "is not a link"),
    "ledger": (lambda s: cut_ledger(s), "events are missing"),
}
HARMLESS = (
    "unknown load",
    "unknown generation",
    "staging",
    "staged, then removed",
    "draft",
    "tables of Spark",
    "copy",
    "unknown quarantine",
)


def point_elsewhere(settings):
    (settings.serve / "current").unlink()
    (settings.serve / "current").symlink_to(settings.landing)


def replace_link(settings):
    (settings.serve / "current").unlink()
    shutil.copytree(generation(settings), settings.serve / "current")


def cut_ledger(settings):
    file = Ledger(settings.ledger).file
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:1], *lines[2:]]))


def test_untouched_workspace_is_as_it_was_written(published):
    assert verify(opened(published)) == []


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named(published, name):
    damage, words = DAMAGE[name]
    damage(published)
    findings = verify(opened(published))
    named = [finding for finding in findings if words in str(finding)]
    assert named, findings
    assert all(finding.todo for finding in findings)
    assert is_damaged(findings) is (name not in HARMLESS)


def test_what_is_shown_and_damaged_is_healed_by_publishing_again(published):
    flip(generation(published) / "loyalty.duckdb")
    assert publish(opened(published), now=one_mart.NOW).number == 2
    assert all("000001" in str(finding) for finding in verify(opened(published)))
    assert one_mart.published(published, "select count(*) from marts.retention__customers") == [(2,)]


def test_a_generation_without_its_manifest_is_left_by_rolling_back(waiting):
    publish(opened(waiting), now=one_mart.NOW)
    (waiting.serve / "generations/000002/manifest.json").unlink()
    with pytest.raises(UserError, match="shows no whole generation"):
        query(waiting, "select 1")
    assert rollback(opened(waiting)).number == 1


@pytest.mark.parametrize("name", ["landed part", "landed part gone", "landed manifest", "stranger's part"])
def test_a_damaged_load_is_healed_by_its_raw_file(published, name):
    DAMAGE[name][0](published)
    load_feed(opened(published), get_feed(published.feeds, "orders"), again=True)
    assert not is_damaged(verify(opened(published)))
    assert len(Ledger(published.ledger).loads()) == 1


def test_little_room_is_said_with_what_goes_first(published, monkeypatch):
    monkeypatch.setattr("loyalty.operate.verify.free_bytes", lambda _: 10**8)
    (finding,) = verify(opened(published))
    assert "0.1 GB are free" in str(finding)
    assert not finding.is_damage


def test_feed_states_show_rows_and_lateness(published):
    feed = published.feeds / "orders.yml"
    feed.write_text(feed.read_text() + "max_age_days: 1\n")
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    workspace = opened(published)
    on_time, late = (feed_states(workspace, now)[0] for now in (one_mart.NOW, one_mart.NOW.replace(day=3)))
    assert (on_time.rows, on_time.loads, on_time.is_late, late.is_late) == (3, 1, False, True)
    assert feed_states(opened(published), one_mart.NOW)[1].last_outcome == "disabled"


def test_b18_one_delivery_with_a_wrong_clock_hides_no_lateness(published):
    feed = published.feeds / "orders.yml"
    feed.write_text(feed.read_text() + "max_age_days: 1\n")
    one_mart.deliver(published, "2017-12-31", one_mart.HEADER + "8,ann,2017-12-31 10:00:00,7.00\n")
    one_mart.load(published, now=one_mart.NOW.replace(year=2031))
    workspace = opened(published)
    on_time, late = (feed_states(workspace, now)[0] for now in (one_mart.NOW, one_mart.NOW.replace(day=3)))
    assert (on_time.loads, on_time.is_late, late.is_late) == (2, False, True)


def test_missing_feeds_name_the_metrics_they_leave_out(published):
    missing = dict(left_out(opened(published)))
    assert "response rates" in missing["survey_sends"]
    assert "orders" not in missing


def test_what_a_missing_feed_leaves_out_is_right_beside_returns_and_assumed_rates(published):
    missing = dict(left_out(opened(published)))
    assert "except the returns among the orders" in missing["refunds"]
    assert "less discounts and these returns" in missing["refunds"]
    assert "without `cost_amount` in order_lines" in missing["products"]
    assert "assumed rates" in missing["costs"]
    assert "recorded costs only" not in missing["costs"]
    published.vars["assumed_cost_rates"] = False
    assert dict(left_out(opened(published)))["costs"] == "costs from pools: CM2 and CM3 hold recorded costs only"


def test_doctor_finds_a_well_workspace_well(published):
    keys.load_key(published)
    for folder in (published.landing, published.raw, published.work_file.parent, published.quarantine):
        if folder.exists():
            folder.chmod(0o700)
    assert [check for check in doctor(opened(published)) if not check.is_well] == []


def test_doctor_names_open_folders_a_broken_feed_and_an_open_key(published):
    published.landing.chmod(0o755)
    (published.feeds / "web.yml").write_text("feed: nothing\n")
    keys.load_key(published)
    keys.key_file(published).chmod(0o644)
    amiss = {check.name: check.found for check in doctor(opened(published)) if not check.is_well}
    assert set(amiss) == {"umask", "feeds", "key"}
    assert "Feed `web` is disabled" in amiss["feeds"]


def test_doctor_names_the_folder_that_keeps_readers_out(published, tmp_path):
    place = tmp_path / "closed" / "marts"
    place.mkdir(parents=True)
    place.parent.chmod(0o700)
    apart = published.model_copy(update={"serve_folder": place})
    (check,) = [check for check in doctor(opened(apart)) if check.name == "readers"]
    assert not check.is_well
    assert f"others cannot enter {place.parent}" in check.found
    assert "chmod o+x" in check.found


def test_doctor_names_a_var_that_no_model_asks_for_with_the_nearest(published):
    wrong = published.model_copy(update={"vars": {"facto": 2}})
    (check,) = [check for check in doctor(opened(wrong)) if check.name == "vars"]
    assert not check.is_well
    assert check.found == "there is no var `facto`; did you mean `factor`"
    with pytest.raises(UserError, match=r"loyalty\.yml, key `vars`: there is no var `facto`.*nothing was built"):
        build.build(opened(wrong))


def test_doctor_looks_for_what_spark_needs(published, monkeypatch):
    on_spark = published.model_copy(update={"engine": "spark"})
    monkeypatch.setattr("loyalty.build.engines.spark._is_installed", lambda name: name != "pyspark.sql")
    (check,) = [check for check in doctor(opened(on_spark)) if check.name == "spark"]
    assert (check.is_well, "pip install 'loyalty-warehouse[spark]'" in check.found) == (False, True)
    monkeypatch.setattr("loyalty.build.engines.spark._is_installed", lambda name: True)
    monkeypatch.setattr("loyalty.build.engines.spark.java", lambda: "/usr/bin/java")
    (check,) = [check for check in doctor(opened(on_spark)) if check.name == "spark"]
    assert check.is_well
    assert check.found == f"local[*], warehouse {published.home / 'work' / 'spark'} (writable)"
    assert "spark" not in {check.name for check in doctor(opened(published))}


def test_k8_plan_status_and_alert_read_only_what_is_new(published):
    opened(published).ledger.last_seq()
    for look in (make_plan, feed_states, notify, lambda workspace: attention(workspace, [])):
        workspace = opened(published)
        look(workspace)
        assert workspace.ledger.lines_read == 0
