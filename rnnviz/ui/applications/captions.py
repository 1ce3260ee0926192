"""Captions: the network spells the name of a digit that the visitor draws."""

from __future__ import annotations

import streamlit as st

from rnnviz.figures.applications.captions import DrawnImage
from rnnviz.model.arrays import Array
from rnnviz.tasks.digits import HELD_OUT, digits
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.pixel_pad import pixel_pad


def ask(state: ApplicationsState) -> None:
    """Show the drawing pad and a button for another held-out image."""

    def draw(image: Array) -> None:
        state.image, state.label = image, None

    def another() -> None:
        state.images_seen += 1
        row = len(digits()[1]) - HELD_OUT + 7 * state.images_seen % HELD_OUT
        state.image, state.label = digits()[0][row], int(digits()[1][row])

    known = state.label is not None
    st.html(
        "<p class='ask'><b>The image.</b> "
        + (f"A handwritten {state.label} that it has never seen." if known else "As you drew it.")
        + " You can draw on it.</p>"
    )
    pixel_pad(state.image, key="captions_pad", on_change=draw)
    st.button("Another digit", icon=":material/shuffle:", on_click=another, key="another_digit")


def question(state: ApplicationsState) -> DrawnImage:
    """Return the image as a question."""
    return DrawnImage(tuple(state.image.tolist()), state.label)
