"""A forgotten person is nowhere in the bytes of the workspace, and the totals hold."""

import pytest

import tiny
from loyalty.erasure import forget
from loyalty.errors import UserError
from loyalty.feeds import get_feed
from loyalty.generations import generations
from loyalty.landing import load_feed
from loyalty.ledger import Ledger
from loyalty.verify import verify

pytest_plugins = ("tiny_fixtures",)

CRM = """
feed: customers
source: shop
group: crm
owner: data-engineering
description: Customers of the shop.
path: exports/customers.csv
time_zone: UTC
columns: {customer_id: id, email: mail, referrer_customer_id: referrer}
"""
CUSTOMERS = "id,mail,referrer\nwilhelmina,wilhelmina@example.com,\nbob,bob@example.com,wilhelmina\n"
WHO = "wilhelmina"


@pytest.fixture
def workspace(tmp_path):
    """Two generations; WHO is in both, in orders, in the CRM, in a private copy and in a log."""
    from loyalty.dev import make_copy
    from loyalty.night import build_and_publish

    settings = tiny.make_workspace(tmp_path / "shop")
    (settings.feeds / "customers.yml").write_text(CRM)
    (settings.home / "exports" / "customers.csv").write_text(CUSTOMERS)
    tiny.deliver(settings, "2017-12-30", tiny.DAY_30.replace("ann", WHO))
    for name in ("customers", "orders"):
        load_feed(settings, get_feed(settings.feeds, name), say=tiny.quiet, now=tiny.NOW)
    build_and_publish(settings, say=tiny.quiet, now=tiny.NOW)
    tiny.deliver(settings, "2017-12-31", tiny.DAY_31)
    tiny.load(settings)
    build_and_publish(settings, say=tiny.quiet, now=tiny.NOW)
    make_copy(settings, tiny.quiet)
    (settings.home / "logs").mkdir()
    (settings.home / "logs" / "orders.log").write_text(f"failed row of {WHO}")
    return settings


def files_naming(settings, word):
    exports = settings.home / "exports"
    return [
        file
        for file in settings.home.rglob("*")
        if file.is_file() and exports not in file.parents and word.encode() in file.read_bytes()
    ]


def test_person_is_gone_from_every_byte_and_totals_hold(workspace):
    total = "select sum(net_amount), sum(orders_count) from marts.retention__customers"
    before = tiny.published(workspace, total)
    assert files_naming(workspace, WHO)
    said = []
    receipt = forget(workspace, WHO, say=said.append)
    assert files_naming(workspace, WHO) == []
    assert tiny.published(workspace, total) == before
    assert [
        row[0] for row in tiny.published(workspace, "select customer_id from marts.retention__customers order by 1")
    ] == [
        "bob",
        "eve",
        None,
    ]
    assert len(generations(workspace)) == 1
    assert (receipt.rows_removed, receipt.rows_anonymised) == (1, 3)
    assert WHO not in "".join(said)
    assert verify(workspace) == []


def test_receipt_and_ledger_name_nobody(workspace):
    receipt = forget(workspace, WHO, say=tiny.quiet)
    event = Ledger(workspace.ledger).last("forget")
    assert event.data["receipt"] == receipt.code
    assert WHO not in workspace.ledger.joinpath("events.jsonl").read_text()


def test_unknown_person_changes_nothing(published):
    before = Ledger(published.ledger).loads()
    with pytest.raises(UserError, match="No landed load knows a customer"):
        forget(published, "nobody", say=tiny.quiet)
    assert Ledger(published.ledger).loads() == before
