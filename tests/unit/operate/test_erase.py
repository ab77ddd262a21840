"""A forgotten person is nowhere in the bytes of the workspace, stays away, and the totals hold."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from loyalty.build import build
from loyalty.common import failpoints
from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.land import landing, load_writer
from loyalty.land.landing import load_feed, read_manifest
from loyalty.land.loads import load_folders, parts_of
from loyalty.land.quarantine import entries
from loyalty.land.redact import redact_forgotten
from loyalty.operate import erase
from loyalty.operate.erase import forget
from loyalty.operate.rotate import rotate_key
from loyalty.operate.verify import verify
from loyalty.privacy.keys import keyed_hash, load_key
from loyalty.privacy.suppression import Forgotten, list_file, load_forgotten, remember
from loyalty.publish.generations import generations
from loyalty.publish.publish import publish
from loyalty.pull.feeds import get_feed
from worlds import one_mart
from worlds.killing import kill_at
from worlds.opened import opened
from worlds.written_bytes import files_containing

CRM = one_mart.CRM.replace("created_at", "referrer_customer_id: referrer, created_at")
HEADER = "id,mail,referrer,since,note\n"
CUSTOMERS = (
    f"{HEADER}wilhelmina,wilhelmina@example.com,,2017-01-01,\nbob,bob@example.com,wilhelmina,2017-01-01,\n"
    "wilhelmina,wilhelmina@example.com,,no day,the row that was held back\n"
)
WEB = one_mart.FEED.replace("source: shop", "source: web").replace("exports/orders_", "exports/web_")
WHO = "wilhelmina"
TOTALS = "select sum(net_amount), sum(orders_count) from marts.retention__customers"


def load(settings, name="customers"):
    return load_feed(opened(settings), get_feed(settings.feeds, name), now=one_mart.NOW)


@pytest.fixture(scope="session")
def published_once(tmp_path_factory):
    """A generation with WHO in it; also in the CRM, in quarantine, in rejected files, an analyst's table and a log."""
    from loyalty.read.dev import make_file

    settings = one_mart.make_workspace(tmp_path_factory.mktemp("forget") / "shop")
    (settings.feeds / "customers.yml").write_text(CRM)
    (settings.feeds / "web.yml").write_text(WEB)
    exports = settings.home / "exports"
    (exports / "customers.csv").write_text(CUSTOMERS)
    (exports / "orders_2017-12-29.csv").write_text(f"id,customer\n7,{WHO}\n")
    (exports / "web_2017-12-29.csv").write_text("id,customer\n7,someone\n")
    one_mart.deliver(settings, "2017-12-30", one_mart.DAY_30.replace("ann", WHO))
    for name in ("customers", "orders", "web"):
        load(settings, name)
    built = build.build(opened(settings))
    publish(opened(settings), built.build_id, now=one_mart.NOW)
    made = make_file(opened(settings))
    with duckdb.connect(str(made.file)) as connection:
        connection.execute("create table marts.mine as from marts.retention__customers")
    (settings.spark_warehouse / "build-killed" / "marts.db").mkdir(parents=True)
    (settings.spark_warehouse / "build-killed" / "marts.db" / "part-0").write_text(WHO)
    for log in ("logs/orders.log", "airflow/logs/dag_id=build_marts/attempt=1.log"):
        (settings.home / log).parent.mkdir(parents=True)
        (settings.home / log).write_text(f"failed row of {WHO}")
    return settings.workspace


@pytest.fixture
def workspace(published_once, tmp_path):
    return one_mart.copy_workspace(published_once, tmp_path / "shop")


@pytest.fixture
def unbuilt(workspace, monkeypatch):
    """The same, and forgetting goes as far as landing: what is built from it is another test's."""
    monkeypatch.setattr(erase, "_publish_without", lambda *_: 0)
    return workspace


def test_person_is_gone_from_every_byte_and_totals_hold(workspace, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["loyalty", "forget", WHO])  # dbt notes the command in what it leaves
    before = one_mart.published(workspace, TOTALS)
    places = {file.relative_to(workspace.home).parts[0] for file in files_containing(workspace, WHO)}
    assert places == {"landing", "quarantine", "raw", "work", "serve", "dev", "logs", "airflow"}
    said = []
    receipt = forget(opened(workspace, said.append), WHO)
    assert files_containing(workspace, WHO) == []
    assert one_mart.published(workspace, TOTALS) == before
    customers = one_mart.published(workspace, "select customer_id from marts.retention__customers order by 1")
    assert [row[0] for row in customers] == ["bob", None]
    assert len(generations(workspace)) == 1
    assert (receipt.rows_removed, receipt.rows_anonymised) == (1, 3)
    assert WHO not in "".join(said)
    assert verify(opened(workspace)) == []


