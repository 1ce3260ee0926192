"""The tour on the home page: predict, see a network fail, cure it, and see why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from math import inf

import streamlit as st

from rnnviz.figures.tour_pictures import StripPicture, TourPicture, decay_message
from rnnviz.teaching.glossary import explain, with_indices
from rnnviz.teaching.lessons.outcome import Outcome, size
from rnnviz.teaching.tour import (
    ANSWERS,
    CANDIDATES,
    CURE,
    CURE_TITLE,
    EXPLAINED,
    FINDINGS,
    LSTM,
    LSTM_IDEA,
    LSTM_TITLE,
    ON_TITLE,
    ORTHOGONAL,
    QUESTION,
    QUESTION_TITLE,
    RIGHT,
    SMALL,
    STAGES,
    UPDATES,
    WHY_TITLE,
    Candidate,
    factor_of,
    told,
    why,
)
from rnnviz.ui import story
from rnnviz.ui.catalogue import ENTRIES
from rnnviz.ui.live_figure import send
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.ribbon import of_experiment
from rnnviz.ui.run_panel import LEAST_LOWER_WIDTH, RunPanel
from rnnviz.ui.run_registry import RunKey
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme
from rnnviz.ui.tour_progress import TourProgress

SPEED = 50.0
"""Updates per second: each run takes four seconds."""

WORDS = 0.36
"""Share of the width for the text."""

HEIGHT = 588
"""Pixels of all pictures of a stage: they fill one screen."""
STRIP_HEIGHT, DECAY_HEIGHT = 108, 480
LEAST_STRIP_WIDTH = 480
"""Pixels below which the states of a strip would overlap."""

PLACE = "tour"

NETWORKS = {"cure": (SMALL, ORTHOGONAL), "lstm": tuple(CANDIDATES.values())}
"""The networks of the stages that train one as soon as they are opened: the last, beside those before."""

HOME = ""
"""In place of a stage: the first screen."""


def page(session: Session) -> None:
    """Show the stage that is open; a link may open any of them."""
    session.tour.at = session.view.tour
    for candidate in NETWORKS.get(session.view.tour, ()):
        if RunKey(PLACE, candidate.name) not in session.runs:
            _begin(session, candidate)
            if candidate is not NETWORKS[session.view.tour][-1]:
                _skip(_run(session, candidate))
    stages: dict[str, Callable[[Session], None]] = {
        "question": _question,
        "cure": _cure,
        "why": _why,
        "lstm": _lstm,
        "on": _on,
    }
    stages[session.view.tour](session)


def start_button(session: Session) -> None:
    """Show the button that opens the tour, where it was left."""
    at = session.tour.at
    place = f"{STAGES.index(at) + 1} of {len(STAGES)}" if at else ""
    st.button(
        f"Continue the tour ({place})" if at else "Start here: a three-minute tour",
        icon=":material/play_arrow:",
        type="primary",
        on_click=turn,
        args=(session, at or STAGES[0]),
        key="tour_start",
    )


# ---------------------------------------------------------------- the stages


def _question(session: Session) -> None:
    """Ask what will happen; then show the first network train and fail."""
    words, picture = _columns()
    given = session.tour.given
    with words:
        _head(session, QUESTION_TITLE, QUESTION)
        if given is None:
            for number, answer in enumerate(ANSWERS):
                st.button(
                    answer,
                    on_click=_commit,
                    args=(session, number),
                    width="stretch",
                    key=f"tour_answer_{number}",
                )
        else:
            _answered(given, _run(session, SMALL).ended)
            _outcome(session, SMALL, "one change that helps", "cure")
    with picture:
        if given is None:
            _cover()
            return
        _side_by_side(session, (SMALL,))


def _cure(session: Session) -> None:
    """Show the second network train, beside what the first one did."""
    words, picture = _columns()
    with words:
        _head(session, CURE_TITLE, CURE)
        _outcome(session, ORTHOGONAL, "why it helps", "why")
    with picture:
        _side_by_side(session, NETWORKS["cure"])


def _why(session: Session) -> None:
    """Show the factor of each step back, and what many of them make of the error."""
    words, picture = _columns()
    with words:
        _head(session, WHY_TITLE, why())
        _on_button(session, "an LSTM", "lstm")
    with picture:
        st.latex(
            r"\frac{\partial L}{\partial h_{t-1}}"
            r"=\Big(\frac{\partial L}{\partial h_t}\odot\tanh'(a_t)\Big)\,W_{hh}^\top"
        )
        panel = _panel(session, ())
        place = panel.place("decay", DECAY_HEIGHT, LEAST_LOWER_WIDTH)
        send(place, decay_message(place, theme()))


def _lstm(session: Session) -> None:
    """Show the third network train, beside the first two."""
    words, picture = _columns()
    with words:
        _head(session, LSTM_TITLE, LSTM_IDEA)
        _outcome(session, LSTM, "summary", "on")
    with picture:
        _side_by_side(session, NETWORKS["lstm"])


def _on(session: Session) -> None:
    """Show what was found, and where to go on."""
    words, picture = _columns()
    with words:
        _head(session, ON_TITLE, "")
        st.html(f"<ul class='findings'>{''.join(f'<li>{_text(line)}</li>' for line in FINDINGS)}</ul>")
        with st.container(key="doors", gap="xsmall"):
            story.door(session, "why", "Learn step by step")
            story.door(session, "lessons", "Lessons: predict, then see")
            story.door(session, "playground", "Playground: make this network learn", SMALL.experiment)
            story.door(session, "real_data", f"{ENTRIES['real_data'].title}: try your own data, too")
        with st.container(horizontal=True, gap="small"):
            st.button("Home", icon=":material/home:", on_click=turn, args=(session, HOME), key="tour_home")
            st.button(
                "Take the tour again",
                icon=":material/replay:",
                type="tertiary",
                on_click=_start_over,
                args=(session,),
                key="tour_again",
            )
    with picture:
        for candidate in CANDIDATES.values():
            e, factor = candidate.experiment, factor_of(candidate.experiment)
            kept, left = factor.in_digits, size(factor.left)
            st.html(
                f"<div class='found'><p><b>{_text(candidate.title)}</b>: before training, each step back "
                f"keeps {kept} of the error, and {left} reaches step 1</p>{of_experiment(e, theme())}"
                f"<p class='seeds'>Learned it within {UPDATES} updates: {candidate.record.learned}</p></div>"
            )


# ---------------------------------------------------------------- their parts


def _columns() -> tuple[st.delta_generator.DeltaGenerator, st.delta_generator.DeltaGenerator]:
    words, picture = st.columns([WORDS, 1.0 - WORDS], gap="medium")
    return (
        words.container(key="tour_words", gap="small"),
        picture.container(key="tour_picture", gap="xsmall"),
    )


def _head(session: Session, title: str, text: str) -> None:
    """Show the way back, the place in the tour, and what the stage is about."""
    number = STAGES.index(session.view.tour)
    with st.container(horizontal=True, vertical_alignment="center", key="tour_way"):
        before = STAGES[number - 1] if number else HOME
        st.button(
            "Back",
            icon=":material/arrow_back:",
            type="tertiary",
            on_click=turn,
            args=(session, before),
            key="tour_back",
        )
        st.html(f"<p class='stage'>{number + 1} of {len(STAGES)}</p>", width="content")
    st.html(f"<h1 class='title'>{_text(title)}</h1><p class='idea'>{_text(text)}</p>")


def _answered(given: int, ended: bool) -> None:
    """Show the visitor's answer and, once the run has ended, whether it was right."""
    verdict = ""
    if ended:
        right = given == RIGHT
        verdict = f" <b class='{'right' if right else 'wrong'}'>{'✓ Right.' if right else '✗ Wrong.'}</b>"
    st.html(f"<p class='given'>Your answer: “{_text(ANSWERS[given])}.”{verdict}</p>")


