"""The lessons page: a question, the visitor's answer, the run and the explanation."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from itertools import pairwise
from typing import Literal

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.export.worksheet import LONGEST_REASON, facts, lesson_sheet
from rnnviz.tasks import TASKS
from rnnviz.teaching.glossary import with_indices, with_small_indices
from rnnviz.teaching.lessons import LESSONS, Lesson, Step
from rnnviz.ui import story
from rnnviz.ui.downloads import sheet_buttons
from rnnviz.ui.lesson_progress import Answer, LessonProgress
from rnnviz.ui.run_panel import RunPanel
from rnnviz.ui.run_registry import RunKey
from rnnviz.ui.session import Session
from rnnviz.ui.teach import address
from rnnviz.ui.views import View, view_params

IDEA = (
    "Predict what will happen; then watch the network. "
    "Your answers stay in this session and are not sent anywhere."
)
TIMELINE_HEIGHT, PROGRESS_HEIGHT = 370, 168
WORDS, WORDS_ON_PROJECTOR = 0.36, 0.42
"""Share of the width for the text, which grows more than the figures in projector view."""

CARD_COLUMNS = 3

SIGNS = {"right": "✓", "wrong": "✗", "chosen": "●"}

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
    perfect = progress.right(lesson) == questions
    if progress.done(lesson):
        state = f"<b{' class=done' * perfect}>Finished: {progress.right(lesson)} of {questions} right</b>"
    elif answered:
        state = f"<b>{answered} of {questions} questions answered</b>"
    with st.container(border=True, horizontal=True, gap="small", key=f"lesson_card_{lesson.name}"):
        sign = "✓" if perfect else number
        place = f"<span class='place{' done' * perfect}' aria-hidden='true'>{sign}</span>"
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
    """Open a lesson at its first question that is not explained yet, or at its end; "" for the overview."""
    session.runs.drop_all("lesson")
    session.told = None
    question = 0
    if name:
        lesson, progress = LESSONS[name], session.lessons.setdefault(name, LessonProgress())
        question = (len(lesson.steps) if progress.done(lesson) else progress.next(lesson)) + 1
    session.view = replace(session.view, lesson=name, question=question)


# ---------------------------------------------------------------- one lesson


def lesson(session: Session, lesson: Lesson) -> None:
    """Show a lesson's open question, or its end."""
    progress = session.lessons.setdefault(lesson.name, LessonProgress())
    if not session.view.question:
        session.view = replace(session.view, question=_asked(session.experiment, lesson, progress) + 1)
    number = session.view.question - 1
    if number == len(lesson.steps):
        _end(session, lesson, progress)
    else:
        _question(session, lesson, number, progress)


def _asked(e: Experiment, lesson: Lesson, progress: LessonProgress) -> int:
    """Return which question a link without a number asks for: the one with its experiment, or the next."""
    steps = [step.experiment for step in lesson.steps]
    return steps.index(e) if e in steps else progress.next(lesson)


def _question(session: Session, lesson: Lesson, number: int, progress: LessonProgress) -> None:
    """Show one step: question and answer on the left, the run on the right."""
    step, answer = lesson.steps[number], progress.answers.get(number)
    run = session.runs.open(_key(lesson, number), step.experiment)
    if answer:
        answer.judge(run, step.updates)
    words, picture = st.columns(_shares(session), gap="medium")
    with words, st.container(key="lesson_words", gap="small"):
        _heading(session, lesson, number, progress)
        if answer is None:
            _ask(session, lesson, number, progress)
        else:
            asked = progress.asks and not answer.told
            _told(step, answer, asked)
            if answer.words is not None and asked:
                _ask_why(progress, answer, f"{lesson.name}_{number}")
            _after(session, lesson, number, progress, answer)
    with picture, st.container(key="lesson_picture", gap="xsmall"):
        _setting(step.experiment)
        if step.covered and answer is None:
            _cover()
        else:
            panel = RunPanel(lambda: (run,), session.widgets, lambda: (run,))
            panel.timeline(TIMELINE_HEIGHT, brief=True)
            panel.progress(PROGRESS_HEIGHT)
            panel.live(session.screen)


def _shares(session: Session) -> list[float]:
    share = WORDS_ON_PROJECTOR if session.view.projector else WORDS
    return [share, 1.0 - share]