def test_receipt_list_and_ledger_name_no_one(unbuilt):
    receipt = forget(opened(unbuilt), WHO)
    event = Ledger(unbuilt.ledger).last("forget")
    assert event.data["receipt"] == receipt.code
    content = Ledger(unbuilt.ledger).file.read_text() + list_file(unbuilt).read_text()
    assert WHO not in content
    assert list_file(unbuilt).stat().st_mode & 0o077 == 0


def test_unknown_person_changes_nothing(unbuilt):
    before = Ledger(unbuilt.ledger).loads()
    with pytest.raises(UserError, match="No landed load has a customer"):
        forget(opened(unbuilt), "unknown")
    assert Ledger(unbuilt.ledger).loads() == before
    assert not list_file(unbuilt).exists()


def test_refused_files_of_another_source_are_kept(unbuilt):
    assert {folder.name for folder in unbuilt.raw.iterdir() if any(folder.iterdir())} == {"customers", "orders", "web"}
    forget(opened(unbuilt), WHO, source="shop")
    assert {folder.name for folder in unbuilt.raw.iterdir() if any(folder.iterdir())} == {"web"}


def test_a_person_of_one_source_stays_in_the_other(unbuilt):
    (unbuilt.home / "exports" / "web_2017-12-30.csv").write_text(one_mart.DAY_30.replace("ann", WHO))
    load(unbuilt, "web")
    forget(opened(unbuilt), WHO, source="shop")
    naming = {file.parent.name for file in files_containing(unbuilt, WHO) if "landing" in file.parts}
    assert naming == {
        f"load_id={loaded.load_id}" for loaded in Ledger(unbuilt.ledger).loads() if loaded.source == "web"
    }


AGAIN = {
    "the same file under another name": ("customers_copy.csv", CUSTOMERS),
    "an export with more rows": ("customers_2.csv", CUSTOMERS + "eve,eve@example.com,wilhelmina,2017-02-02,\n"),
    "a file that is refused": ("customers_3.csv", "idd,mail\nwilhelmina,wilhelmina@example.com\n"),
    "a row that would be held back": (
        "customers_4.csv",
        f"{HEADER}bob,bob@example.com,,2017-01-01,\nzoe,,wilhelmina,no day,again\nwilhelmina,,,no day,again\n",
    ),
}


@pytest.mark.parametrize("name", AGAIN)
def test_an_old_export_does_not_bring_the_person_back(unbuilt, name):
    forget(opened(unbuilt), WHO)
    file, content = AGAIN[name]
    (unbuilt.home / "exports" / file).write_text(content)
    load(unbuilt)
    assert [file for file in files_containing(unbuilt, WHO) if "serve" not in file.parts] == []
    quarantined = [(entry.line, entry.status) for entry in entries(opened(unbuilt)) if entry.file == file]
    assert quarantined == []


def test_orders_that_come_again_stay_orders_of_a_guest(unbuilt):
    forget(opened(unbuilt), WHO)
    one_mart.deliver(unbuilt, "2017-12-31", one_mart.DAY_30.replace("ann", WHO).replace("10.00", "11.00"))
    outcome = load(unbuilt, "orders")[-1]
    manifest = read_manifest(unbuilt.landing / "orders" / f"load_id={outcome.load_id}")
    assert (outcome.rows, manifest["erased_count"]) == (3, 2)
    assert manifest["profile"]["sum_total_amount"] == "36.5000"


def test_a_load_that_was_under_way_is_caught_by_the_next_build(workspace, monkeypatch):
    monkeypatch.setattr(erase, "_publish_without", lambda *_: 0)
    forget(opened(workspace), WHO)
    monkeypatch.setattr(load_writer, "load_forgotten", lambda _: Forgotten())
    monkeypatch.setattr(load_writer, "forgotten_count", lambda _: 0)
    monkeypatch.setattr(landing, "forgotten_count", lambda _: 0)
    one_mart.deliver(workspace, "2017-12-31", one_mart.DAY_31.replace("eve", WHO))
    load(workspace, "orders")
    monkeypatch.undo()
    assert [file for file in files_containing(workspace, WHO) if "landing" in file.parts]
    said = []
    built = build.build(opened(workspace, said.append))
    assert "forgotten people taken out of 1 load" in said[0]
    publish(opened(workspace), built.build_id, now=one_mart.NOW)
    assert [file for file in files_containing(workspace, WHO) if "000001" not in file.parts] == []