def _outcome(session: Session, candidate: Candidate, promise: str, following: str) -> None:
    """Show what became of a network, and the button to the next stage; before, how to get there sooner."""
    run = _run(session, candidate)
    if not run.ended:
        _training(run)
        return
    now = run.moment()
    text = told(candidate, Outcome(run.experiment, now.state, now.initial, now.snapshot))
    seeds = f"Learned within {UPDATES} updates: {candidate.record.learned}."
    st.html(f"<div class='why' role='status'>{_text(text)}</div><p class='seeds'>{seeds}</p>")
    _on_button(session, promise, following)


def _training(run: LiveRun) -> None:
    problem = f" {escape(run.problem)}" if run.problem else ""
    st.html(
        f"<p class='running' role='status'>The network is training: {UPDATES} updates. Watch.{problem}</p>"
    )
    if run.playing:
        st.button(
            "Skipping…" if _skipped(run) else "Skip to the end",
            icon=":material/fast_forward:",
            on_click=_skip,
            args=(run,),
            disabled=_skipped(run),
            key="tour_skip",
        )
    else:
        st.button("Continue", type="primary", on_click=run.play, key="tour_continue")


def _on_button(session: Session, promise: str, following: str) -> None:
    st.button(
        f"Next: {promise}",
        type="primary",
        icon=":material/arrow_forward:",
        on_click=turn,
        args=(session, following),
        key="tour_on",
    )


