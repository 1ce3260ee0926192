"""The lessons page: a question, the visitor's answer, the run and the explanation."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from itertools import pairwise
from typing import Literal

import numpy as np
import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.optimizers import OPTIMIZERS
from rnnviz.tasks import TASKS
from rnnviz.tasks.memory import DELAY
from rnnviz.tasks.options import NOISE
from rnnviz.teaching.glossary import with_indices
from rnnviz.teaching.lessons import LESSONS, Lesson, Step
from rnnviz.ui import run_view, story
from rnnviz.ui.lesson_progress import Answer, LessonProgress
from rnnviz.ui.run_registry import MAIN, RunKey
from rnnviz.ui.session import Session

IDEA = (
    "Predict what will happen; then watch the network. "
    "Your answers stay in this session and are not sent anywhere."
)
TIMELINE_HEIGHT, PROGRESS_HEIGHT = 370, 168
WORDS, WORDS_ON_PROJECTOR = 0.36, 0.42
"""Share of the width for the text, which grows more than the figures in projector view."""

CARD_COLUMNS = 2

Kind = Literal["primary", "secondary"]


# ---------------------------------------------------------------- all lessons


def overview(session: Session) -> None:
    """Show all lessons as cards in teaching order, column by column."""
    lessons = list(LESSONS.values())
    rows = -(-len(lessons) // CARD_COLUMNS)
    for place, column in enumerate(st.columns(CARD_COLUMNS, gap="medium")):
        with column:
            for number in range(place * rows, min((place + 1) * rows, len(lessons))):
                _card(session, lessons[number], number + 1)


def _card(session: Session, lesson: Lesson, number: int) -> None:
    progress = session.lessons.get(lesson.name, LessonProgress())
    answered, questions = progress.answered(lesson), len(lesson.steps)
    state = f"{lesson.minutes} minutes · {questions} questions"
    done = progress.done(lesson)
    if done:
        state = "<b class='done'>✓ done</b>"
    elif answered:
        state = f"<b>{answered} of {questions} questions answered</b>"
    with st.container(border=True, horizontal=True, gap="small", key=f"lesson_card_{lesson.name}"):
        place = f"<span class='place{' done' * done}' aria-hidden='true'>{'✓' if done else number}</span>"
        st.html(place, width="content")
        with st.container(gap=None):
            st.button(
                _as_markdown(lesson.title),
                type="tertiary",
                on_click=_open,
                args=(session, lesson.name),
                key=f"open_{lesson.name}",
            )
            st.html(f"<p>{_text(lesson.summary)}</p><p class='state'>{state}</p>")


def _open(session: Session, name: str) -> None:
    """Open a lesson at the step where it was left, or the overview ("")."""
    session.runs.drop_all("lesson")
    session.view, session.told = replace(session.view, lesson=name), None
    if name:
        progress = session.lessons.setdefault(name, LessonProgress())
        if progress.done(LESSONS[name]):
            progress.at = 0
        session.restart(LESSONS[name].steps[progress.at].experiment)


# ---------------------------------------------------------------- one lesson


def lesson(session: Session, lesson: Lesson) -> None:
    """Show one step of a lesson: question and answer on the left, the run on the right."""
    progress = session.lessons.setdefault(lesson.name, LessonProgress())
    _meet(session, lesson, progress)
    step, answer = lesson.steps[progress.at], progress.answers.get(progress.at)
    if answer:
        answer.judge(session.runs.get(_key(lesson, progress.at)), step.updates)
    share = WORDS_ON_PROJECTOR if session.view.projector else WORDS
    words, picture = st.columns([share, 1.0 - share], gap="medium")
    with words, st.container(key="lesson_words", gap="small"):
        _heading(session, lesson, progress)
        if answer is None:
            _ask(session, lesson, progress)
        else:
            _told(step, answer)
            _after(session, lesson, progress, answer)
    with picture, st.container(key="lesson_picture", gap="xsmall"):
        _setting(step.experiment)
        if step.covered and answer is None:
            _cover()
        else:
            panel = run_view.panel(session)
            run_view.timeline(session, panel, TIMELINE_HEIGHT, brief=True)
            panel.progress(PROGRESS_HEIGHT)
            panel.live(session.screen)


def _meet(session: Session, lesson: Lesson, progress: LessonProgress) -> None:
    """Synchronise the step and the run.

    A link or the browser history opens the step that has the current experiment. If another page set a
    different experiment, the open step is restored as it was left.
    """
    steps = [step.experiment for step in lesson.steps]
    if session.experiment in steps:
        progress.at = steps.index(session.experiment)
    wanted, kept = steps[progress.at], session.runs.get(_key(lesson, progress.at))
    if kept and kept.experiment == wanted:
        session.runs.put(MAIN, kept)
    elif session.experiment != wanted or session.run.playing or session.run.state.step:
        session.restart(wanted)
    session.layer, session.whole_loss, session.relative = 0, False, False


def _heading(session: Session, lesson: Lesson, progress: LessonProgress) -> None:
    """Show the link to all lessons, the title, the progress and the question."""
    st.button(
        "All lessons",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=_open,
        args=(session, ""),
        key="all_lessons",
    )
    marks = (
        f"<li{' aria-current=step' if number == progress.at else ''}>"
        f"{'✓' if progress.explained(number) else number + 1}</li>"
        for number in range(len(lesson.steps))
    )
    place = f"<span>Question {progress.at + 1} of {len(lesson.steps)}</span>"
    dots = f"<ol class='marks' aria-hidden='true'>{''.join(marks)}</ol>"
    st.html(
        f"<h1 class='title'>{_text(lesson.title)}</h1>"
        f"<div class='way'>{place}{dots}</div>"
        f"<h2 class='question'>{_text(lesson.steps[progress.at].question)}</h2>"
    )


def _ask(session: Session, lesson: Lesson, progress: LessonProgress) -> None:
    """Show the answers to choose from; nothing runs before one is chosen."""
    step = lesson.steps[progress.at]
    key = f"answer_{lesson.name}_{progress.at}"
    chosen = st.radio(
        "Your answer",
        range(len(step.answers)),
        index=None,
        format_func=lambda number: _as_markdown(step.answers[number]),
        key=key,
        label_visibility="collapsed",
        width="stretch",
    )

    def commit() -> None:
        given = st.session_state[key]
        if given is not None:
            progress.answers[progress.at] = Answer(given)
            _play(session, step, _key(lesson, progress.at))

    with st.container(horizontal=True, key="steps_on"):
        st.button(
            "Commit",
            type="primary",
            icon=":material/check:",
            on_click=commit,
            disabled=chosen is None,
            key="commit",
        )
        _turn("Previous question", session, lesson, progress.at - 1, "secondary")


def _key(lesson: Lesson, number: int) -> RunKey:
    """Return the key of a step's run."""
    return RunKey("lesson", (lesson.name, number))


