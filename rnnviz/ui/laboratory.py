"""The laboratory page: one instrument at a time, with its figure, explanation, formula and data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from rnnviz.ui.instruments import quick, slow
from rnnviz.ui.instruments.cliff import cliff
from rnnviz.ui.instruments.compare import curve
from rnnviz.ui.applications.own_network import own
from rnnviz.ui.instruments.reading import FIGURE_HEIGHT, present
from rnnviz.ui.session import Session


@dataclass(frozen=True)
class Instrument:
    """A measurement of the gradient.

    draw : shows the result on the page.
    subject : what it measures: "run" (the network as trained so far), "past" (the run's history), "start"
        (initialisation only), or a separate network: "bench", "unit" or "own_network" (see OWN).
    """

    title: str
    question: str
    draw: Callable[[Session], None]
    subject: str = "run"


INSTRUMENTS: dict[str, Instrument] = {
    "curve": Instrument(
        "Curve",
        "How much of the error arrives at each step?",
        lambda session: present(curve(session, session.run.state.params), "curve", FIGURE_HEIGHT - 40),
    ),
    "why": Instrument(
        "Why",
        "Which of the two causes makes it shrink or grow?",
        lambda session: present(quick.why(session, session.run.state.params), "why"),
    ),
    "triangle": Instrument(
        "Triangle",
        "How much does each step contribute to the gradient?",
        lambda session: present(
            quick.itemised(session, session.run.state.params), "triangle", FIGURE_HEIGHT + 18
        ),
    ),
    "spectrum": Instrument(
        "Spectrum",
        "What does W_hh itself allow?",
        lambda session: present(quick.eigenvalues(session, session.run.state.params), "spectrum"),
    ),
    "training": Instrument(
        "Over training",
        "What did training do to the gradient?",
        lambda session: present(quick.over_training(session), "training"),
        "past",
    ),
    "seeds": Instrument("Seeds", "Is it luck? The same settings, twenty seeds.", slow.seeds, "start"),
    "phase": Instrument("Phase diagram", "Where is the border?", slow.phase, "bench"),
    "cliff": Instrument(
        "Cliff",
        "How can one update ruin everything?",
        lambda _: present(cliff(), "cliff", FIGURE_HEIGHT - 44),
        "unit",
    ),
    "own": Instrument("Your network", "Is my network's gradient vanishing?", own, "own_network"),
}
"""The instruments by name, in the order of the buttons."""


OWN = {
    "bench": "An isolated layer on random input: of the experiment's settings, only activation and H apply.",
    "unit": "A network of a single unit without input; the experiment's settings do not apply.",
    "own_network": "The weights in the file that you upload; until then, the playground's.",
}
"""Notes for instruments that measure a separate network."""


def page(session: Session) -> None:
    """Show the chosen instrument."""
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
    st.html(f"<p class='story'><b>{instrument.question}</b> {_about(session, instrument.subject)}</p>")
    instrument.draw(session)


def _about(session: Session, subject: str) -> str:
    """Return a sentence on which weights are measured."""
    if subject in OWN:
        return OWN[subject]
    steps = session.run.state.step if subject in ("run", "past") else 0
    if subject == "past" and not steps:
        return ""
    updates = "1 training step" if steps == 1 else f"{steps:,} training steps"
    return f"Weights after {updates}." if steps else "Weights before training."
