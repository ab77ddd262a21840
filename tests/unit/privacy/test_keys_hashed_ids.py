"""A shop that knows its customers by e-mail address: it becomes a keyed hash, on which all the exports meet."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from loyalty.build import build
from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.land.landing import load_feed
from loyalty.land.quarantine import entries, export
from loyalty.land.release import release
from loyalty.operate import erase, rotate
from loyalty.operate.rotate import rotate_key
from loyalty.privacy import keys
from loyalty.publish.publish import publish
from loyalty.pull.feeds import BrokenFeed, get_feed
from worlds import one_mart
from worlds.opened import opened
from worlds.own_feeds import Workspace
from worlds.written_bytes import files_containing

GUIDE = Path(__file__).parents[3] / "docs" / "feeds.md"
TICKETS = """
feed: tickets
source: web
group: crm
owner: support
description: Tickets of the support team.
path: exports/tickets.csv
time_zone: Europe/Paris
columns: {ticket_id: Id, customer_id: {from: Requester email, hash: true}, opened_at: Created at}
"""
ANSWERS = """
feed: survey_responses
source: web
group: surveys
owner: research
description: Questionnaires that came back.
path: exports/responses.csv
time_zone: Europe/Paris
columns:
  response_id: ResponseId
  survey_id: {value: satisfaction}
  customer_id: {from: RecipientEmail, hash: true}
  submitted_at: RecordedDate
"""
ORDERS = """\
Name,Email,Financial Status,Currency,Total,Discount Amount,Created at,Lineitem name,Billing Name
#1001,Ada@Example.com,paid,EUR,25.00,0.00,2017-12-01 10:00:00 +0100,Mug,Ada Lovelace
#1001,,,,,,,Lid,
#1002,,paid,EUR,9.99,0.00,2017-12-02 10:00:00 +0100,Tea,
#1003,eve@example.com,paid,EUR,5.00,0.00,2017-12-30 10:00:00 +0100,Tea,Eve
#1004,eve@example.com,paid,EUR,5.00,0.00,soon,Tea,Eve
"""
LATER = """\
Name,Email,Financial Status,Currency,Total,Discount Amount,Created at
#1005,ada@example.com,paid,EUR,2.00,0.00,2017-12-31 10:00:00 +0100
"""
CUSTOMERS = """\
Customer ID,First Name,Last Name,Email,Default Address Country Code,Phone,Accepts Email Marketing
7,Ada,Lovelace,ADA@example.com,GB,,yes
8,Eve,Moneypenny,eve@example.com,FR,'0142,no
9,No,Body,,FR,,no
"""
EXPORTS = {
    "shopify_2017-12-30.csv": ORDERS,
    "customers.csv": CUSTOMERS,
    "tickets.csv": "Id,Requester email,Created at\n1, ada@EXAMPLE.com ,2017-12-05 10:00\n",
    "responses.csv": "ResponseId,RecipientEmail,RecordedDate\nR_1,ada@example.com,2017-12-06 10:00:00\n",
}
FEEDS = ("shopify_orders", "shopify_customers", "tickets", "answers")
ADA, EVE = "ada@example.com", "eve@example.com"


def guide(name: str) -> str:
    """A feed's YAML as the guide shows it, for files in which more than one row in twenty may be broken."""
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [block for block in blocks if block.startswith(f"# dags/feeds/{name}.yml")]
    return block + "max_quarantine_rate: 0.9\n"


def load(settings, name="shopify_orders", **options):
    return load_feed(opened(settings), get_feed(settings.feeds, name), now=one_mart.NOW, **options)


def landed(settings, feed, column="customer_id"):
    """The record's key -> the id of its customer, of all loads of a feed that count."""
    found = {}
    for one in Ledger(settings.ledger).loads():
        for part in (settings.landing / feed / f"load_id={one.load_id}").glob("part-*"):
            rows = pq.read_table(part, partitioning=None).to_pylist()
            found |= {next(iter(row.values())): row[column] for row in rows}
    return found


def hash_of(settings, address):
    return keys.keyed_hash(keys.load_key(settings), address)


def places(settings, word):
    return {file.relative_to(settings.home).parts[0] for file in files_containing(settings, word)}


@pytest.fixture(scope="session")
def landed_once(tmp_path_factory):
    settings = one_mart.make_workspace(tmp_path_factory.mktemp("hashed") / "shop")
    (settings.feeds / "orders.yml").unlink()
    texts = [guide("shopify_orders"), guide("shopify_customers"), TICKETS, ANSWERS]
    for name, text in zip(FEEDS, texts, strict=True):
        (settings.feeds / f"{name}.yml").write_text(text)
    for name, content in EXPORTS.items():
        (settings.home / "exports" / name).write_text(content)
    for name in FEEDS:
        load(settings, name)
    return settings.workspace


