"""The laboratory page: one instrument at a time, with its figure, explanation, formula and data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from rnnviz.teaching.glossary import with_indices
from rnnviz.ui.instruments import quick, slow
from rnnviz.ui.instruments.cliff import cliff
from rnnviz.ui.instruments.compare import compare
from rnnviz.ui.instruments.reading import FIGURE_HEIGHT, present
from rnnviz.ui.session import Session
from rnnviz.ui.views import INSTRUMENTS
from rnnviz.ui.widgets import one_of


@dataclass(frozen=True)
class Instrument:
    """A measurement of the gradient.

    draw : shows the result on the page.
    subject : what it measures: "run" (the network as trained so far), "past" (the run's history), "start"
        (initialisation only), or a separate network: "bench" or "unit" (see OWN).
    """

    question: str
    draw: Callable[[Session], None]
    subject: str = "run"


@st.fragment
def _cliff(session: Session) -> None:
    """Show the cliff, which has its own sliders."""
    with session.hand.follows("cliff"):
        present(cliff(session.hand), "cliff", FIGURE_HEIGHT - 58)


DRAWN: dict[str, Instrument] = {
    "compare": Instrument(
        "How much of the error arrives at each step?",
        lambda session: present(compare(session, session.run.state.params), "compare", FIGURE_HEIGHT - 40),
    ),
    "causes": Instrument(
        "Which of the two causes makes it shrink or grow?",
        lambda session: present(quick.causes(session, session.run.state.params), "causes"),
    ),
    "contributions": Instrument(
        "How much does each step contribute to the gradient?",
        lambda session: present(
            quick.contributions(session, session.run.state.params), "contributions", FIGURE_HEIGHT + 18
        ),
    ),
    "spectrum": Instrument(
        "What does W_hh itself allow?",
        lambda session: present(quick.eigenvalues(session, session.run.state.params), "spectrum"),
    ),
    "training": Instrument(
        "What did training do to the gradient?",
        lambda session: present(quick.during_training(session), "training"),
        "past",
    ),
    "seeds": Instrument("Is it luck? The same settings, twenty seeds.", slow.seeds, "start"),
    "border": Instrument("Where does vanishing end and exploding begin?", slow.border, "bench"),
    "cliff": Instrument(
        "How can one update ruin everything?",
        _cliff,
        "unit",
    ),
}
"""The instruments by name; their titles and order are those of ``views.INSTRUMENTS``."""


OWN = {
    "bench": "An isolated layer on random input: of the experiment's settings, only activation and H apply.",
    "unit": "A network of a single unit without input; the experiment's settings do not apply.",
}
"""Notes for instruments that measure a separate network."""


def page(session: Session) -> None:
    """Show the chosen instrument; it is part of the URL."""

    def choose(name: str | None) -> None:
        if name in INSTRUMENTS:
            session.view = replace(session.view, instrument=name)

    shown = session.view.instrument or next(iter(INSTRUMENTS))
    bound = session.widgets.bound("instrument", shown, choose)
    one_of("Instrument", INSTRUMENTS, INSTRUMENTS.__getitem__, **bound)
    instrument = DRAWN[shown]
    question, about = with_indices(instrument.question), _about(session, instrument.subject)
    st.html(f"<p class='story'><b>{question}</b> {about}</p>")
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
