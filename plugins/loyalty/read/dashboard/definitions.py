"""The page that says what the figures mean: the published register of metrics, to search in."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from loyalty.read.dashboard.look import Look
from loyalty.read.dashboard.parts import as_written, lines, show_rows
from loyalty.read.figures import FIGURES

REGISTER = """
select
    metric_id, name_en, name_zh, coalesce(definition, reason) as definition, model_name as mart, column_name
from quality.dq__metric_catalogue
order by metric_id, mart, column_name
""".strip()
MOST_SHOWN = 30


def show_definitions(look: Look) -> None:
    """Show the page."""
    say = look.words.sentence
    metrics = look.frame(REGISTER).fillna("")
    if metrics.empty:
        st.info(say("This generation has no register of metrics."))
        return
    st.session_state.setdefault("metric", st.query_params.get("metric", ""))
    word = st.text_input(say("Search in names, definitions and columns"), key="metric").strip()
    found = containing(metrics, word) if word else of_the_figures(metrics)
    if word:
        st.caption(say("{0} of {1} metrics").format(len(found), len(metrics)))
    else:
        st.caption(say("These are the metrics of the charts; search for others."))
    for metric, name_en, name_zh, definition, mart, column in found.head(MOST_SHOWN).itertuples(index=False):
        names = (name_zh, name_en) if look.words.language == "zh" else (name_en, name_zh)
        st.markdown(f"**{as_written(str(names[0]))}** {as_written(str(names[1]))}  \n{as_written(str(definition))}")
        st.caption(lines([f"{metric} · {mart}.{column}" if mart else metric]))
    st.subheader(say("The whole register"), anchor=False)
    show_rows(look, REGISTER, "metrics", [])


def containing(metrics: pd.DataFrame, word: str) -> pd.DataFrame:
    """The metrics in whose texts a word is."""
    texts = metrics.astype(str).agg(" ".join, axis=1)
    return metrics[texts.str.contains(word, case=False, regex=False)]


def of_the_figures(metrics: pd.DataFrame) -> pd.DataFrame:
    """The metrics that the charts show."""
    shown = {figure.defined_by for figure in FIGURES if figure.defined_by}
    return metrics[(metrics["metric_id"] + " " + metrics["mart"] + "." + metrics["column_name"]).isin(shown)]
