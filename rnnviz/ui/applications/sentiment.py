"""Sentiment: the verdict on the visitor's sentence, after every word."""

from __future__ import annotations

from html import escape

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.figures.applications.sentiment import TypedSentence
from rnnviz.tasks.sentiment import GRAMMAR, split_words, vocabulary
from rnnviz.ui.applications.state import ApplicationsState

LONGEST_TEXT = 200
"""Maximum number of characters of the input."""

EXAMPLES = {
    "opinions": (
        "the film was good but far too long",
        "although the meal is not very good, the game seems brilliant",
        "it is not bad",
        "it is not never good",
    ),
    "reports": (
        "nobody who saw the film at the party last week said it was very good",
        "everyone who saw the film at the party last week said it was very good",
        "hardly anyone who tried the meal at home with a friend thought it was dull",
        "nobody who read the book said it was good",
    ),
}
"""Example sentences by grammar; the last one of each is outside it."""


def ask(state: ApplicationsState, e: Experiment) -> None:
    """Show the input for a sentence, examples, and the words that the network knows."""
    grammar = GRAMMAR.of(e)
    sentence = sentence_of(state, grammar)

    def take(words: str | None) -> None:
        state.sentences[grammar], state.sentence_example = words or "", None

    def take_example(words: str | None) -> None:
        state.sentences[grammar], state.sentence_example = words or sentence, words

    def add(word: str | None) -> None:
        if word:
            take(f"{sentence.rstrip()} {word}"[:LONGEST_TEXT].strip())

    st.text_input(
        "Your sentence",
        max_chars=LONGEST_TEXT,
        placeholder=EXAMPLES[grammar][2],
        **state.widgets.bound("sentence", sentence, take),
    )
    examples = EXAMPLES[grammar]
    chosen = state.sentence_example if state.sentence_example in examples else None
    st.pills("Or one of these", examples, **state.widgets.bound("sentence_example", chosen, take_example))
    known, unknown = split_words(sentence, grammar)
    with st.container():  # always there, so that the list below stays open
        if unknown:
            told = ", ".join(f"“{escape(word[:20])}”" for word in dict.fromkeys(unknown))
            st.html(f"<p class='unknown' role='status'>Not in the grammar, so skipped: {told}.</p>")
        if not known:
            st.html("<p class='unknown' role='status'>No known word. Try one of the examples above.</p>")
        if len(known) > e.seq_len:
            st.html(f"<p class='unknown' role='status'>Too long: it reads the last {e.seq_len} words.</p>")
    words = vocabulary(grammar)
    with st.expander(f"The {len(words)} words that it knows"):
        st.pills(
            "Click a word to add it",
            sorted(words),
            **state.widgets.bound("sentence_word", None, add),
        )


def sentence_of(state: ApplicationsState, grammar: str) -> str:
    """Return the visitor's sentence, the first example before there is one."""
    return state.sentences.get(grammar, EXAMPLES[grammar][0])


def question(state: ApplicationsState, e: Experiment) -> TypedSentence:
    """Return the sentence as a question: the words that the network reads, the last ones of too many."""
    grammar = GRAMMAR.of(e)
    return TypedSentence(tuple(split_words(sentence_of(state, grammar), grammar)[0][-e.seq_len :]))
