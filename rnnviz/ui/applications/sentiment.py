"""Sentiment: the verdict on the visitor's sentence, after every word."""

from __future__ import annotations

from html import escape

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.figures.applications.sentiment import TypedSentence
from rnnviz.tasks.sentiment import split_words
from rnnviz.ui.applications.state import ApplicationsState

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


def question(state: ApplicationsState, e: Experiment) -> TypedSentence:
    """Return the sentence as a question: the words that the network reads, the last ones of too many."""
    return TypedSentence(tuple(split_words(state.sentence)[0][-e.seq_len :]))
