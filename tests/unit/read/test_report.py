"""The report of a generation: whole in itself, written with the generation, and never the reason that marts wait."""

from __future__ import annotations

import html
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from loyalty.common.settings import Settings
from loyalty.operate import publishing
from loyalty.publish.generations import REPORT, current_generation, require_current, wrong_files
from loyalty.read import changes, news, report
from loyalty.read import shown as captions
from loyalty.read.choices import EVERYTHING
from loyalty.read.figures import FIGURES
from loyalty.read.query import query
from loyalty.read.words import LANGUAGES, Words
from worlds import few_marts, one_mart
from worlds.opened import opened

MONTHS = """
    create schema marts;
    create table marts.retention__customer_months (
        customer_key varchar, base varchar, month date, is_partial_month boolean, currency_code varchar,
        order_count bigint, net_amount decimal(28, 4), refund_amount decimal(28, 4)
    );
    create table marts.retention__segment_months (
        segment_by varchar, segment varchar, month date, currency_code varchar, order_amount decimal(28, 4)
    );
"""


def test_a_generation_has_its_report_and_the_manifest_knows_it(waiting: Settings) -> None:
    generation = publishing.publish(opened(waiting), now=one_mart.NOW)
    assert generation is not None
    page = (waiting.serve / "current" / REPORT).read_text(encoding="utf-8")
    assert REPORT in generation.manifest["files"]
    assert wrong_files(generation.folder) == []
    assert f"Generation {generation.name}" in page
    assert "Compared with generation 000001" in page


def test_the_report_asks_for_nothing_from_outside(waiting: Settings) -> None:
    publishing.publish(opened(waiting), now=one_mart.NOW)
    page = (waiting.serve / "current" / REPORT).read_text(encoding="utf-8")
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!#)[^"]+"', page) == []
    assert "@import" not in page


def test_both_languages_say_why_a_figure_has_no_rows(waiting: Settings) -> None:
    publishing.publish(opened(waiting), now=one_mart.NOW)
    page = (waiting.serve / "current" / REPORT).read_text(encoding="utf-8")
    assert page.count("Nothing to show") > 5
    assert page.count("Nothing to show") == page.count("暂无内容")


# Names in the Chinese report: of people, methods, codes and formats; the few rows' shop, surveys, actions and regions.
NAMES = {"Kaplan", "Meier", "Shapley", "LMG", "BIC", "CSI", "KMO", "SQL", "SIMULATED", "UTC", "EUR", "CHF", "USD"}
NAMES_OF_ROWS = {"shop", "till", "pulse", "yearly", "north", "south", "west", "orders", "tickets", "csv"}


def test_the_chinese_report_has_no_english_words(tmp_path: Path) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    current = require_current(settings)
    with changes.opened(current.folder, None) as connection:
        page = report.render(settings, connection, current.manifest, current.name, None)
    chinese = page[page.index('<main class="zh"') :]
    without_sql = re.sub(r"<(pre|style)\b.*?</\1>", " ", chinese, flags=re.DOTALL)
    texts = html.unescape(" ".join(re.findall(r">([^<>]+)<", without_sql)))
    words = {word for word in re.findall(r"[A-Za-z][A-Za-z_]+", texts) if "_" not in word}
    assert "客户" in texts
    assert words - NAMES - NAMES_OF_ROWS == set()


def test_a_warning_and_its_remedy_are_shown_in_both_languages_of_the_report(tmp_path: Path) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    with duckdb.connect(str(settings.serve / "current" / "loyalty.duckdb"), read_only=True) as connection:
        assert news.warnings(connection, "en") == [("orders_shop", "no refunds", "", 7, "deliver refunds")]
        assert news.warnings(connection, "zh") == [("orders_shop", "没有退款", "", 7, "请提供退款")]


def test_a_generation_of_an_older_version_has_its_warnings_in_english() -> None:
    connection = duckdb.connect()
    assert news.warnings(connection, "zh") == []
    connection.execute("create schema quality")
    connection.execute(
        "create table quality.dq__data_warnings as select 'unknown status' as warning, 'orders' as feed, 'x' as detail,"
        " 2 as row_count, 'map the word' as remedy, 'warning' as severity, 'k' as warning_key"
    )
    assert news.warnings(connection, "zh") == [("orders", "unknown status", "x", 2, "map the word")]


