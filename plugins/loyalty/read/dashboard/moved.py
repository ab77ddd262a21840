"""The first page: what moved in the last whole month, and whether it was the business or the data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pandas as pd
import streamlit as st

from loyalty.read import charts, handled_sentences, news
from loyalty.read.changes import MONTH_SUMS, Restated, known_sum, restated
from loyalty.read.choices import EVERYTHING, FILTERS
from loyalty.read.dashboard.look import Look
from loyalty.read.dashboard.parts import (
    AMOUNT,
    CHANGE,
    COUNT,
    as_written,
    draw,
    lines,
    show_table,
    show_views,
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
        st.badge(say("SIMULATED"), color="orange")
    steps = [("month before", change.net_amount_before, True)]
    steps += [(name, amount, False) for name, amount in change.factors.items() if amount is not None]
    steps += [("this month", change.net_amount, True)]
    left, right = st.columns([3, 2])
    with left:
        chart = charts.bridge(pd.DataFrame(steps, columns=["step", "amount", "is_total"]), look.words)
        draw(specification(chart), sentence)
    with right:
        _amounts(look, say("By what customers did"), change.factors, say("change of net revenue"))
    missed = [name for name in look.choice.names if name not in FOLLOWED]
    notes = [say(SHAPLEY), *news.not_delivered(change, look.words)]
    if missed:
        names = say(", ").join(look.words(FILTERS[name]) for name in missed)
        notes.append(say("This figure cannot be filtered by {0}.").format(names))
    notes.append(f"{say('base')} {change.customer_count:,} · {where_from(look, 'retention__customer_months')}")
    st.caption(lines(notes))
    show_views(look, "change", sql, [sentence, *notes])


def _show_segments(look: Look, change: news.Change) -> None:
    """The change of order revenue by the segments of one attribute."""
    say = look.words.sentence
    by = list(change.segments)
    chosen = look.choice.segment_by if look.choice.segment_by in change.segments else by[0]
    st.subheader(say("Which segments moved?"), anchor=False)
    attribute = st.selectbox(
        say("customers by"), by, index=by.index(chosen), format_func=look.words, key=f"moved-{chosen}"
    )
    title = say("By {0}").format(look.words(attribute))
    _amounts(look, title, change.segments[attribute], say("change of order revenue"))
    notes = [where_from(look, "retention__segment_months")]
    st.caption(lines(notes))
    sql = news.segments_sql(change.month, change.month_before, change.currency_code)
    show_views(look, "segments", sql, [say("Which segments moved?"), *notes])


def _show_restated(look: Look, months: list[Restated]) -> None:
    say = look.words.sentence
    st.markdown(say(RESTATED))
    before, now, difference = say("before"), say("now"), say("difference")
    show_table(
        {
            say("month"): [_month(month) for month, *_ in months],
            say("currency"): [currency for _, currency, *_ in months],
            before: [_number(old) for _, _, old, _ in months],
            now: [_number(new) for *_, new in months],
            difference: [None if old is None or new is None else _number(new - old) for _, _, old, new in months],
        },
        {before: AMOUNT, now: AMOUNT, difference: CHANGE},
        say("not known"),
    )
    st.caption(lines([where_from(look, "retention__customer_months")]))
    show_views(look, "restated", MONTH_SUMS.format(database="").strip(), [say(RESTATED)])


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
    st.caption(lines([where_from(look, "dq__loads")]))
    since = look.before.manifest["published_at"] if look.before else None
    show_views(look, "delivered", news.delivered_sql(since), [feed])


def _amounts(look: Look, title: str, parts: dict[str, Decimal | None], total: str) -> None:
    """Amounts under their names with their sum."""
    names = [look.words(name) for name in parts]
    amounts = [_number(amount) for amount in (*parts.values(), known_sum(parts))]
    amount = look.words.sentence("amount")
    show_table({title: [*names, total], amount: amounts}, {amount: CHANGE}, look.words.sentence("not known"))


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
