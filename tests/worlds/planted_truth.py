"""The truth file of the sample exports, and the question to the marts that each of its rows must answer.

A question's SQL gives one row: the figure for `exact` and `null`, the two ends of the 95 % interval for `parameter`,
the figure and the flag beside it for `biased`. Named groups of a question's segment go into its SQL.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from loyalty.demo.truth import UNLISTED


class Planted(NamedTuple):
    """A row of the truth file."""

    mart: str
    column: str
    segment: str
    value: str
    kind: str
    direction: str

    @property
    def name(self) -> str:
        """What it is about, in a line."""
        return f"{self.mart}.{self.column}, {self.segment}"

    def is_answered_by(self, found: tuple[Any, ...]) -> bool:
        """Whether this is what the marts must say."""
        if self.kind == "null":
            return found[0] in (None, "cannot tell")
        if self.kind == "parameter":
            low, high = found
            return low is not None and low <= float(self.value) <= high
        if self.kind == "biased":
            figure, flag = found
            return bool(flag) and self.is_missed_by(figure)
        planted = Decimal(self.value)
        return found[0] is not None and round(Decimal(str(found[0])), _places(planted)) == planted

    def is_missed_by(self, figure: float) -> bool:
        """Whether a figure misses the value on the stated side."""
        return figure > float(self.value) if self.direction == "above" else figure < float(self.value)


def _places(number: Decimal) -> int:
    return max(-int(number.as_tuple().exponent), 0)


class Question(NamedTuple):
    """Which rows of the truth file it answers (the whole segment must match), and how the marts are asked."""

    mart: str
    column: str
    segment: str
    sql: str

    def asks_for(self, row: Planted) -> re.Match[str] | None:
        """The match when this question is the row's."""
        is_its = (self.mart, self.column) == (row.mart, row.column)
        return re.fullmatch(self.segment, row.segment) if is_its else None


WAVE = r"(?P<wave>\d{4}-\d\d-\d\d)"
MONTH = r"(?P<month>\d{4}-\d\d)"

_SURVEY_WAVE = "wave = '{wave}' and segment_by = 'all'"
_WITHOUT = "segment_by = 'interviewer' and segment = 'without'"
_STATED = "from marts.wallet__customer_periods where period_grain = 'quarter' and stated_amount is not null"
_PROGRAMME = "from marts.programme__months where month = '{month}-01'"
_DRIVERS = "from marts.satisfaction__drivers where driver_by = 'dimension' and segment = 'all'"


def _total(mart: str, column: str, segment: str = "all", where: str = "true", schema: str = "marts") -> Question:
    term = "count(*)" if column == "rows" else f"sum({column})"
    return Question(mart, column, segment, f"select {term} from {schema}.{mart} where {where}")


