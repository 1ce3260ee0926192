"""A bar to step through something: Back, Next and a slider."""

from __future__ import annotations

import streamlit as st

from rnnviz.ui.hand import Hand


def step_bar(hand: Hand, key: str, names: dict[int, str], label: str) -> int:
    """Show the bar; return the current position.

    names : of the positions, in order, from 0. label : of the slider, for screen readers.
    """
    last = len(names) - 1
    here = min(max(int(st.session_state.get(key, 0)), 0), last)

    def go(to: int) -> None:
        st.session_state[key] = to

    st.button(
        "Back",
        icon=":material/arrow_back:",
        shortcut="J",
        on_click=go,
        args=(here - 1,),
        disabled=here == 0,
        key=f"{key}_back",
    )
    st.button(
        "Next",
        icon=":material/arrow_forward:",
        type="primary",
        shortcut="K",
        on_click=go,
        args=(here + 1,),
        disabled=here == last,
        key=f"{key}_next",
    )
    return hand.select_slider(
        label,
        list(names),
        format_func=names.__getitem__,
        key=key,
        label_visibility="collapsed",
        persist_state="session",
    )
