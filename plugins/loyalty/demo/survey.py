"""SIMULATED surveys: who is asked, what they really think, who answers, and the answers.

The planted link runs from the published purchases to the score: P(score | Y, F), where Y is an order day in
the 14 days after the wave and F the tercile of order days in the 90 days before it. Everything else depends on
the true score. Every answer is given on the day of its wave, so that the outcome's window is the planted one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr

from loyalty.demo.purchases import DAYS, FloatArray, IntArray, Purchases, day_number
from loyalty.demo.tickets import Tickets, had, recovered_before

WAVES = (date(2017, 3, 31), date(2017, 6, 30), date(2017, 9, 30), date(2017, 12, 27))
FRAME_DAYS = 90
OUTCOME_DAYS = 14
SCORES = np.arange(1, 6)

# P(s | Y, F) is proportional to exp(k_s + l_s Y + f_s (F - 1)).
SCORE_BASE = np.array([-0.866, -0.439, 0.0, 0.476, -0.578])
SCORE_BY_OUTCOME = np.array([-1.5, -1.1, 0.0, 0.1, 0.9])
SCORE_BY_FREQUENCY = np.array([-0.45, -0.25, 0.0, 0.15, 0.40])
RECOVERY_BONUS = 0.5
PERSISTENCE = 0.6

# The margins .05/.08/.22/.38/.27 of the score give the mean and spread that standardise it.
SCORE_MARGINS = np.array([0.05, 0.08, 0.22, 0.38, 0.27])
SCORE_MEAN = float(SCORES @ SCORE_MARGINS)
SCORE_SPREAD = float(np.sqrt(SCORES**2 @ SCORE_MARGINS - SCORE_MEAN**2))

DRIVERS = ("quality", "service", "price", "delivery", "care")
DRIVER_LOADING = np.array([0.68, 0.58, 0.48, 0.40, 0.34])
DRIVER_MEAN = np.array([7.6, 7.2, 6.4, 7.0, 6.8])
DRIVER_CORRELATION = 0.40
REVERSED_DRIVER = "delivery"
STATED_IMPORTANCE = {"quality": 8.2, "service": 7.6, "price": 9.0, "delivery": 7.0, "care": 6.4}

SAMPLE_RATE = 0.55
MODES = ("phone", "mail", "on_site", "web")
MODE_RATE_OVER_54 = np.array([0.40, 0.30, 0.20, 0.10])
MODE_RATE = np.array([0.20, 0.15, 0.20, 0.45])
RESPONSE_LOGIT = np.array([-0.3, -1.3, 0.5, -1.0])
UP_BY_MODE = np.array([0.10, 0.0, 0.15, 0.0])
DOWN_BY_MODE = np.array([0.0, 0.0, 0.0, 0.04])

SHARE_OF_WALLET = 0.45
SHARE_BY_FREQUENCY = 0.6
UNDERSTATED_RATE = 0.04
YEARLY_RATE = 0.05
BRANDS = ("Journey Market", "Rival A", "Rival B", "Rival C", "Rival D")
TIE_RATE = 0.08
PEOPLE_TOLD = {1: 9.0, 2: 9.0, 3: 2.0, 4: 4.0, 5: 7.0}


@dataclass(frozen=True)
class Survey:
    """`census`: one row per wave and eligible household, with what it truly thinks and what it would say.

    Columns: wave (0..3), household, frequency (F), order_days, outcome (Y; drawn where unobserved), recovered,
    score (true), exposed, is_sent, mode, is_answered, and the answers: overall (as measured), the drivers,
    importance_*, perceived, expectation, recommend, repurchase, grocery_spend, people_told, problem, complained;
    share_of_wallet, own_cents (30 days), is_understated, is_yearly.
    `brands`: one row per answering row of the census (census_row) and brand.
    """

    census: pd.DataFrame
    brands: pd.DataFrame


def draw_survey(purchases: Purchases, tickets: Tickets, random: np.random.Generator) -> Survey:
    """Draw all waves."""
    z = random.standard_normal(len(purchases.household_ids))
    census = _frame(purchases, random)
    census["z"] = z[census["household"]]
    census["recovered"] = _by_wave(census, lambda day: recovered_before(tickets, len(z), _day_before(day), day))
    census["score"] = _true_score(census, random)
    census["exposed"] = _by_wave(census, lambda day: had(purchases.contacts, len(z), day - FRAME_DAYS, day))
    incidents, complaints = tickets.incidents, tickets.tickets
    census["problem"] = _by_wave(census, lambda day: had(incidents, len(z), day - FRAME_DAYS, day)).astype(int)
    complained = _by_wave(census, lambda day: had(complaints, len(z), day - FRAME_DAYS, day, "opened_day"))
    # Customers who complained in the window about a problem shortly before it had the problem, too.
    census["problem"] |= complained
    census["complained"] = complained.astype(int)
    _draw_response(census, purchases, random)
    _draw_answers(census, random)
    _draw_wallet(census, purchases, random)
    return Survey(census, _draw_brands(census[census["is_answered"]], random))


def _frame(purchases: Purchases, random: np.random.Generator) -> pd.DataFrame:
    """The eligible households of every wave: an order in the 90 days to it."""
    waves = []
    for number, wave in enumerate(WAVES):
        day = day_number(wave)
        order_days = purchases.order_days(day - FRAME_DAYS, day)
        household = np.flatnonzero(order_days)
        base = order_days[household]
        low, high = np.quantile(base, [1 / 3, 2 / 3])
        outcome = purchases.order_days(day, day + OUTCOME_DAYS)[household] > 0
        waves.append(
            pd.DataFrame(
                {
                    "wave": number,
                    "household": household,
                    "order_days": base,
                    "frequency": (base > low).astype(int) + (base > high),
                    "outcome": outcome,
                    "is_outcome_known": day + OUTCOME_DAYS < DAYS,
                }
            )
        )
    census = pd.concat(waves, ignore_index=True)
    # A wave too near to the end has no outcome yet: its scores are drawn at the rate of the earlier ones.
    rate = repurchase_by_frequency(census)[census["frequency"]]
    drawn = random.random(len(census)) < rate
    census["outcome"] = np.where(census["is_outcome_known"], census["outcome"], drawn)
    return census


def repurchase_by_frequency(census: pd.DataFrame) -> FloatArray:
    """P(Y | F) over the waves whose outcome is known."""
    known = census[census["is_outcome_known"]]
    return known.groupby("frequency")["outcome"].mean().to_numpy(float)


def score_probabilities(outcome: IntArray, frequency: IntArray, recovered: IntArray) -> FloatArray:
    """P(s | Y, F), one row per given household."""
    weight = SCORE_BASE + np.outer(outcome, SCORE_BY_OUTCOME) + np.outer(frequency - 1, SCORE_BY_FREQUENCY)
    weight[:, 4] += RECOVERY_BONUS * recovered
    weight = np.exp(weight)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def repurchase_by_score(census: pd.DataFrame) -> FloatArray:
    """P(Y | s, F) by Bayes from the process, as [F, s - 1]."""
    rate = repurchase_by_frequency(census)
    frequency, none = np.arange(3), np.zeros(3, np.int64)
    again = score_probabilities(none + 1, frequency, none) * rate[:, None]
    gone = score_probabilities(none, frequency, none) * (1 - rate[:, None])
    return np.asarray(again / (again + gone))


def _true_score(census: pd.DataFrame, random: np.random.Generator) -> IntArray:
    """Scores that persist over a household's waves: a copula on z keeps the margins as they are."""
    probability = score_probabilities(
        census["outcome"].to_numpy(np.int64), census["frequency"].to_numpy(), census["recovered"].to_numpy(np.int64)
    )
    noise = random.standard_normal(len(census))
    rank = ndtr(np.sqrt(PERSISTENCE) * census["z"].to_numpy() + np.sqrt(1 - PERSISTENCE) * noise)
    return np.asarray(1 + (rank[:, None] > np.cumsum(probability, axis=1)[:, :4]).sum(axis=1))


