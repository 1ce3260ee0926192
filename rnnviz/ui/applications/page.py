"""The page Real data: choose one, train it, and try it on your own input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape

import streamlit as st

from rnnviz.applications.catalogue import APPLICATIONS, Variant, judge
from rnnviz.applications.forecast import forecast
from rnnviz.experiment import Experiment
from rnnviz.figures.applications.answer import AnswerPicture, Question, narrow_progress
from rnnviz.figures.message import Place
from rnnviz.tasks.topology import TOPOLOGIES
from rnnviz.ui import story
from rnnviz.ui.applications import captions, forecasts, own_network, sentiment, text, translation
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.chunk import Measure
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_panel import RunPanel
from rnnviz.ui.run_registry import RunKey
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme
from rnnviz.ui.views import ADDRESSES, OWN_NETWORK
from rnnviz.ui.widgets import one_of

ANSWER_SECONDS, TIMELINE_SECONDS = 0.1, 0.5
"""While it trains the answer and the timeline are redrawn this often at most."""

ANSWER_HEIGHT, TIMELINE_HEIGHT, PROGRESS_HEIGHT = 330, 350, 240
PROSE_HEIGHT = 66
"""Pixels of the text above the figure where the network writes text; must match style.css."""
LEAST_ANSWER_WIDTH = 640
"""Pixels below which words in the answer would overlap."""


@dataclass(frozen=True)
class Interface:
    """The parts of an application on the page.

    ask : shows the input controls. question : returns the visitor's input as a question to the network.
    variants : returns the available data sets.
    measure : evaluated by the training worker, by default the application's scores.
    """

    ask: Callable[[ApplicationsState, LiveRun], None]
    question: Callable[[ApplicationsState, Experiment], Question]
    variants: Callable[[ApplicationsState], dict[str, Variant]]
    measure: Measure | None = None


def _known(name: str) -> Callable[[ApplicationsState], dict[str, Variant]]:
    return lambda _: APPLICATIONS[name].variants


INTERFACES = {
    "captions": Interface(
        lambda state, _: captions.ask(state), lambda state, _: captions.question(state), _known("captions")
    ),
    "forecasts": Interface(
        lambda state, run: forecasts.ask(state, run.experiment, lambda: run.state.params),
        forecasts.question,
        forecasts.variants,
        forecast,
    ),
    "text": Interface(
        lambda state, run: text.ask(state, run.experiment, lambda: run.state.params),
        text.question,
        text.variants,
    ),
    "sentiment": Interface(
        lambda state, run: sentiment.ask(state, run.experiment),
        sentiment.question,
        _known("sentiment"),
        judge,
    ),
    "translation": Interface(
        lambda state, run: translation.ask(state, run.experiment),
        lambda state, _: translation.question(state),
        _known("translation"),
    ),
}


TITLES = {name: application.title for name, application in APPLICATIONS.items()} | {
    OWN_NETWORK: "Your network"
}
"""The applications, in the order of the buttons."""


def page(session: Session) -> None:
    """Show the chosen application: data set, training, answer, scores and gradient."""
    state = session.applications
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="jobs"):
        story.name("real_data")
        name = _job(session)
        variant = None if name == OWN_NETWORK else _variant(state, name, INTERFACES[name])
    state.opened = state.address(name)
    if session.view.application or state.opened != next(iter(TITLES)):
        session.view = replace(session.view, application=state.opened)
    if variant is None:
        st.html("<p class='story'><b>Your own network.</b> Is its gradient vanishing?</p>")
        own_network.page(session)
        return
    application, desk = APPLICATIONS[name], INTERFACES[name]
    panel = _panel(session, variant, desk.measure or application.measure)
    topology = TOPOLOGIES[variant.experiment.topology].title
    promise, limit = escape(application.promise), escape(f"{application.limit} {variant.limit}".strip())
    st.html(f"<p class='needs'><b>{topology}. {escape(variant.data)}</b> {promise} <span>{limit}</span></p>")
    left, right = st.columns([0.34, 0.66], gap="medium")
    with left:
        with st.container(horizontal=True, gap="small", key="job_bar"):
            panel.play_button("Train", again="Train again")
            panel.reset_button("Back to the untrained network")
        desk.ask(state, panel.run)
    with right, st.container(key="job_answer"):
        _answer(name, desk.question(state, panel.run.experiment), panel, session.view.projector)
    _below(panel, session.view.projector)
    panel.live(session.screen)


def _panel(session: Session, variant: Variant, measure: Measure) -> RunPanel:
    """Return the panel of a data set's run, a new run if there is none."""
    key = RunKey("job", variant.experiment)

    def ending(run: LiveRun) -> LiveRun:
        run.until, run.measure = variant.steps, measure
        return run

    ending(session.runs.open(key, variant.experiment))
    return RunPanel(
        lambda: (session.runs[key],),
        session.widgets,
        lambda: (ending(session.runs.start(key, variant.experiment)),),
        "job_",
    )


def _job(session: Session) -> str:
    """Show and return the choice of application; it is part of the URL, as is the data set."""
    name, variant = ADDRESSES.get(session.view.application, (next(iter(TITLES)), ""))
    if variant and session.view.application != session.applications.opened:
        session.applications.variants[name] = variant
    bound = session.applications.widgets.bound("job", name, lambda wanted: _open_job(session, wanted))
    one_of("Job", TITLES, TITLES.__getitem__, **bound)
    return name


def _open_job(session: Session, wanted: str | None) -> None:
    if wanted in TITLES:
        session.view = replace(session.view, application=session.applications.address(wanted))


def _variant(state: ApplicationsState, name: str, desk: Interface) -> Variant:
    """Show and return the choice of data set; no control if there is only one."""
    known = desk.variants(state)
    chosen = state.variant(name)
    if chosen not in known:
        chosen = next(iter(known))
    if len(known) > 1:

        def choose(variant: str | None) -> None:
            if variant in known:
                state.variants[name] = variant
                state.written = []

        bound = state.widgets.bound(f"variant_{name}", chosen, choose)
        one_of("Data", known, lambda key: known[key].title, **bound)
    return known[chosen]


def _answer(name: str, question: Question, panel: RunPanel, projector: bool) -> None:
    """Show the network's current answer and its scores on held-out data."""
    height = ANSWER_HEIGHT - PROSE_HEIGHT * (name == "text")
    place = Place(f"answer_{name}", height, LEAST_ANSWER_WIDTH, projector)
    draw = AnswerPicture(place, theme(), question, panel.run.until or 0)
    panel.picture(place, draw, seconds=ANSWER_SECONDS, captioned=True, footed=True)
    if panel.run.problem:
        st.html(f"<p class='story notice' role='status'>{escape(panel.run.problem)}</p>")


def _below(panel: RunPanel, projector: bool) -> None:
    """Show the timeline of one example of the task, and the run's progress."""
    # larger text needs the full width
    wide, narrow = (st.container(), st.container()) if projector else st.columns([0.66, 0.34], gap="small")
    with wide:
        st.html("<p class='ask'>The same network on an example of its training data, and its gradient:</p>")
        panel.timeline(TIMELINE_HEIGHT, figures=False, seconds=TIMELINE_SECONDS)
    with narrow:
        panel.progress(PROGRESS_HEIGHT, view=narrow_progress)
