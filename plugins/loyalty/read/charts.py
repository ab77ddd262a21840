"""Charts of published marts: a data frame in, a chart out. Nothing is read or written here."""

from __future__ import annotations

from typing import Literal

import altair as alt
import pandas as pd

BLUE, ORANGE, GREY, INK = "#1f5f8b", "#c2571a", "#8a949e", "#1d2730"
SIMULATED = "SIMULATED input"
Layers = alt.LayerChart | alt.FacetChart  # what Altair says that layer() gives
X, Y = "customer_share_rate", "cumulative_value_rate"


def whale_curve(curve: pd.DataFrame, source: str, is_simulated: bool) -> Layers:
    """The profit (net revenue without unit costs) added up from the best customer to the worst.

    `curve` holds the rows of one currency of profitability__whale_curve; `source` says where the data come from.
    """
    by_rank = curve.sort_values("curve_rank")
    best = by_rank[by_rank[X] >= 0.05].iloc[0]
    peak = by_rank[by_rank["is_peak"]].iloc[0]
    value = "profit" if best["value_basis"] == "profit" else "net revenue"
    x = alt.X(f"{X}:Q", title="customers, best first", axis=alt.Axis(format="%", tickCount=5))
    y = alt.Y(f"{Y}:Q", title=f"share of the total {value}", axis=alt.Axis(format="%", tickCount=6))

    def label(row: pd.Series, words: str, align: Literal["left", "right"], dx: int, dy: int) -> Layers:
        place = alt.Chart(pd.DataFrame({X: [row[X]], Y: [row[Y]], "words": [words]})).encode(x=x, y=y)
        point = place.mark_point(color=ORANGE, filled=True, size=90, opacity=1)
        text = place.mark_text(align=align, dx=dx, dy=dy, fontSize=14, color=INK).encode(text="words:N")
        return alt.layer(point, text)

    total = alt.Chart(pd.DataFrame({Y: [1.0]})).mark_rule(color=GREY, strokeDash=[4, 4]).encode(y=y)
    chart = alt.layer(
        alt.Chart(by_rank[[X, Y]]).mark_line(color=BLUE, strokeWidth=3).encode(x=x, y=y),
        total,
        label(best, f"The best 5% bring {best[Y]:.1%}.", "left", 10, 16),
        label(peak, f"Highest at {peak[X]:.0%} of the customers: {peak[Y]:.1%}.", "right", -8, -14),
    )
    return _titled(chart, f"How much of the {value} do the best customers bring?", source, is_simulated)


def _titled(chart: Layers, question: str, source: str, is_simulated: bool) -> Layers:
    """The chart with its question, where its data come from, and the word SIMULATED where some of them are."""
    title = alt.TitleParams(
        question,
        subtitle=f"{SIMULATED}. {source}" if is_simulated else source,
        subtitleColor=ORANGE if is_simulated else GREY,
        anchor="start",
        fontSize=18,
        subtitleFontSize=13,
        offset=14,
        color=INK,
    )
    return (
        chart.properties(width=640, height=320, title=title, background="white", padding=16)
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=12, titleFontSize=13, titleFontWeight="normal", gridColor="#e6ebef", domain=False)
    )