def _draw_response(census: pd.DataFrame, purchases: Purchases, random: np.random.Generator) -> None:
    n = len(census)
    is_over_54 = purchases.is_over_54[census["household"]]
    edges = np.cumsum(np.where(is_over_54[:, None], MODE_RATE_OVER_54, MODE_RATE), axis=1)
    mode = np.minimum((random.random(n)[:, None] > edges).sum(axis=1), 3)
    score = census["score"].to_numpy()
    chance = expit(
        RESPONSE_LOGIT[mode] + 0.45 * (census["frequency"].to_numpy() - 1) + 0.25 * (score == 5) + 0.35 * (score == 1)
    )
    census["is_sent"] = random.random(n) < SAMPLE_RATE
    census["mode"] = np.array(MODES)[mode]
    census["is_answered"] = census["is_sent"] & (random.random(n) < chance)
    drawn = random.random(n)
    census["overall"] = np.clip(score + (drawn < UP_BY_MODE[mode]) - (drawn < DOWN_BY_MODE[mode]), 1, 5)


def _draw_answers(census: pd.DataFrame, random: np.random.Generator) -> None:
    n = len(census)
    score, frequency = census["score"].to_numpy(), census["frequency"].to_numpy()
    standard = (score - SCORE_MEAN) / SCORE_SPREAD
    equal = np.full((5, 5), DRIVER_CORRELATION) + np.eye(5) * (1 - DRIVER_CORRELATION)
    noise = random.standard_normal((n, 5)) @ np.linalg.cholesky(equal - np.outer(DRIVER_LOADING, DRIVER_LOADING)).T
    items = DRIVER_MEAN + 1.5 * (np.outer(standard, DRIVER_LOADING) + noise)
    for number, driver in enumerate(DRIVERS):
        census[driver] = _rounded(items[:, number], 1, 10)
    # This one is asked the other way round, so a high answer is a bad one.
    census[REVERSED_DRIVER] = 11 - census[REVERSED_DRIVER]
    for driver, mean in STATED_IMPORTANCE.items():
        census[f"importance_{driver}"] = _rounded(mean + random.standard_normal(n), 1, 10)
    census["perceived"] = _rounded(7.4 + 1.5 * standard + 0.8 * random.standard_normal(n), 1, 10)
    exposed = census["exposed"].to_numpy(float)
    census["expectation"] = _rounded(
        7.6 + 0.4 * census["z"].to_numpy() + 0.6 * exposed + random.standard_normal(n), 1, 10
    )
    census["recommend"] = _rounded(0.6 + 2 * score + 1.3 * random.standard_normal(n), 0, 10)
    chance = repurchase_by_score(census)[frequency, score - 1]
    intent = expit(logit(chance) + 0.8 + 0.5 * random.standard_normal(n))
    census["repurchase"] = _rounded(intent * 10, 0, 10) * 10
    census["people_told"] = random.poisson(census["overall"].map(PEOPLE_TOLD))


