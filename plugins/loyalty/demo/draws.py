"""All that is drawn, part by part: each part has its own stream, so that correcting one does not move the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from loyalty.demo.fieldwork import Fieldwork, send_and_collect
from loyalty.demo.programme import Programme, cost_pools, draw_programme, draw_referrals
from loyalty.demo.purchases import Purchases
from loyalty.demo.survey import Survey, draw_survey
from loyalty.demo.tickets import Tickets, draw_tickets

STREAMS = {"tickets": 1, "survey": 2, "fieldwork": 3, "programme": 4, "referrals": 5}


@dataclass(frozen=True)
class Draws:
    """One seed's draw from the published purchases. SIMULATED."""

    purchases: Purchases
    tickets: Tickets
    survey: Survey
    fieldwork: Fieldwork
    programme: Programme
    referrals: pd.DataFrame
    pools: pd.DataFrame


def draw(purchases: Purchases, seed: int) -> Draws:
    """Draw everything with a seed; the same seed gives the same draw."""
    stream = {part: np.random.default_rng([seed, number]) for part, number in STREAMS.items()}
    tickets = draw_tickets(purchases, stream["tickets"])
    survey = draw_survey(purchases, tickets, stream["survey"])
    return Draws(
        purchases=purchases,
        tickets=tickets,
        survey=survey,
        fieldwork=send_and_collect(survey, purchases, stream["fieldwork"]),
        programme=draw_programme(purchases, survey, stream["programme"]),
        referrals=draw_referrals(purchases, survey, stream["referrals"]),
        pools=cost_pools(purchases, tickets),
    )
