"""The first page: what moved in the last whole month, and whether it was the business or the data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pandas as pd
import streamlit as st

from loyalty.read import charts, handled_sentences, news
from loyalty.read.changes import restated
from loyalty.read.choices import EVERYTHING, FILTERS
from loyalty.read.dashboard.look import Look
from loyalty.read.dashboard.parts import (
    AMOUNT,
    CHANGE,
    COUNT,
    as_written,
    draw,
    lines,
    show_rows,
    show_sql,
    show_table,
    specification,
    where_from,
)

FOLLOWED = {"period": "last_month", "source": "source", "currency_code": "currency_code"}
RESTATED = (
    "These months were over in the generation before, and their net revenue is another now. Late files, corrections or "
    "withdrawals changed them; the business did not."
)
SHAPLEY = (
    "The parts add up to the change: the mean effect of each factor over all orders of changing them (Shapley value)."
)


def show_moved(look: Look) -> None:
    """Show the page."""
    say = look.words.sentence
    choice = replace(EVERYTHING, **{field: getattr(look.choice, field) for field in FOLLOWED.values()})
    with look.connection() as connection:
        change = news.last_change(connection, choice)
        months = restated(connection) if look.before else []
        deliveries = news.delivered(connection, look.before.manifest["published_at"] if look.before else None)
    if change:
        with st.container(border=True, key="figure-change"):
            _show_change(look, change, news.months_sql(choice))
        if change.segments:
            with st.container(border=True, key="figure-segments"):
                _show_segments(look, change)
    else:
        st.info(say("There are no two whole months to compare yet."))
    st.subheader(say("Is it the business, or the data?"), anchor=False)
    if months:
        _show_restated(look, months)
    elif look.before:
        st.markdown(say("No month that was over in the generation before has changed."))
    done = handled_sentences.sentences(look.generation.manifest, look.words)
    _show_deliveries(look, deliveries, done)
    if done:
        listed = "\n".join(f"- {as_written(sentence)}" for sentence in done)
        st.markdown(f"{say(handled_sentences.HEADING)}:\n\n{listed}")


def _show_change(look: Look, change: news.Change, sql: str) -> None:
    """The sentence on the change, its parts as a chart and as a table."""
    say = look.words.sentence
    sentence = say("Net revenue of {0} was {1} {2}, {3} against {4}.").format(
        _month(change.month),
        f"{change.net_amount:,.2f}",
        change.currency_code,
        f"{change.amount:+,.2f}",
        _month(change.month_before),
    )
    st.subheader(as_written(sentence), anchor=False)
    if look.simulated & {"orders"}:
        st.badge("SIMULATED", color="orange")
    steps = [("month before", change.net_amount_before, True)]
    steps += [(name, amount, False) for name, amount in change.factors.items()]
    steps += [("this month", change.net_amount, True)]
    left, right = st.columns([3, 2])
    with left:
        chart = charts.bridge(pd.DataFrame(steps, columns=["step", "amount", "is_total"]), look.words)
        draw(specification(chart), sentence)
    with right:
        _amounts(look, say("By what customers did"), change.factors, say("change of net revenue"))
    missed = [name for name in look.choice.names if name not in FOLLOWED]
    notes = [say(SHAPLEY)]
    if missed:
        names = ", ".join(look.words(FILTERS[name]) for name in missed)
        notes.append(say("This figure cannot be filtered by {0}.").format(names))
    notes.append(f"{say('base')} {change.customer_count:,} · {where_from(look, 'retention__customer_months')}")
    st.caption(lines(notes))
    view = st.segmented_control(
        say("Show"), ("numbers", "SQL"), format_func=say, key="view-change", label_visibility="collapsed"
    )
    if view == "numbers":
        show_rows(look, sql, "change", [sentence, *notes])
    elif view == "SQL":
        show_sql(look, sql)


def _show_segments(look: Look, change: news.Change) -> None:
    """The change of order revenue by the segments of one attribute."""
    say = look.words.sentence
    by = list(change.segments)
    chosen = look.choice.segment_by if look.choice.segment_by in change.segments else by[0]
    st.subheader(say("Which segments moved?"), anchor=False)
    attribute = st.selectbox(say("customers by"), by, index=by.index(chosen), key=f"moved-{chosen}")
    parts = change.segments[attribute]
    _amounts(look, say("By {0}").format(attribute), parts, say("change of order revenue"))
    st.caption(lines([where_from(look, "retention__segment_months")]))


def _show_restated(look: Look, months: list[tuple[date, str, Decimal, Decimal]]) -> None:
    say = look.words.sentence
    st.markdown(say(RESTATED))
    before, now, difference = say("before"), say("now"), say("difference")
    show_table(
        {
            say("month"): [_month(month) for month, *_ in months],
            say("currency"): [currency for _, currency, *_ in months],
            before: [float(old) for _, _, old, _ in months],
            now: [float(new) for *_, new in months],
            difference: [float(new - old) for _, _, old, new in months],
        },
        {before: AMOUNT, now: AMOUNT, difference: CHANGE},
    )


def _show_deliveries(look: Look, deliveries: list[news.Delivered], done: list[str] | None) -> None:
    say = look.words.sentence
    if not deliveries:
        st.markdown(say(handled_sentences.nothing_delivered(done)))
        return
    counts = {
        say("loads"): [one.loads for one in deliveries],
        say("rows"): [one.rows for one in deliveries],
        say("rows quarantined"): [one.quarantined for one in deliveries],
        say("files rejected"): [one.rejected for one in deliveries],
    }
    feed = say("delivered since then") if look.before else say("delivered")
    show_table({feed: [one.feed for one in deliveries], **counts}, dict.fromkeys(counts, COUNT))


def _amounts(look: Look, title: str, parts: dict[str, Decimal], total: str) -> None:
    """Amounts under their names with their sum."""
    names = [look.words(name) for name in parts]
    amounts = [float(amount) for amount in (*parts.values(), sum(parts.values(), Decimal(0)))]
    amount = look.words.sentence("amount")
    show_table({title: [*names, total], amount: amounts}, {amount: CHANGE})


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
