"""SIMULATED: the points programme, referrals, and the cost pools.

Joining the programme changes nothing about purchases (its true lift is 0), but half of the households join by how
often they already buy, so that a naive comparison finds a lift that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import floor

import numpy as np
import pandas as pd

from loyalty.demo.files import Exports
from loyalty.demo.purchases import (
    DAILY_DATES,
    DAYS,
    FIRST_DAY,
    HISTORY_DATE,
    LAST_DAY,
    Purchases,
    day_number,
    local_days,
    utc,
)
from loyalty.demo.survey import WAVES, Survey
from loyalty.demo.tickets import Tickets

LABEL = "SIMULATED"
PROGRAMME_ID = "journey_points"
ENROLMENT = (day_number(date(2017, 4, 3)), day_number(date(2017, 6, 25)))
JOIN_RATE, JOIN_RATE_BY_FREQUENCY = 0.5, np.array([0.2, 0.5, 0.8])
REVIEW_DAY = day_number(date(2017, 10, 1))
TIERS = ((1200, "gold", 3), (500, "silver", 2), (0, "basic", 1))
POINT_VALUE = 0.01
BREAKAGE = 0.25
EXPIRY_DAYS = 180
BURN_MEAN_DAYS, BURN_LAST_DAY = 45, 170

NEW_AFTER = day_number(date(2017, 2, 15))
REFERRED_RATE = 0.30
REFERRER_WEIGHT = np.array([0.05, 0.05, 0.10, 0.35, 1.0])
REWARD = 10.00

FEE_RATE, LINE_RATE, TICKET_RATE, MAILING_RATE = 0.012, 0.08, 6.50, 0.55
# The last month's pools are closed with the year.
COSTS_CLOSED = LAST_DAY


@dataclass(frozen=True)
class Programme:
    """`members`: household, day, is_self_selected, points to the review; `entries`: the points account, as exported."""

    members: pd.DataFrame
    entries: pd.DataFrame


def draw_programme(purchases: Purchases, survey: Survey, random: np.random.Generator) -> Programme:
    """Draw members and their points from the published baskets."""
    n = len(purchases.household_ids)
    census = survey.census
    first = census[census["wave"] == 0]
    frequency = np.zeros(n, np.int64)
    frequency[first["household"]] = first["frequency"]
    is_self_selected = random.random(n) < 0.5
    rate = np.where(is_self_selected, JOIN_RATE_BY_FREQUENCY[frequency], JOIN_RATE)
    joins = random.random(n) < rate
    day = random.integers(ENROLMENT[0], ENROLMENT[1] + 1, n)
    members = pd.DataFrame({"household": np.arange(n), "day": day, "is_self_selected": is_self_selected})[joins]
    earned = _earned(purchases, members, random)
    at_review = earned[earned["day"] < REVIEW_DAY].groupby("household")["points"].sum()
    members["points_at_review"] = members["household"].map(at_review).fillna(0).astype("int64")
    return Programme(members.reset_index(drop=True), _entries(purchases, earned))


def _earned(purchases: Purchases, members: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """One lot of points per basket of a member: a point a whole dollar; burnt whole, or left to expire."""
    lots = purchases.baskets.merge(members[["household", "day"]], on="household", suffixes=("", "_joined"))
    lots = lots[(lots["day"] >= lots["day_joined"]) & (lots["net_cents"] >= 100)]
    lots = lots.sort_values(["sold_at", "basket_id"]).reset_index(drop=True)
    lots["points"] = lots["net_cents"] // 100
    is_burnt = random.random(len(lots)) >= BREAKAGE
    after = np.clip(np.ceil(random.exponential(BURN_MEAN_DAYS, len(lots))), 1, BURN_LAST_DAY).astype(int)
    lots["is_burnt"] = is_burnt
    lots["gone_day"] = lots["day"] + np.where(is_burnt, after, EXPIRY_DAYS)
    return lots


def _entries(purchases: Purchases, lots: pd.DataFrame) -> pd.DataFrame:
    """The account's entries to the last day: earned with the basket, burnt or expired at noon of a later day."""
    expires = lots["sold_at"] + pd.Timedelta(days=EXPIRY_DAYS)
    earned = lots[["household", "day", "points", "basket_id"]].assign(
        entry_id="E" + lots["basket_id"].astype(str), booked_at=lots["sold_at"], kind="earn", expires_at=expires
    )
    in_year = lots[lots["gone_day"] < DAYS]
    gone = in_year.groupby(["household", "gone_day", "is_burnt"])["points"].sum().reset_index()
    gone["kind"] = np.where(gone["is_burnt"], "burn", "expire")
    letter = gone["kind"].map({"burn": "B", "expire": "X"})
    gone["entry_id"] = letter + gone["household"].astype(str) + "-" + gone["gone_day"].astype(str)
    gone["booked_at"] = utc(gone["gone_day"].to_numpy(), np.full(len(gone), 12 * 3600))
    entries = pd.concat([earned, gone.rename(columns={"gone_day": "day"})], ignore_index=True)
    entries = entries.sort_values(["booked_at", "entry_id"], kind="stable").reset_index(drop=True)
    return pd.DataFrame(
        {
            "entry_id": entries["entry_id"],
            "household_id": purchases.household_ids[entries["household"]],
            "programme": PROGRAMME_ID,
            "booked_at": entries["booked_at"],
            "kind": entries["kind"],
            "points": entries["points"],
            "value_amount": (entries["points"] * POINT_VALUE).round(2),
            "expires_at": entries["expires_at"],
            "basket_id": entries["basket_id"].astype("Int64"),
            "data_origin": LABEL,
            "day": entries["day"],
        }
    )


