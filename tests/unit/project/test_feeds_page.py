"""The recipes of docs/feeds.md read the exports that are shown beside them."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from loyalty.common.settings import shipped
from loyalty.land.landing import load_feed
from loyalty.land.loads import landed_folder, parts_of
from loyalty.pull.feeds import get_feed
from worlds.opened import opened
from worlds.own_feeds import Workspace

PAGE = Path(__file__).parents[3] / "docs" / "feeds.md"
NOW = datetime(2026, 6, 3, 2, tzinfo=UTC)


def block(start: str) -> str:
    """The block of the page that begins like this."""
    found = re.findall(r"```(?:yaml)?\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (text,) = [one for one in found if one.startswith(start)]
    return text


def landed(workspace: Workspace, name: str) -> list[dict]:
    """The rows that a feed of the page lands, all of them good."""
    (workspace.settings.feeds / f"{name}.yml").write_text(block(f"# dags/feeds/{name}.yml"), encoding="utf-8")
    the_workspace = opened(workspace.settings)
    (outcome,) = load_feed(the_workspace, get_feed(workspace.settings.feeds, name), now=NOW)
    assert (outcome.outcome, outcome.quarantined) == ("accepted", 0), outcome.message
    assert [rule.rule for rule in outcome.rules if rule.failed] == []
    (load,) = the_workspace.ledger.loads(feed_name=name)
    return [row for part in parts_of(landed_folder(workspace.settings, load)) for row in part.to_pylist()]


def test_the_till_of_the_page_gives_lines_with_numbers_and_amounts_without_tax(workspace: Workspace) -> None:
    shutil.copytree(shipped("expectations"), workspace.folder / "expectations", dirs_exist_ok=True)
    workspace.export("till_2026-06-02.csv", block("Bon;").encode("cp1252"))
    orders = {row["order_id"]: row for row in landed(workspace, "till_orders")}
    assert [(row["total_amount"], row["tax_amount"], row["customer_id"]) for row in orders.values()] == [
        (Decimal("1211.4"), Decimal("191.4"), "17"),
        (Decimal("11.9"), Decimal("1.9"), None),
        (Decimal("-10.7"), Decimal("-0.7"), "17"),
    ]
    # half past midnight in Berlin is the day before in UTC
    assert (orders["4712"]["ordered_at"], orders["4712"]["ordered_date"]) == (
        datetime(2026, 5, 31, 22, 30),
        date(2026, 6, 1),
    )
    lines = landed(workspace, "till_lines")
    assert [
        (row["order_id"], row["line_number"], row["product_id"], row["quantity"], row["net_amount"]) for row in lines
    ] == [
        ("4711", 1, "Kaffeemühle", 1, 1000),
        ("4711", 2, "Kaffee 1 kg", 2, 20),
        ("4712", 1, "Tasse", 1, 10),
        ("4713", 1, "Kaffee 1 kg", -1, -10),
    ]
