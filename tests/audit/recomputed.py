"""Columns of marts, worked out again with pandas from the rows of the feeds.

Written from docs/metrics.md, docs/metrics/*.md, docs/marts/*.md and docs/feeds.md, without a look at the SQL. Each
function returns one mart as a data frame: its key as index, and the columns that this audit covers. Counts are whole
numbers, amounts are Decimal, rates are float; None is what the pages call empty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations, pairwise
from statistics import NormalDist, mean, median, stdev
from typing import Any

import pandas as pd
from shops import Shop

# The thresholds of dbt_project.yml that the pages name.
CHURN_DAYS = 60
MIN_BASE = 30
MIN_BASE_NPS = 100
MIN_COST_COVERAGE = Decimal("0.95")
FADING_MIN_GAPS = 4
FADING_SILENCE = 2
STABLE_MONTHS = 3
TREND_MONTHS = 6
VALUE_WINDOW_MONTHS = 12
VARIATION_MONTHS = 6
MIN_PEER_CELL = 30
STATED_DAYS = 90  # the generated survey asks about so many
Z = 1.959963985

NOTHING = Decimal(0)
GUEST = "guest"


def month_of(day: date) -> date:
    """First day of a day's month."""
    return day.replace(day=1)


def months_later(month: date, count: int) -> date:
    """First day of the month that is so many months later (earlier when below 0)."""
    place = month.year * 12 + month.month - 1 + count
    return date(place // 12, place % 12 + 1, 1)


def months_back(day: date, count: int) -> date:
    """The same day so many months before; the last day of a shorter month."""
    return (pd.Timestamp(day) - pd.DateOffset(months=count)).date()


def months_between(first: date, last: date) -> list[date]:
    """All months from one to another, both included."""
    return [month.date() for month in pd.date_range(month_of(first), month_of(last), freq="MS")]


def is_running(month: date, as_of: date) -> bool:
    """The month has days after the as-of date."""
    return months_later(month, 1) - timedelta(days=1) > as_of


def ratio(part: Any, whole: Any) -> float | None:
    """part / whole, empty where there is no whole."""
    return None if not whole else float(part) / float(whole)


def on_base(rate: float | None, base: int, least: int = MIN_BASE) -> float | None:
    """A rate, empty on a base that is too small."""
    return rate if base >= least else None


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Exact sum of amounts."""
    return sum(amounts, NOTHING)


def on_days(rows: pd.DataFrame, wanted: Callable[[date], bool]) -> pd.DataFrame:
    """The rows whose day is wanted."""
    return rows[rows["day"].map(wanted).astype(bool)]


def in_month(rows: pd.DataFrame, month: date) -> pd.DataFrame:
    """The rows of a month."""
    return on_days(rows, lambda day: month_of(day) == month)


def wilson(hits: int, base: int) -> tuple[float, float]:
    """Wilson's interval of a share (Wilson 1927)."""
    share, square = hits / base, Z * Z
    middle = (share + square / (2 * base)) / (1 + square / base)
    half = Z / (1 + square / base) * math.sqrt(share * (1 - share) / base + square / (4 * base * base))
    return middle - half, middle + half


@dataclass
class Books:
    """A shop's rows after the rules that all marts share.

    orders: counted orders (who, day, goods, gross, discount, shipping, cost, costed, refunded).
    refunds: money given back (who, day, amount). Who is the customer's id or GUEST.
    cancelled: cancelled orders (who, day).
    """

    shop: Shop
    orders: pd.DataFrame
    refunds: pd.DataFrame
    cancelled: pd.DataFrame
    ages: dict[str, str | None]

    @property
    def as_of(self) -> date:
        """The shop's today."""
        return self.shop.as_of

    @property
    def data_start(self) -> date:
        """First day that the data cover."""
        return min(self.orders["day"])

    def customers(self) -> list[str]:
        """All customers: those of the CRM and those known only from orders."""
        named = {row["customer_id"] for row in self.shop.feeds["orders"]} - {None}
        return sorted(named | self.ages.keys())

    def days(self) -> dict[str, list[date]]:
        """Order days of each customer with an order, the first one first."""
        named = self.orders[self.orders["who"] != GUEST]
        return {who: sorted(set(days)) for who, days in named.groupby("who")["day"]}

    def segments(self) -> list[tuple[str, str, set[str]]]:
        """Kind, name and members of the segments that are audited."""
        customers = self.days().keys()
        cuts: dict[str, set[str]] = {}
        for who in customers:
            cuts.setdefault(self.ages.get(who) or "unknown", set()).add(who)
        parts = [("age_band", name, members) for name, members in cuts.items()]
        return [("all", "all", set(customers)), *parts]

    def delivered(self, sums: dict[str, Any]) -> dict[str, Any]:
        """The amounts; an amount that no row of the shop has is empty."""
        orders, lines = self.shop.feeds["orders"], self.shop.feeds["order_lines"]
        is_delivered = {
            "discount_amount": _has_value(orders, "discount_amount", "gross_amount")
            or _has_value(lines, "discount_amount")
            or 2 * sum(line.get("list_price") is not None for line in lines) >= len(lines),
            "shipping_amount": _has_value(orders, "shipping_amount"),
            "refund_amount": bool((self.refunds["who"] != GUEST).any())
            if len(self.refunds)
            else "refunds" in self.shop.feeds,
            "shipping_cost_amount": _has_value(orders, "shipping_cost_amount"),
            "payment_fee_amount": _has_value(orders, "payment_fee_amount"),
        }
        return {name: amount if is_delivered.get(name, True) else None for name, amount in sums.items()}

    def is_left_truncated(self, first_day: date) -> bool:
        """First order in the first churn_days of the data."""
        return first_day < self.data_start + timedelta(days=CHURN_DAYS)


def _has_value(rows: Iterable[dict[str, Any]], *names: str) -> bool:
    """Whether any row has a value in one of the columns."""
    return any(row.get(name) is not None for row in rows for name in names)


def books(shop: Shop) -> Books:
    """Orders and refunds of a shop after the rules of docs/feeds.md."""
    lines: dict[str, list[dict[str, Any]]] = {}
    for line in shop.feeds["order_lines"]:
        lines.setdefault(line["order_id"], []).append(line)
    back = shop.feeds.get("refunds", [])
    status = {order["order_id"]: order["status"] for order in shop.feeds["orders"]}
    buyer = {order["order_id"]: order["customer_id"] or GUEST for order in shop.feeds["orders"]}
    refunds = [
        {"who": buyer[row["order_id"]], "day": row["refunded_at"].date(), "amount": row["amount"]}
        for row in back
        if status[row["order_id"]] != "cancelled"
    ]
    orders = []
    for order in shop.feeds["orders"]:
        who, day = buyer[order["order_id"]], order["ordered_at"].date()
        sold = [line for line in lines[order["order_id"]] if line["net_amount"] >= 0]
        returned = [line for line in lines[order["order_id"]] if line["net_amount"] < 0]
        refunds += [{"who": who, "day": day, "amount": -line["net_amount"]} for line in returned]
        if not sold or order["status"] == "cancelled":
            continue
        goods = total(line["net_amount"] for line in sold)
        discount = total(line.get("discount_amount") or NOTHING for line in sold)
        shipping = order.get("shipping_amount") or NOTHING
        refunded = total(row["amount"] for row in back if row["order_id"] == order["order_id"])
        orders.append(
            {
                "order_id": order["order_id"],
                "who": who,
                "day": day,
                "goods": goods,
                "gross": goods + discount,
                "discount": discount,
                "shipping": shipping,
                "cost": total(line.get("cost_amount") or NOTHING for line in sold),
                "costed": total(line["net_amount"] for line in sold if line.get("cost_amount") is not None),
                "shipping_cost": order.get("shipping_cost_amount") or NOTHING,
                "payment_fee": order.get("payment_fee_amount") or NOTHING,
                "is_kept": not 0 < goods + shipping <= refunded,
                "products": [line["product_id"] for line in sold],
            }
        )
    ages = {row["customer_id"]: row["age_band"] for row in shop.feeds.get("customers", [])}
    cancelled = [
        {"who": buyer[order["order_id"]], "day": order["ordered_at"].date()}
        for order in shop.feeds["orders"]
        if order["status"] == "cancelled"
    ]
    return Books(
        shop, pd.DataFrame(orders), pd.DataFrame(refunds), pd.DataFrame(cancelled, columns=["who", "day"]), ages
    )


def indexed(rows: list[dict[str, Any]], *key: str) -> pd.DataFrame:
    """Rows as a frame of objects with its key as index."""
    return pd.DataFrame(rows, dtype=object).set_index(list(key)).sort_index()


def money(orders: pd.DataFrame, refunds: pd.DataFrame) -> dict[str, Any]:
    """The waterfall's first amounts, of any group of orders and refunds."""
    goods, cost, given_back = total(orders["goods"]), total(orders["cost"]), total(refunds["amount"])
    shipping = total(orders["shipping"])
    net = goods + shipping - given_back
    coverage = total(orders["costed"]) / goods if goods else None
    has_margin = coverage is None or coverage >= MIN_COST_COVERAGE
    return {
        "order_count": len(orders),
        "kept_order_count": sum(orders["is_kept"]),
        "gross_amount": total(orders["gross"]),
        "discount_amount": total(orders["discount"]),
        "shipping_amount": shipping,
        "refund_amount": given_back,
        "net_amount": net,
        "cost_coverage_rate": None if coverage is None else float(coverage),
        "margin_amount": net - cost if has_margin else None,
    }


# ---- retention


def retention_customers(book: Books) -> pd.DataFrame:
    """retention__customers by customer_id."""
    days = book.days()
    rows = [
        {"customer_id": who, "order_count": 0, "order_day_count": 0, "is_left_truncated": None}
        if who not in days
        else {"customer_id": who, **_history(book, who, days[who])}
        for who in book.customers()
    ]
    frame = indexed(rows, "customer_id")
    bought = frame[frame["order_day_count"] > 0]
    frame["recency_score"] = pd.Series(_fifths(bought["last_order_date"]))
    frame["frequency_score"] = pd.Series(
        {
            who: min(score, 2) if bought["order_day_count"][who] == 1 else score
            for who, score in _fifths(bought["order_day_count"]).items()
        }
    )
    frame["monetary_score"] = pd.Series(_fifths(bought["net_amount"]))
    return frame


def _history(book: Books, who: str, days: list[date]) -> dict[str, Any]:
    orders = book.orders[book.orders["who"] == who]
    refunds = book.refunds[book.refunds["who"] == who]
    gaps = [(after - before).days for before, after in pairwise(days)]
    tenure, recency = (book.as_of - days[0]).days, (book.as_of - days[-1]).days
    lapses = [
        day + timedelta(days=CHURN_DAYS)
        for day, gap in zip(days, [*gaps, recency + 1], strict=True)
        if gap > CHURN_DAYS
    ]
    returns = [after for before, after in pairwise(days) if (after - before).days > CHURN_DAYS]
    is_lapsed = recency >= CHURN_DAYS
    months = [month for month in months_between(days[0], book.as_of) if not is_running(month, book.as_of)]
    ordered_in = {month_of(day) for day in days}
    active_months = sum(month in ordered_in for month in months)
    has_habit = len(gaps) >= FADING_MIN_GAPS
    trend = mann_kendall(gaps[-100:]) if has_habit else None
    silence = recency / median(gaps) if has_habit and median(gaps) else None
    is_silent = silence is not None and silence > FADING_SILENCE
    grows = trend is not None and trend[0] > 0 and trend[1] < 0.05
    cv = stdev(gaps) / mean(gaps) if len(gaps) > 1 else None
    half, whole = months_back(book.as_of, TREND_MONTHS), months_back(book.as_of, 2 * TREND_MONTHS)
    recent = on_days(orders, lambda day: half < day)
    earlier = on_days(orders, lambda day: whole < day <= half)
    window_start = months_back(book.as_of, VALUE_WINDOW_MONTHS)
    in_window = on_days(orders, lambda day: day > window_start)
    window_refunds = on_days(refunds, lambda day: day > window_start)
    means = [
        (total(part["goods"]) + total(part["shipping"])) / len(part) if len(part) else None
        for part in (recent, earlier)
    ]
    return {
        "is_left_truncated": book.is_left_truncated(days[0]),
        "first_order_date": days[0],
        "last_order_date": days[-1],
        "tenure_days": tenure,
        "span_days": (days[-1] - days[0]).days,
        "recency_days": recency,
        "order_count": len(orders),
        "order_day_count": len(days),
        "orders_per_30_days": len(orders) * 30 / (tenure + 1),
        "order_days_per_30_days": len(days) * 30 / (tenure + 1),
        "order_gap_count": len(gaps),
        "median_order_gap_days": float(median(gaps)) if gaps else None,
        "mean_order_gap_days": float(mean(gaps)) if gaps else None,
        "order_gap_cv": cv,
        "is_regular": cv is not None and cv < 1 if has_habit else None,
        "silence_ratio": silence,
        "order_gap_trend_s": trend[0] if trend else None,
        "order_gap_trend_p_value": trend[1] if trend else None,
        "is_fading": (is_silent or grows) and not is_lapsed if has_habit else None,
        "is_active": not is_lapsed,
        "category_count": _categories(book, orders),
        "is_lapsed": is_lapsed,
        "lapse_count": len(lapses),
        "first_lapse_date": lapses[0] if lapses else None,
        "is_reactivated": bool(returns),
        "reactivation_count": len(returns),
        "reactivated_date": returns[-1] if returns else None,
        "active_month_count": active_months if months else None,
        "month_count": len(months) or None,  # of months that are not over nothing was observed
        "stickiness_rate": ratio(active_months, len(months)),
        "net_amount": money(orders, refunds)["net_amount"],
        "window_net_amount": money(in_window, window_refunds)["net_amount"] if len(in_window) else None,
        "recent_order_amount": _four_places(means[0]),
        "earlier_order_amount": _four_places(means[1]) if whole >= book.data_start else None,
    }


def _categories(book: Books, orders: pd.DataFrame) -> int | None:
    """Different categories ever ordered; empty where no product has one."""
    category = {row["product_id"]: row["category"] for row in book.shop.feeds.get("products", [])}
    return len({category[product] for products in orders["products"] for product in products}) if category else None


def _four_places(amount: Decimal | None) -> Decimal | None:
    """As a mart keeps an amount."""
    return None if amount is None else amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def mann_kendall(gaps: list[int]) -> tuple[int, float]:
    """S and its two-sided p-value, with the variance corrected for ties."""
    rises = sum((later > earlier) - (later < earlier) for earlier, later in combinations(gaps, 2))
    count = len(gaps)
    ties = [gaps.count(value) for value in set(gaps)]
    variance = (count * (count - 1) * (2 * count + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    if not rises:
        return 0, 1.0
    return rises, 2 * (1 - NormalDist().cdf((abs(rises) - 1) / math.sqrt(variance)))


def _fifths(values: pd.Series) -> dict[str, int]:
    """Fifth of each customer, 5 = highest, by the middle of the places that equal customers share."""
    ordered = values.tolist()
    count = len(ordered)
    fifth = {}
    for value in set(ordered):
        below, equal = sum(other < value for other in ordered), ordered.count(value)
        fifth[value] = min(5, 5 * (2 * below + equal) // (2 * count) + 1)
    return {who: fifth[value] for who, value in values.items()}


def retention_customer_months(book: Books) -> pd.DataFrame:
    """retention__customer_months by customer_id and month; guests are the rows `guest`.

    A return before the first order has a row too, since all rows add up to the net sales.
    """
    rows = []
    for who in sorted(set(book.orders["who"])):
        orders, refunds = book.orders[book.orders["who"] == who], book.refunds[book.refunds["who"] == who]
        first_month = month_of(min(orders["day"]))
        for month in months_between(min([*orders["day"], *refunds["day"]]), book.as_of):
            now = in_month(orders, month)
            back = in_month(refunds, month)
            running = is_running(month, book.as_of)
            rows.append(
                {
                    "customer_id": who,
                    "month": month,
                    "first_month": first_month,
                    "month_number": (month.year - first_month.year) * 12 + month.month - first_month.month,
                    "is_partial_month": running,
                    "is_active": None if running or who == GUEST else len(now) > 0,
                    "order_day_count": now["day"].nunique(),
                    **book.delivered(money(now, back)),
                }
            )
    return indexed(rows, "customer_id", "month")


def retention_segment_months(book: Books) -> pd.DataFrame:
    """retention__segment_months by segment_by, segment and month."""
    rows = []
    days_of = book.days()
    for kind, segment, members in book.segments():
        own = {who: days_of[who] for who in members}
        orders = book.orders[book.orders["who"].isin(members)]
        begin = min(days[0] for days in own.values())
        for month in months_between(begin, book.as_of):
            rows.append(
                {"segment_by": kind, "segment": segment, "month": month, **_segment_month(book, own, orders, month)}
            )
    return indexed(rows, "segment_by", "segment", "month")


def _is_active(days: list[date], day: date) -> bool:
    """A counted order in the churn_days up to a day."""
    return any(day - timedelta(days=CHURN_DAYS) < one <= day for one in days)


def _segment_month(book: Books, own: dict[str, list[date]], orders: pd.DataFrame, month: date) -> dict[str, Any]:
    before, running = month - timedelta(days=1), is_running(month, book.as_of)
    end = min(months_later(month, 1) - timedelta(days=1), book.as_of)
    known = {who: days for who, days in own.items() if days[0] <= end}
    active_start = sum(_is_active(days, before) for days in own.values())
    lapsed_start = sum(days[0] < month and not _is_active(days, before) for days in own.values())
    lapses = returns = 0
    for days in own.values():
        for day, following in zip(days, [*days[1:], date.max], strict=True):
            lapse = day + timedelta(days=CHURN_DAYS)
            lapses += following > lapse and month <= lapse <= end
            returns += following > lapse and month <= following <= end
    repeat = sum(sum(day <= end for day in days) >= 2 for days in known.values())
    by_orders = sum(on_days(orders, lambda day: day <= end).groupby("who").size() >= 2)
    ordering = [who for who, days in own.items() if any(month <= day <= end for day in days)]
    newest = [months_later(month, -back) for back in range(STABLE_MONTHS)]
    stable = sum(all(any(month_of(day) == one for day in own[who]) for one in newest) for who in ordering)
    now = in_month(orders, month)
    amount = total(now["goods"]) + total(now["shipping"])
    later = now[now["day"] > now["who"].map(lambda who: own[who][0])]
    repeat_amount = total(later["goods"]) + total(later["shipping"])
    is_early = month < book.data_start + timedelta(days=CHURN_DAYS)
    shown = {
        "churn_rate": None if is_early else on_base(ratio(lapses, active_start), active_start),
        "winback_rate": on_base(ratio(returns, lapsed_start), lapsed_start),
        "repeat_rate": on_base(ratio(repeat, len(known)), len(known)),
        "repeat_rate_by_orders": on_base(ratio(by_orders, len(known)), len(known)),
        "stable_rate": on_base(ratio(stable, len(ordering)), len(ordering))
        if newest[-1] >= month_of(book.data_start)
        else None,
        "repeat_revenue_rate": None if is_early else ratio(repeat_amount, amount),
    }
    return {
        "is_partial_month": running,
        "customer_count": len(known),
        "active_start_count": active_start,
        "new_count": sum(month <= days[0] <= end for days in own.values()),
        "reactivated_count": returns,
        "lapsed_count": lapses,
        "active_end_count": sum(_is_active(days, end) for days in own.values()),
        "lapsed_start_count": lapsed_start,
        "repeat_customer_count": repeat,
        "ordering_count": len(ordering),
        "stable_count": stable,
        "order_amount": amount,
        "repeat_amount": repeat_amount,
        "revenue_cv": None if running else _variation(book, orders, month),
        **(dict.fromkeys(shown) if running else shown),
    }


def _variation(book: Books, orders: pd.DataFrame, month: date) -> float | None:
    """Standard deviation over mean of the newest complete months; empty while there are fewer."""
    months = [months_later(month, -back) for back in range(VARIATION_MONTHS)]
    if months[-1] < month_of(book.data_start):
        return None
    sums = [float(total(part["goods"]) + total(part["shipping"])) for part in (in_month(orders, one) for one in months)]
    return stdev(sums) / mean(sums) if mean(sums) else None


def retention_cohort_months(book: Books) -> pd.DataFrame:
    """retention__cohort_months by cohort_month, segment_by, segment and month_number.

    Every cohort has as many months as the oldest one; those after the as-of date are empty.
    """
    rows = []
    days_of = book.days()
    begun = [month_of(days[0]) for days in days_of.values() if not book.is_left_truncated(days[0])]
    most = len(months_between(min(begun), book.as_of))
    for kind, segment, members in book.segments():
        cohorts: dict[date, list[str]] = {}
        for who in members:
            if not book.is_left_truncated(days_of[who][0]):
                cohorts.setdefault(month_of(days_of[who][0]), []).append(who)
        for cohort, people in cohorts.items():
            orders = book.orders[book.orders["who"].isin(people)]
            refunds = book.refunds[book.refunds["who"].isin(people)]
            first: dict[str, Any] = {}
            size = len(people)
            for number in range(most):
                month = months_later(cohort, number)
                row = {
                    "cohort_month": cohort,
                    "segment_by": kind,
                    "segment": segment,
                    "month_number": number,
                    "month": month,
                    "cohort_size": size,
                    "is_suppressed": size < MIN_BASE,
                }
                rows.append(row)
                if month > book.as_of:
                    continue
                now = in_month(orders, month)
                sums = money(now, in_month(refunds, month))
                first = first or sums
                active = now["who"].nunique()
                is_shown = not is_running(month, book.as_of) and size >= MIN_BASE
                row |= {
                    "active_count": active,
                    "retention_rate": ratio(active, size) if is_shown else None,
                    "net_amount": sums["net_amount"],
                    "margin_amount": sums["margin_amount"],
                    "revenue_retention_rate": ratio(sums["net_amount"], first["net_amount"]) if is_shown else None,
                    "margin_retention_rate": _margin_retention(sums, first) if is_shown else None,
                }
    return indexed(rows, "cohort_month", "segment_by", "segment", "month_number")


def _margin_retention(now: dict[str, Any], first: dict[str, Any]) -> float | None:
    if now["margin_amount"] is None:
        return None
    return ratio(now["margin_amount"], first["margin_amount"])


def retention_order_gap_curve(book: Books) -> pd.DataFrame:
    """retention__order_gap_curve by segment_by, segment and order_gap_days."""
    rows = []
    days_of = book.days()
    for kind, segment, members in book.segments():
        closed = [(b - a).days for who in members for a, b in pairwise(days_of[who])]
        still_open = [(book.as_of - days_of[who][-1]).days for who in members]
        is_shown = len(members) >= MIN_BASE
        stays = 1.0
        for length in sorted({*closed, *still_open}):
            at_risk = sum(gap >= length for gap in closed + still_open)
            ended = closed.count(length)
            stays *= 1 - ended / at_risk
            rows.append(
                {
                    "segment_by": kind,
                    "segment": segment,
                    "order_gap_days": length,
                    "customer_count": len(members),
                    "repeat_customer_count": sum(len(days_of[who]) > 1 for who in members),
                    "order_gap_count": len(closed) + len(still_open),
                    "closed_order_gap_count": len(closed),
                    "at_risk_count": at_risk,
                    "closed_count": ended,
                    "open_count": still_open.count(length),
                    "is_suppressed": not is_shown,
                    "closed_share_rate": ratio(sum(gap <= length for gap in closed), len(closed)) if is_shown else None,
                    "returned_rate": 1 - stays if is_shown else None,
                    "closed_mean_days": mean(closed) if is_shown else None,
                    "closed_sd_days": stdev(closed) if is_shown else None,
                    "closed_p50_days": float(median(closed)) if is_shown else None,
                }
            )
    return indexed(rows, "segment_by", "segment", "order_gap_days")


# ---- profitability


def _waterfall(orders: pd.DataFrame, refunds: pd.DataFrame) -> dict[str, Any]:
    sums = money(orders, refunds)
    sums["cm1_amount"] = sums.pop("margin_amount")
    sums["shipping_cost_amount"] = total(orders["shipping_cost"])
    sums["payment_fee_amount"] = total(orders["payment_fee"])
    return sums


def profitability_customers(book: Books) -> pd.DataFrame:
    """profitability__customers by customer_id; guests are the row `guest`."""
    rows = []
    outside = {GUEST} & {*book.orders["who"], *book.refunds["who"]}
    for who in [*book.customers(), *outside]:
        orders, refunds = book.orders[book.orders["who"] == who], book.refunds[book.refunds["who"] == who]
        rows.append(
            {
                "customer_id": who,
                # the row of the guests is many people
                "first_order_date": min(orders["day"]) if len(orders) and who != GUEST else None,
                "last_order_date": max(orders["day"]) if len(orders) and who != GUEST else None,
                **book.delivered(_waterfall(orders, refunds)),
            }
        )
    return indexed(rows, "customer_id")


def profitability_customer_months(book: Books) -> pd.DataFrame:
    """profitability__customer_months by customer_id and month; guests are the rows `guest`.

    A month with nothing but a cancelled order is a row of zeros.
    """
    rows = []
    for who in [*book.customers(), GUEST]:
        orders, refunds = book.orders[book.orders["who"] == who], book.refunds[book.refunds["who"] == who]
        cancelled = book.cancelled[book.cancelled["who"] == who]
        for month in sorted({month_of(day) for day in [*orders["day"], *refunds["day"], *cancelled["day"]]}):
            now = in_month(orders, month)
            back = in_month(refunds, month)
            rows.append(
                {
                    "customer_id": who,
                    "month": month,
                    "is_partial_month": is_running(month, book.as_of),
                    **book.delivered(_waterfall(now, back)),
                }
            )
    return indexed(rows, "customer_id", "month")


# ---- satisfaction


def _fifth(score: int, low: int, high: int) -> int:
    """Fifth of the scale in which the middle of a score's place lies."""
    return int((score - low + 0.5) / (high - low + 1) * 5) + 1


def _one_response(
    response: dict[str, Any], scores: dict[str, int], scales: dict[str, tuple[int, int]]
) -> dict[str, Any]:
    overall, hoped, got = (scores.get(role) for role in ("overall_satisfaction", "expectation", "perceived"))
    recommend, again = scores.get("recommend"), scores.get("repurchase_intent")
    low, high = scales["overall_satisfaction"]
    fifth = None if overall is None else _fifth(overall, low, high)
    has_c = hoped is not None and got is not None
    ordered_month = month_of(response["submitted_at"].date())
    return {
        "survey_id": response["survey_id"],
        "wave": response.get("wave") or f"{ordered_month:%Y-%m}",
        "month": month_of(response["sent_at"].date()) if response.get("wave") else ordered_month,
        "submitted_date": response["submitted_at"].date(),
        "overall_score": None if overall is None else float(overall),
        "loyalty_class": None if fifth is None else ["hostile", "hostile", "at_risk", "at_risk", "loyal"][fifth - 1],
        "satisfaction_class": None
        if fifth is None
        else ["dissatisfied", "dissatisfied", "neither", "satisfied", "satisfied"][fifth - 1],
        "is_top_box": None if overall is None else overall == high,
        "is_top_two": None if overall is None else overall >= high - 1,
        "expectation_score": None if hoped is None else float(hoped),
        "perceived_score": None if got is None else float(got),
        "c_ratio": got / hoped if has_c else None,
        "c_state": ["dissatisfied", "satisfied", "delighted"][(got > hoped) - (got < hoped) + 1] if has_c else None,
        "d_gap": float(got - hoped) if has_c else None,
        "satisfaction_index": None if overall is None else 100 * (overall - low) / (high - low),
        "recommend_score": None if recommend is None else float(recommend),
        "nps_class": None
        if recommend is None
        else "promoter"
        if recommend >= 9
        else "passive"
        if recommend >= 7
        else "detractor",
        "repurchase_probability": None if again is None else again / 10,
        "repurchase_band": None if again is None else "high" if again > 7 else "low" if again < 3 else "medium",
    }


def satisfaction_responses(book: Books) -> pd.DataFrame:
    """satisfaction__responses by response_id; empty where no survey was delivered."""
    feeds = book.shop.feeds
    role = {(row["survey_id"], row["question_code"]): row["role"] for row in feeds["survey_questions"]}
    scales: dict[str, dict[str, tuple[int, int]]] = {}
    for row in feeds["survey_questions"]:
        scales.setdefault(row["survey_id"], {})[row["role"]] = (row.get("scale_min"), row.get("scale_max"))
    survey = {row["response_id"]: row["survey_id"] for row in feeds["survey_responses"]}
    scores: dict[str, dict[str, int]] = {}
    for row in feeds["survey_answers"]:
        name = role[survey[row["response_id"]], row["question_code"]]
        scores.setdefault(row["response_id"], {})[name] = int(row["value"])
    rows, seen = [], set()
    for response in sorted(feeds["survey_responses"], key=lambda one: (one["submitted_at"], one["response_id"])):
        one = _one_response(response, scores.get(response["response_id"], {}), scales[response["survey_id"]])
        who = _respondent(response)
        place = (one["survey_id"], one["wave"], who)
        one["is_duplicate"] = place in seen
        one["is_counted"] = not one["is_duplicate"]
        seen.add(place)
        rows.append({"response_id": response["response_id"], **one})
    return indexed(rows, "response_id")


def _respondent(response: dict[str, Any]) -> str:
    """The customer named by the answer, or else by its order (whose id begins with the customer's)."""
    customer: str = response["customer_id"] or response["order_id"].split("-")[0]
    return customer


def satisfaction_segment_months(book: Books) -> pd.DataFrame:
    """satisfaction__segment_months by survey_id, wave, segment_by and segment."""
    answers = satisfaction_responses(book)
    who = {row["response_id"]: _respondent(row) for row in book.shop.feeds["survey_responses"]}
    answers["age"] = [book.ages.get(who[response_id]) or "unknown" for response_id in answers.index]
    counted = answers[answers["is_counted"].astype(bool)]
    rows = []
    for (survey, wave), group in counted.groupby(["survey_id", "wave"]):
        cuts = [("all", "all", group), *(("age_band", age, part) for age, part in group.groupby("age"))]
        for kind, segment, part in cuts:
            row = {"survey_id": survey, "wave": wave, "segment_by": kind, "segment": segment}
            rows.append({**row, "month": group["month"].iloc[0], **_wave_figures(part)})
    return indexed(rows, "survey_id", "wave", "segment_by", "segment")


def _wave_figures(part: pd.DataFrame) -> dict[str, Any]:
    scores = part["overall_score"].dropna()
    base = len(scores)
    figures: dict[str, Any] = {
        "response_count": len(part),
        "scored_count": base,
        "is_suppressed": base < MIN_BASE,
        "overall_mean": on_base(mean(scores) if base else None, base),
        "satisfaction_index": on_base(mean(part["satisfaction_index"].dropna()) if base else None, base),
        "classed_count": int(part["loyalty_class"].notna().sum()),
    }
    for name, hits in (
        ("top_box", sum(part["is_top_box"].dropna())),
        ("top_two", sum(part["is_top_two"].dropna())),
        ("satisfied", sum(part["satisfaction_class"] == "satisfied")),
        ("dissatisfied", sum(part["satisfaction_class"] == "dissatisfied")),
        ("loyal", sum(part["loyalty_class"] == "loyal")),
        ("at_risk", sum(part["loyalty_class"] == "at_risk")),
        ("hostile", sum(part["loyalty_class"] == "hostile")),
    ):
        if name in {"loyal", "at_risk", "hostile"}:
            figures[f"{name}_count"] = hits if base else None
        low, high = wilson(hits, base) if base else (None, None)
        figures[f"{name}_rate"] = on_base(ratio(hits, base), base)
        figures[f"{name}_rate_low"], figures[f"{name}_rate_high"] = on_base(low, base), on_base(high, base)
    likely = part["nps_class"].dropna()
    asked = len(likely)
    classes = {name: sum(likely == name) for name in ("promoter", "passive", "detractor")}
    share, against = (ratio(classes[name], asked) or 0.0 for name in ("promoter", "detractor"))
    score = 100 * (share - against)
    half = 100 * Z * math.sqrt((share + against - (share - against) ** 2) / asked) if asked else 0.0
    figures |= {f"{name}_count": count if asked else None for name, count in classes.items()}
    figures |= {
        "nps_count": asked,
        "is_nps_suppressed": asked < MIN_BASE_NPS,
        "nps": on_base(score, asked, MIN_BASE_NPS),
        "nps_low": on_base(score - half, asked, MIN_BASE_NPS),
        "nps_high": on_base(score + half, asked, MIN_BASE_NPS),
    }
    pairs = part[part["c_ratio"].notna()]
    count = len(pairs)
    again = part["repurchase_band"].dropna()
    return figures | {
        "c_count": count,
        "c_below_count": sum(pairs["c_state"] == "dissatisfied") if count else None,
        "c_equal_count": sum(pairs["c_state"] == "satisfied") if count else None,
        "c_above_count": sum(pairs["c_state"] == "delighted") if count else None,
        "c_mean_of_ratios": on_base(mean(pairs["c_ratio"]) if count else None, count),
        "c_ratio_of_means": on_base(
            sum(pairs["perceived_score"]) / sum(pairs["expectation_score"]) if count else None, count
        ),
        "delight_rate": on_base(ratio(sum(pairs["c_state"] == "delighted"), count), count),
        "d_gap_mean": on_base(mean(pairs["d_gap"]) if count else None, count),
        "repurchase_count": len(again),
        "repurchase_high_rate": on_base(ratio(sum(again == "high"), len(again)), len(again)),
    }


# ---- wallet


def wallet_customer_periods(book: Books) -> pd.DataFrame:
    """wallet__customer_periods of the whole shop, by customer_id, period_grain and period_start_date."""
    rows = []
    for grain, months in (("quarter", 3), ("year", 12)):
        start = date(book.data_start.year, 1, 1)
        while start <= book.as_of:
            end = months_later(start, months) - timedelta(days=1)
            rows += _wallets(book, grain, start, end)
            start = months_later(start, months)
    return indexed(rows, "customer_id", "period_grain", "period_start_date")


def _spent(orders: pd.DataFrame, who: str, start: date, end: date) -> Decimal:
    """Own spend: what the counted orders were worth. The mart leaves refunds out; see README.md."""
    own = on_days(orders[orders["who"] == who], lambda day: start <= day <= end)
    return total(own["goods"]) + total(own["shipping"])


def _statements(book: Books) -> dict[str, tuple[date, Decimal]]:
    """Day and amount of each customer's statement of spending."""
    feeds = book.shop.feeds
    spent = {
        row["response_id"]: row["value"] for row in feeds.get("survey_answers", []) if row["question_code"] == "spent"
    }
    return {
        row["customer_id"]: (row["submitted_at"].date(), Decimal(spent[row["response_id"]]))
        for row in feeds.get("survey_responses", [])
        if row["response_id"] in spent
    }


def _wallets(book: Books, grain: str, start: date, end: date) -> list[dict[str, Any]]:
    inside = on_days(book.orders[book.orders["who"] != GUEST], lambda day: start <= day <= end)
    stated = {who: said for who, said in _statements(book).items() if start <= said[0] <= end}
    spent = {who: _spent(inside, who, start, end) for who in sorted({*inside["who"], *stated})}
    peers = _peers(book, {who: amount for who, amount in spent.items() if amount > 0})
    rows = []
    for who, amount in spent.items():
        row = {
            "customer_id": who,
            "period_grain": grain,
            "period_start_date": start,
            "period_end_date": end,
            "is_partial_period": end > book.as_of,
            "own_amount": amount,
        }
        if who in stated:
            row |= _stated(book, who, *stated[who])
        if who in peers:
            row |= _against_peers(amount, peers[who])
        rows.append(row)
    return rows


def _stated(book: Books, who: str, day: date, said: Decimal) -> dict[str, Any]:
    own = _spent(book.orders, who, day - timedelta(days=STATED_DAYS - 1), day)
    return {
        "stated_days": STATED_DAYS,
        "own_amount_stated_days": own,
        "stated_amount": said,
        "stated_wallet_amount": max(own, said),
        "sow_stated_raw": float(own / said),
        "sow_stated": min(1.0, float(own / said)),
        "is_over_one": own > said,
        "is_round_number": said % 10 == 0 or said % 25 == 0,
    }


def _peers(book: Books, spent: dict[str, Decimal]) -> dict[str, list[Decimal]]:
    """The spend of each customer's peers: those of one age band; all customers where no age is known."""
    age = {who: book.ages.get(who) if book.ages else "all" for who in spent}
    cells: dict[str, list[Decimal]] = {}
    for who, amount in spent.items():
        cells.setdefault(age[who] or "", []).append(amount)
    small = [amount for name, cell in cells.items() if name and len(cell) < MIN_PEER_CELL for amount in cell]
    return {
        who: small if len(cells[name]) < MIN_PEER_CELL else cells[name] for who, name in age.items() if name is not None
    }


def _against_peers(amount: Decimal, peers: list[Decimal]) -> dict[str, Any]:
    ceiling = Decimal(str(quantile(peers, 0.9))).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    imputed = max(amount, ceiling)
    return {
        "peer_count": len(peers),
        "is_small_peer_cell": len(peers) < MIN_PEER_CELL,
        "peer_percentile": sum(other <= amount for other in peers) / len(peers),
        "peer_ceiling_amount": ceiling,
        "is_at_ceiling": amount >= ceiling,
        "imputed_wallet_amount": imputed,
        "sow_imputed": float(amount / imputed),
    }


def quantile(values: Iterable[Decimal], share: float) -> Decimal:
    """Percentile, between two values in proportion."""
    ordered = sorted(values)
    place = Decimal(str(share)) * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


MARTS: dict[str, Callable[[Books], pd.DataFrame]] = {
    "retention__customers": retention_customers,
    "retention__customer_months": retention_customer_months,
    "retention__segment_months": retention_segment_months,
    "retention__cohort_months": retention_cohort_months,
    "retention__order_gap_curve": retention_order_gap_curve,
    "profitability__customers": profitability_customers,
    "profitability__customer_months": profitability_customer_months,
    "satisfaction__responses": satisfaction_responses,
    "satisfaction__segment_months": satisfaction_segment_months,
    "wallet__customer_periods": wallet_customer_periods,
}