@pytest.fixture
def shop(landed_once, tmp_path):
    return one_mart.copy_workspace(landed_once, tmp_path / "shop")


@pytest.fixture
def unbuilt(shop, monkeypatch):
    """The same, and forgetting goes as far as landing."""
    monkeypatch.setattr(erase, "_publish_without", lambda *_: 0)
    return shop


def test_orders_customers_tickets_and_answers_of_one_person_meet(shop):
    ada, eve = hash_of(shop, ADA), hash_of(shop, EVE)
    assert landed(shop, "orders") == {"#1001": ada, "#1002": None, "#1003": eve}
    assert landed(shop, "customers", "email_hash") == {ada: ada, eve: eve}
    assert landed(shop, "tickets") == {"1": ada}
    assert landed(shop, "survey_responses") == {"R_1": ada}


def test_addresses_are_in_raw_files_alone(shop):
    for address in ("Ada@Example.com", "ADA@example.com", EVE, "ada@EXAMPLE.com"):
        assert places(shop, address) == {"raw"}
    (held,) = entries(opened(shop))
    assert (held.reason, hash_of(shop, EVE) in held.row_json) == (
        "ordered_at: a cell like `aaaa` is not a timestamp",
        True,
    )


def test_a_file_that_lost_its_header_is_refused_without_saying_an_address(shop):
    (shop.home / "exports" / "tickets.csv").write_text("1,lost@example.com,2017-12-05\n2,ada@example.com,2017-12-05\n")
    (outcome,) = load(shop, "tickets")
    assert outcome.outcome == "rejected"
    assert "looks like a row" in outcome.message
    assert "9, aaaa@aaaaaaa.aaa, 9999-99-99" in outcome.message
    assert places(shop, "lost@example.com") == {"raw"}


def test_published_forgotten_and_rotated_from_end_to_end(shop):
    def customers():
        return one_mart.published(
            shop, "select customer_id, net_amount::int from marts.retention__customers order by 2"
        )

    def night():
        built = build.build(opened(shop))
        publish(opened(shop), built.build_id, now=one_mart.NOW)
        return built

    night()
    assert customers() == [(hash_of(shop, EVE), 5), (None, 10), (hash_of(shop, ADA), 25)]
    before = hash_of(shop, ADA)
    rotate_key(opened(shop))
    (shop.home / "exports" / "shopify_2017-12-31.csv").write_text(LATER)
    load(shop)
    assert night().is_full
    assert customers() == [(hash_of(shop, EVE), 5), (None, 10), (hash_of(shop, ADA), 27)]
    assert hash_of(shop, ADA) == keys.lift(keys.load_key(shop), before, 1)
    receipt = erase.forget(opened(shop), " Ada@example.COM")
    assert customers() == [(hash_of(shop, EVE), 5), (None, 37)]
    assert (receipt.rows_removed, receipt.rows_anonymised) == (2, 3)
    assert files_containing(shop, before) == []
    assert places(shop, hash_of(shop, ADA)) == {"private"}
    assert places(shop, ADA) == set()


def test_who_was_forgotten_before_a_rotation_stays_away_after_it(unbuilt):
    erase.forget(opened(unbuilt), ADA, source="web")
    rotate_key(opened(unbuilt))
    rotate_key(opened(unbuilt))
    (unbuilt.home / "exports" / "shopify_2017-12-31.csv").write_text(LATER)
    (unbuilt.home / "exports" / "customers.csv").write_text(CUSTOMERS + "10,Zoe,Z,zoe@example.com,FR,,no\n")
    load(unbuilt)
    load(unbuilt, "shopify_customers")
    assert landed(unbuilt, "orders") == {"#1001": None, "#1002": None, "#1003": hash_of(unbuilt, EVE), "#1005": None}
    assert set(landed(unbuilt, "customers")) == {hash_of(unbuilt, EVE), hash_of(unbuilt, "zoe@example.com")}
    assert landed(unbuilt, "survey_responses") == {}
    assert places(unbuilt, ADA) == set()


def test_a_row_held_back_of_somebody_forgotten_goes_with_them_also_after_a_rotation(unbuilt):
    rotate_key(opened(unbuilt))
    assert len(entries(opened(unbuilt))) == 1
    erase.forget(opened(unbuilt), EVE)
    assert entries(opened(unbuilt)) == []