def _play(session: Session, step: Step, key: RunKey) -> None:
    """Run a step's experiment to its end, from the start or from where it was interrupted."""
    if session.run is not session.runs.get(key):
        session.runs.put(key, session.restart(step.experiment)).speed = step.speed
    session.run.until, session.run.pause_when_solved = step.updates, False
    session.run.play()


def _told(step: Step, answer: Answer) -> None:
    """Show the chosen answer and, once the run has ended, the right one and the explanation."""
    ended = answer.words is not None
    items = []
    for number, text in enumerate(step.answers):
        chosen, right = number == answer.given, ended and number == step.right
        notes = ["your answer"] * chosen + ["right"] * right
        kind = "right" if right else "wrong" if chosen and ended else "chosen" if chosen else ""
        sign = {"right": "✓", "wrong": "✗", "chosen": "●"}.get(kind, "○")
        note = f" <b>({', '.join(notes)})</b>" if notes else ""
        items.append(
            f"<li class='{kind}'><i aria-hidden='true'>{sign}</i><span>{_text(text)}{note}</span></li>"
        )
    st.html(f"<ul class='answers'>{''.join(items)}</ul>")
    if answer.words is not None:
        kind, word = ("right", "✓ Right.") if answer.given == step.right else ("wrong", "✗ Wrong.")
        why = "".join(f"<p>{_text(paragraph)}</p>" for paragraph in step.explained(answer.words))
        st.html(f"<div class='why' role='status'><b class='{kind}'>{word}</b>{why}</div>")


