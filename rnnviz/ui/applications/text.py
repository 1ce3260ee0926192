"""Text: the network continues a text; temperature and text can be set."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from rnnviz.applications.catalogue import APPLICATIONS, Variant
from rnnviz.applications.generation import Writer, characters_of
from rnnviz.experiment import Experiment
from rnnviz.figures.applications.text import TextSoFar
from rnnviz.model.network import Params
from rnnviz.tasks.corpora import MAX_CHARACTERS, check_text
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.notes import refusal

LONGEST = 240
"""Maximum number of letters written before the visitor starts over."""

PIECE = 40
"""Letters written at a press of "Keep writing"."""

HOTTEST = 2.0

OWN_STEPS = 500


def variants(state: ApplicationsState) -> dict[str, Variant]:
    """Return the available texts, including the visitor's own if there is one."""
    known = APPLICATIONS["text"].variants
    if not state.text:
        return known
    e = known["elements"].experiment.replace(corpus="own", text=state.text)
    length = min(e.seq_len, len(state.text) - 1)
    return known | {"own": Variant("Your text", e.replace(seq_len=length), OWN_STEPS, "Your own data.")}


def ask(state: ApplicationsState, e: Experiment, params: Callable[[], Params]) -> None:
    """Show the temperature, the prompt, the buttons and the input for the visitor's own text.

    params : returns the network's newest weights.
    """
    st.session_state["temperature"] = state.temperature

    def warm() -> None:
        state.temperature = st.session_state["temperature"]

    def begin() -> None:
        state.beginning, state.written = st.session_state["beginning"], []

    st.slider(
        "Temperature",
        0.0,
        HOTTEST,
        step=0.1,
        key="temperature",
        on_change=warm,
        help="Every logit is divided by it before the softmax. 0: always the likeliest letter; 1: as "
        "learned; above 1: more random, and soon nonsense.",
    )
    st.session_state.setdefault("beginning", state.beginning)
    st.text_input(
        "Start with", max_chars=40, key="beginning", on_change=begin, placeholder="empty: a new line"
    )
    _, unknown = known_letters(state.beginning, characters_of(e).alphabet(e))
    if unknown:
        told = " ".join(escape(letter.replace(" ", "␣")) for letter in unknown)
        st.html(f"<p class='unknown' role='status'>Not in this text, so skipped: {told}</p>")
    _buttons(state, e, params)
    _own_text(state)


def _buttons(state: ApplicationsState, e: Experiment, params: Callable[[], Params]) -> None:
    """Show the buttons that write and erase."""
    full = len(state.written) >= LONGEST
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Next letter",
            icon=":material/edit:",
            on_click=lambda: write(state, e, params(), 1),
            disabled=full,
            key="one_letter",
        )
        st.button(
            "Keep writing",
            icon=":material/edit_note:",
            on_click=lambda: write(state, e, params(), PIECE),
            disabled=full,
            key="write_on",
            help=f"Writes {PIECE} letters; each one is drawn at random, and is the network's next input.",
        )
        st.button(
            "Start over",
            icon=":material/backspace:",
            on_click=state.written.clear,
            key="begin_anew",
        )


def known_letters(text: str, alphabet: str) -> tuple[str, list[str]]:
    """Return the letters found in an alphabet, with its capitalisation, and those that are not in it."""
    cases = [(letter, letter.lower(), letter.upper()) for letter in text]
    found = [next((case for case in three if case in alphabet), "") for three in cases]
    return "".join(found), sorted({letter for letter, known in zip(text, found, strict=True) if not known})


def write(state: ApplicationsState, e: Experiment, params: Params, letters: int) -> None:
    """Write more letters, one after the other, up to LONGEST in total."""
    writer = Writer(e, params, _begun(state, e) + state.written)
    for _ in range(min(letters, LONGEST - len(state.written))):
        state.written.append(writer.write(state.temperature, state.letters).number)


def _begun(state: ApplicationsState, e: Experiment) -> list[int]:
    """Return the codes of the prompt; it starts with a newline if the alphabet has one."""
    alphabet = characters_of(e).alphabet(e)
    begun = ("\n" if "\n" in alphabet else "") + known_letters(state.beginning, alphabet)[0]
    return [alphabet.index(letter) for letter in begun or alphabet[0]]


def _own_text(state: ApplicationsState) -> None:
    with st.expander("Your own text"):
        st.text_area(
            "Text to learn",
            value=state.text,
            height=90,
            key="own_text",
            placeholder=f"Paste 10 to {MAX_CHARACTERS:,} characters",
            label_visibility="collapsed",
        )

        def use() -> None:
            text = str(st.session_state["own_text"])
            try:
                check_text(text)
            except ValueError as problem:
                state.text_refusal = str(problem)
                return
            state.text, state.text_refusal = text, ""
            state.variants["text"] = "own"
            state.written = []

        st.button("Learn this text", on_click=use, key="learn_text")
        if state.text_refusal:
            refusal(state.text_refusal)


def question(state: ApplicationsState, e: Experiment) -> TextSoFar:
    """Return the text so far as a question."""
    shown = known_letters(state.beginning, characters_of(e).alphabet(e))[0]
    return TextSoFar(shown, tuple(_begun(state, e)), tuple(state.written), state.temperature)