def test_raw_files_of_quarantined_rows_are_deleted_also_after_a_rotation_of_the_key(unbuilt):
    row = "#1006,zoe@example.com,paid,EUR,5.00,0.00,soon\n"
    (unbuilt.home / "exports" / "shopify_2017-12-31.csv").write_text(LATER + row)
    load(unbuilt)
    other = guide("shopify_orders").partition("\ncolumns:")[0]  # reads the same file, but not its column of names
    columns = "{order_id: Created at, ordered_at: {value: '2017-12-31'}, currency_code: Currency, total_amount: Total}"
    (unbuilt.feeds / "other.yml").write_text(f"{other}\ncolumns: {columns}\n")
    load(unbuilt, "other")
    rotate_key(opened(unbuilt))
    assert places(unbuilt, "zoe@example.com") == {"raw"}
    erase.forget(opened(unbuilt), "zoe@example.com")
    assert places(unbuilt, "zoe@example.com") == set()
    assert landed(unbuilt, "orders")["#1005"] == hash_of(unbuilt, ADA)


def test_a_person_of_another_source_is_another_persons_affair(unbuilt):
    with pytest.raises(UserError, match="No landed load has a customer of source `till`"):
        erase.forget(opened(unbuilt), ADA, source="till")


def test_while_a_rotation_is_under_way_no_one_is_forgotten_by_halves(unbuilt, monkeypatch):
    keys.add_key(unbuilt)  # as far as a rotation that is killed at once
    with pytest.raises(UserError, match="run `loyalty rotate-key` to continue"):
        erase.forget(opened(unbuilt), ADA)
    rotate_key(opened(unbuilt))
    with monkeypatch.context() as killed:
        killed.setattr(rotate, "remove_replaced", lambda *_: None)
        rotate_key(opened(unbuilt))
    erase.forget(opened(unbuilt), ADA)
    assert None is landed(unbuilt, "orders")["#1001"]
    loads = {load.load_id for load in Ledger(unbuilt.ledger).loads()}
    assert {folder.name.removeprefix("load_id=") for folder in unbuilt.landing.glob("*/load_id=*")} == loads


def test_a_row_held_back_is_corrected_after_a_rotation_and_meets_the_others(shop, tmp_path):
    (held,) = entries(opened(shop))
    rotate_key(opened(shop))
    file = tmp_path / "corrected.csv"
    export(opened(shop), held.load_id, file)
    file.write_text(file.read_text().replace("soon", "2017-12-30 11:00:00 +0100"))
    release(opened(shop), held.load_id, corrected=file)
    orders = landed(shop, "orders")
    assert orders["#1004"] == orders["#1003"] == hash_of(shop, EVE)


def test_a_customer_held_back_is_corrected_by_an_export_after_a_rotation(shop):
    feed = shop.feeds / "shopify_customers.yml"
    feed.write_text(guide("shopify_customers").replace("phone: Phone", "phone: Phone, created_at: Since"))
    lines = "Email,Phone,Default Address Country Code,Since\nzoe@example.com,,FR,{}\neve@example.com,,FR,2017-01-01\n"
    exported = shop.home / "exports" / "customers.csv"
    exported.write_text(lines.format("soon"))
    load(shop, "shopify_customers")
    rotate_key(opened(shop))
    exported.write_text(lines.format("2017-01-02"))
    load(shop, "shopify_customers")
    assert {entry.feed: entry.status for entry in entries(opened(shop))} == {"orders": "open", "customers": "corrected"}


def test_a_mapping_that_begins_to_hash_reads_the_kept_files_again(shop):
    file = shop.feeds / "tickets.yml"
    file.write_text(TICKETS.replace("{from: Requester email, hash: true}", "Requester email"))
    load(shop, "tickets", again=True)
    assert landed(shop, "tickets") == {"1": "ada@EXAMPLE.com"}
    file.write_text(TICKETS)
    load(shop, "tickets", again=True)
    assert landed(shop, "tickets") == {"1": hash_of(shop, ADA)}


def test_a_key_that_made_ids_is_not_replaced_by_another(shop):
    (shop.feeds / "shopify_customers.yml").unlink()
    for folder in (shop.landing / "customers").iterdir():
        folder.rename(shop.workspace / folder.name)
    keys.key_file(shop).unlink()
    with pytest.raises(UserError, match="put it back from your backup"):
        keys.load_key(shop)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"customer_id": {"value": "c", "hash": True}}, "`hash` goes with `from` alone"),
        ({"customer_id": {"from": "Email", "hash": True, "pattern": "x"}}, "`hash` goes with `from` alone"),
        ({"customer_id": {"from": "Email", "hash": "so"}}, "true or false is expected"),
        ({"store_id": {"from": "Email", "hash": True}}, "columns.store_id: `hash` is for a customer's id"),
        (
            {"customer_id": {"from": "Email", "hash": True}, "store_id": "Email"},
            "columns.store_id: what another column hashes",
        ),
    ],
)
def test_a_wrong_declaration_is_refused_by_name(workspace: Workspace, columns, sentence):
    broken = workspace.broken_feed(columns={"order_id": "Order"} | columns)
    assert isinstance(broken, BrokenFeed)
    assert sentence in broken.message
