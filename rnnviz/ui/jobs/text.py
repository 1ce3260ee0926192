"""A text is continued letter by letter; the visitor sets the temperature, and may paste a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape

import numpy as np
import streamlit as st

from rnnviz.applications.generation import Writer, characters_of
from rnnviz.applications.jobs import JOBS, Variant
from rnnviz.experiment import Experiment
from rnnviz.figures.passage import letters_spec
from rnnviz.model.network import Params
from rnnviz.tasks.corpora import MAX_CHARACTERS, check_text
from rnnviz.ui.jobs.showing import Answer
from rnnviz.ui.jobs.workbench import Workbench
from rnnviz.ui.style import theme
from rnnviz.ui.widgets import pressed

LONGEST = 240
"""Letters that a network writes at most before the visitor begins anew."""

HOTTEST = 2.0
SAMPLE = 60
"""Letters of a sample that shows what the network would write."""

OWN_STEPS = 500


def variants(bench: Workbench) -> dict[str, Variant]:
    """Return the texts to choose from, with the visitor's own if there is one."""
    known = JOBS["text"].variants
    if not bench.text:
        return known
    e = replace(known["elements"].experiment, corpus="own", text=bench.text)
    length = min(e.seq_len, len(bench.text) - 1)
    return known | {"own": Variant("Your text", replace(e, seq_len=length), OWN_STEPS)}


def ask(bench: Workbench, e: Experiment, params: Callable[[], Params]) -> None:
    """Temperature, what to begin with, and a text of the visitor's own.

    params : gives the network's newest weights.
    """
    st.session_state["temperature"] = bench.temperature

    def warm() -> None:
        bench.temperature = st.session_state["temperature"]

    def begin() -> None:
        bench.beginning, bench.written, bench.writing = st.session_state["beginning"], [], False

    st.slider(
        "Temperature",
        0.0,
        HOTTEST,
        step=0.1,
        key="temperature",
        on_change=warm,
        help="Every logit is divided by it before the softmax. 0: always the likeliest letter; 1: as "
        "learned; above: bolder, and soon nonsense.",
    )
    st.session_state.setdefault("beginning", bench.beginning)
    st.text_input(
        "Begin with", max_chars=40, key="beginning", on_change=begin, placeholder="nothing: a new line"
    )
    _, unknown = known_letters(bench.beginning, characters_of(e).alphabet(e))
    if unknown:
        told = " ".join(escape(letter.replace(" ", "␣")) for letter in unknown)
        st.html(f"<p class='unknown' role='status'>Not in this text, so skipped: {told}</p>")
    with st.container(horizontal=True, gap="small"):
        st.button(
            "One letter",
            icon=":material/edit:",
            on_click=pressed(lambda: write_letter(bench, e, params())),
            key="one_letter",
        )
        label, icon = ("Stop", "stop") if bench.writing else ("Write on", "edit_note")
        st.button(
            label,
            icon=f":material/{icon}:",
            on_click=pressed(lambda: setattr(bench, "writing", not bench.writing)),
            disabled=len(bench.written) >= LONGEST,
            key="write_on",
        )
        st.button(
            "Begin anew", icon=":material/backspace:", on_click=lambda: _begin_anew(bench), key="begin_anew"
        )
    _own_text(bench)


def known_letters(text: str, alphabet: str) -> tuple[str, list[str]]:
    """Return the letters that an alphabet has, in the case in which it has them, and those that it lacks."""
    cases = [(letter, letter.lower(), letter.upper()) for letter in text]
    found = [next((case for case in three if case in alphabet), "") for three in cases]
    return "".join(found), sorted({letter for letter, known in zip(text, found, strict=True) if not known})


def write_letter(bench: Workbench, e: Experiment, params: Params) -> None:
    """Let the network write one letter more, up to LONGEST; then it stops writing on."""
    if len(bench.written) < LONGEST:
        bench.written.append(_writer(bench, e, params).write(bench.temperature, bench.letters).number)
    bench.writing = bench.writing and len(bench.written) < LONGEST


def _writer(bench: Workbench, e: Experiment, params: Params) -> Writer:
    """Return the writer that has read what stands there: a new one if it was another text or network."""
    text = _begun(bench, e) + bench.written
    if bench.writer is None or bench.writer.params is not params or bench.writer.text != text:
        bench.writer = Writer(e, params, text)
    return bench.writer


def _begun(bench: Workbench, e: Experiment) -> list[int]:
    """Return the letters before the first one written: a line's end where the text has lines."""
    alphabet = characters_of(e).alphabet(e)
    begun = ("\n" if "\n" in alphabet else "") + known_letters(bench.beginning, alphabet)[0]
    return [alphabet.index(letter) for letter in begun or alphabet[0]]


def _begin_anew(bench: Workbench) -> None:
    bench.written, bench.writing = [], False


def _own_text(bench: Workbench) -> None:
    with st.expander("Your own text"):
        st.text_area(
            "Text to learn",
            value=bench.text,
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
                bench.text_refusal = str(problem)
                return
            bench.text, bench.text_refusal = text, ""
            bench.variants["text"] = "own"
            _begin_anew(bench)

        st.button("Learn this text", on_click=use, key="learn_text")
        if bench.text_refusal:
            st.error(bench.text_refusal.replace("$", r"\$"), icon=":material/error:")


def answer(bench: Workbench, e: Experiment, params: Params) -> Answer:
    """What the network wrote so far, and how likely each letter was when the last one was drawn.

    While it writes on, every look adds a letter.
    """
    if bench.writing:
        write_letter(bench, e, params)
    task, begun = characters_of(e), _begun(bench, e)
    alphabet = task.alphabet(e)
    chosen = bench.written[-1] if bench.written else None
    before = (begun + bench.written)[: -1 if bench.written else None]
    probabilities = Writer(e, params, before).probabilities(bench.temperature)
    signs = [task.output_label(e, i) for i in range(len(alphabet))]
    figure = letters_spec(signs, probabilities, chosen, theme())
    begun_shown = escape(known_letters(bench.beginning, alphabet)[0]).replace("\n", "⏎ ")
    text = escape("".join(alphabet[i] for i in bench.written)).replace("\n", "⏎ ")
    likeliest = signs[int(probabilities.argmax())]
    label = f"Probability of every letter to come next; the likeliest is {likeliest}"
    prose = f"<p class='written'>{begun_shown}<b>{text}</b><span class='cursor'>▌</span></p>"
    if not bench.written:
        prose = f"<p class='written'>A sample: <i>{_sample(bench, e, params)}</i></p>"
    likely = (
        "Most likely next:" if chosen is None else f"Drawn: <b>{escape(signs[chosen])}</b>; most likely was"
    )
    return Answer(figure, label, f"{likely} <b>{escape(likeliest)}</b>", prose)


def _sample(bench: Workbench, e: Experiment, params: Params) -> str:
    """Return what the network would write now, as HTML: always with the same random numbers."""
    alphabet, rng = characters_of(e).alphabet(e), np.random.default_rng(0)
    writer = Writer(e, params, _begun(bench, e))
    for _ in range(SAMPLE):
        writer.write(bench.temperature, rng)
    return escape("".join(alphabet[code] for code in writer.text).strip()).replace("\n", "⏎ ")
