"""After a rotation equal addresses still meet, old ones and new ones, and the old key alone undoes nothing."""

import pyarrow.parquet as pq
import pytest

from loyalty.build import build
from loyalty.common import failpoints
from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.land.landing import load_feed
from loyalty.land.quarantine import export
from loyalty.land.release import release
from loyalty.operate import erase
from loyalty.operate.rotate import rotate_key
from loyalty.privacy import keys
from loyalty.privacy.suppression import load_forgotten
from loyalty.pull.feeds import get_feed
from worlds import one_mart
from worlds.killing import kill_at
from worlds.opened import opened

OLD = "id,mail,since\n1,Ada@example.com,2017-01-01\n2,eve@example.com,2017-01-01\n3,ada@example.com,soon\n"
NEW = "id,mail,since\n4,ada@example.com,2017-01-01\n"


@pytest.fixture
def landed(tmp_path):
    settings = one_mart.make_workspace(tmp_path / "shop")
    (settings.feeds / "customers.yml").write_text(one_mart.CRM)
    (settings.home / "exports" / "customers_1.csv").write_text(OLD)
    load(settings)
    return settings


def load(settings):
    return load_feed(opened(settings), get_feed(settings.feeds, "customers"), now=one_mart.NOW)


def hashes(settings):
    """customer -> keyed hash of the address, of all loads that count."""
    found = {}
    for one in Ledger(settings.ledger).loads():
        for part in (settings.landing / "customers" / f"load_id={one.load_id}").glob("part-*"):
            rows = pq.read_table(part, partitioning=None).to_pylist()
            found |= {row["customer_id"]: row["email_hash"] for row in rows}
    return found


def rotate_in(folder):
    rotate_key(opened(one_mart.load_settings(folder)))


def test_addresses_of_before_and_after_meet_and_the_old_hashes_are_gone(landed):
    before, old_key = hashes(landed), keys.load_key(landed)
    assert rotate_key(opened(landed)) == 1
    (landed.home / "exports" / "customers_2.csv").write_text(NEW)
    load(landed)
    after = hashes(landed)
    assert after["1"] == after["4"] != after["2"]
    assert not set(before.values()) & set(after.values())
    assert after["1"] != keys.keyed_hash(old_key, "ada@example.com")
    assert after["1"] == keys.lift(keys.load_key(landed), before["1"], 1)
    assert len(list((landed.landing / "customers").glob("load_id=*"))) == 2
    assert keys.key_file(landed).stat().st_mode & 0o777 == 0o600


def test_a_row_held_back_before_is_released_after_and_meets_the_others(landed, tmp_path):
    (load_id,) = [one.load_id for one in Ledger(landed.ledger).loads()]
    file = tmp_path / "corrected.csv"
    assert export(opened(landed), load_id, file) == 1
    file.write_text(file.read_text().replace("soon", "2017-05-05"))
    rotate_key(opened(landed))
    release(opened(landed), load_id, corrected=file)
    assert hashes(landed)["3"] == hashes(landed)["1"]


@pytest.mark.parametrize("released_first", [True, False])
def test_what_was_released_from_a_snapshot_counts_with_the_load_that_took_its_place(landed, tmp_path, released_first):
    feed = landed.feeds / "customers.yml"
    feed.write_text(f"{one_mart.CRM}snapshot: full\n")
    load_feed(opened(landed), get_feed(landed.feeds, "customers"), again=True)
    load_id = Ledger(landed.ledger).loads()[-1].load_id
    file = tmp_path / "corrected.csv"
    export(opened(landed), load_id, file)
    file.write_text(file.read_text().replace("soon", "2017-05-05"))
    if not released_first:
        rotate_key(opened(landed))
    release(opened(landed), load_id, corrected=file)
    if released_first:
        rotate_key(opened(landed))
    assert set(hashes(landed)) == {"1", "2", "3"}
    feed.write_text(f"{one_mart.CRM}snapshot: full\nversion: since\n")
    load_feed(opened(landed), get_feed(landed.feeds, "customers"), again=True)
    assert set(hashes(landed)) == {"1", "2"}


def test_who_was_forgotten_before_is_forgotten_after(landed, monkeypatch):
    monkeypatch.setattr(erase, "_publish_without", lambda *_: 0)
    erase.forget(opened(landed), "1")
    rotate_key(opened(landed))
    rotate_key(opened(landed))
    assert load_forgotten(landed).is_listed("customer", "shop", "1")
    (landed.home / "exports" / "customers_3.csv").write_text(OLD + "5,x@example.com,2017-01-01\n")
    load(landed)
    assert set(hashes(landed)) == {"2", "5"}


@pytest.mark.parametrize("point", failpoints.ROTATE_POINTS)
def test_killed_midway_no_build_mixes_two_kinds_of_hashes_and_a_rerun_finishes(landed, point):
    one_mart.load(landed)
    before = hashes(landed)
    kill_at(point, rotate_in, landed.workspace)
    if point in ("rotate.added", "rotate.rewritten"):
        with pytest.raises(UserError, match=r"run `loyalty rotate-key` to continue"):
            build.build(opened(landed))
        rotate_key(opened(landed))
    assert len(keys.load_key(landed)) == 2
    assert hashes(landed)["1"] == keys.lift(keys.load_key(landed), before["1"], 1)
