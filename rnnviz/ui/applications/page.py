"""The page Applications: choose one, train it, and try it on your own input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import streamlit as st

from rnnviz.applications.catalogue import APPLICATIONS, Score, Variant, judge
from rnnviz.applications.forecast import forecast
from rnnviz.experiment import Experiment
from rnnviz.figures import Progress
from rnnviz.figures.run_pictures import Moment
from rnnviz.model.network import Params
from rnnviz.tasks import TASKS
from rnnviz.tasks.topology import TOPOLOGIES
from rnnviz.training.state import TrainingState
from rnnviz.ui.applications import captions, forecasts, sentiment, text, translation
from rnnviz.ui.applications.answer import Answer
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.chunk import Measure
from rnnviz.ui.instruments import own
from rnnviz.ui.live_figure import show
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_panel import RunPanel
from rnnviz.ui.run_registry import RunKey
from rnnviz.ui.session import Session
from rnnviz.ui.views import ADDRESSES, OWN_NETWORK

TICK_SECONDS, LOWER_TICK_SECONDS = 0.15, 0.5
ANSWER_HEIGHT, TIMELINE_HEIGHT, PROGRESS_HEIGHT = 330, 350, 240
PROSE_HEIGHT = 80
"""Pixels of a longer answer above its figure."""
LEAST_ANSWER_WIDTH = 640
"""Pixels below which words in the answer would overlap."""


@dataclass(frozen=True)
class Interface:
    """The parts of an application on the page.

    ask : shows the input controls. answer : returns the network's answer.
    variants : returns the available data sets.
    measure : evaluated by the training worker, by default the application's scores.
    scores : returns the scores from that measurement. more : returns HTML below the answer from it.
    """

    ask: Callable[[ApplicationsState, LiveRun], None]
    answer: Callable[[ApplicationsState, Experiment, Moment], Answer]
    variants: Callable[[ApplicationsState], dict[str, Variant]]
    measure: Measure | None = None
    scores: Callable[[ApplicationsState, Experiment, Any], list[Score]] = lambda _, __, measured: measured
    more: Callable[[Any], str] | None = None


def _known(name: str) -> Callable[[ApplicationsState], dict[str, Variant]]:
    return lambda _: APPLICATIONS[name].variants


def _by_weights(
    answer: Callable[[ApplicationsState, Experiment, Params], Answer],
) -> Callable[[ApplicationsState, Experiment, Moment], Answer]:
    """Adapt an answer that needs only the weights; it is computed in the page's process, being quick."""
    return lambda state, e, look: answer(state, e, look.state.params)


