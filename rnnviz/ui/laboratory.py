"""The gradient laboratory on the page: one instrument at a time, with its reading, formula and data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from rnnviz.ui import quick_instruments as quick
from rnnviz.ui import slow_instruments as slow
from rnnviz.ui.reading import FIGURE_HEIGHT, present
from rnnviz.ui.visit import Visit


@dataclass(frozen=True)
class Instrument:
    """One way to look at the gradient.

    draw : puts the reading on the page.
    untrained : it looks at initialisation only, whatever was trained.
    """

    title: str
    question: str
    draw: Callable[[Visit], None]
    untrained: bool = False


INSTRUMENTS: dict[str, Instrument] = {
    "curve": Instrument(
        "Curve",
        "How much of the error arrives at each step?",
        lambda visit: present(quick.curve(visit, visit.run.state.params), "curve", FIGURE_HEIGHT - 40),
    ),
    "why": Instrument(
        "Why",
        "Which of the two causes makes it shrink or grow?",
        lambda visit: present(quick.why(visit, visit.run.state.params), "why"),
    ),
    "triangle": Instrument(
        "Triangle",
        "Which output asks what of which step?",
        lambda visit: present(quick.itemised(visit, visit.run.state.params), "triangle"),
    ),
    "spectrum": Instrument(
        "Spectrum",
        "What does W_hh itself allow?",
        lambda visit: present(quick.eigenvalues(visit, visit.run.state.params), "spectrum"),
    ),
    "training": Instrument(
        "Over training",
        "What did training do to the gradient?",
        lambda visit: present(quick.over_training(visit), "training"),
    ),
    "seeds": Instrument("Seeds", "Is it luck? The same choices, twenty seeds.", slow.seeds, untrained=True),
    "phase": Instrument("Phase diagram", "Where is the border?", slow.phase, untrained=True),
}
"""The instruments by name, in the order of the buttons."""


def page(visit: Visit) -> None:
    """Choose an instrument, measure, show."""
    chosen = st.segmented_control(
        "Instrument",
        list(INSTRUMENTS),
        format_func=lambda name: INSTRUMENTS[name].title,
        default="curve",
        required=True,
        key="instrument",
        label_visibility="collapsed",
    )
    instrument = INSTRUMENTS[chosen or "curve"]
    trained = 0 if instrument.untrained else visit.run.state.step
    weights = f"after {trained:,} training steps" if trained else "before training"
    st.html(f"<p class='story'><b>{instrument.question}</b> Weights {weights}.</p>")
    instrument.draw(visit)