def write_programme(exports: Exports, programme: Programme, purchases: Purchases) -> None:
    """Members once, entries as history and by day."""
    exports.frame("memberships", HISTORY_DATE, _memberships(programme, purchases))
    day = programme.entries["day"]
    rows = programme.entries.drop(columns="day")
    exports.frame("programme", HISTORY_DATE, rows[day <= day_number(HISTORY_DATE)], packed=True)
    for export_date in DAILY_DATES:
        exports.frame("programme", export_date, rows[day == day_number(export_date)], packed=True)


def _memberships(programme: Programme, purchases: Purchases) -> pd.DataFrame:
    """All members begin in the lowest tier; the review of October sets the tier by the points earned so far."""
    members = programme.members
    points = members["points_at_review"]
    start = pd.Series(members["day"].map(_date_of))
    review = _date_of(REVIEW_DAY)
    edges = [points >= edge for edge, _, _ in TIERS]
    tier = np.select(edges, [name for _, name, _ in TIERS], "basic")
    tier_rank = np.select(edges, [rank for _, _, rank in TIERS], 1)
    common = {
        "household_id": purchases.household_ids[members["household"]],
        "programme": PROGRAMME_ID,
        "enrolled_at": utc(members["day"].to_numpy(), np.full(len(members), 10 * 3600)),
    }
    before = pd.DataFrame(
        {**common, "tier": "basic", "tier_rank": 1, "valid_from": start, "valid_to": _date_of(REVIEW_DAY - 1)}
    )
    after = pd.DataFrame({**common, "tier": tier, "tier_rank": tier_rank, "valid_from": review, "valid_to": None})
    rows = pd.concat([before, after], ignore_index=True).assign(data_origin=LABEL)
    return rows.sort_values(["household_id", "valid_from"]).reset_index(drop=True)


def draw_referrals(purchases: Purchases, survey: Survey, random: np.random.Generator) -> pd.DataFrame:
    """Referrals: 30 % of those first seen after 15 February, by a household that thinks well of us."""
    first_day = purchases.is_order_day.argmax(axis=1)
    new = np.flatnonzero(first_day > NEW_AFTER)
    referred = new[random.random(len(new)) < REFERRED_RATE]
    wave_days = np.sort(survey.census["wave"].unique())
    scores = {wave: survey.census[survey.census["wave"] == wave] for wave in wave_days}
    rows = []
    for household in referred:
        known = scores[_wave_before(first_day[household])]
        candidates = known[first_day[known["household"]] < first_day[household] - 14]
        weight = REFERRER_WEIGHT[candidates["score"] - 1]
        referrer = int(random.choice(candidates["household"].to_numpy(), p=weight / weight.sum()))
        score = int(candidates.loc[candidates["household"] == referrer, "score"].iloc[0])
        rows.append((referrer, int(household), score, int(random.integers(1, 14 * 86400))))
    drawn = pd.DataFrame(rows, columns=["referrer", "referred", "referrer_score", "seconds_before"])
    first_stamp = purchases.baskets.groupby("household")["sold_at"].min()
    drawn["accepted_at"] = drawn["referred"].map(first_stamp)
    drawn["invited_at"] = drawn["accepted_at"] - pd.to_timedelta(drawn["seconds_before"], unit="s")
    return drawn.sort_values(["accepted_at", "referred"]).reset_index(drop=True)