def _draw_wallet(census: pd.DataFrame, purchases: Purchases, random: np.random.Generator) -> None:
    """The true share of wallet, and the month's spend as people state it: heaped, understated, or a year's."""
    n = len(census)
    share = expit(
        logit(SHARE_OF_WALLET)
        + SHARE_BY_FREQUENCY * (census["frequency"].to_numpy() - 1)
        + 0.5 * census["z"].to_numpy()
        + 0.4 * random.standard_normal(n)
    )
    own = _by_wave(census, lambda day: purchases.spent_cents(day - 30, day))
    quarter = _by_wave(census, lambda day: purchases.spent_cents(day - FRAME_DAYS, day))
    # Customers who bought nothing here for 30 days still buy groceries: the wallet then follows the quarter.
    usual = np.where(own > 0, own, quarter / 3) / 100
    stated = usual / share * np.exp(0.08 + 0.20 * random.standard_normal(n))
    error = random.random(n)
    census["is_understated"] = (error < UNDERSTATED_RATE) & (own > 0)
    census["is_yearly"] = (error >= UNDERSTATED_RATE) & (error < UNDERSTATED_RATE + YEARLY_RATE)
    stated = np.where(census["is_understated"], usual * random.uniform(0.5, 0.8, n), stated)
    stated = np.where(census["is_yearly"], stated * 12, stated)
    heap = random.choice([10, 25, 50], size=n, p=[0.70, 0.15, 0.15])
    # Rounding up would lift a small understated amount above the own spend again.
    heaped = np.where(census["is_understated"], np.floor(stated), np.maximum(np.rint(stated / heap), 1) * heap)
    census["share_of_wallet"] = share
    census["own_cents"] = own
    census["grocery_spend"] = np.maximum(heaped, 1).astype(np.int64)


def _draw_brands(answered: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The brands a household uses, ranked; sometimes one more that it only considers."""
    n = len(answered)
    share = answered["share_of_wallet"].to_numpy()
    used = np.minimum(1 + random.poisson(2.4 * (1 - share)), 5)
    utility = random.gumbel(size=(n, 5))
    utility[:, 0] += logit(share)
    # Which rivals: a random order of them, of which the first are used and the next one may be considered.
    order = np.concatenate([np.full((n, 1), -1.0), random.random((n, 4))], axis=1).argsort(axis=1).argsort(axis=1)
    is_used = order < used[:, None]
    is_extra = (order == used[:, None]) & (random.random(n) < 0.3)[:, None]
    rank = (-np.where(is_used, utility, -np.inf)).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 1
    tied_at = 1 + np.floor(random.random(n) * np.maximum(used - 1, 1)).astype(int)
    is_tied = (random.random(n) < TIE_RATE) & (used > 1)
    # A tie is given as two equal places and a gap: 1, 1, 3.
    rank = np.where(is_tied[:, None] & (rank == tied_at[:, None] + 1), tied_at[:, None], rank)
    ours = 7.4 + 1.5 * (answered["score"].to_numpy() - SCORE_MEAN) / SCORE_SPREAD
    rating = np.concatenate([ours[:, None], np.full((n, 4), 6.9)], axis=1) + random.standard_normal((n, 5))
    row, brand = np.nonzero(is_used | is_extra)
    return pd.DataFrame(
        {
            "census_row": answered.index.to_numpy()[row],
            "brand": np.array(BRANDS)[brand],
            "is_us": brand == 0,
            "is_used": is_used[row, brand],
            "rank": pd.Series(rank[row, brand]).where(is_used[row, brand]).astype("Int64"),
            "rating": _rounded(rating[row, brand], 1, 10),
        }
    )


def _by_wave(census: pd.DataFrame, of_day: Callable[[int], np.ndarray]) -> np.ndarray:
    """Fill a column of the census from a function of the wave's day that gives one value per household."""
    wave, household = census["wave"].to_numpy(), census["household"].to_numpy()
    return np.concatenate([of_day(day_number(day))[household[wave == number]] for number, day in enumerate(WAVES)])


def _day_before(day: int) -> int:
    """The day of the wave before the one on `day`; the eve of the year for the first."""
    return max([day_number(wave) for wave in WAVES if day_number(wave) < day], default=-1)


def _rounded(values: FloatArray, low: int, high: int) -> IntArray:
    return np.asarray(np.clip(np.rint(values), low, high).astype(np.int64))
