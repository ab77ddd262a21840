"""Charts of published marts: a data frame in, a chart out. Nothing is read or written here.

Every function takes the rows of one figure of `figures.py` and the words of one language. Rows on a small base come
with `is_suppressed` and an empty rate: they are drawn grey, never left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import altair as alt
import pandas as pd
from rich.cells import cell_len

from loyalty.read.words import Words

BLUE, ORANGE, GREEN = "#1f5f8b", "#c2571a", "#3d7f4f"
PURPLE, OCHRE = "#7a5195", "#b8860b"
GREY, LIGHT_GREY, GRID, INK, PAPER = "#8a949e", "#dfe4e8", "#e6ebef", "#1d2730", "white"
ON_LIGHT_CELL, ON_DARK_CELL = "#202a33", "#ffffff"  # the same on a dark page, because the cells are
PALETTE = [BLUE, ORANGE, GREEN, PURPLE, OCHRE, GREY]
WIDTH, HEIGHT = 460, 260
Chart = alt.LayerChart | alt.FacetChart  # what Altair says that layer() gives
# Each has its colour in every language and whichever of them a chart has.
CURVES = {"lapse": BLUE, "second order": ORANGE, "contract": GREEN}
VERDICTS = {"holds": GREEN, "more than claimed": BLUE, "does not hold": ORANGE, "cannot tell": GREY}
WHALE_POINTS, THOUSAND = 200, 1000
# A label on the left, or a sentence, is broken into lines of so many places; a Chinese character takes two.
LABEL_PLACES, SENTENCE_PLACES = 24, 48
# A word, or a Chinese character with the marks that stay beside it.
PARTS = re.compile(
    r"(?:[\u201c\uff08]?[\u2e80-\uffef][\u201d\u3001\u3002\uff09\uff0c\uff1a\uff1b]*|[^\s\u2e80-\uffef]+)\s*"
)
ROW, LINE = 24, 13  # pixels of a row of a chart, and of a line of text
DARK_FROM = 0.5  # of the highest rate: the cells whose text must be white


def cohort_heat_map(cohorts: pd.DataFrame, words: Words) -> Chart:
    """The share of each cohort that bought in each month after the first.

    Columns: cohort_month, month_number, cohort_size, retention_rate, is_suppressed.
    """
    shown = cohorts.assign(
        cohort=pd.to_datetime(cohorts["cohort_month"]).dt.strftime("%Y-%m"),
        text=[_percent(rate) for rate in cohorts["retention_rate"]],
    )
    x = alt.X("month_number:O", title=words("months after the first order"), axis=alt.Axis(labelAngle=0))
    y = alt.Y("cohort:O", title=words("month of the first order"))
    color = alt.Color("retention_rate:Q", scale=alt.Scale(scheme="blues", domainMin=0), legend=None)
    known, small = shown[shown["retention_rate"].notna()], shown[shown["retention_rate"].isna()]
    cells = alt.Chart(known).mark_rect(stroke=PAPER).encode(x=x, y=y, color=color)
    grey = alt.Chart(small).mark_rect(stroke=PAPER, color=LIGHT_GREY).encode(x=x, y=y)
    dark_from = DARK_FROM * float(known["retention_rate"].max() if len(known) else 1)
    dark = alt.condition(f"datum.retention_rate > {dark_from}", alt.value(ON_DARK_CELL), alt.value(ON_LIGHT_CELL))
    texts = alt.Chart(shown).mark_text(fontSize=10).encode(x=x, y=y, text="text:N", color=dark)
    return _sized(alt.layer(grey, cells, texts))


def survival(curves: pd.DataFrame, words: Words) -> Chart:
    """The share of customers that an event has not reached yet, by days, with its interval.

    Columns: curve, duration_days, survival_rate, survival_low, survival_high.
    """
    shown = curves.assign(curve=curves["curve"].map(words))
    x = alt.X("duration_days:Q", title=words("days"))
    color = alt.Color("curve:N", title=None, scale=_colours(curves["curve"], CURVES, words))
    band = alt.Chart(shown).mark_area(opacity=0.2, interpolate="step-after")
    line = alt.Chart(shown).mark_line(interpolate="step-after", strokeWidth=2)
    return _sized(
        alt.layer(
            band.encode(x=x, y=alt.Y("survival_low:Q"), y2="survival_high:Q", color=color),
            line.encode(x=x, y=_rate("survival_rate", words("share not reached yet"), most=1), color=color),
        )
    )


def bridge(steps: pd.DataFrame, words: Words) -> Chart:
    """Amounts that are added and taken away between a first and a last total.

    Columns: step (in order), amount, is_total.
    """
    shown = steps.assign(step=steps["step"].map(words), amount=steps["amount"].astype(float))
    totals, level = [], 0.0
    for amount, is_total in zip(shown["amount"], shown["is_total"], strict=True):
        start = 0.0 if is_total else level
        level = start + amount
        totals.append((start, level))
    shown[["start", "end"]] = totals
    shown["kind"] = [
        "total" if total else "up" if amount >= 0 else "down"
        for total, amount in zip(shown["is_total"], shown["amount"], strict=True)
    ]
    shown["text"] = [f"{amount:,.0f}" for amount in shown["amount"]]
    shown["top"] = shown[["start", "end"]].max(axis=1)
    x = alt.X("step:N", sort=list(shown["step"]), title=None, axis=alt.Axis(labelAngle=-35, labelLimit=150))
    colors = alt.Scale(domain=["total", "up", "down"], range=[GREY, GREEN, ORANGE])
    bars = (
        alt.Chart(shown)
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y("start:Q", title=None, axis=alt.Axis(format="~s")),
            y2="end:Q",
            color=alt.Color("kind:N", scale=colors, legend=None),
        )
    )
    texts = alt.Chart(shown).mark_text(dy=-7, fontSize=10, color=INK).encode(x=x, y="top:Q", text="text:N")
    return _sized(alt.layer(bars, texts))


def rates_with_intervals(rows: pd.DataFrame, words: Words, axis: str) -> Chart:
    """One rate for each label with its interval; labels without a rate are shown in grey.

    Columns: label, rate, rate_low, rate_high, base_count, is_suppressed.
    """
    shown = rows.assign(
        label=[
            wrapped(f"{words(str(label))} ({base:,.0f})")
            for label, base in zip(rows["label"], rows["base_count"].fillna(0), strict=True)
        ],
        none=[
            "" if pd.notna(rate) else words("base too small" if base else "nothing was observed")
            for rate, base in zip(rows["rate"], rows["base_count"].fillna(0), strict=True)
        ],
        zero=0.0,
    )
    y = _labels(list(shown["label"]))
    x = alt.X("rate:Q", title=words(axis), axis=alt.Axis(format="%"), scale=alt.Scale(zero=True))
    base = alt.Chart(shown)
    return _sized(
        alt.layer(
            base.mark_rule(color=GREY, strokeWidth=2).encode(y=y, x=alt.X("rate_low:Q"), x2="rate_high:Q"),
            base.mark_point(filled=True, size=70, color=BLUE, opacity=1).encode(y=y, x=x),
            base.mark_text(align="left", color=GREY, fontSize=11).encode(y=y, x="zero:Q", text="none:N"),
        ),
        height=max(HEIGHT, ROW * len(shown)),
    )


def index_by_wave(waves: pd.DataFrame, words: Words) -> Chart:
    """The satisfaction index of each survey and wave, 0 to 100, with its interval.

    Columns: survey, wave, satisfaction_index, satisfaction_index_low, satisfaction_index_high, scored_count.
    """
    under_pointer = [
        alt.Tooltip("survey:N", title=words("survey")),
        alt.Tooltip("wave:N", title=words("wave")),
        alt.Tooltip("satisfaction_index:Q", title=words("satisfaction index, 0 to 100"), format=".1f"),
        alt.Tooltip("satisfaction_index_low:Q", title=words("lowest, 95 % interval"), format=".1f"),
        alt.Tooltip("satisfaction_index_high:Q", title=words("highest, 95 % interval"), format=".1f"),
        alt.Tooltip("scored_count:Q", title=words("base"), format=","),
    ]
    x = alt.X("wave:O", title=words("wave"), axis=alt.Axis(labelAngle=-35))
    color = alt.Color("survey:N", title=None, scale=alt.Scale(range=PALETTE))
    scale = alt.Scale(zero=False, padding=20)
    y = alt.Y("satisfaction_index:Q", title=words("satisfaction index, 0 to 100"), scale=scale)
    base = alt.Chart(waves.assign(text=[f"{index:.1f}" for index in waves["satisfaction_index"].astype(float)]))
    return _sized(
        alt.layer(
            base.mark_rule(strokeWidth=2).encode(
                x=x, y=alt.Y("satisfaction_index_low:Q", scale=scale), y2="satisfaction_index_high:Q", color=color
            ),
            base.mark_line().encode(x=x, y=y, color=color),
            base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=color, tooltip=under_pointer),
            base.mark_text(align="left", dx=7, dy=-7, fontSize=11, color=INK).encode(x=x, y=y, text="text:N"),
        )
    )


def drivers(rows: pd.DataFrame, words: Words) -> Chart:
    """Importance of each driver against how well it is done; the lines are the means.

    Columns: driver, performance_index, lmg_share.
    """
    scale = alt.Scale(zero=False, padding=25)
    x = alt.X("performance_index:Q", title=words("performance, 0 to 100"), scale=scale)
    y = alt.Y("lmg_share:Q", title=words("share of the explained variance"), axis=alt.Axis(format="%"), scale=scale)
    base = alt.Chart(rows.assign(driver=rows["driver"].map(words)))
    means = alt.Chart(rows[["performance_index", "lmg_share"]].mean().to_frame().T).mark_rule(
        color=GREY, strokeDash=[4, 4]
    )
    return _sized(
        alt.layer(
            means.encode(x=x),
            means.encode(y=y),
            base.mark_point(filled=True, size=80, color=BLUE, opacity=1).encode(x=x, y=y),
            base.mark_text(dy=-11, fontSize=11, color=INK).encode(x=x, y=y, text="driver:N"),
        )
    )


def loyalty_curve(scores: pd.DataFrame, words: Words) -> Chart:
    """The share that bought again at each score, with its interval; dashed lines are the thresholds of the fit.

    Columns: score, repurchase_rate, repurchase_rate_low, repurchase_rate_high, threshold_low, threshold_high.
    """
    base = alt.Chart(scores)
    scale = alt.Scale(zero=False, padding=20)
    x = alt.X("score:Q", title=words("satisfaction score"), axis=alt.Axis(tickMinStep=1), scale=scale)
    y = _rate("repurchase_rate", words("bought again"))
    ends = scores[["threshold_low", "threshold_high"]].iloc[:1].melt(value_name="score").dropna(subset=["score"])
    layers = [
        base.mark_rule(color=GREY, strokeWidth=2).encode(
            x=x, y=alt.Y("repurchase_rate_low:Q"), y2="repurchase_rate_high:Q"
        ),
        base.mark_line(color=BLUE).encode(x=x, y=y),
        base.mark_point(filled=True, size=70, color=BLUE, opacity=1).encode(x=x, y=y),
    ]
    if not ends.empty:
        layers.append(alt.Chart(ends).mark_rule(color=ORANGE, strokeDash=[4, 4]).encode(x=x))
    return _sized(alt.layer(*layers))


def counts(rows: pd.DataFrame, words: Words, axis: str) -> Chart:
    """Counts or amounts by label, split by group. Columns: label (in order), group, amount, text (behind the bar),
    place (of the group).

    `label` may come as label_en and label_zh.
    """
    shown = rows.assign(
        label=(rows["label"].map(words) if "label" in rows else rows[f"label_{words.language}"]).map(wrapped),
        group=rows["group"].map(words),
        amount=rows["amount"].astype(float),
    )
    labels = list(dict.fromkeys(shown["label"]))
    groups = list(dict.fromkeys(shown["group"]))
    y = _labels(labels)
    amounts = alt.Axis(format="~s" if shown["amount"].max() >= THOUSAND else ",~f")
    legend = alt.Legend(title=None) if len(groups) > 1 else None
    bars = (
        alt.Chart(shown)
        .mark_bar()
        .encode(
            y=y,
            x=alt.X("amount:Q", title=words(axis), axis=amounts),
            color=alt.Color("group:N", sort=groups, legend=legend, scale=alt.Scale(domain=groups, range=PALETTE)),
            order="place:Q",
        )
    )
    ends = shown.groupby("label", sort=False).agg(amount=("amount", "sum"), text=("text", "last")).reset_index()
    texts = alt.Chart(ends).mark_text(align="left", dx=4, fontSize=11, color=INK)
    drawn = alt.layer(bars, texts.encode(y=y, x="amount:Q", text="text:N"))
    lines = max(label.count("\n") + 1 for label in labels) if labels else 1
    return _sized(drawn, height=max(HEIGHT, max(16, LINE * lines + 3) * len(labels)))


def whale_curve(curve: pd.DataFrame, words: Words) -> Chart:
    """The profit (net revenue without unit costs) added up from the best customer to the worst.

    Columns: curve_rank, customer_share_rate, cumulative_value_rate, is_peak, value_basis; one currency.
    """
    by_rank = curve.sort_values("curve_rank").reset_index(drop=True)
    best = by_rank[by_rank["customer_share_rate"] >= 0.05].iloc[0]
    peak = by_rank[by_rank["is_peak"].astype(bool)].iloc[0]
    every = max(1, len(by_rank) // WHALE_POINTS)
    thinned = by_rank[
        (by_rank.index % every == 0) | by_rank["is_peak"].astype(bool) | (by_rank.index == len(by_rank) - 1)
    ]
    x = alt.X("customer_share_rate:Q", title=words("customers, best first"), axis=alt.Axis(format="%"))
    is_profit = best["value_basis"] == "profit"
    value = words("share of the total profit") if is_profit else words("share of the total net revenue")
    y = alt.Y("cumulative_value_rate:Q", title=value, axis=alt.Axis(format="%"))
    marks = pd.DataFrame([best, peak])[["customer_share_rate", "cumulative_value_rate"]]
    marks["text"] = [
        words("the best 5 %: {0}").format(_percent(best["cumulative_value_rate"], 1)),
        words("highest: {0}").format(_percent(peak["cumulative_value_rate"], 1)),
    ]
    total = alt.Chart(pd.DataFrame({"cumulative_value_rate": [1.0]})).mark_rule(color=GREY, strokeDash=[4, 4])
    place = alt.Chart(marks)
    return _sized(
        alt.layer(
            alt.Chart(thinned[["customer_share_rate", "cumulative_value_rate"]])
            .mark_line(color=BLUE, strokeWidth=3)
            .encode(x=x, y=y),
            total.encode(y=y),
            place.mark_point(filled=True, size=80, color=ORANGE, opacity=1).encode(x=x, y=y),
            place.transform_filter("datum.customer_share_rate < 0.5")
            .mark_text(align="left", dx=8, dy=14, fontSize=12, color=INK)
            .encode(x=x, y=y, text="text:N"),
            place.transform_filter("datum.customer_share_rate >= 0.5")
            .mark_text(align="right", dx=-8, dy=18, fontSize=12, color=INK)
            .encode(x=x, y=y, text="text:N"),
        )
    )


def shares_side_by_side(rows: pd.DataFrame, words: Words) -> Chart:
    """Several shares of each label next to one another. Columns: label (in order), measure (in order), share_rate."""
    shown = rows.assign(label=rows["label"].map(words), measure=rows["measure"].map(words))
    labels, measures = list(dict.fromkeys(shown["label"])), list(dict.fromkeys(shown["measure"]))
    shown["text"] = [_percent(rate) for rate in shown["share_rate"]]
    x = alt.X("label:N", sort=labels, title=None, axis=alt.Axis(labelAngle=0))
    offset = alt.XOffset("measure:N", sort=measures)
    color = alt.Color("measure:N", title=None, sort=measures, scale=alt.Scale(domain=measures, range=PALETTE))
    base = alt.Chart(shown)
    y = _rate("share_rate", "")
    return _sized(
        alt.layer(
            base.mark_bar().encode(x=x, xOffset=offset, y=y, color=color),
            base.mark_text(dy=-6, fontSize=10, color=INK).encode(x=x, xOffset=offset, y=y, text="text:N"),
        )
    )


def claims(rows: pd.DataFrame, words: Words) -> Chart:
    """What was observed, as a multiple of what is claimed (1 = as claimed), with its interval; the bar is the claim.

    Columns: claim_en, claim_zh, variant, observed, observed_low, observed_high, claim_low, claim_high (all as
    multiples), verdict, base_count. Each claim is written above its line, with the way in which it was measured.
    """
    sentences = [
        wrapped(_measured(claim, variant, words), SENTENCE_PLACES)
        for claim, variant in zip(rows[f"claim_{words.language}"], rows["variant"], strict=True)
    ]
    shown = rows.assign(verdict=rows["verdict"].map(words), claim=sentences)
    under_pointer = [
        alt.Tooltip("claim:N", title=words("claim")),
        alt.Tooltip("verdict:N", title=words("verdict")),
        alt.Tooltip("observed:Q", title=words("observed / claimed"), format=".2f"),
        alt.Tooltip("observed_low:Q", title=words("lowest, 95 % interval"), format=".2f"),
        alt.Tooltip("observed_high:Q", title=words("highest, 95 % interval"), format=".2f"),
        alt.Tooltip("base_count:Q", title=words("base"), format=","),
    ]
    y = alt.Y("claim:N", sort=sentences, title=None, axis=alt.Axis(labels=False, ticks=False))
    scale = alt.Scale(type="symlog", constant=1)
    x = alt.X("observed:Q", title=words("observed / claimed"), scale=scale, axis=alt.Axis(tickCount=6))
    base = alt.Chart(shown).encode(tooltip=under_pointer)
    colours = _colours(rows["verdict"], VERDICTS, words)
    color = alt.Color("verdict:N", title=None, scale=colours, legend=alt.Legend(columns=3))
    lines = max(sentence.count("\n") + 1 for sentence in sentences)
    row = LINE * lines + ROW
    below = (row - ROW) / 2
    as_claimed = alt.Chart(pd.DataFrame({"observed": [1.0]})).mark_rule(color=GREY, strokeDash=[4, 4])
    return _sized(
        alt.layer(
            as_claimed.encode(x=x),
            base.mark_bar(color=LIGHT_GREY, height=9, yOffset=below).encode(
                y=y, x=alt.X("claim_low:Q", scale=scale), x2="claim_high:Q"
            ),
            base.mark_rule(yOffset=below).encode(
                y=y, x=alt.X("observed_low:Q", scale=scale), x2="observed_high:Q", color=color
            ),
            base.mark_point(filled=True, size=50, opacity=1, yOffset=below).encode(y=y, x=x, color=color),
            base.mark_text(
                align="left",
                baseline="top",
                lineBreak="\n",
                lineHeight=LINE,
                fontSize=11,
                color=INK,
                yOffset=3 - row / 2,
            ).encode(y=y, x=alt.value(2), text="claim:N"),
        ),
        height=max(HEIGHT, row * len(sentences)),
    )


def _measured(claim: str, variant: str, words: Words) -> str:
    """A claim with the way in which it was measured, or the group that it is about, where there are several."""
    return claim if variant == "all" else words.sentence("{0} ({1})").format(claim.rstrip(".。"), words(variant))


def titled(chart: Chart, question: str, source: str, is_simulated: bool) -> Chart:
    """A chart with its title: the question, where its data come from, and SIMULATED where some of them are."""
    title = alt.TitleParams(
        question,
        subtitle=f"SIMULATED input. {source}" if is_simulated else source,
        subtitleColor=ORANGE if is_simulated else GREY,
        anchor="start",
        fontSize=16,
        subtitleFontSize=12,
        offset=14,
        color=INK,
    )
    return chart.properties(title=title)


def wrapped(text: str, places: int = LABEL_PLACES) -> str:
    """A text broken into lines that are at most so many places wide; a Chinese character takes two places."""
    lines, line = [], ""
    for part in PARTS.findall(text):
        if line and cell_len(line + part.rstrip()) > places:
            lines.append(line.rstrip())
            line = ""
        line += part
        while cell_len(line.rstrip()) > places:  # one long word
            lines.append(line[:places])
            line = line[places:]
    return "\n".join([*lines, line.rstrip()] if line.strip() else lines)


def _labels(labels: list[str]) -> alt.Y:
    """Labels on the left, in this order; those that were `wrapped` in several lines."""
    return alt.Y(
        "label:N", sort=labels, title=None, axis=alt.Axis(labelLimit=170, labelExpr="split(datum.label, '\\n')")
    )


def _percent(rate: float | None, digits: int = 0) -> str:
    return "" if rate is None or pd.isna(rate) else f"{rate:.{digits}%}"


def _colours(names: pd.Series, colours: Mapping[str, str], words: Words) -> alt.Scale:
    """The colour of each name that is there, under its word: words are in another order in each language."""
    found = [name for name in colours if name in set(names)]
    return alt.Scale(domain=[words(name) for name in found], range=[colours[name] for name in found])


def _rate(column: str, title: str, most: float | None = None) -> alt.Y:
    """An upright axis of a rate: from 0, in percent."""
    scale = alt.Scale(domain=[0, most]) if most else alt.Scale(zero=True)
    return alt.Y(f"{column}:Q", title=title or None, axis=alt.Axis(format="%"), scale=scale)


def _sized(chart: Chart, width: int = WIDTH, height: int = HEIGHT) -> Chart:
    """The chart in the size and style of all of them."""
    # widths of labels are measured in Arial's metrics
    font = "Arial, 'Liberation Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
    return (
        chart.properties(width=width, height=height, background=PAPER, padding=8)
        .configure(font=font)
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=11,
            labelColor=INK,
            titleFontSize=12,
            titleFontWeight="normal",
            titleColor=INK,
            gridColor=GRID,
            tickColor=GRID,
            domain=False,
        )
        .configure_legend(orient="top", labelFontSize=11, labelColor=INK, symbolSize=80)
    )
