"""Translation of a number word typed by the visitor."""

from __future__ import annotations

from difflib import get_close_matches
from html import escape

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.figures.applications.translation import TypedNumber
from rnnviz.tasks.numerals import LARGEST, english
from rnnviz.tasks.translation import READING_STEPS, english_words, held_out_numbers
from rnnviz.ui.applications.state import ApplicationsState

LONGEST_TEXT = 60
NUMBERS = {" ".join(english(n)): n for n in range(LARGEST + 1)}
"""All number words."""


def ask(state: ApplicationsState, e: Experiment) -> None:
    """Show the input for a number word, and held-out examples."""

    def take(words: str | None) -> None:
        state.number, state.number_example = words or "", None

    def take_example(words: str | None) -> None:
        state.number, state.number_example = words or state.number, words

    st.text_input(
        "An English number word, zero to ninety-nine",
        max_chars=LONGEST_TEXT,
        placeholder="forty-two",
        **state.widgets.bound("number", state.number, take),
    )
    kept = ["-".join(english(n)) for n in held_out_numbers(e.seed)]
    chosen = state.number_example if state.number_example in kept else None
    st.pills(
        "Numbers that it has never seen", kept, **state.widgets.bound("number_example", chosen, take_example)
    )
    words, unknown = read_words(state.number)
    if unknown:
        near = get_close_matches(unknown[0], english_words(), 1)
        hint = f" Did you mean “{near[0]}”?" if near else " Type a number from zero to ninety-nine."
        told = ", ".join(f"“{escape(word[:20])}”" for word in unknown)
        st.html(f"<p class='unknown' role='status'>Unknown, so skipped: {told}.{hint}</p>")
    elif not words:
        st.html("<p class='unknown' role='status'>Nothing to translate yet: type a number word.</p>")
    elif (n := number_of(state.number)) is None:
        read = "" if len(words) <= READING_STEPS else " It reads the first two words."
        st.html(f"<p class='unknown' role='status'>Not a valid number; the network answers anyway.{read}</p>")
    else:
        part = "was never trained on" if n in held_out_numbers(e.seed) else "was trained on"
        st.html(f"<p class='ask'><b>{n}</b> {part}.</p>")


def read_words(text: str) -> tuple[list[str], list[str]]:
    """Return the known and the unknown words of a text."""
    parts = text.lower().replace("-", " ").split()
    if text.strip().isascii() and text.strip().isdigit() and len(text.strip()) < 3:
        parts = english(int(text))
    known = [word for word in parts if word in english_words()]
    return known, [word for word in parts if word not in english_words()]


def number_of(text: str) -> int | None:
    """Return the number that a text names, or None."""
    words, unknown = read_words(text)
    return None if unknown else NUMBERS.get(" ".join(words))


def question(state: ApplicationsState) -> TypedNumber:
    """Return the number word as a question."""
    words = read_words(state.number)[0][:READING_STEPS]
    return TypedNumber(tuple(words), number_of(state.number))