def _after(session: Session, lesson: Lesson, progress: LessonProgress, answer: Answer) -> None:
    """Show the buttons: while the run lasts, to skip ahead; then, to go on."""
    step = lesson.steps[progress.at]
    if answer.words is None:
        _running(session, step, _key(lesson, progress.at))
        return
    with st.container(horizontal=True, key="steps_on"):
        if progress.at + 1 < len(lesson.steps):
            _turn("Next question", session, lesson, progress.at + 1, "primary")
        else:
            _end(session, lesson)
        _turn("Previous question", session, lesson, progress.at - 1, "secondary")
        st.button("Run it again", on_click=_run_again, args=(session, lesson, progress), key="run_again")
    with st.container(horizontal=True, gap="medium", key="lesson_doors"):
        story.door(session, "playground", "Continue in the Playground", step.experiment)
        story.door(session, "laboratory", "Measure it in the Laboratory", step.experiment)


def _running(session: Session, step: Step, key: RunKey) -> None:
    updates = "1 update" if step.updates == 1 else f"{step.updates:,} updates"
    st.html(f"<p class='running' role='status'>The network is training: {updates}. Watch.</p>")
    with st.container(horizontal=True, key="steps_on"):
        if not session.run.playing:
            st.button("Continue", type="primary", on_click=_play, args=(session, step, key), key="go_on")
        elif session.run.speed is not None:
            st.button(
                "Skip to the end",
                icon=":material/fast_forward:",
                on_click=lambda: setattr(session.run, "speed", None),
                key="to_the_end",
            )


def _run_again(session: Session, lesson: Lesson, progress: LessonProgress) -> None:
    key = _key(lesson, progress.at)
    progress.answers[progress.at].words = None
    session.runs.drop(key)
    _play(session, lesson.steps[progress.at], key)


def _turn(label: str, session: Session, lesson: Lesson, number: int, kind: Kind) -> None:
    """Show a button to another step; nothing if there is no such step."""
    if number < 0:
        return

    def turn() -> None:
        session.lessons[lesson.name].at = number
        session.restart(lesson.steps[number].experiment)

    st.button(label, type=kind, on_click=turn, key=label.split()[0].lower())


def _end(session: Session, lesson: Lesson) -> None:
    """Show the button to the next lesson, or to the overview after the last one."""
    following = dict(pairwise([*LESSONS, ""]))[lesson.name]
    label = "Next lesson" if following else "All lessons"
    st.button(label, type="primary", on_click=_open, args=(session, following), key="next")


# ---------------------------------------------------------------- the run


def _setting(e: Experiment) -> None:
    """Show the task and the main settings in two lines."""
    task = TASKS[e.task]
    st.html(
        f"<p class='setting'><b>{escape(task.title)}.</b> {escape(task.summary)}<br>"
        f"<span>{' · '.join(map(_text, _facts(e)))}</span></p>"
    )


def _facts(e: Experiment) -> list[str]:
    """Return the settings that matter in a lesson, as phrases."""
    options, init = TASKS[e.task].options, INITIALIZERS[e.init]
    facts = [f"T = {e.seq_len}"]
    if "delay" in options:
        facts.append(f"delay {DELAY.of(e)}")
    if "noise" in options and NOISE.of(e) != NOISE.default:
        facts.append(f"noise {NOISE.of(e):g}")
    gain = f", gain {e.gain:g}" if init.has_gain and e.gain != Experiment.gain else ""
    rate = np.format_float_positional(e.learning_rate, trim="-")
    clip = "no clipping" if e.clip_norm is None else f"clipped at {e.clip_norm:g}"
    learning = f"{OPTIMIZERS[e.optimizer].title}, learning rate {rate}, {clip}"
    return [*facts, f"W_hh: {init.title}{gain}", ACTIVATIONS[e.activation].title, learning, f"seed {e.seed}"]


def _cover() -> None:
    """Show a placeholder for the figures until the visitor has answered."""
    height = TIMELINE_HEIGHT + PROGRESS_HEIGHT
    st.html(
        f"<div class='cover' style='min-height:{height}px'><b>?</b>"
        "<p>The pictures are covered.<br>Commit to an answer to see them.</p></div>"
    )


# ---------------------------------------------------------------- texts


def _text(text: str) -> str:
    """Return plain text as HTML, with subscripts in W_hh and h_t."""
    return with_indices(escape(text))


def _as_markdown(text: str) -> str:
    """Escape plain text for a label that is rendered as Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])", r"\\\1", text)
