"""The laboratory page: one instrument at a time, with its figure, explanation, formula and data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from rnnviz.tasks import TASKS
from rnnviz.teaching.glossary import with_indices
from rnnviz.ui import controls, story
from rnnviz.ui.controls import EVERYTHING, PICTURE
from rnnviz.ui.instruments import quick, slow
from rnnviz.ui.instruments.cliff import cliff
from rnnviz.ui.instruments.compare import compare
from rnnviz.ui.instruments.directions import directions, lyapunov
from rnnviz.ui.instruments.during import during_training
from rnnviz.ui.instruments.outcome import outcome
from rnnviz.ui.instruments.reading import FIGURE_HEIGHT, present
from rnnviz.ui.session import Session
from rnnviz.ui.views import INSTRUMENTS
from rnnviz.ui.widgets import one_of

LEARNS = EVERYTHING - PICTURE
"""Controls that change a training run."""

STARTS = LEARNS - {"optimizer", "learning_rate", "clip_norm", "truncate", "batch_size"}
"""Controls that change a network's gradient before training and before it is truncated. (It is measured on
sequences of its own.)"""

MATRIX = STARTS - {"seq_len", "noise", "delay", "items", "jitter", "series", "data", "language", "target"}
"""Controls that change W_hh before training, or the activation's largest slope."""


@dataclass(frozen=True)
class Instrument:
    """A measurement of the gradient.

    draw : shows the result on the page.
    subject : what it measures: "run" (the network as trained so far), "past" (the run's history), "start"
        (initialisation only), "length" (before and after training), or a separate network: "bench"
        or "unit" (see OWN).
    useful : the controls in the sidebar that change what is measured (see ``controls.EVERYTHING``).
    """

    question: str
    draw: Callable[[Session], None]
    subject: str = "run"
    useful: frozenset[str] = STARTS


@st.fragment
def _cliff(session: Session) -> None:
    """Show the cliff, which has its own sliders."""
    with session.hand.follows("cliff"):
        present(cliff(session.hand), "cliff", FIGURE_HEIGHT - 58)


DRAWN: dict[str, Instrument] = {
    "compare": Instrument(
        "How much of the error arrives at each step?",
        lambda session: present(compare(session, session.run.state.params), "compare", FIGURE_HEIGHT - 40),
        useful=STARTS | {"relative", "truncate"},
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
        useful=STARTS | {"truncate"},
    ),
    "spectrum": Instrument(
        "What does W_hh itself allow?",
        lambda session: present(quick.eigenvalues(session, session.run.state.params), "spectrum"),
        useful=MATRIX,
    ),
    "directions": Instrument(
        "In how many directions of the state does an error get back?",
        lambda session: present(directions(session.experiment, session.run.state.params), "directions"),
    ),
    "lyapunov": Instrument(
        "Do small differences grow or die out in the long run?",
        lambda session: present(lyapunov(session, session.run.state.params), "lyapunov"),
    ),
    "training": Instrument(
        "What did training do to the gradient?",
        during_training,
        "past",
        useful=LEARNS,
    ),
    "seeds": Instrument("Is it luck? The same settings, twenty seeds.", slow.seeds, "start"),
    "outcome": Instrument(
        "Does the gradient matter? What training achieves at each length.",
        outcome,
        "length",
        useful=LEARNS - {"cell", "init", "gain", "activation", "seq_len"},
    ),
    "border": Instrument(
        "Where does vanishing end and exploding begin?",
        slow.border,
        "bench",
        useful=frozenset({"activation", "hidden_size"}),
    ),
    "cliff": Instrument("How can one update ruin everything?", _cliff, "unit", useful=frozenset()),
}
"""The instruments by name; their titles and order are those of ``views.INSTRUMENTS``."""


OWN = {
    "bench": "A single layer on random input: of the settings, only activation and H apply.",
    "unit": "A network of a single unit without input; the settings do not apply.",
}
"""Notes for instruments that measure a separate network."""


def page(session: Session) -> None:
    """Show the chosen instrument; it is part of the URL."""

    def choose(name: str | None) -> None:
        if name in INSTRUMENTS:
            session.view = replace(session.view, instrument=name)

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="instruments"):
        story.name("laboratory")
        bound = session.widgets.bound("instrument", _shown(session), choose)
        one_of("Instrument", INSTRUMENTS, INSTRUMENTS.__getitem__, **bound)
    instrument = DRAWN[_shown(session)]
    question, about = with_indices(instrument.question), _about(session, _subject(instrument))
    st.html(f"<p class='story'><b>{question}</b> {about}</p>")
    instrument.draw(session)


def _shown(session: Session) -> str:
    return session.view.instrument or next(iter(INSTRUMENTS))


def useful_controls(session: Session) -> frozenset[str]:
    """Return the controls in the sidebar that change what the chosen instrument shows."""
    instrument = DRAWN[_shown(session)]
    return LEARNS if _trains_seeds(instrument) else instrument.useful


def sidebar(session: Session) -> None:
    """Show the useful controls, or say where others are: the sidebar keeps its place."""
    useful = useful_controls(session)
    controls.sidebar(session, useful)
    if not useful:
        st.sidebar.caption("This instrument has its own settings, above the figure.")


def _trains_seeds(instrument: Instrument) -> bool:
    return instrument.draw is slow.seeds and slow.trains_seeds()


def _subject(instrument: Instrument) -> str:
    """Return what is measured; of seeds that are trained it is the metric."""
    return "metric" if _trains_seeds(instrument) else instrument.subject


def _about(session: Session, subject: str) -> str:
    """Return a sentence on what is measured: which weights, or when."""
    if subject in OWN:
        return OWN[subject]
    if subject == "metric":
        title = TASKS[session.experiment.task].metric.title
        return f"{title[0].upper()}{title[1:]} during training."
    if subject == "length":
        return "The gradient before training, and success after it."
    steps = session.run.state.step if subject in ("run", "past") else 0
    if subject == "past" and not steps:
        return ""
    updates = "1 update" if steps == 1 else f"{steps:,} updates"
    return f"Weights after {updates}." if steps else "Weights before training."
