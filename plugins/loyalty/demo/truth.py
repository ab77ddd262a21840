"""The truth file: what was published or planted, and how near a mart must come to it. SIMULATED.

Kinds: `exact` = equal to the last digit after the dirt; `parameter` = the 95 % interval covers it; `biased` = must
miss, in the stated direction, and carry its flag; `null` = must be NULL or "cannot tell".
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from loyalty.demo.draws import Draws
from loyalty.demo.fieldwork import (
    ANSWERED_BEFORE_SENT,
    CHINESE_WAVE,
    DUPLICATES,
    MISSING_CODES,
    OFF_SCALE,
    OFF_SCALE_CELLS,
    PREVIEWS,
    UNKNOWN_CUSTOMERS,
)
from loyalty.demo.programme import BREAKAGE
from loyalty.demo.survey import SCORE_BY_OUTCOME, TOLD, WAVES
from loyalty.demo.tickets import DUPLICATES as DUPLICATE_TICKETS
from loyalty.demo.tickets import SPEED_TILT, bad_tickets

# What the drivers' process gives for the true score, before rounding; a test computes it again from the loadings.
DRIVER_SHARES = {"quality": 0.458, "service": 0.274, "price": 0.143, "delivery": 0.076, "care": 0.048}
DRIVER_R2 = 0.598


class Truth(NamedTuple):
    """One line of the truth file."""

    mart: str
    column: str
    segment: str
    value: object
    kind: Literal["exact", "parameter", "biased", "null"]
    direction: Literal["", "above", "below"] = ""
    note: str = ""


def truth_table(draws: Draws) -> str:
    """The truth file as CSV text."""
    parts = (_published, _costs, _survey, _wallet, _tickets, _loyalty, _dirt)
    rows = [truth for part in parts for truth in part(draws)]
    table = pd.DataFrame(rows, columns=list(Truth._fields)).assign(data_origin="SIMULATED")
    return str(table.to_csv(index=False, lineterminator="\n"))


def _published(draws: Draws) -> Iterator[Truth]:
    sums = draws.purchases.connection.sql(
        """
        select count(distinct basket_id), count(*), count(distinct household_id), sum(net), sum(net + own_discount),
            count(*) filter (quantity = 0), sum(net) filter (quantity = 0),
            count(*) filter (not is_listed), sum(net) filter (not is_listed),
            count(distinct product_id) filter (not is_listed)
        from lines
        """
    ).fetchall()[0]
    orders, lines, households, net, gross, empty, empty_net, unlisted, unlisted_net, unlisted_products = sums
    yield Truth("fct_orders", "order_count", "all", orders, "exact")
    yield Truth("fct_order_lines", "line_count", "all", lines, "exact")
    yield Truth("dim_customers", "customer_count", "all", households, "exact", note="before unknown survey customers")
    for mart in ("fct_orders", "retention__customer_months", "profitability__customers"):
        yield Truth(mart, "net_amount", "all", net, "exact")
    for mart in ("fct_orders", "profitability__customers"):
        yield Truth(mart, "gross_amount", "all", gross, "exact")
    yield Truth("fct_order_lines", "line_count", "quantity 0", empty, "exact", note="kept with a warning")
    yield Truth("fct_order_lines", "net_amount", "quantity 0", empty_net, "exact")
    yield Truth(
        "fct_order_lines", "line_count", "product missing from the list", unlisted, "exact", note="kept, no cost"
    )
    yield Truth("fct_order_lines", "net_amount", "product missing from the list", unlisted_net, "exact")
    yield Truth("fct_order_lines", "product_count", "product missing from the list", unlisted_products, "exact")


def _costs(draws: Draws) -> Iterator[Truth]:
    found = draws.purchases.connection.sql(
        """
        select sum(round((net + own_discount) * (100 - margin_percent) / 100.0::decimal(18, 4), 2)::decimal(18, 2))
        from lines where is_listed
        """
    ).fetchall()
    yield Truth("profitability__customers", "cost_of_goods_amount", "all", found[0][0], "exact")
    for pool, cents in draws.pools.groupby("pool")["cents"].sum().items():
        amount = Decimal(int(cents)) / 100
        yield Truth("profitability__cost_reconciliation", "pool_amount", str(pool), amount, "exact")
        yield Truth("profitability__cost_reconciliation", "allocated_amount", str(pool), amount, "exact")


def _survey(draws: Draws) -> Iterator[Truth]:
    census, sends, accepted = draws.survey.census, draws.fieldwork.sends, draws.fieldwork.accepted
    operations, curve = "satisfaction__survey_operations", "satisfaction__loyalty_curve"
    contrasts = "satisfaction__loyalty_contrasts"
    for number, wave in enumerate(WAVES):
        rows = accepted[accepted["wave"] == number]
        sent = sends[sends["wave"] == str(wave)]
        yield Truth(operations, "sent_count", str(wave), len(sent), "exact")
        yield Truth(operations, "completed_count", str(wave), (sent["disposition"] == "complete").sum(), "exact")
        yield Truth(
            "satisfaction__responses",
            "response_count",
            str(wave),
            len(rows),
            "exact",
            note="first of customer and wave",
        )
        scored = rows[rows["overall"].between(1, 5)]
        yield Truth("satisfaction__segment_months", "n", f"overall, {wave}", len(scored), "exact")
        yield Truth(
            "satisfaction__segment_months", "top_box_count", f"overall, {wave}", (scored["overall"] == 5).sum(), "exact"
        )
    yield Truth(
        "satisfaction__segment_months", "top_box_rate", "all waves", _digits((census["score"] == 5).mean()), "biased",
        "above", "census; mode and response that depends on the score lift it, weighted or not",
    )  # fmt: skip
    steps = np.exp(np.diff(SCORE_BY_OUTCOME))
    for name, value in {"5 v 4": steps[3], "4 v 3": steps[2], "3 v 2": steps[1]}.items():
        yield Truth(contrasts, "adjusted_odds_ratio", f"{name}, mail and web", _digits(value), "parameter")
    yield Truth(
        contrasts, "adjusted_odds_ratio", "5 v 4, all modes", _digits(steps[3]), "biased", "below",
        "interviewers lift fours to fives; small beside one draw's error",
    )  # fmt: skip
    known = census[census["is_outcome_known"]]
    for score, rate in known.groupby("score")["outcome"].mean().items():
        yield Truth(curve, "repurchase_rate", f"score {score}, mail and web, weighted", _digits(rate), "parameter")
    yield Truth(
        "satisfaction__responses", "is_repurchased", str(WAVES[3]), "", "null", note="window ends after the data"
    )
    yield Truth("loyalty__claims", "verdict", "satisfied customers are six times as likely to buy again", "", "null")
    for driver, share in DRIVER_SHARES.items():
        yield Truth("satisfaction__drivers", "lmg_share", driver, share, "parameter", note="on the true score")
    yield Truth(
        "satisfaction__drivers", "r_squared", "all", DRIVER_R2, "biased", "below", "rounding and mode add noise"
    )
    yield Truth("satisfaction__drivers", "stated_importance_rank", "price", 1, "exact")
    yield Truth(
        "loyalty__campaigns", "over_promise_gap", "all", 0.6, "parameter", note="expectation, exposed less others"
    )
    for score, mean in TOLD.items():
        yield Truth("satisfaction__word_of_mouth_scores", "told_mean", f"score {score}", mean, "parameter")


def _wallet(draws: Draws) -> Iterator[Truth]:
    census, accepted = draws.survey.census, draws.fieldwork.accepted
    wallet, rows = "wallet__customer_periods", accepted[~accepted["is_unknown"]]
    joined = rows[["census_row"]].join(census[["own_cents", "share_of_wallet", "is_yearly"]], on="census_row")
    stated = rows["grocery_spend"].to_numpy() * 100
    is_over = joined["own_cents"].to_numpy() > stated
    yield Truth(wallet, "stated_count", "all", len(rows), "exact", note="known customers, first of each wave")
    yield Truth(
        wallet,
        "own_amount",
        "stated",
        Decimal(int(joined["own_cents"].sum())) / 100,
        "exact",
        note="30 days to the wave",
    )
    yield Truth(wallet, "stated_amount", "stated", int(rows["grocery_spend"].sum()), "exact")
    yield Truth(wallet, "is_over_one", "all", int(is_over.sum()), "exact", note="own spend above the stated one")
    yield Truth(
        wallet, "share_of_wallet", "mean of customers", _digits(joined["share_of_wallet"].mean()), "biased", "below",
        "people overstate (e^.10) and 5 % answer for a year",
    )  # fmt: skip
    yield Truth(
        wallet,
        "yearly_answer_count",
        "all",
        int(joined["is_yearly"].sum()),
        "exact",
        note="cannot be told from the answer",
    )
    brands = draws.survey.brands[draws.survey.brands["census_row"].isin(rows["census_row"])]
    used = brands[brands["is_used"]]
    yield Truth(wallet, "brands_used_mean", "all", _digits(used.groupby("census_row").size().mean()), "exact")
    yield Truth(
        wallet,
        "war_share_mean",
        "all",
        _digits(_wallet_allocation(used).mean()),
        "exact",
        note="ties take the average rank",
    )


def _wallet_allocation(used: pd.DataFrame) -> pd.Series:
    """Our Wallet Allocation Rule share per answer: (1 - rank / (N + 1)) * 2 / N (Keiningham et al. 2011)."""
    ranks = used.groupby("census_row")["rank"]
    average, brands = ranks.rank(method="average"), ranks.transform("size")
    return ((1 - average / (brands + 1)) * 2 / brands)[used["is_us"]]


def _tickets(draws: Draws) -> Iterator[Truth]:
    tickets, incidents = draws.tickets.tickets, draws.tickets.incidents
    yield Truth("satisfaction__complaints", "ticket_count", "all", len(tickets) - bad_tickets(draws.tickets), "exact")
    yield Truth(
        "satisfaction__complaints",
        "incident_count",
        "all",
        len(incidents),
        "null",
        note="never observed: nobody reports all",
    )
    for severity, tilt in SPEED_TILT.items():
        yield Truth(
            "satisfaction__complaint_funnel", "odds_ratio", f"{severity}, fast v slow", _digits(np.exp(tilt[2])),
            "parameter", note="landmark 14 days after opening, kept order in the 7 days after it",
        )  # fmt: skip
    answered = draws.survey.census[draws.survey.census["problem"] == 1]
    rate = answered["complained"].mean()
    yield Truth(
        "satisfaction__silent", "problem_complaint_rate", "had a problem", _digits(rate), "parameter", note="census"
    )


def _loyalty(draws: Draws) -> Iterator[Truth]:
    entries, months = draws.programme.entries, "loyalty__programme_months"
    points = entries.groupby("kind")["points"].sum()
    for kind in ("earn", "burn", "expire"):
        yield Truth(months, f"points_{kind}", "all", int(points[kind]), "exact")
    balance = int(points["earn"] - points["burn"] - points["expire"])
    yield Truth(months, "points_balance", "all", balance, "exact")
    yield Truth(months, "member_count", "all", len(draws.programme.members), "exact")
    yield Truth("loyalty__points_vintages", "breakage_rate", "ultimate", BREAKAGE, "parameter")
    yield Truth(months, "lift_matched", "all", 0, "parameter", note="joining changes nothing")
    yield Truth(months, "lift_naive", "all", 0, "biased", "above", "frequent buyers join more often")
    yield Truth("loyalty__campaigns", "lift", "all", "", "null", note="the study names no control arm")
    yield Truth("loyalty__referral_months", "accepted_count", "all", len(draws.referrals), "exact")


def _dirt(draws: Draws) -> Iterator[Truth]:
    rows, accepted = draws.fieldwork.responses, draws.fieldwork.accepted
    quarantine, responses = "dq__quarantined_rows", "satisfaction__responses"
    yield Truth(quarantine, "row_count", "survey_responses: answered before sent", ANSWERED_BEFORE_SENT, "exact")
    yield Truth(quarantine, "row_count", "tickets: solved before opened", bad_tickets(draws.tickets), "exact")
    yield Truth("dq__loads", "duplicate_key_count", "tickets: same ticket twice", DUPLICATE_TICKETS, "exact")
    yield Truth(responses, "is_duplicate", "all", DUPLICATES, "exact")
    yield Truth(responses, "preview_count", "all", PREVIEWS, "exact", note="dropped")
    yield Truth(responses, "unknown_customer_count", "all", UNKNOWN_CUSTOMERS, "exact")
    yield Truth(
        responses,
        "is_speeder",
        "all",
        int(accepted["is_speeder"].sum()),
        "exact",
        note="accepted responses, 5 % of web",
    )
    yield Truth(
        responses, "is_straight_liner", "all", int(accepted["is_straight_liner"].sum()), "exact", note="as answered"
    )
    yield Truth(responses, "off_scale_count", "all", OFF_SCALE, "exact", note="no answer, flagged")
    off_scale_scores = sum(question == "overall" for question, _ in OFF_SCALE_CELLS)
    yield Truth(responses, "off_scale_count", "overall", off_scale_scores, "exact")
    yield Truth("survey_answers", "missing_code_count", "-99", MISSING_CODES, "exact")
    chinese = rows[(rows["language"] == "zh") & ~rows["is_preview"]]
    yield Truth(
        responses, "response_count", f"Chinese, {WAVES[CHINESE_WAVE]}", len(chinese), "exact", note="file in GB18030"
    )


def _digits(value: float) -> str:
    """Six digits after the point: enough for every interval, the same on every machine."""
    return f"{value:.6f}"
