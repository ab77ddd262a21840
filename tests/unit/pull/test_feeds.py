"""Feeds as data: what a YAML may say, and one sentence for each thing that is wrong with it."""

from __future__ import annotations

from datetime import date

import pytest

from loyalty.common.errors import UserError
from loyalty.pull.feeds import BrokenFeed, get_feed, load_feeds, usable_feeds
from worlds.own_feeds import Workspace


def test_a_feed_of_the_users_own_needs_no_python(workspace: Workspace) -> None:
    feed = workspace.feed(options={"delimiter": ";", "encoding": "cp1252", "decimal": ","}, currency="CHF")
    assert (feed.canonical.name, feed.options.delimiter, feed.currency) == ("orders", ";", "CHF")
    assert feed.columns["order_id"].source == "Order"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"feed": "order"}, "key `feed`: no such canonical feed; did you mean `orders` (found 'order')"),
        ({"time_zone": "Europe/Berln"}, "did you mean `Europe/Berlin`"),
        ({"source": "Shop A"}, "key `source`: lower-case letters, digits and underscores"),
        ({"group": "sales"}, "key `group`"),
        ({"currency": "euro"}, "key `currency`: three capital letters are expected, such as CHF (found 'euro')"),
        ({"owner": None}, "the key `owner` is missing"),
        ({"delimeter": ";"}, "there is no key `delimeter`"),
        ({"options": {"delimeter": ";"}}, "there is no key `options.delimeter`; did you mean `delimiter`"),
        ({"options": {"encoding": "utf-88"}}, "key `options.encoding`: no such encoding"),
        ({"options": {"trailer": "("}}, "not a regular expression"),
        ({"columns": {"order_nr": "Order"}}, "the feed `orders` has no such column"),
        ({"columns": {"order_id": {"map": {"a": "b"}}}}, "give one of `from`"),
        ({"format": "fixed_width"}, "needs the widths of its columns"),
        ({"path": None}, "give exactly one of `path`, `http` and `sql`"),
        ({"max_quarantine_rate": 5}, "key `max_quarantine_rate`"),
        ({"options": {"delimiter": "||"}}, "key `options.delimiter`: one character is expected"),
        ({"options": {"decimal": ",", "thousands": ","}}, "must differ from `decimal`"),
        ({"format": "jsonl", "options": {"trailer": "^T"}}, "only a csv file can have a total line"),
        ({"path": "exports/{date}/orders.csv"}, "`{date}` is allowed once, in the file's name"),
        ({"date_format": "%Q"}, "not a date format"),
        ({"date_format": "dd.mm.yyyy"}, "not a date format"),
        ({"date_format": "%m/%d/%Y %H:%M %p"}, "go together"),
        ({"date_format": "%m/%d/%Y %I:%M"}, "go together"),
        ({"timezone": "UTC", "time_zone": None}, "there is no key `timezone`; did you mean `time_zone`"),
        ({"currency": False}, "key `currency`: a text is expected; quotes make one of"),
        ({"columns": {"order_id": 5}}, "key `columns.order_id`: a header of the export is expected"),
        ({"columns": "Order"}, "key `columns`: `key: value` lines are expected"),
        ({"options": ["csv"]}, "key `options`: `key: value` lines are expected"),
        ({"options": {"quote": ";", "delimiter": ";"}}, "another character than `delimiter`"),
        ({"options": {"header": False}}, "a file without a header needs the names of its columns"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(workspace: Workspace, changes: dict, sentence: str) -> None:
    broken = workspace.broken_feed("shop_orders", **changes)
    assert isinstance(broken, BrokenFeed)
    assert "shop_orders.yml" in broken.message
    assert sentence in broken.message
    assert "\n" not in broken.message


def test_a_broken_yaml_takes_only_its_own_feed_down(workspace: Workspace) -> None:
    workspace.feed("good")
    workspace.broken_feed("bad", feed="nothing")
    (workspace.settings.feeds / "torn.yml").write_text("feed: [orders", encoding="utf-8")
    (workspace.settings.feeds / "list.yml").write_text("- orders", encoding="utf-8")
    (workspace.settings.feeds / "twice.yml").write_text("feed: orders\nfeed: orders\n", encoding="utf-8")
    (workspace.settings.feeds / "gone.yml").symlink_to("/nowhere")
    (workspace.settings.feeds / ".#good.yml").write_text("", encoding="utf-8")
    assert list(usable_feeds(workspace.settings.feeds)) == ["good"]
    assert set(load_feeds(workspace.settings.feeds)) == {"good", "bad", "torn", "list", "twice", "gone"}
    with pytest.raises(UserError, match="did you mean `good`"):
        get_feed(workspace.settings.feeds, "goood")
    with pytest.raises(UserError, match=r"torn\.yml: it cannot be read as YAML"):
        get_feed(workspace.settings.feeds, "torn")
    with pytest.raises(UserError, match=r"twice\.yml: .* line 2: the key `feed` is there twice"):
        get_feed(workspace.settings.feeds, "twice")


def test_the_line_of_a_wrong_key_is_named(workspace: Workspace) -> None:
    workspace.feed("orders")
    file = workspace.settings.feeds / "orders.yml"
    file.write_text(
        "feed: orders\nsource: shop\ngroup: orders\nowner: x\ndescription: Orders.\npath: exports/o.csv\n"
        "time_zone: UTC\noptions:\n  delimiter: ';'\n  encoding: utf-88\n"
        "columns: {order_id: id, ordered_at: at, total_amount: total}\n"
    )
    with pytest.raises(UserError, match=r"orders\.yml, line 10: key `options\.encoding`: no such encoding"):
        get_feed(workspace.settings.feeds, "orders")


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("orders_2026-05-04.csv", date(2026, 5, 4)),
        ("orders_2026-02-30.csv", None),
        ("orders_latest.csv", None),
        ("xorders_2026-05-04.csv", None),
    ],
)
def test_the_export_date_is_read_from_the_file_name(workspace: Workspace, name: str, day: date | None) -> None:
    assert workspace.feed().export_date(name) == day


def test_the_mapping_id_changes_with_the_meaning_only(workspace: Workspace) -> None:
    before = workspace.feed().mapping_id
    assert workspace.feed(owner="somebody-else", max_quarantine_rate=0.5).mapping_id == before
    assert workspace.feed(currency="CHF").mapping_id != before
    assert workspace.feed(source="other_shop").mapping_id != before


def test_the_shipped_feeds_are_all_usable() -> None:
    from loyalty.common.settings import shipped

    feeds = load_feeds(shipped("dags") / "feeds")
    assert not [feed.message for feed in feeds.values() if isinstance(feed, BrokenFeed)]
    assert {"orders", "order_lines", "customers", "survey_responses"} <= set(feeds)


def test_a_yaml_with_the_other_ending_is_named_and_not_left_out(workspace: Workspace) -> None:
    workspace.feed()
    folder = workspace.settings.feeds
    (folder / "orders.yml").rename(folder / "orders.yaml")
    (broken,) = load_feeds(folder).values()
    assert isinstance(broken, BrokenFeed)
    assert broken.message == "Feed `orders` is disabled: orders.yaml must be called orders.yml."


def test_an_age_beyond_the_calendar_is_refused(workspace: Workspace) -> None:
    assert "max_age_days" in str(workspace.broken_feed(max_age_days=1e300))