INTERFACES = {
    "captions": Interface(
        lambda state, _: captions.ask(state), _by_weights(captions.answer), _known("captions")
    ),
    "forecasts": Interface(
        lambda state, run: forecasts.ask(state, run.experiment, lambda: run.state.params),
        lambda state, e, look: forecasts.answer(state, e, look.measured),
        forecasts.variants,
        forecast,
        forecasts.scores,
    ),
    "text": Interface(
        lambda state, run: text.ask(state, run.experiment, lambda: run.state.params),
        _by_weights(text.answer),
        text.variants,
    ),
    "sentiment": Interface(
        lambda state, run: sentiment.ask(state, run.experiment),
        _by_weights(sentiment.answer),
        _known("sentiment"),
        judge,
        lambda _, __, judgement: judgement.scores,
        sentiment.failures,
    ),
    "translation": Interface(
        lambda state, run: translation.ask(state, run.experiment),
        _by_weights(translation.answer),
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
        name = _job(session)
        variant = None if name == OWN_NETWORK else _variant(state, name, INTERFACES[name])
    state.opened = state.address(name)
    if session.view.application or state.opened != next(iter(TITLES)):
        session.view = replace(session.view, application=state.opened)
    if variant is None:
        st.html("<p class='story'><b>Your own network.</b> Is its gradient vanishing?</p>")
        own.own(session)
        return
    application, desk = APPLICATIONS[name], INTERFACES[name]
    panel = _panel(session, variant, desk.measure or application.measure)
    topology = TOPOLOGIES[variant.experiment.topology].title
    promise, limit = escape(application.promise), escape(application.limit)
    st.html(f"<p class='needs'><b>{topology}.</b> {promise} <span>{limit}</span></p>")
    left, right = st.columns([0.34, 0.66], gap="medium")
    with left:
        with st.container(horizontal=True, gap="small", key="job_bar"):
            panel.play_button("Train", again="Train again")
            panel.reset_button("Back to the untrained network")
        desk.ask(state, panel.run)
    with right:
        panel.repeat(
            "answer",
            TICK_SECONDS,
            lambda: _answer(name, state, panel.run, desk),
            also=lambda: name == "text" and state.writing,
        )
    panel.repeat("below", LOWER_TICK_SECONDS, lambda: _below(panel, session.view.projector))


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
    st.segmented_control(
        "Job",
        list(TITLES),
        format_func=TITLES.__getitem__,
        required=True,
        label_visibility="collapsed",
        **bound,
    )
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
                state.written, state.writing = [], False

        st.segmented_control(
            "Data",
            list(known),
            format_func=lambda key: known[key].title,
            required=True,
            label_visibility="collapsed",
            **state.widgets.bound(f"variant_{name}", chosen, choose),
        )
    return known[chosen]


def _answer(name: str, state: ApplicationsState, run: LiveRun, desk: Interface) -> None:
    """Show the network's current answer and its scores on held-out data."""
    look, e = run.look(), run.experiment
    found = desk.answer(state, e, look)
    trained = (
        f"after {look.state.step:,} of {run.until or 0:,} updates"
        if look.state.step
        else "untrained: press Train"
    )
    caption = f"<div class='numbers'><span>{found.words}</span><span>{trained}</span></div>"
    if found.prose:
        st.html(found.prose)
    show(
        found.figure,
        key=f"answer_{name}",
        label=found.label,
        height=ANSWER_HEIGHT - PROSE_HEIGHT * bool(found.prose),
        caption=caption,
        least_width=LEAST_ANSWER_WIDTH,
    )
    scores = " · ".join(_in_words(score) for score in desk.scores(state, e, look.measured))
    st.html(f"<p class='outcome scores'>{scores}</p>")
    if run.problem:
        st.html(f"<p class='story notice' role='status'>{escape(run.problem)}</p>")
    if desk.more is not None:
        st.html(desk.more(look.measured))


def _in_words(score: Score) -> str:
    """Return a score and its baselines as HTML."""
    others = "; ".join(f"{name}: {score.write(value)}" for name, value in score.others.items())
    compared = f" <span>({escape(others)})</span>" if others else ""
    counted = f", {round(score.value * score.of)} of {score.of}" if score.of else ""
    return f"{escape(score.name)} <b>{score.write(score.value)}</b>{counted}{compared}"


def _below(panel: RunPanel, projector: bool) -> None:
    """Show the timeline of one example of the task, and the run's progress."""
    # larger text needs the full width
    wide, narrow = (st.container(), st.container()) if projector else st.columns([0.66, 0.34], gap="small")
    with wide:
        st.html("<p class='ask'>The same network on an example of its training data, and its gradient:</p>")
        panel.timeline(TIMELINE_HEIGHT, figures=False)
    with narrow:
        panel.progress(PROGRESS_HEIGHT, view=_progress)


def _progress(e: Experiment, state: TrainingState) -> Progress:
    """Return the progress for a narrow panel, with a metric name that differs from the scores above."""
    series = e.task in ("sunspots", "series")
    measured = Progress.of(e, state)
    title = "error, each window" if series else f"{TASKS[e.task].measured_on(e)}, each step"
    return replace(measured, guess="", level="naive" if series else "chance", metric_title=title)