def _heading(session: Session, lesson: Lesson, number: int, progress: LessonProgress) -> None:
    """Show the link to all lessons, the title, the progress and the question."""
    _to_overview(session)
    marks = "".join(
        f"<li class='{progress.mark(lesson, n)}'{' aria-current=step' if n == number else ''}>"
        f"{SIGNS.get(progress.mark(lesson, n), n + 1)}</li>"
        for n in range(len(lesson.steps))
    )
    place = f"<span>Question {number + 1} of {len(lesson.steps)}</span>"
    st.html(
        f"<h1 class='title'>{_text(lesson.title)}</h1>"
        f"<div class='way'>{place}<ol class='marks' aria-hidden='true'>{marks}</ol></div>"
        f"<h2 class='question'>{_text(lesson.steps[number].question)}</h2>"
    )


def _to_overview(session: Session) -> None:
    """Show the link to all lessons."""
    st.button(
        "All lessons",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=_open,
        args=(session, ""),
        key="all_lessons",
    )


def _ask(session: Session, lesson: Lesson, number: int, progress: LessonProgress) -> None:
    """Show the answers to choose from; nothing runs before one is chosen."""
    step = lesson.steps[number]
    key = f"answer_{lesson.name}_{number}"
    chosen = st.radio(
        "Your answer",
        range(len(step.answers)),
        index=None,
        format_func=lambda answer: _as_markdown(step.answers[answer]),
        key=key,
        label_visibility="collapsed",
        width="stretch",
    )

    def commit() -> None:
        given = st.session_state[key]
        if given is not None:
            progress.answers[number] = Answer(given)
            _play(session, step, _key(lesson, number))

    with st.container(horizontal=True, key="steps_on"):
        st.button(
            "Commit",
            type="primary",
            icon=":material/check:",
            on_click=commit,
            disabled=chosen is None,
            key="commit",
        )
        _turn("Previous question", session, number - 1, "secondary")


def _key(lesson: Lesson, number: int) -> RunKey:
    """Return the key of a step's run."""
    return RunKey("lesson", (lesson.name, number))


def _play(session: Session, step: Step, key: RunKey) -> None:
    """Run a step's experiment to its end, from the start or from where it was interrupted."""
    run = session.runs.open(key, step.experiment)
    if run.state.step == 0:
        run.speed = step.speed
    run.until, run.pause_when_solved = step.updates, False
    run.play()


def _told(step: Step, answer: Answer, asked: bool) -> None:
    """Show the chosen answer and, once the run has ended, the right one and the explanation.

    asked : the visitor is asked for an own explanation, before that of the lesson.
    """
    ended = answer.words is not None
    items = []
    for number, text in enumerate(step.answers):
        chosen, right = number == answer.given, ended and number == step.right
        notes = ["your answer"] * chosen + ["right"] * right
        kind = "right" if right else "wrong" if chosen and ended else "chosen" if chosen else ""
        sign = SIGNS.get(kind, "○")
        note = f" <b>({', '.join(notes)})</b>" if notes else ""
        words = escape(with_small_indices(text))  # as on the radio button
        items.append(f"<li class='{kind}'><i aria-hidden='true'>{sign}</i><span>{words}{note}</span></li>")
    st.html(f"<ul class='answers'>{''.join(items)}</ul>")
    if answer.words is not None:
        kind, word = ("right", "✓ Right.") if answer.given == step.right else ("wrong", "✗ Wrong.")
        own = f"<p class='own'>You wrote: {escape(answer.reason)}</p>" if answer.reason else ""
        paragraphs = "".join(f"<p>{_text(paragraph)}</p>" for paragraph in step.explained(answer.words))
        why = "" if asked else own + paragraphs
        st.html(f"<div class='why' role='status'><b class='{kind}'>{word}</b>{why}</div>")


def _ask_why(progress: LessonProgress, answer: Answer, name: str) -> None:
    """Ask for the visitor's own explanation; going on without one is as good."""
    key = f"reason_{name}"

    def keep() -> None:
        answer.explain(st.session_state.get(key) or "")

    def tell() -> None:
        keep()
        answer.told = True

    def stop_asking() -> None:
        progress.asks = False

    st.text_area(
        "In your own words: why?",
        answer.reason,
        height=92,
        max_chars=LONGEST_REASON,
        key=key,
        on_change=keep,
        placeholder="Optional; for your worksheet, and only in this visit.",
    )
    with st.container(horizontal=True, key="steps_why"):
        st.button("Show the explanation", type="primary", on_click=tell, key="tell_why")
        st.button("Do not ask in this lesson", type="tertiary", on_click=stop_asking, key="stop_asking")


