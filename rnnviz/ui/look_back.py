"""The slider under a run's timeline: it moves all pictures of the run back and forth through its training.

Values go over the live channel, one at a time: the next is sent when the picture of the last one has come.
On its release, or a key's, the page's script draws the state that is shown, with all that is said of it.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.page_turn import ASKING

HEIGHT = 24
"""Pixels of the slider."""

_component = st.components.v2.component(
    "rnnviz_look_back",
    js=ASKING + Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def slider(run: LiveRun, picture: str, page: int) -> None:
    """Show the slider of a run that stands still; while it plays, only its place is kept.

    picture : the key of one of the run's live pictures. page : the number of the page that is being drawn.
    """
    told = {
        "picture": picture,
        "page": page,
        "run": run.id,
        "step": run.state.step,
        "end": run.keyframes.newest.step,
        "kept": run.keyframes.steps if run.keyframes.spacing > 1 else [],
        "playing": run.plays_on,
    }
    _component(key=f"look_back_{picture}", data=told, height=HEIGHT, on_looked_change=_nothing)


def _nothing() -> None:
    """Do nothing: the rerun draws the state that the run shows by now."""