QUESTIONS = (
    # the purchases
    _total("fct_orders", "rows", schema="core"),
    _total("fct_orders", "net_amount", schema="core"),
    _total("fct_orders", "gross_amount", schema="core"),
    _total("fct_order_lines", "rows", schema="core"),
    _total("fct_order_lines", "rows", "quantity 0", "quantity = 0", schema="core"),
    _total("fct_order_lines", "net_amount", "quantity 0", "quantity = 0", schema="core"),
    _total("fct_order_lines", "rows", UNLISTED, "product_version_key is null", schema="core"),
    _total("fct_order_lines", "net_amount", UNLISTED, "product_version_key is null", schema="core"),
    Question(
        "fct_order_lines", "product_id", UNLISTED,
        "select count(distinct product_id) from core.fct_order_lines where product_version_key is null",
    ),
    _total("dim_customers", "rows", schema="core"),
    _total("retention__customer_months", "net_amount"),
    _total("profitability__customers", "net_amount"),
    _total("profitability__customers", "gross_amount"),
    _total("profitability__customers", "goods_cost_amount"),
    _total("profitability__cost_reconciliation", "pool_amount", r"(?P<pool>\w+)", "pool = '{pool}'"),
    _total("profitability__cost_reconciliation", "allocated_amount", r"(?P<pool>\w+)", "pool = '{pool}'"),
    # the surveys
    _total("satisfaction__survey_operations", "sent_count", WAVE, "wave = '{wave}' and mode = 'all'"),
    _total("satisfaction__survey_operations", "completed_count", WAVE, "wave = '{wave}' and mode = 'all'"),
    _total("satisfaction__responses", "is_counted", WAVE, "wave = '{wave}'"),
    _total("satisfaction__segment_months", "scored_count", WAVE, _SURVEY_WAVE),
    Question(
        "satisfaction__segment_months", "top_box_rate", WAVE,
        f"select top_box_rate from marts.satisfaction__segment_months where {_SURVEY_WAVE}",
    ),
    Question(
        "satisfaction__segment_months", "top_box_rate_weighted", "all waves",
        """select sum(top_box_rate_weighted * scored_count) / sum(scored_count),
               min(caveat) like 'answers, not customers%'
           from marts.satisfaction__segment_months where segment_by = 'all'""",
    ),
    Question(
        "int_satisfaction__contrasts", "adjusted_odds_ratio", r"(?P<upper>\d) v \d, mail and web",
        f"""select adjusted_odds_ratio_low, adjusted_odds_ratio_high from steps.int_satisfaction__contrasts
            where {_WITHOUT} and contrast = 'step' and upper_score = {{upper}}""",
    ),
    Question(
        "satisfaction__loyalty_contrasts", "adjusted_odds_ratio", "(?P<contrast>5 v 4)",
        """select adjusted_odds_ratio, caveat like '%interviewers lift fours to fives%'
           from marts.satisfaction__loyalty_contrasts where segment_by = 'all' and contrast = '{contrast}'""",
    ),
    Question(
        "int_satisfaction__score_rates", "repurchase_rate_weighted", r"score (?P<score>\d), mail and web",
        f"""select repurchase_rate_weighted_low, repurchase_rate_weighted_high from steps.int_satisfaction__score_rates
            where {_WITHOUT} and score = {{score}}""",
    ),
    Question(
        "satisfaction__waves", "repurchase_rate", WAVE,
        "select repurchase_rate from marts.satisfaction__waves where wave = '{wave}'",
    ),
    Question(
        "loyalty__claims", "verdict", r"(?P<claim>\w+)",
        "select string_agg(distinct verdict, ', ') from marts.loyalty__claims "
        "where claim_id = '{claim}' and source = 'all'",
    ),
    Question(
        "satisfaction__drivers", "lmg_share", r"(?P<driver>\w+)",
        f"select lmg_share_low, lmg_share_high {_DRIVERS} and driver = '{{driver}}'",
    ),
    Question(
        "satisfaction__drivers", "r_squared", "all",
        f"select max(r_squared), min(caveat) like '%explain less%' {_DRIVERS}",
    ),
    Question(
        "satisfaction__drivers", "stated_importance_rank", r"(?P<driver>\w+)",
        f"select stated_importance_rank {_DRIVERS} and driver = '{{driver}}'",
    ),
    Question(
        "programme__campaigns", "over_promise_gap", "(?P<campaign>all)",
        """select over_promise_gap_low, over_promise_gap_high from marts.programme__campaigns
           where campaign_id = '{campaign}'""",
    ),
    Question(
        "satisfaction__word_of_mouth_scores", "told_mean", r"score (?P<score>\d)",
        """select told_mean_low, told_mean_high from marts.satisfaction__word_of_mouth_scores
           where overall_score = {score}""",
    ),
    # the wallet
    Question("wallet__customer_periods", "rows", "stated", f"select count(*) {_STATED}"),
    Question(
        "wallet__customer_periods", "own_amount_stated_days", "stated", f"select sum(own_amount_stated_days) {_STATED}"
    ),
    Question("wallet__customer_periods", "stated_amount", "stated", f"select sum(stated_amount) {_STATED}"),
    Question("wallet__customer_periods", "is_over_one", "stated", f"select sum(is_over_one) {_STATED}"),
    Question("wallet__customer_periods", "brands_used_count", "stated", f"select avg(brands_used_count) {_STATED}"),
    Question("wallet__customer_periods", "sow_war", "stated", f"select avg(sow_war) {_STATED}"),
    Question(
        "wallet__customer_periods", "share_of_wallet", "stated",
        f"select avg(share_of_wallet), min(warning) like 'as people say%' {_STATED} and wallet_method = 'stated'",
    ),
    # the complaints
    _total("satisfaction__complaints", "rows"),
    Question(
        "satisfaction__complaint_funnel", "odds_ratio", r"(?P<severity>\w+), fast v slow",
        """select odds_ratio_low, odds_ratio_high from marts.satisfaction__complaint_funnel
           where severity = '{severity}' and speed = 'fast'""",
    ),
    Question(
        "satisfaction__silent_dissatisfied", "problem_complaint_rate", "had a problem",
        """select problem_complaint_rate_low, problem_complaint_rate_high from marts.satisfaction__silent_dissatisfied
           where segment_by = 'all'""",
    ),
    # the programme
    _total("programme__months", "earned_points"),
    _total("programme__months", "burned_points"),
    _total("programme__months", "expired_points"),
    Question("programme__months", "balance_points", MONTH, f"select balance_points {_PROGRAMME}"),
    Question("programme__months", "member_count", MONTH, f"select member_count {_PROGRAMME}"),
    Question(
        "programme__months", "breakage_rate", MONTH,
        f"select breakage_rate_low, breakage_rate_high {_PROGRAMME}",
    ),
    Question(
        "programme__months", "lift_order_days_matched", MONTH,
        f"select lift_order_days_matched_low, lift_order_days_matched_high {_PROGRAMME}",
    ),
    Question(
        "programme__months", "lift_order_days_naive", MONTH,
        f"select lift_order_days_naive, not has_control_arm {_PROGRAMME}",
    ),
    Question(
        "programme__campaigns", "lift_margin_matched", "all",
        "select max(lift_margin_matched) from marts.programme__campaigns",
    ),
    _total("programme__referral_months", "accepted_count", where="referrer_by = 'all'"),
    # the dirt
    _total("dq__quarantined_rows", "rows", r"(?P<feed>\w+)", "feed_name = '{feed}'", schema="quality"),
    Question(
        "dq__rule_results", "observed", r"(?P<rule>\w+) of (?P<feed>\w+)",
        """select sum(observed::int) from quality.dq__rule_results
           where rule = '{rule}' and feed_name = '{feed}' and not is_success""",
    ),
    Question(
        "dq__loads", "row_count", "previews",
        """select sum(row_count) - (select count(*) from marts.satisfaction__responses) from quality.dq__loads
           where feed_name = 'survey_responses' and file <> 'survey_responses_2017-10-14.csv'""",
    ),
    _total("satisfaction__responses", "is_duplicate"),
    Question(
        "satisfaction__responses", "rows", "unknown customers",
        """select count(*) from marts.satisfaction__responses
           where customer_key not in (select customer_key from core.dim_customers)""",
    ),
    _total("satisfaction__responses", "is_speeder", "counted", "is_counted"),
    _total("satisfaction__responses", "is_straight_liner", "counted", "is_counted"),
    _total("satisfaction__responses", "has_off_scale"),
    _total("fct_survey_answers", "is_off_scale", r"(?P<question>\w+)", "question_code = '{question}'", schema="core"),
    _total("fct_survey_answers", "is_missing", schema="core"),
    Question(
        "satisfaction__responses", "language", r"(?P<language>\w+), " + WAVE,
        "select count(*) from marts.satisfaction__responses where language = '{language}' and wave = '{wave}'",
    ),
)  # fmt: skip


def read_truth(exports: Path) -> list[Planted]:
    """The truth file beside the exports."""
    with (exports / "truth.csv").open(encoding="utf-8") as file:
        return [Planted(*(row[name] for name in Planted._fields)) for row in csv.DictReader(file)]


def question_of(row: Planted) -> str:
    """The SQL of the one question that asks for a row of the truth file."""
    matches = [(question, match) for question in QUESTIONS if (match := question.asks_for(row))]
    assert len(matches) == 1, f"{len(matches)} questions ask for {row.name}"
    question, match = matches[0]
    return question.sql.format(**match.groupdict())


def unasked(rows: Iterable[Planted]) -> list[Question]:
    """Questions that no row of the truth file needs."""
    truth = list(rows)
    return [question for question in QUESTIONS if not any(question.asks_for(row) for row in truth)]


def ask(connection: duckdb.DuckDBPyConnection, row: Planted) -> tuple[Any, ...]:
    """What the marts say to a row of the truth file."""
    found = connection.execute(question_of(row)).fetchall()
    assert len(found) == 1, f"{row.name}: {len(found)} answers"
    return found[0]
