"""The pages of the dashboard without a browser: every page in both languages, and numbers that equal the query's."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from loyalty.common.settings import Settings
from loyalty.publish.generations import STATE, point_current_at
from loyalty.read.choices import Choice
from loyalty.read.dashboard import server
from loyalty.read.dashboard.pages import IN_ADDRESS, TITLES, languages_of
from loyalty.read.dashboard.parts import as_written
from loyalty.read.figures import FIGURES, TOPICS, Figure
from loyalty.read.query import query
from loyalty.read.words import Words
from worlds import few_marts

BADGE = ":orange-badge[SIMULATED]"
Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A workspace with one published generation."""
    return few_marts.make_workspace(tmp_path_factory.mktemp("few_marts") / "shop")


@pytest.fixture
def show(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a page at an address such as page="retention", language="zh"."""
    return opener(shop, monkeypatch)


def opener(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Open:
    """A function that opens pages of a workspace."""
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(settings.workspace))

    def opened(**address: str) -> AppTest:
        page = AppTest.from_file(str(server.APP), default_timeout=30)
        for name, value in address.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception, page.exception
        return page

    return opened


def view(page: AppTest, figures: Sequence[Figure] | str, what: str) -> AppTest:
    """Open the numbers, the rows or the SQL of figures, in their order on the page."""
    for name in [figures] if isinstance(figures, str) else [figure.name for figure in figures]:
        page.button_group(key=f"view-{name}").set_value(what)
    return page.run()


def cells(shown: pd.DataFrame) -> list[tuple]:
    """The rows of a table on a page, with None for an empty cell."""
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in shown.itertuples(index=False)]


def texts(page: AppTest) -> str:
    """Everything that a page says outside of its tables of rows."""
    return "\n".join(
        one.value for kind in ("title", "subheader", "markdown", "caption", "info") for one in page.get(kind)
    )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", list(TITLES))
def test_every_page_opens_in_both_languages(show: Open, name: str, language: str) -> None:
    page = show(page=name, language=language)
    words = Words(language)  # type: ignore[arg-type]
    assert page.title[0].value == words.sentence(TITLES[name])
    said = texts(page)
    for figure in FIGURES:
        if figure.topic == name:
            assert words.sentence(figure.question) in said


@pytest.mark.parametrize(
    ("language", "warning", "remedy"),
    [("en", "orders_shop: no refunds", "deliver refunds"), ("zh", "orders_shop: 没有退款", "请提供退款")],
)
def test_a_warning_and_its_remedy_are_shown_in_the_language_of_the_page(
    show: Open, language: str, warning: str, remedy: str
) -> None:
    shown = texts(show(page="quality", language=language))
    assert as_written(warning) in shown
    assert remedy in shown


@pytest.mark.parametrize("topic", TOPICS)
def test_the_numbers_and_rows_of_a_figure_are_those_of_its_query(show: Open, shop: Settings, topic: str) -> None:
    page = show(page=topic)
    figures = [figure for figure in FIGURES if figure.topic == topic]
    assert [one.value for one in view(page, figures, "SQL").code] == [figure.sql() for figure in figures]
    delivered = [figure for figure in figures if figure.table in few_marts.TABLES]
    numbers = [cells(one.value) for one in view(page, figures, "numbers").dataframe]
    assert numbers == [query(shop, figure.sql()) for figure in delivered]
    rows = [cells(one.value) for one in view(page, figures, "rows behind it").dataframe]
    assert rows == [query(shop, figure.rows_sql()) for figure in delivered]
    missing = [one.value for one in page.info].count("This generation does not have the mart.")
    assert missing == len(figures) - len(delivered)


def test_a_chosen_segment_and_period_change_the_numbers_and_the_sql(show: Open, shop: Settings) -> None:
    page = show(page="retention", segment_by="region", segment="north", first_month="2026-01", last_month="2026-01")
    sql = view(page, "cohorts", "SQL").code[0].value
    assert "(segment_by = 'region' and segment = 'north')" in sql
    assert "cohort_month >= date '2026-01-01' and cohort_month <= date '2026-01-01'" in sql
    (row,) = cells(view(page, "cohorts", "numbers").dataframe[0].value)
    assert (row[2], row[3]) == (36, Decimal("0.5"))


def test_a_chosen_segment_is_shown_beside_all_customers_where_segments_are_compared(show: Open) -> None:
    page = show(page="wallet", segment_by="region", segment="north")
    labels = [row[3] for row in cells(view(page, "share_of_wallet", "numbers").dataframe[0].value)]
    assert labels == ["all customers", "north"]


@pytest.mark.parametrize("figure", FIGURES, ids=[figure.name for figure in FIGURES])
@pytest.mark.parametrize("segment_by", ["region", "age_band"])
def test_an_attribute_alone_shows_all_its_segments_or_all_customers(
    shop: Settings, figure: Figure, segment_by: str
) -> None:
    """A figure that compares segments has each of them; every other one is as it is without a choice."""
    choice = Choice(segment_by=segment_by)
    if not figure.compares_segments:
        assert (figure.rows_sql(choice), figure.sql(choice)) == (figure.rows_sql(), figure.sql())
    if "segment" in figure.filters and figure.table in few_marts.TABLES:
        columns = "distinct segment_by, segment"
        compared = query(shop, f"select {columns} from {figure.table} where segment_by in ('all', '{segment_by}')")
        expected = set(compared) if figure.compares_segments else {("all", "all")}
        assert set(query(shop, f"select {columns} from ({figure.rows_sql(choice)})")) == expected


def test_an_attribute_alone_is_said_where_segments_are_not_compared(show: Open) -> None:
    kept = "figure does not compare segments"
    page = show(page="retention", segment_by="region")
    assert texts(page).count(kept) == sum(figure.topic == "retention" for figure in FIGURES)
    assert kept not in texts(show(page="retention", segment_by="region", segment="north"))
    assert kept not in texts(show(page="wallet", segment_by="region"))


def test_a_filter_that_a_mart_does_not_have_is_said(show: Open) -> None:
    said = texts(show(page="retention", source="shop"))
    assert "cannot be filtered by source" in said
    assert "cannot be filtered" not in texts(show(page="quality", source="shop"))


def test_a_choice_without_rows_says_so(show: Open) -> None:
    page = show(page="retention", segment_by="age_band", segment="25-34")
    assert "Nothing to show for what is chosen" in texts(page)


def test_what_is_chosen_is_in_the_address_and_can_be_cleared(show: Open) -> None:
    page = show(page="retention", language="zh")
    page.selectbox(key="segment_by").select("region").run()
    page.selectbox(key="segment").select("south").run()
    assert page.query_params["segment"] == "south"
    page.sidebar.button[0].click().run()
    assert dict(page.query_params) == {"page": "retention", "language": "zh"}


@pytest.mark.parametrize("name", IN_ADDRESS[:-1])  # the last one is any text
def test_what_the_address_asks_for_and_is_not_known_is_said(show: Open, name: str) -> None:
    page = show(**{name: "' or true --"})
    assert page.title[0].value == "What moved, and why"
    assert not page.query_params
    (said,) = (warning.value for warning in page.warning)
    assert as_written("= ' or true -- in the address is not known. Shown instead: ") in said


def test_what_is_not_known_is_said_in_chinese_until_the_filters_are_cleared(show: Open) -> None:
    page = show(page="retention", language="zh", segment_by="region", segment="nope")
    (said,) = (one.value for one in page.warning)
    assert as_written("“客群 = nope”不存在") in said and "该分组的全部客群" in said
    assert [one.value for one in page.run().warning] == [said]
    assert not page.sidebar.button[0].click().run().warning


def test_another_attribute_forgets_the_segment_without_a_warning(show: Open) -> None:
    page = show(page="retention", segment_by="region", segment="south")
    for attribute in ("age_band", "", "region"):
        page.selectbox(key="segment_by").select(attribute).run()
        assert not page.warning
        assert "segment" not in page.query_params


def test_months_in_the_wrong_order_are_not_used_and_said(show: Open) -> None:
    page = show(page="retention", first_month="2026-02", last_month="2026-01")
    assert "The first month is after the last one" in page.warning[0].value
    assert "date '2026-02-01'" not in view(page, "cohorts", "SQL").code[0].value


def test_a_figure_says_its_base_date_generation_mart_and_whether_it_is_simulated(show: Open) -> None:
    page = show(page="satisfaction")
    index = next(one.value for one in page.caption if "satisfaction\\_\\_waves" in one.value)
    base = "base of the newest wave pulse 2026\\-01 33, yearly 2026\\-01 40"
    assert f"{base} · up to 2026\\-03\\-01 · generation 000001" in index
    assert "Customer satisfaction index \\(CSI\\)\\: The mean place on 0 to 100." in index
    assert "在 0 至 100 上的平均位置。" in texts(show(page="satisfaction", language="zh"))
    assert "Not drawn\\: yearly 2026\\-02, because base too small." in index
    assert [one.value for one in page.markdown if one.value == BADGE]
    assert BADGE not in texts(show(page="profitability"))


def test_a_chinese_page_says_in_chinese_that_its_input_is_simulated(show: Open) -> None:
    badge = Words("zh").sentence("SIMULATED")
    assert "模拟" in badge
    assert f":orange-badge[{badge}]" in texts(show(page="satisfaction", language="zh"))


@pytest.mark.parametrize(("locale", "first"), [("zh-CN", "zh"), ("zh", "zh"), ("en-GB", "en"), (None, "en")])
def test_pages_start_in_the_language_of_the_browser(locale: str | None, first: str) -> None:
    assert languages_of(locale)[0] == first


def test_an_open_row_in_quarantine_is_shown_with_its_rule(show: Open) -> None:
    page = show(page="quality")
    (row,) = next(one.value.to_numpy().tolist() for one in page.table if "rule" in one.value.columns)
    assert row == [
        *map(as_written, ("orders_shop", "orders_1.csv")),
        4,
        *map(as_written, ("has_customer", "no customer")),
    ]
    assert "loyalty quarantine show" in texts(page)


def test_without_open_rows_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    few_marts.publish(settings, 2, "2026-04-01", "update quality.dq__quarantined_rows set status = 'released'")
    assert "No row waits in quarantine." in texts(opener(settings, monkeypatch)(page="quality"))


def test_small_bases_are_grey_and_said(show: Open) -> None:
    page = show(page="retention", segment_by="region", segment="south")
    assert "Grey\\: the base is too small" in texts(page)


def test_the_parts_of_a_change_are_those_of_the_report(show: Open) -> None:
    """January: one customer, 2 orders, 400. February: two customers, 2 orders, 440 before refunds of 10."""
    page = show()
    assert page.subheader[0].value == as_written("Net revenue of 2026-02 was 430.00 EUR, +30.00 against 2026-01.")
    assert any("base 2 · up to" in one.value for one in page.caption)
    parts, segments, deliveries = (one.value.to_numpy().tolist() for one in page.table)
    # (2 - 1) customers * (2 * 200 / 3 + (2 * 220 + 1 * 200) / 6 + 1 * 220 / 3), rounded up: the parts add up
    assert parts[0] == ["customers", 313.34]
    assert parts[3] == ["refunds", -10]
    assert parts[-1] == ["change of net revenue", 30]
    assert segments[-1] == ["change of order revenue", 30]
    assert deliveries == [[as_written("orders_shop"), 1, 200, 3, 0]]


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("moved", ("change", "segments", "delivered")),
        ("loyalty", ("actions",)),
        ("quality", ("quarantined", "warnings")),
    ],
)
def test_every_table_has_its_numbers_and_its_sql(show: Open, shop: Settings, name: str, tables: tuple[str]) -> None:
    page = show(page=name)
    for table in tables:
        (sql,) = (one.value for one in view(page, table, "SQL").code)
        (numbers,) = (cells(one.value) for one in view(page, table, "numbers").dataframe)
        assert numbers == query(shop, sql)
        page.button_group(key=f"view-{table}").set_value(None)


def test_a_new_generation_shows_when_the_page_is_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    opened = opener(settings, monkeypatch)
    before = view(opened(page="satisfaction"), "index_by_wave", "numbers")
    few_marts.publish(
        settings,
        2,
        "2026-04-01",
        "update marts.satisfaction__waves set satisfaction_index = 80 where survey_id = 'yearly'",
    )
    after = view(opened(page="satisfaction"), "index_by_wave", "numbers")
    found = [dict(row[0:3:2] for row in cells(page.dataframe[0].value))["yearly"] for page in (before, after)]
    assert found == [Decimal("71.5"), Decimal("80.0")]
    assert "Generation 000002" in texts(after)
    assert "Compared with generation 000001" in texts(opened())


@pytest.mark.parametrize(
    ("handled", "said"),
    [
        ({}, "Rows released, loads withdrawn and people forgotten can change figures"),
        ({"handled": []}, "nothing else was done that changes figures"),
        (
            {"handled": [{"kind": "released", "feed": "orders_shop", "rows": 1, "files": ["a.csv"], "rules": []}]},
            "1 row of orders_shop released from quarantine (file a.csv)",
        ),
    ],
)
def test_what_was_done_since_the_generation_before_is_named(
    handled: dict[str, object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    few_marts.publish(settings, 2, "2026-04-01", "delete from quality.dq__loads", **handled)
    assert as_written(said) in texts(opener(settings, monkeypatch)())


def test_a_hold_and_a_newer_generation_are_said_on_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    few_marts.publish(settings, 2, "2026-04-01")
    (settings.serve / STATE).write_text('{"held_since": "2026-04-02T06:30:00+00:00"}')
    point_current_at(settings, settings.serve / "generations" / "000001")
    page = opener(settings, monkeypatch)(page="retention")
    held, newer = (warning.value for warning in page.warning)
    assert as_written("held since 2026-04-02 06:30 UTC") in held
    assert as_written("Generation 000002, published 2026-04-01 05:02 UTC, is newer and is not shown.") in newer
    (settings.serve / STATE).unlink()
    point_current_at(settings, settings.serve / "generations" / "000002")
    assert [warning.value for warning in page.run().warning] == []


def test_without_a_generation_the_page_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    (settings.serve / "current").unlink()
    shutil.rmtree(settings.serve / "generations")
    page = opener(settings, monkeypatch)()
    assert "Nothing has been published yet" in page.error[0].value


def test_a_metric_that_nothing_answers_says_why(show: Open) -> None:
    assert "No feed has them." in texts(show(page="definitions", metric="I17"))
    chinese = texts(show(page="definitions", metric="I17", language="zh"))
    assert "没有数据源提供。" in chinese and "None" not in chinese


def test_a_generation_of_before_without_chinese_definitions_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    register = "alter table quality.dq__metric_catalogue drop column"
    few_marts.publish(settings, 2, "2026-04-01", f"{register} definition_zh", f"{register} reason_zh")
    opened = opener(settings, monkeypatch)
    assert as_written("Who came back, of $100.") in texts(opened(page="definitions", metric="挽回率", language="zh"))
    assert "客户满意指数" in texts(opened(page="satisfaction", language="zh"))


def test_a_definition_is_in_the_language_of_the_page(show: Open) -> None:
    chinese = texts(show(page="definitions", metric="挽回率", language="zh"))
    assert "回归者所占的比例。" in chinese and "Who came back" not in chinese


def test_the_definitions_are_found_by_a_word_in_either_language(show: Open) -> None:
    page = show(page="definitions")
    assert "Customer satisfaction index" in texts(page)
    assert "挽回率" not in texts(page)
    assert "挽回率" in texts(page.text_input(key="metric").set_value("挽回").run())
    assert as_written("Who came back, of $100.") in texts(show(page="definitions", metric="WIN-BACK"))


def test_a_generation_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = few_marts.make_workspace(tmp_path / "shop")
    (settings.serve / "current" / "loyalty.duckdb").unlink()
    assert "The generation cannot be read" in opener(settings, monkeypatch)(page="retention").error[0].value
