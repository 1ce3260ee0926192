"""Captions: the network spells the name of a digit that the visitor draws."""

from __future__ import annotations

from typing import cast

import numpy as np
import streamlit as st

from rnnviz.applications.passage import pass_through
from rnnviz.experiment import Experiment
from rnnviz.figures.passage import BACK, Written, written_spec
from rnnviz.model.arrays import Array
from rnnviz.model.network import Params
from rnnviz.tasks import TASKS
from rnnviz.tasks.captions import Captions
from rnnviz.tasks.digits import HELD_OUT, digits
from rnnviz.ui.applications.answer import Answer
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.pixel_pad import pixel_pad
from rnnviz.ui.style import theme
from rnnviz.ui.widgets import pressed


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
        + (f"Never trained on: a handwritten {state.label}." if known else "As you drew it.")
        + " Draw on it.</p>"
    )
    pixel_pad(state.image, key="captions_pad", on_change=draw)
    st.button("Another digit", icon=":material/shuffle:", on_click=pressed(another), key="another_digit")


def answer(state: ApplicationsState, e: Experiment, params: Params) -> Answer:
    """Return the letters and their probabilities."""
    task = cast(Captions, TASKS[e.task])
    seen = pass_through(e, params, task.inputs(e, state.image[None]))
    signs = task.signs(e)
    wanted = None
    if state.label is not None:
        name = task.spelled(e, [task.names(e)[state.label]])[:, 0]
        wanted = [signs[i] for i in name]
    reads = ["image"] + [BACK] * (e.seq_len - 1)
    view = Written(reads, seen.hidden, seen.probabilities, np.ones(e.seq_len, bool), signs, wanted)
    said = "".join(task.read_off(e, seen.probabilities[:, None])[0])
    label = f"The network spells “{said}”; how sure it is of each letter, and its hidden states"
    told = f"It writes: <b>{said}</b>" if said else "It writes no letters, only the end mark ·"
    return Answer(written_spec(view, theme()), label, told)
