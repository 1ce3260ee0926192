"""Sentiment: the verdict on the visitor's sentence, after every word."""

from __future__ import annotations

from html import escape
from typing import cast

import streamlit as st

from rnnviz.applications.catalogue import Judgement
from rnnviz.applications.passage import pass_through
from rnnviz.experiment import Experiment
from rnnviz.figures.passage import Judged, judged_spec
from rnnviz.model.network import Params
from rnnviz.tasks import TASKS
from rnnviz.tasks.sentiment import VERDICTS, Sentiment, split_words
from rnnviz.ui.applications.answer import Answer
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.style import theme

LONGEST_TEXT = 200
"""Maximum number of characters of the input."""

EXAMPLES = (
    "the film was good but far too long",
    "although the meal is not very good, the game seems brilliant",
    "it is not bad",
    "it is not never good",
)
"""Example sentences; the last one is outside the grammar."""


def ask(state: ApplicationsState, e: Experiment) -> None:
    """Show the input for a sentence, and examples."""

    def take(words: str | None) -> None:
        state.sentence, state.sentence_example = words or "", None

    def take_example(words: str | None) -> None:
        state.sentence, state.sentence_example = words or state.sentence, words

    st.text_input(
        "Your sentence",
        max_chars=LONGEST_TEXT,
        placeholder="it is not bad",
        **state.widgets.bound("sentence", state.sentence, take),
    )
    st.pills(
        "Or one of these",
        EXAMPLES,
        **state.widgets.bound("sentence_example", state.sentence_example, take_example),
    )
    known, unknown = split_words(state.sentence)
    if unknown:
        told = ", ".join(f"“{escape(word[:20])}”" for word in dict.fromkeys(unknown))
        st.html(f"<p class='unknown' role='status'>Not in the grammar, so skipped: {told}.</p>")
    if not known:
        st.html("<p class='unknown' role='status'>No known word. Try one of the examples above.</p>")
    if len(known) > e.seq_len:
        st.html(f"<p class='unknown' role='status'>Too long: it reads the last {e.seq_len} words.</p>")


def known_words(e: Experiment, text: str) -> list[str]:
    """Return the words that the network reads: the known ones, the last ones if there are too many."""
    return split_words(text)[0][-e.seq_len :]


def answer(state: ApplicationsState, e: Experiment, params: Params) -> Answer:
    """Return the verdict after every word."""
    task, words = cast(Sentiment, TASKS[e.task]), known_words(e, state.sentence)
    seen = pass_through(e, params, task.inputs(e, [words]))
    reads = [""] * (e.seq_len - len(words)) + words
    first = e.seq_len - max(len(words), 1)  # shorter sentences are padded at the start
    view = Judged(reads[first:], seen.hidden[first:], seen.probabilities[first:, 1])
    verdict = VERDICTS[int(seen.probabilities[-1].argmax())]
    sure = float(seen.probabilities[-1].max())
    label = f"The verdict after each word, and the hidden states; at the end {verdict}, {sure:.0%} sure"
    told = f"Verdict: <b>{verdict}</b>, {sure:.0%} sure" if words else "No verdict: nothing was read"
    return Answer(judged_spec(view, theme()), label, told)


def failures(found: Judgement) -> str:
    """Return where the network fails, as HTML: within its grammar, then beyond it."""
    listed = "".join(
        f"<li>{escape(s.text)} <i>(actually {VERDICTS[s.verdict]})</i></li>" for s in found.examples
    )
    beyond = "".join(
        f"<li>{escape(name)}: <b>{share:.0%}</b> right</li>" for name, share in found.beyond.items()
    )
    within = f"{found.wrong} of {found.of} held-out sentences are judged wrongly" + (
        ":" if found.wrong else "."
    )
    return (
        f"<div class='failures'><b>Where it fails.</b> Within its grammar, {within}<ul>{listed}</ul>"
        f"Beyond its grammar:<ul>{beyond}</ul></div>"
    )
