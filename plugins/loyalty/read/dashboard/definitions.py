"""The page that says what the figures mean: the published register of metrics, to search in."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd
import streamlit as st

from loyalty.read.dashboard.look import Look
from loyalty.read.dashboard.parts import as_written, lines, show_rows
from loyalty.read.figures import FIGURES

REGISTER = """
select * exclude (metric_key)
from quality.dq__metric_catalogue
order by metric_id, model_name, column_name
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
    for metric in found.head(MOST_SHOWN).to_dict("records"):
        first, second = ("name_zh", "name_en") if look.words.language == "zh" else ("name_en", "name_zh")
        names = f"**{as_written(metric[first])}** {as_written(metric[second])}"
        st.markdown(f"{names}  \n{as_written(meaning(metric, look.words.language))}")
        place = (f"{metric['model_name']}.{metric['column_name']}",) if metric["model_name"] else ()
        st.caption(lines([" · ".join((metric["metric_id"], *place))]))
    st.subheader(say("The whole register"), anchor=False)
    show_rows(look, REGISTER, "metrics", [])


def meaning(metric: Mapping[Hashable, str], language: str) -> str:
    """What a metric is, and what nothing here answers of it; English where the generation has no Chinese."""
    end = "_zh" if language == "zh" and "definition_zh" in metric else ""
    return " ".join(text for text in (metric[f"definition{end}"], metric[f"reason{end}"]) if text)


def containing(metrics: pd.DataFrame, word: str) -> pd.DataFrame:
    """The metrics in whose texts a word is."""
    texts = metrics.astype(str).agg(" ".join, axis=1)
    return metrics[texts.str.contains(word, case=False, regex=False)]


def of_the_figures(metrics: pd.DataFrame) -> pd.DataFrame:
    """The metrics that the charts show."""
    shown = {figure.defined_by for figure in FIGURES if figure.defined_by}
    return metrics[(metrics["metric_id"] + " " + metrics["model_name"] + "." + metrics["column_name"]).isin(shown)]