def _cover() -> None:
    st.html(
        f"<div class='cover' style='min-height:{HEIGHT}px'><b>■ · · · · · → ?</b>"
        "<p>Commit to an answer.<br>Then the network trains.</p></div>"
    )


def _side_by_side(session: Session, shown: Sequence[Candidate]) -> None:
    """Show the networks' ribbons one above the other, and their accuracy in one picture."""
    panel = _panel(session, shown)
    for number, candidate in enumerate(shown):
        _strip(panel, candidate, number)
    _progress(panel, shown[-1], HEIGHT - len(shown) * STRIP_HEIGHT)
    panel.live(session.screen)


def _strip(panel: RunPanel, candidate: Candidate, number: int) -> None:
    place = panel.place(f"strip_{candidate.name}", STRIP_HEIGHT, LEAST_STRIP_WIDTH)
    seconds = inf if _skipped(panel.runs[number]) else 0.0
    panel.picture(place, StripPicture(place, theme(), candidate.name), seconds=seconds, run=number)


def _progress(panel: RunPanel, newest: Candidate, height: int) -> None:
    place = panel.place("progress", height, LEAST_LOWER_WIDTH)
    seconds = inf if _skipped(panel.runs[-1]) else 0.0
    panel.picture(place, TourPicture(place, theme(), newest.name), seconds=seconds, run=len(panel.runs) - 1)


def _text(text: str) -> str:
    """Return plain text as HTML, with subscripts in W_hh, and its terms explained on hover."""
    html = with_indices(escape(text))
    for words, term in EXPLAINED.items():
        shown = with_indices(words)
        html = html.replace(shown, f"<abbr title='{escape(explain(term))}'>{shown}</abbr>", 1)
    return html


# ---------------------------------------------------------------- the runs


def _run(session: Session, candidate: Candidate) -> LiveRun:
    return session.runs[RunKey(PLACE, candidate.name)]


def _panel(session: Session, shown: Sequence[Candidate]) -> RunPanel:
    runs = tuple(_run(session, candidate) for candidate in shown)
    return RunPanel(lambda: runs, session.widgets, lambda: runs, "tour_")


def _begin(session: Session, candidate: Candidate) -> None:
    """Train a network, beside those before it; one that has begun goes on."""
    before = dict(session.runs.at(PLACE))
    run = session.runs.open(RunKey(PLACE, candidate.name), candidate.experiment)
    if run.until is None:
        run.speed, run.until = SPEED, UPDATES
        run.beside = {str(name): other for name, other in before.items()}
    run.play()


def _skip(run: LiveRun) -> None:
    """Train a network to its end as fast as possible, and draw it only then."""
    run.train(UPDATES - run.state.step)


def _skipped(run: LiveRun) -> bool:
    return run.playing and run.asked_for is not None


def turn(session: Session, stage: str) -> None:
    """Open a stage, HOME for the first screen."""
    session.view = replace(session.view, tour=stage)


def _commit(session: Session, answer: int) -> None:
    session.tour.given = answer
    _begin(session, SMALL)


def _start_over(session: Session) -> None:
    session.runs.drop_all(PLACE)
    session.tour = TourProgress()
    turn(session, STAGES[0])
