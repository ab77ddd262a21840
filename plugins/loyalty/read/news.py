"""What is new in a generation: the change of its last whole month, what was delivered, warnings, what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from loyalty.common.sql import quote_text
from loyalty.read.changes import Month, known_sum, split_change, to_cents
from loyalty.read.choices import EVERYTHING, Choice
from loyalty.read.shown import frame, rows
from loyalty.read.words import Language, Words


@dataclass(frozen=True)
class Change:
    """The change of net revenue from one month to the next, its parts by factor and by segment.

    A part that is not known is None.
    """

    month: date
    month_before: date
    currency_code: str
    customer_count: int
    net_amount: Decimal
    net_amount_before: Decimal
    factors: dict[str, Decimal | None]
    segments: dict[str, dict[str, Decimal | None]] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal:
        """The whole change, in cents."""
        return known_sum(self.factors)


@dataclass(frozen=True)
class Action:
    """Something to be done next: its name by language, how many customers are due, and the value at stake by currency.

    The value at stake is not known for every customer.
    """

    name: dict[Language, str]
    customer_count: int
    amounts: dict[str, Decimal]

    @property
    def value(self) -> str:
        """The value at stake as it is shown; empty where it is not known."""
        return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in self.amounts.items())


@dataclass(frozen=True)
class Delivered:
    """What a feed delivered since the generation before."""

    feed: str
    loads: int
    rows: int
    quarantined: int
    rejected: int


QUARANTINED = """
select feed_name, file, line, rules, reason, load_id
from quality.dq__quarantined_rows
where status = 'open'
order by feed_name, file, line
"""

MONTHS = """
with chosen as (select * from marts.retention__customer_months where {where})
select
    month,
    currency_code,
    count(distinct customer_key) filter (where base = 'customer' and order_count > 0) as customer_count,
    coalesce(sum(order_count) filter (where base = 'customer'), 0) as order_count,
    coalesce(sum(net_amount + coalesce(refund_amount, 0)) filter (where base = 'customer'), 0) as order_amount,
    sum(refund_amount) filter (where base = 'customer') as refund_amount,
    coalesce(sum(net_amount) filter (where base <> 'customer'), 0) as outside_amount
from chosen
where
    not is_partial_month
    and currency_code = (
        select currency_code
        from chosen
        group by currency_code
        order by sum(abs(net_amount)) desc nulls last, currency_code
        limit 1
    )
group by month, currency_code
order by month desc
limit 2
"""

# A segment without a row in a month ordered nothing in it; an empty amount, as of several currencies, is not known.
SEGMENTS = """
with
    chosen as (
        select segment_by, segment, month, order_amount
        from marts.retention__segment_months
        where month in ({before}, {month}) and segment_by <> 'all' and coalesce(currency_code, {code}) = {code}
    ),

    amounts as (
        select
            segment_by,
            segment,
            sum(order_amount) filter (where month = {before}) as order_amount_before,
            sum(order_amount) filter (where month = {month}) as order_amount,
            sum(case when month = {month} then order_amount else -order_amount end) as difference_amount,
            count(*) = count(order_amount) as is_known
        from chosen
        group by segment_by, segment
    )

select
    segment_by,
    segment,
    order_amount_before,
    order_amount,
    case when is_known then difference_amount end as change_amount
from amounts
order by segment_by, not is_known, abs(difference_amount) desc, segment
"""

DELIVERED = """
select
    feed_name,
    count(*) filter (where outcome = 'accepted') as load_count,
    coalesce(sum(row_count) filter (where outcome = 'accepted'), 0) as row_count,
    coalesce(sum(quarantined_count) filter (where outcome = 'accepted'), 0) as quarantined_count,
    count(*) filter (where outcome = 'rejected') as rejected_count
from quality.dq__loads
where received_at > timestamp '{since}' and outcome <> 'unchanged'
group by feed_name
order by feed_name
"""

WARNINGS = """
select * replace (coalesce(detail, '') as detail)
from quality.dq__data_warnings
where severity = 'warning'
order by row_count desc, warning_key
limit 20
"""

NOT_RENEWED = """
select mart, state, since, reason
from quality.dq__marts
where state <> 'fresh'
order by mart
"""

ACTIONS = """
select
    action_name_en,
    action_name_zh,
    count(*) as customer_count,
    sum(value_at_stake_amount) as value_at_stake_amount,
    currency_code
