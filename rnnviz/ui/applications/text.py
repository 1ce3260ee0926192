"""Text: the network continues a text letter by letter; temperature and text can be set."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import numpy as np
import streamlit as st

from rnnviz.applications.catalogue import APPLICATIONS, Variant
from rnnviz.applications.generation import Writer, characters_of
from rnnviz.experiment import Experiment
from rnnviz.figures.passage import letters_spec
from rnnviz.model.network import Params
from rnnviz.tasks.corpora import MAX_CHARACTERS, check_text
from rnnviz.ui.applications.answer import Answer
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.style import theme
from rnnviz.ui.widgets import pressed

LONGEST = 240
"""Maximum number of letters written before the visitor starts over."""

HOTTEST = 2.0
SAMPLE = 60
"""Length of the sample text."""

OWN_STEPS = 500


def variants(state: ApplicationsState) -> dict[str, Variant]:
    """Return the available texts, including the visitor's own if there is one."""
    known = APPLICATIONS["text"].variants
    if not state.text:
        return known
    e = known["elements"].experiment.replace(corpus="own", text=state.text)
    length = min(e.seq_len, len(state.text) - 1)
    return known | {"own": Variant("Your text", e.replace(seq_len=length), OWN_STEPS)}


def ask(state: ApplicationsState, e: Experiment, params: Callable[[], Params]) -> None:
    """Show the temperature, the prompt, the buttons and the input for the visitor's own text.

    params : returns the network's newest weights.
    """
    st.session_state["temperature"] = state.temperature

    def warm() -> None:
        state.temperature = st.session_state["temperature"]

    def begin() -> None:
        state.beginning, state.written, state.writing = st.session_state["beginning"], [], False

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
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Next letter",
            icon=":material/edit:",
            on_click=pressed(lambda: write_letter(state, e, params())),
            key="one_letter",
        )
        label, icon = ("Stop", "stop") if state.writing else ("Keep writing", "edit_note")
        st.button(
            label,
            icon=f":material/{icon}:",
            on_click=pressed(lambda: setattr(state, "writing", not state.writing)),
            disabled=len(state.written) >= LONGEST,
            key="write_on",
        )
        st.button(
            "Start over", icon=":material/backspace:", on_click=lambda: _begin_anew(state), key="begin_anew"
        )
    _own_text(state)


def known_letters(text: str, alphabet: str) -> tuple[str, list[str]]:
    """Return the letters found in an alphabet, with its capitalisation, and those that are not in it."""
    cases = [(letter, letter.lower(), letter.upper()) for letter in text]
    found = [next((case for case in three if case in alphabet), "") for three in cases]
    return "".join(found), sorted({letter for letter, known in zip(text, found, strict=True) if not known})


def write_letter(state: ApplicationsState, e: Experiment, params: Params) -> None:
    """Write the next letter, unless LONGEST is reached, which also stops continuous writing."""
    if len(state.written) < LONGEST:
        state.written.append(_writer(state, e, params).write(state.temperature, state.letters).number)
    state.writing = state.writing and len(state.written) < LONGEST


def _writer(state: ApplicationsState, e: Experiment, params: Params) -> Writer:
    """Return the writer that has read the current text; a new one if text or network changed."""
    text = _begun(state, e) + state.written
    if state.writer is None or state.writer.params is not params or state.writer.text != text:
        state.writer = Writer(e, params, text)
    return state.writer


def _begun(state: ApplicationsState, e: Experiment) -> list[int]:
    """Return the codes of the prompt; it starts with a newline if the alphabet has one."""
    alphabet = characters_of(e).alphabet(e)
    begun = ("\n" if "\n" in alphabet else "") + known_letters(state.beginning, alphabet)[0]
    return [alphabet.index(letter) for letter in begun or alphabet[0]]


def _begin_anew(state: ApplicationsState) -> None:
    state.written, state.writing = [], False


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
            _begin_anew(state)

        st.button("Learn this text", on_click=use, key="learn_text")
        if state.text_refusal:
            st.error(state.text_refusal.replace("$", r"\$"), icon=":material/error:")


def answer(state: ApplicationsState, e: Experiment, params: Params) -> Answer:
    """Return the text so far, and the probabilities from which the last letter was drawn.

    During continuous writing every call adds a letter.
    """
    if state.writing:
        write_letter(state, e, params)
    task, begun = characters_of(e), _begun(state, e)
    alphabet = task.alphabet(e)
    chosen = state.written[-1] if state.written else None
    before = (begun + state.written)[: -1 if state.written else None]
    probabilities = Writer(e, params, before).probabilities(state.temperature)
    signs = [task.output_label(e, i) for i in range(len(alphabet))]
    figure = letters_spec(signs, probabilities, chosen, theme())
    begun_shown = escape(known_letters(state.beginning, alphabet)[0]).replace("\n", "⏎ ")
    text = escape("".join(alphabet[i] for i in state.written)).replace("\n", "⏎ ")
    likeliest = signs[int(probabilities.argmax())]
    label = f"Probability of each letter to come next; the likeliest is {likeliest}"
    prose = f"<p class='written'>{begun_shown}<b>{text}</b><span class='cursor'>▌</span></p>"
    if not state.written:
        prose = f"<p class='written'>A sample: <i>{_sample(state, e, params)}</i></p>"
    likely = (
        "Most likely next:" if chosen is None else f"Drawn: <b>{escape(signs[chosen])}</b>; most likely was"
    )
    return Answer(figure, label, f"{likely} <b>{escape(likeliest)}</b>", prose)


def _sample(state: ApplicationsState, e: Experiment, params: Params) -> str:
    """Return a sample of the network's text as HTML, always with the same random numbers."""
    alphabet, rng = characters_of(e).alphabet(e), np.random.default_rng(0)
    writer = Writer(e, params, _begun(state, e))
    for _ in range(SAMPLE):
        writer.write(state.temperature, rng)
    return escape("".join(alphabet[code] for code in writer.text).strip()).replace("\n", "⏎ ")
