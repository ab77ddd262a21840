"""Three questions that the published marts answer, in plain sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.pull.feeds import usable_feeds
from loyalty.read.query import query

SIMULATED = "SIMULATED"
SURVEY_FEEDS = ("survey_responses", "survey_answers")
COST_FEEDS = ("costs", "order_lines")


def answers(settings: Settings) -> list[str]:
    """The best cohort's retention, the top customers' share of profit, the newest index; or why there is none."""
    asked: list[tuple[str, str, str, Callable[[tuple[Any, ...]], str], tuple[str, ...]]] = [
        ("Which cohort stays best?", "retention__cohort_months", BEST_COHORT, best_cohort, ()),
        ("What do the best customers bring?", "profitability__whale_curve", TOP_SHARE, top_share, COST_FEEDS),
        ("How satisfied are they?", "satisfaction__segment_months", NEWEST_INDEX, newest_index, SURVEY_FEEDS),
    ]
    return [_answer(settings, *question) for question in asked]


BEST_COHORT = """
    with rates as (
        select cohort_month, month_number, retention_rate, cohort_size
        from retention__cohort_months
        where segment_by = 'all' and month_number between 1 and 3 and cohort_size >= 30 and retention_rate is not null
    )
    select cohort_month, retention_rate, month_number, cohort_size, count(*) over (), min(retention_rate) over ()
    from rates
    where month_number = (select max(month_number) from rates)
    order by retention_rate desc, cohort_month
    limit 1
"""

TOP_SHARE = """
    select cumulative_value_rate, curve_rank, customer_count, currency_code, value_basis
    from profitability__whale_curve
    where curve_rank = (5 * customer_count + 99) // 100 and customer_count >= 30
    order by customer_count desc, currency_code
    limit 1
"""

NEWEST_INDEX = """
    select satisfaction_index, satisfaction_index_low, satisfaction_index_high, scored_count, survey_id, wave
    from satisfaction__segment_months
    where segment_by = 'all' and respondent_type = 'customer' and satisfaction_index is not null
    order by month desc, scored_count desc, source, survey_id
    limit 1
"""


def best_cohort(row: tuple[Any, ...]) -> str:
    """The sentence for the cohort with the highest rate: month, rate, month number, size, cohorts, the lowest rate."""
    cohort, rate, month_number, size, cohorts, worst = row
    months = "1 month" if month_number == 1 else f"{month_number} months"
    told = f"Of the {size:,} customers of {cohort:%B %Y}, {rate:.1%} bought again {months} later"
    # one cohort, or several that are alike, have no best one
    return f"{told}: the best of {cohorts} cohorts." if rate > worst else f"{told}."


def top_share(row: tuple[Any, ...]) -> str:
    """The sentence for the best 5 percent: share, their number, all customers, currency, what is added up."""
    rate, rank, customers, currency, basis = row
    value = "profit" if basis == "profit" else "net revenue (unit costs are unknown)"
    return f"The best 5 % ({rank:,} of {customers:,} customers) bring {rate:.1%} of the {value} in {currency}."


def newest_index(row: tuple[Any, ...]) -> str:
    """The sentence for the newest index, with the survey and the wave that it is of."""
    index, low, high, base, survey, wave = row
    interval = f"{low:.1f} to {high:.1f}, {base:,} answers"
    return f"The satisfaction index of {survey}, wave {wave}, is {index:.1f} of 100 ({interval})."


def _answer(
    settings: Settings,
    question: str,
    mart: str,
    sql: str,
    in_words: Callable[[tuple[Any, ...]], str],
    feeds: tuple[str, ...],
) -> str:
    try:
        rows = query(settings, sql)
    except UserError:
        return f"{question} The mart `{mart}` has no answer: it is not published."
    if not rows or rows[0][0] is None:
        return f"{question} The mart `{mart}` has no answer: its feeds are missing or its base is too small."
    label = f" ({SIMULATED} input)" if _is_simulated(settings, feeds) else ""
    return f"{question} {in_words(rows[0])}{label}"


def _is_simulated(settings: Settings, feeds: tuple[str, ...]) -> bool:
    """Whether a feed behind the answer is described as simulated."""
    used = [feed for feed in usable_feeds(settings.feeds).values() if feed.canonical_name in feeds]
    return any(SIMULATED in feed.description for feed in used)