def test_answers_to_the_persons_questionnaires_go_with_them(unbuilt):
    for feed, columns in {
        "survey_responses": "{response_id: r, customer_id: c, survey_id: {value: s}, submitted_at: w}",
        "survey_answers": "{response_id: r, question_code: q, value: v}",
    }.items():
        text = CRM.replace("feed: customers", f"feed: {feed}").replace("exports/customers", f"exports/{feed}")
        text = text.partition("columns:")[0] + f"columns: {columns}\n"
        (unbuilt.feeds / f"{feed}.yml").write_text(text)
    exports = unbuilt.home / "exports"
    (exports / "survey_responses.csv").write_text(f"r,c,w\nr1,{WHO},2017-12-01\nr2,bob,2017-12-01\n")
    (exports / "survey_answers.csv").write_text("r,q,v\nr1,why,so says she\nr2,why,so says he\n")
    for feed in ("survey_responses", "survey_answers"):
        load(unbuilt, feed)
    assert files_containing(unbuilt, "so says she")
    forget(opened(unbuilt), WHO)
    assert files_containing(unbuilt, "so says she") == []
    (exports / "survey_answers_2.csv").write_text("r,q,v\nr1,why,so says she\nr2,how,so says he\n")
    load(unbuilt, "survey_answers")
    assert files_containing(unbuilt, "so says she") == []
    assert files_containing(unbuilt, "so says he")


LINES = CRM.replace("feed: customers", "feed: order_lines").replace("exports/customers", "exports/lines")
LINES = f"""{LINES.partition("columns:")[0]}
columns: {{order_id: o, line_number: n, product_id: p, quantity: q, net_amount: a}}
"""
GIFT = "o,n,p,q,a,gift message,mail\n1,1,tea,1,10.00,for Mina,w@example.com\n3,1,tea,1,5.00,for bob,b@example.com\n"
BROKEN_GIFTS = "1,x,tea,1,1.00,for Mina,\n3,x,tea,1,1.00,for bob,\n"


def load_lines(settings, name, content):
    (settings.feeds / "lines.yml").write_text(LINES)
    (settings.home / "exports" / name).write_text(content)
    return load(settings, "lines")[-1]


def places(settings, word):
    return {file.relative_to(settings.home).parts[0] for file in files_containing(settings, word)}


def test_what_the_lines_of_the_persons_orders_say_of_them_goes_too(unbuilt):
    load_lines(unbuilt, "lines_1.csv", GIFT + BROKEN_GIFTS)
    assert places(unbuilt, "for Mina") == places(unbuilt, "for bob") == {"landing", "quarantine", "raw"}
    forget(opened(unbuilt), WHO)
    assert places(unbuilt, "for Mina") == set()
    assert places(unbuilt, "for bob") == {"landing", "quarantine"}
    before = Ledger(unbuilt.ledger).loads()
    forget(opened(unbuilt), WHO)
    assert Ledger(unbuilt.ledger).loads() == before  # nothing was left to be taken out
    again = load_lines(unbuilt, "lines_2.csv", GIFT.replace("10.00", "11.00") + BROKEN_GIFTS)
    assert (again.rows, again.quarantined) == (2, 1)
    assert places(unbuilt, "for Mina") == set()


def test_raw_files_with_an_address_beside_the_persons_orders_go_too(unbuilt):
    header, line, _ = GIFT.replace("gift message,", "").replace("for Mina,", "").splitlines()
    load_lines(unbuilt, "lines_1.csv", f"{header}\n{line}\n")
    assert places(unbuilt, "w@example.com") == {"raw"}
    forget(opened(unbuilt), WHO)
    assert places(unbuilt, "w@example.com") == set()
    load_lines(unbuilt, "lines_2.csv", f"{header}\n{line.replace('10.00', '11.00')}\n")
    assert places(unbuilt, "w@example.com") == set()


