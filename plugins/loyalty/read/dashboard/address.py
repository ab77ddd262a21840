"""What a reader chose is in the address of the page: it outlives a reload, and can be kept and sent."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

UNCHOSEN = ""


def start_from_address(name: str, options: Sequence[str]) -> None:
    """Give a widget that is new on the page its value from the address, or else the first of its options."""
    if st.session_state.get(name) not in options:
        asked = st.query_params.get(name, UNCHOSEN)
        st.session_state[name] = asked if asked in options else options[0]


def write_address(names: Sequence[str], defaults: dict[str, str]) -> None:
    """Put what is chosen into the address; what is as it is without a choice stays out."""
    values = {name: st.session_state.get(name) for name in names}
    st.query_params.from_dict(
        {name: value for name, value in values.items() if value and value != defaults.get(name, UNCHOSEN)}
    )
