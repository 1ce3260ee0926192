"""One figure in a ticking fragment, and controls that rerun the page around it."""

import numpy as np
import streamlit as st

from rnnviz.ui import style
from rnnviz.ui.live_figure import settle, show

style.inject(projector=False)
st.button("Rerun everything")
shown = st.toggle("Show", value=True)
tick = st.session_state.setdefault("tick", 0)


@st.fragment(run_every=0.1)
def live() -> None:
    st.session_state.tick += 1
    t = np.arange(50)
    line = {"type": "scatter", "x": t, "y": np.sin(t + st.session_state.tick)}
    heat = {"type": "heatmap", "z": np.outer(np.ones(4), np.cos(t)).astype(np.float32), "yaxis": "y2"}
    layout = {"title": {"text": f"tick {st.session_state.tick}"}, "yaxis": {"domain": [0, 0.5]}}
    show(
        {"data": [line, heat], "layout": layout | {"yaxis2": {"domain": [0.6, 1]}}},
        key="wave",
        label="A wave, 50 steps long",
        height=300,
    )


if shown:
    live()

still = {"data": [], "layout": {"title": {"text": f"drawn for {st.context.theme.type}"}}}
show(still, key="still", label="A figure that does not tick", height=100)
settle()