def test_lines_that_come_before_their_order_are_caught_by_the_next_build(workspace, monkeypatch):
    monkeypatch.setattr(erase, "_publish_without", lambda *_: 0)
    forget(opened(workspace), WHO)
    load_lines(workspace, "lines_1.csv", GIFT.replace("\n1,", "\n77,"))
    one_mart.deliver(workspace, "2017-12-31", one_mart.DAY_31.replace("4,eve", f"77,{WHO}"))
    load(workspace, "orders")
    assert places(workspace, "for Mina") == {"landing", "raw"}
    assert redact_forgotten(opened(workspace)) == 1
    assert places(workspace, "for Mina") == set()
    assert redact_forgotten(opened(workspace)) == 0


@pytest.mark.parametrize("is_first", [True, False])
def test_a_copy_that_another_feed_keeps_of_the_persons_file_goes_whenever_it_came(unbuilt, is_first):
    """Another feed reads the same file, but not its column of names: its copy names them all the same."""
    content = one_mart.DAY_30.replace("ann", WHO).replace("10.00", "12.00")
    one_mart.deliver(unbuilt, "2017-12-31", content)
    columns = "{order_id: at, ordered_at: {value: '2017-12-31'}, total_amount: total}"
    (unbuilt.feeds / "other.yml").write_text(one_mart.FEED.partition("columns:")[0] + f"columns: {columns}\n")
    names = ("orders", "other") if is_first else ("other", "orders")
    forget(opened(unbuilt), WHO)
    for name in names:
        assert load(unbuilt, name)[-1].outcome == "accepted"
    assert [file for file in files_containing(unbuilt, WHO) if "raw" in file.parts] == []


def test_a_row_of_the_person_that_a_rule_holds_back_is_not_kept_either(unbuilt):
    small = "{type: expect_column_values_to_be_between, kwargs: {column: total_amount, max_value: 6.5}}"
    (unbuilt.expectations / "orders.yml").write_text(
        f"feed: orders\nrows:\n  - {{name: small, severity: critical, because: Small., expectation: {small}}}\n"
    )
    (unbuilt.feeds / "orders.yml").write_text(one_mart.FEED + "max_quarantine_rate: 0.9\n")
    forget(opened(unbuilt), WHO)
    rows = f"5,{WHO},2017-12-31,7.00\n6,bob,2017-12-31,7.00\n7,bob,2017-12-31,1\n"
    one_mart.deliver(unbuilt, "2017-12-31", one_mart.HEADER + rows)
    outcome = load(unbuilt, "orders")[-1]
    assert (outcome.rows, outcome.quarantined) == (1, 1)
    assert places(unbuilt, WHO) == {"serve"}


@pytest.mark.parametrize("rotations", [0, 1])
def test_a_customer_with_an_id_is_found_by_the_address(unbuilt, rotations):
    for _ in range(rotations):
        rotate_key(opened(unbuilt))
    receipt = forget(opened(unbuilt), " Wilhelmina@Example.com")
    assert (receipt.rows_removed, receipt.rows_anonymised) == (1, 3)
    assert places(unbuilt, WHO) == {"serve"}
    assert places(unbuilt, keyed_hash(load_key(unbuilt), f"{WHO}@example.com")) == {"private"}
    assert WHO not in list_file(unbuilt).read_text()
    one_mart.deliver(unbuilt, "2017-12-31", one_mart.DAY_30.replace("ann", WHO).replace("10.00", "11.00"))
    assert load(unbuilt, "orders")[-1].outcome == "accepted"
    assert places(unbuilt, WHO) == {"serve"}


def test_an_address_that_the_shop_fills_in_for_many_forgets_no_one(unbuilt):
    rows = "".join(f"c{number},shared@example.com,,2017-01-01,\n" for number in range(11))
    (unbuilt.home / "exports" / "customers_2.csv").write_text(HEADER + rows)
    load(unbuilt)
    with pytest.raises(UserError, match="belongs to 11 customers, which are not one person"):
        forget(opened(unbuilt), "shared@example.com")
    assert not list_file(unbuilt).exists()


