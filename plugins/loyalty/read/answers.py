"""Three questions that the published marts answer, in plain sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.pull.feeds import usable_feeds
from loyalty.read.query import query
from loyalty.read.words import Words

SIMULATED = "SIMULATED"
SURVEY_FEEDS = ("survey_responses", "survey_answers")
COST_FEEDS = ("costs", "order_lines")
ENGLISH = Words("en")
NO_ANSWER = (
    "The mart `{0}` has no answer: its feeds are missing, its base is too small, or a warning names what it lacks."
)
# The sentence for a row of a mart.
InWords = Callable[[tuple[Any, ...], Words], str]


def answers(settings: Settings, words: Words = ENGLISH, form: str = "{0} {1}") -> list[str]:
    """The best cohort's retention, the top customers' share of profit, the newest index; or why there is none.

    `form` puts a question and its answer together.
    """
    asked: list[tuple[str, str, str, InWords, tuple[str, ...]]] = [
        ("Which cohort stays best?", "retention__cohort_months", BEST_COHORT, best_cohort, ()),
        ("What do the best customers bring?", "profitability__whale_curve", TOP_SHARE, top_share, COST_FEEDS),
        ("How satisfied are they?", "satisfaction__segment_months", NEWEST_INDEX, newest_index, SURVEY_FEEDS),
    ]
    return [
        form.format(words.sentence(question), _answer(settings, words, mart, sql, in_words, feeds))
        for question, mart, sql, in_words, feeds in asked
    ]


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


def best_cohort(row: tuple[Any, ...], words: Words = ENGLISH) -> str:
    """The sentence for the cohort with the highest rate: month, rate, month number, size, cohorts, the lowest rate."""
    cohort, rate, month_number, size, cohorts, worst = row
    began = format(cohort, words.sentence("%B %Y"))
    unit = "month" if month_number == 1 else "months"
    sentence = words.sentence("Of the {0} customers of {1}, {2} bought again {3} {4} later")
    # one cohort, or several that are alike, have no best one
    end = words.sentence("{0}: the best of {1} cohorts." if rate > worst else "{0}.")
    return end.format(sentence.format(f"{size:,}", began, f"{rate:.1%}", month_number, unit), cohorts)


def top_share(row: tuple[Any, ...], words: Words = ENGLISH) -> str:
    """The sentence for the best 5 percent: share, their number, all customers, currency, what is added up."""
    rate, rank, customers, currency, basis = row
    value = words.sentence("profit" if basis == "profit" else "net revenue (unit costs are unknown)")
    sentence = words.sentence("The best 5 % ({0} of {1} customers) bring {2} of the {3} in {4}.")
    return sentence.format(f"{rank:,}", f"{customers:,}", f"{rate:.1%}", value, currency)


def newest_index(row: tuple[Any, ...], words: Words = ENGLISH) -> str:
    """The sentence for the newest index, with the survey and the wave that it is of."""
    index, low, high, base, survey, wave = row
    sentence = words.sentence("The satisfaction index of {0}, wave {1}, is {2} of 100 ({3} to {4}, {5} answers).")
    return sentence.format(survey, wave, f"{index:.1f}", f"{low:.1f}", f"{high:.1f}", f"{base:,}")


def _answer(settings: Settings, words: Words, mart: str, sql: str, in_words: InWords, feeds: tuple[str, ...]) -> str:
    try:
        rows = query(settings, sql)
    except UserError:
        return words.sentence("The mart `{0}` has no answer: it is not published.").format(mart)
    if not rows or rows[0][0] is None:
        return words.sentence(NO_ANSWER).format(mart)
    answer = in_words(rows[0], words)
    return words.sentence("{0} (SIMULATED input)").format(answer) if _is_simulated(settings, feeds) else answer


def _is_simulated(settings: Settings, feeds: tuple[str, ...]) -> bool:
    """Whether a feed behind the answer is described as simulated."""
    used = [feed for feed in usable_feeds(settings.feeds).values() if feed.canonical_name in feeds]
    return any(SIMULATED in feed.description for feed in used)