def test_without_a_report_the_marts_are_published_all_the_same(
    waiting: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no font")

    monkeypatch.setattr(report, "render", broken)
    said: list[str] = []
    generation = publishing.publish(opened(waiting, said.append), now=one_mart.NOW)
    assert generation is not None
    assert generation == current_generation(waiting)
    assert "the report could not be made (no font): the marts are published without it" in said


def test_a_change_is_split_by_what_customers_did_and_by_segment() -> None:
    """Two customers with an order of 10 each; then a third comes with 16, and one gives 4 back."""
    with duckdb.connect() as connection:
        connection.execute(MONTHS)
        connection.execute("""
            insert into marts.retention__customer_months values
                ('a', 'customer', '2026-01-01', false, 'USD', 1, 10, 0),
                ('b', 'customer', '2026-01-01', false, 'USD', 1, 10, 0),
                ('a', 'customer', '2026-02-01', false, 'USD', 1, 6, 4),
                ('b', 'customer', '2026-02-01', false, 'USD', 1, 10, 0),
                ('c', 'customer', '2026-02-01', false, 'USD', 1, 16, 0),
                ('c', 'customer', '2026-03-01', true, 'USD', 1, 99, 0);
            insert into marts.retention__segment_months values
                ('region', 'north', '2026-01-01', 'USD', 20), ('region', 'north', '2026-02-01', 'USD', 20),
                ('region', 'south', '2026-02-01', 'USD', 16);
        """)
        change = news.last_change(connection)
    assert change is not None
    assert (change.month, change.month_before) == (date(2026, 2, 1), date(2026, 1, 1))
    # 2 x 10 becomes 3 x 12: the customers bring (1 * 10 + 1 * 12) / 2 = 11, the orders' value (2 * 2 + 3 * 2) / 2 = 5
    assert change.factors == {
        "customers": Decimal("11.00"),
        "orders per customer": Decimal("0.00"),
        "revenue per order": Decimal("5.00"),
        "refunds": Decimal("-4.00"),
        "outside the base": Decimal("0.00"),
    }
    assert change.amount == Decimal("12.00")
    assert change.segments == {"region": {"south": Decimal("16.00"), "north": Decimal("0.00")}}


def test_what_was_not_delivered_is_said_and_no_amount_is_0() -> None:
    """No refunds; the customers of the west pay in several currencies, so that what they ordered is not known."""
    with duckdb.connect() as connection:
        connection.execute(MONTHS)
        connection.execute("""
            insert into marts.retention__customer_months values
                ('a', 'customer', '2026-01-01', false, 'USD', 1, 10, null),
                ('a', 'customer', '2026-02-01', false, 'USD', 1, 16, null);
            insert into marts.retention__segment_months values
                ('region', 'north', '2026-01-01', 'USD', 10), ('region', 'north', '2026-02-01', 'USD', 16),
                ('region', 'west', '2026-01-01', 'USD', 70), ('region', 'west', '2026-02-01', null, null);
        """)
        change = news.last_change(connection)
    assert change is not None
    assert change.factors["refunds"] is None
    assert change.amount == Decimal("6.00")
    assert change.segments == {"region": {"north": Decimal("6.00"), "west": None}}
    (english,), (chinese,) = (news.not_delivered(change, Words(language)) for language in LANGUAGES)
    assert english == "Not known: refunds. Nothing about it was delivered."
    assert "退款" in chinese


# Nothing that was accepted is 0 rows, and a month without orders has none. What was not delivered was not taken off.
FILLED = {"order_count", "order_amount", "outside_amount", "row_count", "quarantined_count"}


def test_nothing_else_is_filled_with_0() -> None:
    read = Path(report.__file__).parent
    lines = [line for file in read.rglob("*.py") for line in file.read_text(encoding="utf-8").splitlines()]
    filled = [line for line in lines if "coalesce(" in line and ", 0)" in line]
    assert {line.rpartition(" as ")[2].strip(" ,") for line in filled} == FILLED


def test_a_month_that_was_over_and_is_another_now_is_restated() -> None:
    with duckdb.connect() as connection:
        connection.execute(MONTHS)
        connection.execute("attach ':memory:' as earlier; use earlier")
        connection.execute(MONTHS)
        connection.execute("use memory")
        row = "('a', 'customer', '2026-0{0}-01', {1}, 'USD', 1, {2}, 0)"
        for schema, amounts in (("earlier.", (10, 20, 5)), ("", (10, 25, 30))):
            rows = ", ".join(
                row.format(month, "true" if month == 3 and schema else "false", amount)
                for month, amount in enumerate(amounts, 1)
            )
            connection.execute(f"insert into {schema}marts.retention__customer_months values {rows}")
        found = changes.restated(connection)
    assert found == [(date(2026, 2, 1), "USD", Decimal("20.0000"), Decimal("25.0000"))]


def test_a_month_that_is_gone_is_restated_without_an_amount() -> None:
    with duckdb.connect() as connection:
        connection.execute(MONTHS)
        connection.execute("attach ':memory:' as earlier; use earlier")
        connection.execute(MONTHS)
        connection.execute(
            "insert into marts.retention__customer_months"
            " values ('a', 'customer', '2026-01-01', false, 'USD', 1, 10, 0)"
        )
        connection.execute("use memory")
        assert changes.restated(connection) == [(date(2026, 1, 1), "USD", Decimal("10.0000"), None)]


def test_every_table_of_the_report_has_its_mart_and_its_sql(tmp_path: Path) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    target = tmp_path / "report.html"
    report.copy_report(settings, require_current(settings), target)
    page = html.unescape(target.read_text(encoding="utf-8"))
    for language in LANGUAGES:
        part = re.search(rf'(?s)<main class="{language}".*?</main>', page)
        assert part
        of_figures = {figure.sql() for figure in FIGURES}
        statements = [sql for sql in re.findall(r"(?s)<pre>(.*?)</pre>", part[0]) if sql not in of_figures]
        assert part[0].count("<table>") == len(statements) > 4
        assert all(query(settings, sql) for sql in statements)


MONEY = (
    "customer_key varchar, base varchar, month date, is_partial_month boolean, currency_code varchar,"
    " gross_amount int, discount_amount int, shipping_amount int, refund_amount int, net_amount int,"
    " cm1_amount int, order_cost_amount int, customer_cost_amount int, sustaining_cost_amount int,"
    " profit_amount int, cost_basis varchar"
)


def shown(name: str, table: str, columns: str, rows: str) -> pd.DataFrame:
    """The rows of a figure over a mart with these columns and rows."""
    figure = next(one for one in FIGURES if one.name == name)
    with duckdb.connect() as connection:
        connection.execute(
            f"create schema marts; create table marts.{table} ({columns}); insert into marts.{table} {rows}"
        )
        return captions.frame(connection, figure.sql())


def test_values_at_stake_of_two_currencies_are_not_added_up() -> None:
    """Two customers in euro with 5 and 7, one with francs, one whose value is not known."""
    data = shown(
        "next_actions",
        "loyalty__next_actions",
        "action_name_en varchar, action_name_zh varchar, priority int, is_due boolean, value_at_stake_amount int,"
        " currency_code varchar",
        "values ('Call', '致电', 1, true, 5, 'EUR'), ('Call', '致电', 1, true, 7, 'EUR'),"
        " ('Call', '致电', 1, true, 900, 'CHF'), ('Thank', '感谢', 2, true, null, null)",
    )
    assert list(data["currency_code"]) == ["EUR", "EUR"]
    assert list(data["text"]) == [3, 1]
    assert data["amount"].iloc[0] == 12
    assert data["amount"].isna().iloc[1]
    assert captions.about(data) == "EUR"


def test_tiers_are_those_of_the_currency_with_the_most_customers() -> None:
    data = shown(
        "tiers",
        "profitability__tiers",
        "group_by varchar, tier varchar, currency_code varchar, base_count int, customer_share_rate double,"
        " measure_share_rate double, textbook_share_rate double",
        "values ('tier', 'top_5', 'CHF', 3, .3, .9, .5), ('tier', 'top_5', 'EUR', 40, .05, .25, .5)",
    )
    assert list(zip(data["label"], data["share_rate"], strict=True)) == [
        ("best 5 %", rate) for rate in (0.05, 0.25, 0.5)
    ]
    assert captions.about(data) == "EUR"


def test_the_money_of_a_year_adds_up_and_what_is_not_known_is_no_step() -> None:
    """One customer with costs and one without: 100 + 40 of goods, 10 refunded; of 90 are known 50 of costs."""
    data = shown(
        "profit_waterfall",
        "profitability__customer_months",
        MONEY,
        "values ('a', 'customer', date '2026-01-01', false, 'EUR', 100, null, 0, 10, 90, 60, 15, 5, null, 40, null),"
        " ('b', 'customer', date '2026-01-01', false, 'EUR', 40, null, 0, 0, 40, null, 2, 1, null, null, null),"
        " ('guest:EUR', 'guest', date '2026-01-01', false, 'EUR', 70, 0, 0, 0, 70, 50, 0, 0, null, 50, null)",
    )
    steps = dict(zip(data["step"], data["amount"], strict=True))
    assert "discounts" not in steps
    assert "sustaining cost" not in steps
    profit = steps.pop("profit")
    assert (sum(steps.values()), profit) == (40, 40)


def test_without_most_profits_the_money_of_a_year_ends_at_net_revenue() -> None:
    """Of 130 the profit of 40 is known."""
    data = shown(
        "profit_waterfall",
        "profitability__customer_months",
        MONEY,
        "values"
        " ('a', 'customer', date '2026-01-01', false, 'EUR', 100, null, 0, 10, 90, null, 15, 5, null, null, null),"
        " ('b', 'customer', date '2026-01-01', false, 'EUR', 40, null, 0, 0, 40, 30, 2, 1, null, 27, null)",
    )
    assert dict(zip(data["step"], data["amount"], strict=True)) == {
        "goods at list price": 140,
        "shipping charged": 0,
        "refunds": -10,
        "net revenue": 130,
    }


def said(name: str, *statements: str) -> list[str]:
    """The notes under a figure over the tables that these statements make, in English; Chinese has as many."""
    figure = next(one for one in FIGURES if one.name == name)
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        for statement in statements:
            connection.execute(statement)
        data = captions.frame(connection, figure.sql())
        english, chinese = (captions.notes(connection, figure, data, Words(one), EVERYTHING) for one in LANGUAGES)
    assert len(english) == len(chinese)
    assert not set(english) & set(chinese)
    return english


YEAR = f"create table marts.profitability__customer_months ({MONEY})"
COSTED = "insert into marts.profitability__customer_months values ('a', 'customer', date '2026-01-01', false, 'EUR',"
GUESTS = "Only customers are in it. Guests and others outside the base bring {} of net revenue more"


def test_the_money_of_a_year_says_what_guests_bring_beside_it() -> None:
    (note,) = said(
        "profit_waterfall",
        YEAR,
        f"{COSTED} 100, 0, 0, 0, 100, 60, 15, 5, 0, 40, 'delivered pools')",
        "insert into marts.profitability__customer_months select 'guest:EUR' as customer_key, 'guest' as base,"
        " * exclude (customer_key, base) from marts.profitability__customer_months",
    )
    assert note.startswith(GUESTS.format("100.00 EUR"))


def test_a_step_of_the_year_of_which_nothing_was_delivered_is_named() -> None:
    (note,) = said("profit_waterfall", YEAR, f"{COSTED} 100, null, 0, 0, 100, 60, 15, 5, null, 40, 'delivered pools')")
    assert note == "Not drawn: discounts, sustaining cost, because nothing about it was delivered."


def test_the_bridge_of_revenue_says_what_guests_bring_beside_it() -> None:
    movements = (
        "create table marts.retention__revenue_movements as select date '2026-02-01' as month, false as"
        " is_partial_month, 'all' as segment_by, 'all' as segment, 'EUR' as currency_code, 1 as opening_count, 9 as"
        " opening_amount, 0 as new_amount, 0 as reactivated_amount, 0 as expansion_amount, 0 as contraction_amount, 0"
        " as lapsed_amount, 9 as closing_amount"
    )
    months = (
        "create table marts.retention__customer_months as from (values (date '2026-02-01', 'EUR', 'customer', 9.0),"
        " (date '2026-02-01', 'EUR', 'guest', 3.5), (date '2026-01-01', 'EUR', 'guest', 70.0))"
        " as t (month, currency_code, base, net_amount)"
    )
    (note,) = said("revenue_bridge", movements, months)
    assert note.startswith(GUESTS.format("3.50 EUR"))


def test_an_unknown_profit_says_that_costs_are_missing_and_how_to_give_them() -> None:
    (of_year,) = said(
        "profit_waterfall",
        YEAR,
        f"{COSTED} 100, 0, 0, 0, 100, null, 15, 5, null, null, 'delivered pools')",
        f"{COSTED} 50, 0, 0, 0, 50, 20, 5, 5, 0, 10, 'delivered pools')",
    )
    assert of_year.startswith("The profit is not known in 1 of 2 months of customers, because unit costs")
    curve = "create table marts.profitability__whale_curve as select 'EUR' as currency_code, 1 as curve_rank, 1.0 as"
    curve += " customer_share_rate, 1.0 as cumulative_value_rate, true as is_peak, 1 as customer_count,"
    (of_curve,) = said("whale_curve", f"{curve} 'net_revenue' as value_basis")
    tiers = TIERS.format(measure="net_revenue")
    (of_tiers,) = said("tiers", f"{curve} 'net_revenue' as value_basis", tiers)
    assert said("tiers", f"{curve} 'profit' as value_basis", tiers) == [], "net revenue was chosen by a var"
    assert of_curve == of_tiers
    for note in (of_year, of_curve):
        assert note.endswith("Deliver unit_cost in products, or cost_amount in order_lines.")


TIERS = (
    "create table marts.profitability__tiers as select 'tier' as group_by, 'top_5' as tier, 'EUR' as currency_code,"
    " 1 as base_count, 0.05 as customer_share_rate, 0.5 as measure_share_rate, 0.5 as textbook_share_rate,"
    " '{measure}' as measure"
)
CLAIMS = (
    "create table marts.loyalty__claims as select 'all' as source, '{claim}' as claim_id, 'all' as variant, 'x' as"
    " claim_en, 'x' as claim_zh, 0.5 as claim_low, 0.5 as claim_high, 0.4 as observed_value, 0.3 as observed_low, 0.5"
    " as observed_high, 40 as base_count, 'holds' as verdict, null::varchar as verdict_reason"
)
RESTING_ON_COSTS = {
    "profit_waterfall": "select 1",
    "whale_curve": "create table marts.profitability__whale_curve as select 'EUR' as currency_code, 1 as curve_rank,"
    " 1.0 as customer_share_rate, 1.0 as cumulative_value_rate, true as is_peak, 1 as customer_count, 'profit' as"
    " value_basis",
    "tiers": TIERS.format(measure="cm3"),
    "claims": CLAIMS.format(claim="top_5_give_half"),
}


def test_every_figure_that_rests_on_costs_is_held() -> None:
    assert {one.name for one in FIGURES if "costs" in one.feeds} == RESTING_ON_COSTS.keys()


@pytest.mark.parametrize("name", list(RESTING_ON_COSTS))
def test_assumed_costs_are_named_on_the_charts_that_rest_on_them(name: str) -> None:
    tables = [YEAR, RESTING_ON_COSTS[name]]
    row = f"{COSTED} 100, 0, 0, 0, 100, 60, 15, 5, 0, 40,"
    (note,) = said(name, *tables, f"{row} 'assumed default rates')")
    assert "ASSUMED" in note
    assert said(name, *tables, f"{row} 'delivered pools')") == []


@pytest.mark.parametrize(
    ("name", "table"), [("tiers", TIERS.format(measure="revenue")), ("claims", CLAIMS.format(claim="six_times"))]
)
def test_assumed_costs_are_not_named_where_nothing_rests_on_them(name: str, table: str) -> None:
    row = f"{COSTED} 100, 0, 0, 0, 100, 60, 15, 5, 0, 40, 'assumed default rates')"
    assert said(name, YEAR, row, table) == []


def test_an_action_is_one_row_whatever_its_customers_pay_in() -> None:
    """Four calls: two in euro, one in francs, one whose value is not known."""
    with duckdb.connect() as connection:
        connection.execute(
            "create schema marts; create table marts.loyalty__next_actions as from (values"
            " ('Call', '致电', 5, true, 5.25, 'EUR'), ('Call', '致电', 5, true, 7, 'EUR'),"
            " ('Call', '致电', 5, true, 1900, 'CHF'), ('Call', '致电', 5, true, null, null),"
            " ('Call', '致电', 5, false, 9, 'EUR'), ('Apologise', '致歉', 1, true, null, null))"
            " as t (action_name_en, action_name_zh, priority, is_due, value_at_stake_amount, currency_code)"
        )
        found = news.actions(connection)
    assert [(one.name["en"], one.name["zh"], one.customer_count, one.value) for one in found] == [
        ("Apologise", "致歉", 1, ""),
        ("Call", "致电", 4, "1,900.00 CHF, 12.25 EUR"),
    ]


def test_a_figure_on_no_case_at_all_says_so_instead_of_drawing() -> None:
    empty = pd.DataFrame({"label": ["unknown"], "rate": [None], "base_count": [0], "source": ["shop"]})
    figure = next(one for one in FIGURES if one.name == "share_of_wallet")
    with duckdb.connect() as connection:
        found = captions.shown(connection, figure, {}, set(), Words("en"), data=empty)
    assert found.reason.startswith("Nothing to show")
    assert report.picture(found, "en") == ""
