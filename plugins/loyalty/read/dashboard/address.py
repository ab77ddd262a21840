"""What a reader chose is in the address of the page: it outlives a reload, and can be kept and sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from loyalty.read.dashboard.parts import as_written
from loyalty.read.words import Words

UNCHOSEN = ""


def start_from_address(name: str, options: Sequence[str]) -> None:
    """Give a widget that is new on the page its value from the address, or else the first of its options.

    What the address asks for and is no option is kept for `say_not_known`.
    """
    asked = st.query_params.get(name, UNCHOSEN)
    if name not in st.session_state and asked and asked not in options:
        st.session_state[_not_known(name)] = asked
    if st.session_state.get(name) not in options:
        st.session_state[name] = asked if asked in options else options[0]
    if st.session_state[name] != options[0]:
        st.session_state.pop(_not_known(name), None)


def say_not_known(words: Words, widgets: Mapping[str, tuple[str, str]]) -> None:
    """Say what the address asked for and is not known, until the reader chooses something in its place.

    `widgets` have the label of each name, and what is shown where nothing is chosen.
    """
    for name, (label, instead) in widgets.items():
        if asked := st.session_state.get(_not_known(name)):
            sentence = words.sentence("{0} = {1} in the address is not known. Shown instead: {2}.")
            st.warning(as_written(sentence.format(words(label), asked, words(instead))))


def forget_not_known(names: Sequence[str]) -> None:
    """Say no longer what the address asked for."""
    for name in names:
        st.session_state.pop(_not_known(name), None)


def write_address(names: Sequence[str], defaults: dict[str, str]) -> None:
    """Put what is chosen into the address; what is as it is without a choice stays out."""
    values = {name: st.session_state.get(name) for name in names}
    st.query_params.from_dict(
        {name: value for name, value in values.items() if value and value != defaults.get(name, UNCHOSEN)}
    )


def _not_known(name: str) -> str:
    return f"not-known-{name}"