def _after(session: Session, lesson: Lesson, number: int, progress: LessonProgress, answer: Answer) -> None:
    """Show the buttons: while the run lasts, to skip ahead; then, to go on."""
    step = lesson.steps[number]
    if answer.words is None:
        _running(session, step, _key(lesson, number))
        return
    last = number + 1 == len(lesson.steps)
    with st.container(horizontal=True, key="steps_on"):
        kind: Kind = "primary" if answer.told or not progress.asks else "secondary"
        _turn("Next: what you learned" if last else "Next question", session, number + 1, kind)
        _turn("Previous question", session, number - 1, "secondary")
        st.button("Run it again", on_click=_run_again, args=(session, lesson, number), key="run_again")
    with st.container(horizontal=True, gap="medium", key="lesson_doors"):
        story.door(session, "playground", "Continue in the Playground", step.experiment)
        opened = {"instrument": step.instrument} if step.instrument else {}
        story.door(session, "laboratory", "Measure it in the Laboratory", step.experiment, **opened)


def _running(session: Session, step: Step, key: RunKey) -> None:
    """Say that the run lasts, with a button to continue it or to skip to its end."""
    run = session.runs[key]
    updates = "1 update" if step.updates == 1 else f"{step.updates:,} updates"
    st.html(f"<p class='running' role='status'>The network is training: {updates}. Watch.</p>")
    with st.container(horizontal=True, key="steps_on"):
        if not run.playing:
            st.button("Continue", type="primary", on_click=_play, args=(session, step, key), key="go_on")
        elif run.speed is not None:
            st.button(
                "Skip to the end",
                icon=":material/fast_forward:",
                on_click=lambda: setattr(run, "speed", None),
                key="to_the_end",
            )


def _run_again(session: Session, lesson: Lesson, number: int) -> None:
    key = _key(lesson, number)
    session.lessons[lesson.name].answers[number].words = None
    session.runs.drop(key)
    _play(session, lesson.steps[number], key)


def _turn(label: str, session: Session, number: int, kind: Kind) -> None:
    """Show a button to another step or to the end; nothing if there is no such step."""
    if number < 0:
        return

    def turn() -> None:
        session.view = replace(session.view, question=number + 1)

    st.button(label, type=kind, on_click=turn, key=label.split()[0].lower().strip(":"))


def _end(session: Session, lesson: Lesson, progress: LessonProgress) -> None:
    """Show what was learned, the answers, and the button to the next lesson."""
    following = dict(pairwise([*LESSONS, ""]))[lesson.name]
    with st.container(key="lesson_words", gap="small"):
        _to_overview(session)
        st.html(f"<h1 class='title'>{_text(lesson.title)}</h1>{_learned(lesson)}{_score(lesson, progress)}")
        with st.container(horizontal=True, key="steps_on"):
            label = f"Next lesson: {LESSONS[following].title}" if following else "All lessons"
            st.button(
                _as_markdown(label), type="primary", on_click=_open, args=(session, following), key="next"
            )
            _turn("Previous question", session, len(lesson.steps) - 1, "secondary")
            _worksheet(lesson, progress)


def _worksheet(lesson: Lesson, progress: LessonProgress) -> None:
    """Show the buttons that download the visitor's answers, words and runs as one sheet."""
    opens = address("lessons", view_params(View(lesson=lesson.name)))
    sheet_buttons(lambda: lesson_sheet(lesson, progress.given(), opens), f"{lesson.name}-worksheet")


def _learned(lesson: Lesson) -> str:
    """Return the lesson's results as HTML."""
    items = "".join(f"<li>{_text(sentence)}</li>" for sentence in lesson.learned)
    return f"<div class='learned'><h2>What you learned</h2><ul>{items}</ul></div>"


def _score(lesson: Lesson, progress: LessonProgress) -> str:
    """Return the number of right answers, and each question's mark, as HTML."""
    items = []
    for number, step in enumerate(lesson.steps):
        kind = progress.mark(lesson, number)
        right = f"Right answer: “{with_small_indices(step.answers[step.right])}”"
        told = {"right": "Right", "wrong": right}.get(kind, "Open")
        items.append(
            f"<li class='{kind}'><i aria-hidden='true'>{SIGNS.get(kind, '○')}</i>"
            f"<span>Question {number + 1}. {_text(told)}</span></li>"
        )
    score = f"<p class='score'>{progress.right(lesson)} of {len(lesson.steps)} right</p>"
    return f"{score}<ul class='answers'>{''.join(items)}</ul>"


# ---------------------------------------------------------------- the run


def _setting(e: Experiment) -> None:
    """Show the task and the main settings in two lines."""
    task = TASKS[e.task]
    st.html(
        f"<p class='setting'><b>{escape(task.title)}.</b> {escape(task.summary)}<br>"
        f"<span>{' · '.join(map(_text, facts(e)))}</span></p>"
    )


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
    """Return plain text as a label that is rendered as Markdown, with small indices in W_hh and h_t."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])", r"\\\1", with_small_indices(text))