def _wave_before(day: int) -> int:
    """The last wave on or before a day; the first one for days before it."""
    return max([number for number, wave in enumerate(WAVES) if day_number(wave) <= day], default=0)


def write_referrals(exports: Exports, referrals: pd.DataFrame, purchases: Purchases) -> None:
    """Accepted invitations, as history and by day."""
    ids = purchases.household_ids
    rows = pd.DataFrame(
        {
            "referrer": ids[referrals["referrer"]],
            "invited_at": referrals["invited_at"],
            "referred": ids[referrals["referred"]],
            "accepted_at": referrals["accepted_at"],
            "reward": REWARD,
            "data_origin": LABEL,
        }
    )
    day = local_days(rows["accepted_at"])
    exports.frame("referrals", HISTORY_DATE, rows[day <= day_number(HISTORY_DATE)])
    for export_date in DAILY_DATES:
        exports.frame("referrals", export_date, rows[day == day_number(export_date)])


def cost_pools(purchases: Purchases, tickets: Tickets) -> pd.DataFrame:
    """What a month's activities cost, in cents: a rate times what was done, so that the rates are known."""
    month = pd.to_datetime(FIRST_DAY) + pd.to_timedelta(purchases.baskets["day"], unit="D")
    sales = purchases.baskets.groupby(month.dt.month)[["net_cents", "line_count"]].sum()
    count = pd.DataFrame(
        {
            "tickets": _by_month(tickets.tickets["opened_day"]),
            "contacts": _by_month(purchases.contacts["day"]),
        }
    )
    pools = (
        ("payment_fee", "order", "amount", lambda m: floor(sales["net_cents"][m] * FEE_RATE + 0.5)),
        ("picking", "order", "lines", lambda m: sales["line_count"][m] * round(LINE_RATE * 100)),
        ("complaint_care", "customer", "tickets", lambda m: count["tickets"][m] * round(TICKET_RATE * 100)),
        ("mailing", "customer", "contacts", lambda m: count["contacts"][m] * round(MAILING_RATE * 100)),
    )
    rows = [
        (f"{pool}-2017-{m:02d}", date(2017, m, 1), pool, level, driver, int(cents(m)))
        for m in range(1, 13)
        for pool, level, driver, cents in pools
    ]
    return pd.DataFrame(rows, columns=["cost_id", "month", "pool", "level", "driver", "cents"])


def _by_month(days: pd.Series) -> pd.Series:
    """Counts by month of 2017 (1..12); what happened before the year is in no pool."""
    inside = days[(days >= 0) & (days < DAYS)]
    month = (pd.to_datetime(FIRST_DAY) + pd.to_timedelta(inside, unit="D")).dt.month
    return month.value_counts().reindex(range(1, 13), fill_value=0)


def write_costs(exports: Exports, pools: pd.DataFrame) -> None:
    """The closed months as history, December when the year closes; every file ends with its total line."""
    rows = pd.DataFrame(
        {
            "cost_id": pools["cost_id"],
            "month": pools["month"],
            "pool": pools["pool"],
            "level": pools["level"],
            "driver": pools["driver"],
            "amount": [f"{cents // 100}.{cents % 100:02d}" for cents in pools["cents"]],
            "data_origin": LABEL,
        }
    )
    is_closed = rows["month"] < date(2017, 12, 1)
    for export_date, of_export in ((HISTORY_DATE, is_closed), (COSTS_CLOSED, ~is_closed)):
        cents = int(pools.loc[of_export, "cents"].sum())
        total = f"TOTAL,{of_export.sum()},,,,{cents // 100}.{cents % 100:02d},\n"
        exports.text("costs", export_date, rows[of_export].to_csv(index=False, lineterminator="\n") + total)


def _date_of(day: int) -> date:
    return (pd.Timestamp(FIRST_DAY) + pd.Timedelta(days=int(day))).date()
