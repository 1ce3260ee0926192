"""A figure in a fragment and one outside, with buttons that rerun the one, or both."""

import time

import numpy as np
import streamlit as st

from rnnviz.ui import style
from rnnviz.ui.live_figure import show

style.inject(projector=False)
st.button("Rerun everything")
if st.button("Rerun slowly"):
    time.sleep(1.5)
shown = st.toggle("Show", value=True)
drawing = st.session_state.setdefault("drawing", 0)


@st.fragment
def wave() -> None:
    st.button("Rerun the fragment")
    st.session_state.drawing += 1
    t = np.arange(50)
    line = {"type": "scatter", "x": t, "y": np.sin(t + st.session_state.drawing)}
    heat = {"type": "heatmap", "z": np.outer(np.ones(4), np.cos(t)).astype(np.float32), "yaxis": "y2"}
    layout = {"title": {"text": f"drawing {st.session_state.drawing}"}, "yaxis": {"domain": [0, 0.5]}}
    show(
        {"data": [line, heat], "layout": layout | {"yaxis2": {"domain": [0.6, 1]}}},
        key="wave",
        label="A wave, 50 steps long",
        height=300,
    )


if shown:
    wave()

still = {"data": [], "layout": {"title": {"text": f"drawn for {st.context.theme.type}"}}}
show(still, key="still", label="A still figure", height=100)
