"""Why a figure moved: a change of net revenue split into parts that add up to it, to the cent.

A month's order revenue is customers x orders per customer x revenue per order. The change between two months is the
sum of three effects, one a factor: the mean, over all orders in which the factors can change one after the other, of
what changing the factor does (the Shapley value; Shapley 1953, in index theory the generalised Marshall-Edgeworth
decomposition). Refunds and what lies outside the base of customers are parts of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from itertools import permutations
from math import prod
from pathlib import Path

import duckdb

from loyalty.common.duckdb_session import prepare_session
from loyalty.common.sql import quote_text
from loyalty.publish.generations import MARTS_FILE, Generation

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Month:
    """What a month brought: customers with an order, their orders, amounts in one currency.

    `order_amount` is before refunds, `refund_amount` is what was given back (positive; None where no refunds were
    delivered, then nothing is taken off), `outside_amount` the net revenue of guests and others outside the base.
    """

    customer_count: int
    order_count: int
    order_amount: Decimal
    refund_amount: Decimal | None
    outside_amount: Decimal

    @property
    def net_amount(self) -> Decimal:
        """Net revenue of everything."""
        return self.order_amount - (self.refund_amount or Decimal(0)) + self.outside_amount


def split_change(before: Month, after: Month) -> dict[str, Decimal | None]:
    """The parts of `after.net_amount - before.net_amount`, rounded to cents so that they add up to it.

    Keys: customers, orders per customer, revenue per order, refunds, outside the base. A part is None where nothing
    about it was delivered for either month.
    """
    old, new = _factors(before), _factors(after)
    effects = shapley(old, new) if old and new else [Fraction(0)] * 3
    exact: dict[str, Fraction | None] = dict(
        zip(("customers", "orders per customer", "revenue per order"), effects, strict=True)
    )
    # without an order in one of the months there are no factors: all of it comes with the customers
    rest = Fraction(after.order_amount) - Fraction(before.order_amount) - sum(effects)
    exact["customers"] = effects[0] + rest
    is_known = before.refund_amount is not None or after.refund_amount is not None
    refunds = Fraction(before.refund_amount or 0) - Fraction(after.refund_amount or 0)
    exact["refunds"] = refunds if is_known else None
    exact["outside the base"] = Fraction(after.outside_amount) - Fraction(before.outside_amount)
    return to_cents(exact)


def _factors(month: Month) -> tuple[Fraction, Fraction, Fraction] | None:
    """Customers, orders per customer, revenue per order; None for a month without orders."""
    if not month.customer_count or not month.order_count:
        return None
    return (
        Fraction(month.customer_count),
        Fraction(month.order_count, month.customer_count),
        Fraction(month.order_amount) / month.order_count,
    )


def shapley(before: Sequence[Fraction], after: Sequence[Fraction]) -> list[Fraction]:
    """The effect of each factor on the product of all: exact, they add up to prod(after) - prod(before)."""
    orders = list(permutations(range(len(before))))
    effects = [Fraction(0)] * len(before)
    for order in orders:
        now = list(before)
        for factor in order:
            product = prod(now)
            now[factor] = after[factor]
            effects[factor] += prod(now) - product
    return [effect / len(orders) for effect in effects]


def to_cents(parts: Mapping[str, Fraction | Decimal | None]) -> dict[str, Decimal | None]:
    """Parts rounded to cents that add up to their rounded sum (method of the largest remainder); None stays."""
    cents = {name: Fraction(part) * 100 for name, part in parts.items() if part is not None}
    floors = {name: part.numerator // part.denominator for name, part in cents.items()}
    total = round(sum(cents.values(), Fraction(0)))
    missing = total - sum(floors.values())
    by_remainder = sorted(cents, key=lambda name: (floors[name] - cents[name], name))
    for name in by_remainder[:missing]:
        floors[name] += 1
    return {
        name: (Decimal(floors[name]) * CENT).quantize(CENT, ROUND_FLOOR) if name in floors else None for name in parts
    }


def known_sum(parts: Mapping[str, Decimal | None]) -> Decimal:
    """The sum of the parts that are known."""
    return sum((part for part in parts.values() if part is not None), Decimal(0))


MONTH_SUMS = """
select month, currency_code, sum(net_amount) as net_amount
from {database}marts.retention__customer_months
where not is_partial_month
group by month, currency_code
order by month desc, currency_code
"""

RESTATED = f"""
    with
        now as ({MONTH_SUMS.format(database="")}),

        before as ({MONTH_SUMS.format(database="earlier.")})

    select month, currency_code, before.net_amount, now.net_amount
    from before
    left join now using (month, currency_code)
    where before.net_amount is distinct from now.net_amount
    order by month desc, currency_code
"""


@contextmanager
def opened(folder: Path, before: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the marts of a generation's folder, read-only; those of `before` are attached as `earlier`."""
    with duckdb.connect() as connection:
        prepare_session(connection)
        connection.execute(f"attach {quote_text(folder / MARTS_FILE)} as marts_now (read_only)")
        if before is not None:
            connection.execute(f"attach {quote_text(before / MARTS_FILE)} as earlier (read_only)")
        connection.execute("use marts_now")
        yield connection


Restated = tuple[date, str, Decimal | None, Decimal | None]


def restated(connection: duckdb.DuckDBPyConnection) -> list[Restated]:
    """Months that were over in the generation before and are another now: month, currency, net before, net now.

    An amount is None where the generation has nothing of the month. No rows where one has no monthly mart.
    """
    try:
        return connection.execute(RESTATED).fetchall()
    except duckdb.CatalogException:
        return []


def restated_months(before: Generation, now: Generation) -> list[Restated]:
    """The same of two generations."""
    with opened(now.folder, before.folder) as connection:
        return restated(connection)


def changed_marts(before: Generation, now: Generation) -> list[tuple[str, int | None, int | None]]:
    """The marts whose rows differ, with how many rows they had and have; None where there was no such mart."""
    old, new = before.manifest["marts"], now.manifest["marts"]
    nothing = {"rows": None, "checksum": None}
    return [
        (name, old.get(name, nothing)["rows"], new.get(name, nothing)["rows"])
        for name in sorted({*old, *new})
        if old.get(name, nothing)["checksum"] != new.get(name, nothing)["checksum"]
    ]
