"""A chart on a dark page differs in its colours alone."""

from __future__ import annotations

import pandas as pd

from loyalty.read import charts
from loyalty.read.dashboard.colours import DARK, in_dark
from loyalty.read.words import Words

STEPS = pd.DataFrame({"step": ["white", "new"], "amount": [100, 20]}).assign(is_total=[True, False])


def test_a_dark_chart_has_no_ink_of_a_light_one_and_the_same_data() -> None:
    light = charts.bridge(STEPS, Words("en")).to_dict()
    dark = in_dark(light)
    assert dark["datasets"] == light["datasets"]
    assert dark["background"] == "transparent"
    drawn = str({key: value for key, value in dark.items() if key != "datasets"})
    assert [colour for colour in DARK if colour != "white" and colour in drawn] == []
