"""What is new in a generation: the change of its last whole month, what was delivered, warnings, what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from loyalty.read.changes import Month, split_change, to_cents
from loyalty.read.choices import EVERYTHING, Choice
from loyalty.read.shown import frame, rows
from loyalty.read.words import Language


@dataclass(frozen=True)
class Change:
    """The change of net revenue from one month to the next, its parts by factor and by segment."""

    month: date
    month_before: date
    currency_code: str
    customer_count: int
    net_amount: Decimal
    net_amount_before: Decimal
    factors: dict[str, Decimal]
    segments: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal:
        """The whole change, in cents."""
        return sum(self.factors.values(), Decimal(0))


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


MONTHS = """
    with chosen as (select * from marts.retention__customer_months where {where})
    select
        month,
        currency_code,
        count(distinct customer_key) filter (where base = 'customer' and order_count > 0) as customer_count,
        coalesce(sum(order_count) filter (where base = 'customer'), 0) as order_count,
        coalesce(sum(net_amount + coalesce(refund_amount, 0)) filter (where base = 'customer'), 0) as order_amount,
        coalesce(sum(refund_amount) filter (where base = 'customer'), 0) as refund_amount,
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

SEGMENTS = """
    select segment_by, segment, month, order_amount
    from marts.retention__segment_months
    where month in (?, ?) and currency_code = ? and segment_by <> 'all' and order_amount is not null
"""

DELIVERED = """
    select
        feed_name,
        count(*) filter (where outcome = 'accepted'),
        coalesce(sum(row_count) filter (where outcome = 'accepted'), 0),
        coalesce(sum(quarantined_count) filter (where outcome = 'accepted'), 0),
        count(*) filter (where outcome = 'rejected')
    from quality.dq__loads
    where received_at > ? and outcome <> 'unchanged'
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

ACTIONS = """
    select action_name_en, action_name_zh, count(*), sum(value_at_stake_amount), currency_code
    from marts.loyalty__next_actions
    where is_due
    group by action_name_en, action_name_zh, priority, currency_code
    order by priority, action_name_en, currency_code
"""


def months_sql(choice: Choice = EVERYTHING) -> str:
    """SQL for what the two newest whole months brought in the largest currency, up to the chosen month."""
    conditions = [f"month <= date '{choice.last_month}'" if choice.last_month else ""]
    conditions += [choice.condition(name) for name in ("source", "currency_code")]
    return MONTHS.format(where=" and ".join(one for one in conditions if one) or "true")


def last_change(connection: duckdb.DuckDBPyConnection, choice: Choice = EVERYTHING) -> Change | None:
    """The change between the two newest whole months of the largest currency; None where there are no two.

    The months and the currency can be chosen, and the shop, which has no parts by segment.
    """
    found = rows(connection, months_sql(choice))
    if len(found) < 2:
        return None
    (month, currency, *after), (month_before, _, *before) = found
    new, old = Month(*after), Month(*before)
    by_segment = [] if choice.source else rows(connection, SEGMENTS, (month, month_before, currency))
    return Change(
        month,
        month_before,
        currency,
        new.customer_count,
        new.net_amount,
        old.net_amount,
        split_change(old, new),
        _by_segment(by_segment, month),
    )


def _by_segment(found: list[tuple[Any, ...]], month: date) -> dict[str, dict[str, Decimal]]:
    """For each way to split the customers: the change of order revenue by segment, the largest first."""
    changes: dict[str, dict[str, Any]] = {}
    for by, segment, of_month, amount in found:
        parts = changes.setdefault(by, {})
        parts[segment] = parts.get(segment, 0) + (amount if of_month == month else -amount)
    return {
        by: dict(sorted(to_cents(parts).items(), key=lambda part: -abs(part[1])))
        for by, parts in sorted(changes.items())
        if len(parts) > 1
    }


def delivered(connection: duckdb.DuckDBPyConnection, since: str | None) -> list[Delivered]:
    """What came since the generation before was published; everything where there is none."""
    moment = datetime.fromisoformat(since or "1970-01-01T00:00:00").replace(tzinfo=None)
    return [Delivered(*row) for row in rows(connection, DELIVERED, (moment,))]


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