def test_what_several_remember_at_once_is_all_remembered(unbuilt):
    codes = [f"{number:064x}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda code: remember(unbuilt, [code]), codes))
    assert load_forgotten(unbuilt).codes == set(codes)


def forget_in(folder):
    forget(opened(one_mart.load_settings(folder)), WHO)


@pytest.mark.parametrize("point", failpoints.FORGET_POINTS)
def test_killed_midway_it_is_run_again_and_ends_the_same(unbuilt, point):
    kill_at(point, forget_in, unbuilt.workspace)
    forget(opened(unbuilt), WHO)
    assert [file for file in files_containing(unbuilt, WHO) if "serve" not in file.parts] == []
    assert not list(unbuilt.landing.glob("*/.draft*"))
    landed = {folder.name.removeprefix("load_id=") for folder in unbuilt.landing.glob("*/load_id=*")}
    assert landed == {loaded.load_id for loaded in Ledger(unbuilt.ledger).loads()}
    assert len(list_file(unbuilt).read_text().splitlines()) == 4  # the id, its hash, and two orders


def test_alerts_and_reasons_show_the_shape_of_a_cell_and_not_its_content(unbuilt):
    one_mart.deliver(unbuilt, "2017-12-31", one_mart.HEADER + "8,ann,Wilhelmina Schulz 0170-1234,7.00\n")
    outcome = load(unbuilt, "orders")[-1]
    assert "ordered_at: a cell like `aaaaaaaaaa aaaaaa 9999-9999` is not a timestamp" in outcome.message
    assert "Schulz" not in Ledger(unbuilt.ledger).file.read_text()
    assert "Schulz" not in json.dumps([entry.reason for entry in entries(opened(unbuilt))])


def test_personal_data_are_in_raw_files_alone(workspace):
    naming = {file.relative_to(workspace.home).parts[0] for file in files_containing(workspace, "example.com")}
    assert naming == {"raw"}


LINKS = """
feed: customer_links
source: shop
group: crm
owner: data-engineering
description: Merged records of the shop.
path: exports/links*.csv
time_zone: UTC
columns: {customer_id: old, into_customer_id: new, unlinked_at: undone}
"""


def with_links(settings, rows):
    (settings.feeds / "links.yml").write_text(LINKS)
    (settings.home / "exports" / "links.csv").write_text(f"old,new,undone\n{rows}")
    (outcome,) = load(settings, "links")
    assert outcome.outcome == "accepted", outcome.message


def erased_and_left(settings, *words):
    """Which of the words are nowhere but in what was published before."""
    return [
        word
        for word in words
        if not [file for file in files_containing(settings, word) if settings.serve not in file.parents]
    ]


def test_b10_merged_records_are_forgotten_with_the_person(unbuilt):
    with_links(unbuilt, f"wilma-old,{WHO},\nwilma-older,wilma-old,\nbob,robert,\n{WHO},betty-undone,2017-02-01\n")
    customers = ("wilma-old", "wilma-older", "betty-undone")
    rows = [f"{number},{customer},2017-12-30 10:00:00,1.00\n" for number, customer in enumerate(customers, 8)]
    one_mart.deliver(unbuilt, "2017-12-31", one_mart.HEADER + "".join(rows))
    load(unbuilt, "orders")
    forget(opened(unbuilt), WHO)
    assert erased_and_left(unbuilt, WHO, *customers, "robert") == [WHO, "wilma-old", "wilma-older"]


def test_b10_records_with_the_same_address_are_forgotten_with_the_person(unbuilt):
    more = "wilma-again,wilhelmina@example.com,,2017-05-01,\nbettina,bettina@example.com,,2017-05-01,\n"
    (unbuilt.home / "exports" / "customers_2.csv").write_text(HEADER + more)
    load(unbuilt)
    forget(opened(unbuilt), WHO)
    assert erased_and_left(unbuilt, WHO, "wilma-again", "bettina") == [WHO, "wilma-again"]


def test_b10_a_placeholder_address_makes_no_one_person_of_many(unbuilt):
    more = "".join(f"customer-{number},shared@example.com,,2017-05-01,\n" for number in range(11))
    (unbuilt.home / "exports" / "customers_2.csv").write_text(HEADER + more)
    load(unbuilt)
    forget(opened(unbuilt), "customer-3")
    assert erased_and_left(unbuilt, "customer-3", "customer-4") == ["customer-3"]


def test_b10_a_merge_that_comes_later_does_not_bring_the_person_back(unbuilt):
    forget(opened(unbuilt), WHO)
    with_links(unbuilt, f"wilma-old,{WHO},\n")
    one_mart.deliver(unbuilt, "2017-12-31", one_mart.HEADER + "8,wilma-old,2017-12-30 10:00:00,1.00\n")
    load(unbuilt, "orders")
    landed = [row for folder in load_folders(unbuilt.landing) for part in parts_of(folder) for row in part.to_pylist()]
    assert not any("wilma-old" in str(row) for row in landed)