from marts.loyalty__next_actions
where is_due
group by action_name_en, action_name_zh, priority, currency_code
order by priority, action_name_en, currency_code
"""


def months_sql(choice: Choice = EVERYTHING) -> str:
    """SQL for what the two newest whole months brought in the largest currency, up to the chosen month."""
    conditions = [f"month <= date '{choice.last_month}'" if choice.last_month else ""]
    conditions += [choice.condition(name) for name in ("source", "currency_code")]
    return MONTHS.format(where=" and ".join(one for one in conditions if one) or "true").strip()


def segments_sql(month: date, month_before: date, currency: str) -> str:
    """SQL for what the segments ordered in two months, and the change."""
    of_month = {"month": f"date '{month}'", "before": f"date '{month_before}'"}
    return SEGMENTS.format(**of_month, code=quote_text(currency)).strip()


def last_change(connection: duckdb.DuckDBPyConnection, choice: Choice = EVERYTHING) -> Change | None:
    """The change between the two newest whole months of the largest currency; None where there are no two.

    The months and the currency can be chosen, and the shop, which has no parts by segment.
    """
    found = rows(connection, months_sql(choice))
    if len(found) < 2:
        return None
    (month, currency, *after), (month_before, _, *before) = found
    new, old = Month(*after), Month(*before)
    by_segment = [] if choice.source else rows(connection, segments_sql(month, month_before, currency))
    return Change(
        month,
        month_before,
        currency,
        new.customer_count,
        new.net_amount,
        old.net_amount,
        split_change(old, new),
        _by_segment(by_segment),
    )


def not_delivered(change: Change, words: Words) -> list[str]:
    """A sentence on the parts of a change of which nothing was delivered."""
    names = [words.sentence(name) for name, amount in change.factors.items() if amount is None]
    sentence = words.sentence("Not known: {0}. Nothing about it was delivered.")
    return [sentence.format(words.sentence(", ").join(names))] if names else []


def _by_segment(found: list[tuple[Any, ...]]) -> dict[str, dict[str, Decimal | None]]:
    """For each way to split the customers: the change of order revenue by segment, the largest first."""
    changes: dict[str, dict[str, Any]] = {}
    for by, segment, *_, change in found:
        changes.setdefault(by, {})[segment] = change
    return {by: to_cents(parts) for by, parts in changes.items() if len(parts) > 1}


def delivered_sql(since: str | None) -> str:
    """SQL for what every feed delivered since a moment; everything where there is none."""
    moment = datetime.fromisoformat(since or "1970-01-01T00:00:00").replace(tzinfo=None)
    return DELIVERED.format(since=moment).strip()


def delivered(connection: duckdb.DuckDBPyConnection, since: str | None) -> list[Delivered]:
    """What came since the generation before was published; everything where there is none."""
    return [Delivered(*row) for row in rows(connection, delivered_sql(since))]


def actions(connection: duckdb.DuckDBPyConnection) -> list[Action]:
    """What is to be done next, the most urgent first: one row for an action, whatever its customers pay in."""
    found: dict[str, Action] = {}
    for name_en, name_zh, count, amount, currency in rows(connection, ACTIONS):
        so_far = found.get(name_en, Action({"en": name_en, "zh": name_zh}, 0, {}))
        amounts = so_far.amounts | ({currency: amount} if amount is not None else {})
        found[name_en] = Action(so_far.name, so_far.customer_count + count, amounts)
    return list(found.values())


def warnings(connection: duckdb.DuckDBPyConnection, language: Language) -> list[tuple[str, str, str, int, str]]:
    """Feed, warning, detail, rows and remedy of what the data warn of.

    They are in English where an older version published the generation.
    """
    found = frame(connection, WARNINGS)
    end = "_zh" if language == "zh" and "remedy_zh" in found else ""
    chosen = found.reindex(columns=["feed", f"warning{end}", "detail", "row_count", f"remedy{end}"])
    return list(chosen.itertuples(index=False, name=None))
