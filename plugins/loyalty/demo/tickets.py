"""SIMULATED tickets: incidents fall on published baskets, some households complain, some are helped.

The link that is planted: the state of a ticket a fortnight after it was opened depends on whether the household
buys in the week after that (see docs/demo-data.md). Purchases come first and are never changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from loyalty.demo.files import Exports
from loyalty.demo.purchases import (
    DAILY_DATES,
    DAYS,
    HISTORY_DATE,
    BoolArray,
    IntArray,
    Purchases,
    day_number,
    local_days,
    utc,
)

INCIDENT_RATE = 0.02
MAJOR_RATE = 0.25
COMPLAINT_RATE = {"major": 0.30, "minor": 0.08}
CATEGORIES = {"quality": 0.35, "price": 0.25, "checkout": 0.20, "service": 0.15, "other": 0.05}
LANDMARK_DAYS = 14
OUTCOME_DAYS = 7

# The state of a ticket at its landmark (the warehouse's default): base rates, and the log odds a later purchase adds.
SPEEDS = ("none", "slow", "fast")
SPEED_RATE = (0.15, 0.30, 0.55)
SPEED_TILT = {"major": (-1.2, 0.0, 0.9), "minor": (-0.8, 0.0, 0.5)}

# One outage week of the tills at the busiest store: incidents there come at this rate and are minor or major alike.
OUTAGE_RATE = 0.50
OUTAGE_FIRST_DAY = 240
OUTAGE_DAYS = 7

SOLVED_BEFORE_OPENED = 3
DUPLICATES = 5
HOUR = 3600
LABEL = "SIMULATED"


@dataclass(frozen=True)
class Tickets:
    """`incidents`: household, day, severity, is_complaint. `tickets`: one row per true ticket, stamps in UTC."""

    incidents: pd.DataFrame
    tickets: pd.DataFrame
    outage_store: int


def draw_tickets(purchases: Purchases, random: np.random.Generator) -> Tickets:
    """Draw incidents and tickets from the published baskets."""
    baskets = purchases.baskets
    day = baskets["day"].to_numpy()
    in_outage_week = (day >= OUTAGE_FIRST_DAY) & (day < OUTAGE_FIRST_DAY + OUTAGE_DAYS)
    outage_store = int(baskets["store_id"][in_outage_week].mode().iloc[0])
    in_outage = in_outage_week & (baskets["store_id"] == outage_store).to_numpy()
    happened = random.random(len(baskets)) < np.where(in_outage, OUTAGE_RATE, INCIDENT_RATE)
    incidents = baskets.loc[happened, ["basket_id", "household", "sold_at", "day", "store_id"]].reset_index(drop=True)
    incidents["is_outage"] = in_outage[happened]
    incidents["severity"] = np.where(random.random(len(incidents)) < MAJOR_RATE, "major", "minor")
    incidents["is_complaint"] = random.random(len(incidents)) < incidents["severity"].map(COMPLAINT_RATE)
    complaints = incidents[incidents["is_complaint"]].drop(columns="is_complaint").reset_index(drop=True)
    tickets = _solve(purchases, complaints, random)
    return Tickets(incidents, tickets, outage_store)


def _solve(purchases: Purchases, tickets: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    n = len(tickets)
    tickets = tickets.copy()
    opened = tickets["sold_at"] + _hours(random.uniform(1, 48, n))
    # A complaint after the last day is not in the year's exports.
    seen = local_days(opened).to_numpy() < DAYS
    tickets, opened = tickets[seen].reset_index(drop=True), opened[seen].reset_index(drop=True)
    n = len(tickets)
    tickets["ticket_id"] = [f"T{number:05d}" for number in range(1, n + 1)]
    tickets["opened_at"] = opened
    tickets["opened_day"] = local_days(opened)
    household = tickets["household"].to_numpy()
    landmark = tickets["opened_day"].to_numpy(np.int64) + LANDMARK_DAYS
    is_known = landmark + OUTCOME_DAYS < DAYS
    bought = purchases.orders_within(household, landmark, OUTCOME_DAYS)
    # An outcome beyond the data is drawn at the rate of the known ones.
    bought = np.where(is_known, bought, random.random(n) < bought[is_known].mean())
    is_major = (tickets["severity"] == "major").to_numpy()
    tickets["speed"] = _draw_speed(bought, is_major, random)
    tickets["bought_after"] = bought
    tickets["is_outcome_known"] = is_known
    category = random.choice(list(CATEGORIES), size=n, p=list(CATEGORIES.values()))
    tickets["category"] = np.where(tickets["is_outage"], "checkout", category)
    first_reply, hours = random.uniform(0.5, 24, n), _hours_to_solve(tickets["speed"], random)
    is_answered = (tickets["speed"] != "none").to_numpy() | (random.random(n) < 0.5)
    tickets["first_response_at"] = (opened + _hours(np.minimum(first_reply, 0.8 * hours))).where(is_answered)
    tickets["resolved_at"] = opened + _hours(np.where(np.isinf(hours), 0, hours))
    tickets.loc[np.isinf(hours), "resolved_at"] = pd.NaT
    tickets["promised_at"] = opened + pd.Timedelta(days=3)
    tickets["via"] = random.choice(["phone", "web", "store", "app"], size=n, p=[0.35, 0.30, 0.25, 0.10])
    tickets["assignee"] = [f"agent {number}" for number in random.integers(1, 9, n)]
    tickets["reopens"] = random.poisson(0.1, n)
    pleased = np.select([tickets["speed"] == "fast", tickets["speed"] == "slow"], [4.3, 3.0], 2.0)
    rating = np.clip(np.rint(pleased + 0.8 * random.standard_normal(n)), 1, 5)
    is_rated = (tickets["speed"] != "none").to_numpy() & (random.random(n) < 0.7)
    tickets["satisfaction_score"] = pd.Series(rating).where(is_rated)
    tickets["compensation"] = np.where(is_major & (tickets["speed"] == "fast").to_numpy(), random.choice([5, 10], n), 0)
    return tickets


def _draw_speed(bought: BoolArray, is_major: BoolArray, random: np.random.Generator) -> list[str]:
    tilt = np.where(is_major[:, None], SPEED_TILT["major"], SPEED_TILT["minor"])
    weight = np.array(SPEED_RATE) * np.exp(tilt * bought[:, None])
    edges = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    drawn = (random.random(len(bought))[:, None] > edges).sum(axis=1)
    return [SPEEDS[min(number, 2)] for number in drawn]


def _hours_to_solve(speed: pd.Series, random: np.random.Generator) -> np.ndarray:
    """Fast within two days, slow within the week, the rest after the landmark, in weeks (70 %) or never (infinite)."""
    n = len(speed)
    fast, slow = random.uniform(2, 44, n), random.uniform(60, 140, n)
    late = np.where(random.random(n) < 0.7, random.uniform(20 * 24, 60 * 24, n), np.inf)
    return np.select([speed == "fast", speed == "slow"], [fast, slow], late)


def _hours(hours: np.ndarray) -> pd.Series:
    seconds = np.where(np.isinf(hours), 0, np.rint(hours * HOUR)).astype("int64")
    return pd.Series(pd.to_timedelta(seconds, unit="s"))


def write_tickets(exports: Exports, drawn: Tickets, purchases: Purchases) -> None:
    """The state of the tickets: all that were known on 2017-12-24, then each day those that changed on it."""
    tickets = drawn.tickets.assign(requester=purchases.household_ids[drawn.tickets["household"]])
    history = _as_known(tickets, day_number(HISTORY_DATE))
    solved = history.index[history["solved_at"].notna()]
    wrong = solved[:: len(solved) // SOLVED_BEFORE_OPENED][:SOLVED_BEFORE_OPENED]
    history.loc[wrong, "solved_at"] = history.loc[wrong, "created_at"] - pd.Timedelta(hours=30)
    again = history.drop(index=wrong).iloc[10 : 10 + DUPLICATES]
    exports.frame("tickets", HISTORY_DATE, pd.concat([history, again]))
    for day in DAILY_DATES:
        exports.frame("tickets", day, _changed_on(tickets, day_number(day)))
    week = utc(np.array([OUTAGE_FIRST_DAY, OUTAGE_FIRST_DAY + OUTAGE_DAYS]), np.array([0, 0]))
    outage = {
        "event_id": "outage-1",
        "kind": "outage",
        "store_id": drawn.outage_store,
        "started_at": week[0],
        "ended_at": week[1],
        "data_origin": LABEL,
    }
    exports.frame("market_events", HISTORY_DATE, pd.DataFrame([outage]))


def bad_tickets(drawn: Tickets) -> int:
    """How many tickets the gate must quarantine: those that were solved before they were opened."""
    return min(SOLVED_BEFORE_OPENED, len(drawn.tickets))


def _changed_on(tickets: pd.DataFrame, day: int) -> pd.DataFrame:
    stamps = [tickets[name] for name in ("opened_at", "first_response_at", "resolved_at")]
    changed = np.logical_or.reduce([(local_days(stamp) == day).to_numpy() for stamp in stamps])
    return _as_known(tickets[changed], day)


def _as_known(tickets: pd.DataFrame, day: int) -> pd.DataFrame:
    """The tickets as their system showed them at the end of a local day, in its own headers."""
    tickets = tickets[tickets["opened_day"] <= day].sort_values("ticket_id").reset_index(drop=True)
    is_solved = local_days(tickets["resolved_at"]) <= day
    is_answered = local_days(tickets["first_response_at"]) <= day
    return pd.DataFrame(
        {
            "ticket_id": tickets["ticket_id"],
            "requester": tickets["requester"],
            "basket_id": tickets["basket_id"],
            "created_at": tickets["opened_at"],
            "first_reply_at": tickets["first_response_at"].where(is_answered),
            "solved_at": tickets["resolved_at"].where(is_solved),
            "due_at": tickets["promised_at"],
            "status": np.where(is_solved, "solved", "open"),
            "ticket_type": "problem",
            "category": tickets["category"],
            "priority": np.where(tickets["severity"] == "major", "high", "normal"),
            "via": tickets["via"],
            "assignee": tickets["assignee"],
            "reopens": tickets["reopens"],
            "satisfaction_score": tickets["satisfaction_score"].where(is_solved).astype("Int64"),
            "compensation": tickets["compensation"].where(is_solved, 0),
            "resolution": pd.Series("settled", index=tickets.index).where(is_solved),
            "subject": "SIMULATED complaint about " + tickets["category"],
            "data_origin": LABEL,
        }
    )


def recovered_before(drawn: Tickets, households: int, after: int, to: int) -> BoolArray:
    """Households with a good recovery: a fast solution of a ticket opened in (after, to - 2]."""
    tickets = drawn.tickets
    opened = tickets["opened_day"].to_numpy()
    good = (tickets["speed"] == "fast").to_numpy() & (opened > after) & (opened <= to - 2)
    return np.isin(np.arange(households), tickets["household"].to_numpy()[good])


def had(frame: pd.DataFrame, households: int, after: int, to: int, day: str = "day") -> BoolArray:
    """Households with a row of the frame in (after, to]."""
    inside = (frame[day] > after) & (frame[day] <= to)
    affected: IntArray = frame["household"].to_numpy()[inside.to_numpy()]
    return np.isin(np.arange(households), affected)
