"""One pass by hand: the figure, the equation, and a control to change one number."""

from __future__ import annotations

from functools import cache

import numpy as np
import streamlit as st

from rnnviz.export.spreadsheet import spreadsheet
from rnnviz.figures.by_hand import ByHand, by_hand_spec
from rnnviz.figures.theme import Theme, squares
from rnnviz.figures.timeline import GRADIENT_RANGE
from rnnviz.model.arrays import Mask
from rnnviz.teaching.equations import Equations
from rnnviz.teaching.symbols import hint, symbol
from rnnviz.teaching.walkthrough import (
    LIMIT,
    PITCH,
    STOPS,
    Entry,
    Given,
    Stop,
    T,
    Walk,
    entries,
    original,
    written,
)
from rnnviz.ui.hand import Hand
from rnnviz.ui.live_figure import show
from rnnviz.ui.session import Session
from rnnviz.ui.step_bar import step_bar
from rnnviz.ui.style import theme

HEIGHT = 250
LEAST_WIDTH = 700
"""Pixels below which numbers and names would overlap."""

LOWER = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
FIRST = Entry("B", 0, 0)


@cache
def _sheet() -> bytes:
    """Return the pass as a spreadsheet, with the original weights and inputs."""
    return spreadsheet()


def lower(number: int) -> str:
    """Return a number as an index in plain text."""
    return str(number).translate(LOWER)


def stop_name(stop: Stop) -> str:
    """Return the symbol that a stop computes, as on the slider."""
    index = lower(stop.t)
    return {
        "state": f"h{index}",
        "answer": f"y{index}",
        "loss": "L",
        "error": f"∂L/∂y{index}",
        "back": f"δ{index}",
        "sum": f"∂L/∂{stop.letter}",
    }[stop.kind]


def entry_name(entry: Entry) -> str:
    """Return a number's name and what it connects."""
    row, column = entry.row + 1, entry.column + 1
    if entry.letter == "x":
        return f"x{lower(row)}: number {column} of the input at step {row}"
    sources = {
        "A": f"input {row} to unit {column}",
        "B": f"unit {row} to unit {column}",
        "C": f"unit {row} to output {column}",
    }
    return f"{entry.letter}{lower(row)}{lower(column)}: from {sources[entry.letter]}"


@st.fragment
def by_hand(session: Session) -> None:
    """Show the stepper and the pass, optionally with one number changed."""
    with session.hand.follows("by_hand"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="hand_bar"):
            names = {i: stop_name(s) for i, s in enumerate(STOPS)}
            stop = step_bar(session.hand, "hand_stop", names, "What is computed")
            st.download_button(
                "Spreadsheet",
                _sheet(),
                "one-pass-by-hand.xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                icon=":material/download:",
                on_click="ignore",
                key="hand_sheet",
                help="This pass with live formulas: change a weight or an input, and all numbers follow.",
            )
        _pass(session, stop)


@st.fragment
def _pass(session: Session, number: int) -> None:
    """Show everything that depends on the changed number."""
    with session.hand.follows("pass"):
        _shown(session.hand, number)


def _shown(hand: Hand, number: int) -> None:
    colours, stop = theme(), STOPS[number]
    before, walk = Walk.of(original()), Walk.of(_given(hand))
    changed = walk.differs(before)
    st.html(f"<div class='telling-line'><span role='status'>{tell(walk, stop)}</span>{_key(colours)}</div>")
    show(
        by_hand_spec(ByHand(walk, changed, number), colours),
        key="by_hand",
        label=_label(walk, stop, changed),
        height=HEIGHT,
        least_width=LEAST_WIDTH,
    )
    equation, panel = st.columns([0.66, 0.34], gap="medium")
    with equation.container(key="hand_equation"):
        letters = {"A": colours.input, "B": colours.hidden, "C": colours.output}
        st.latex(Equations(walk, changed, letters).of(stop))
    with panel:
        _choose(hand)
        st.html(_outcome(walk, before, changed))


def _key_of(entry: Entry) -> str:
    return f"hand_{entry.letter}{entry.row}{entry.column}"


def _given(hand: Hand) -> Given:
    """Return the weights and inputs with the visitor's change, whose widgets come later on the page."""
    entry = st.session_state.get("hand_entry", FIRST)
    key = _key_of(entry)
    return original().changed(entry, hand.value(key, st.session_state.get(key, original().value(entry))))


def _key(colours: Theme) -> str:
    """Return the colour key as HTML."""
    low, high = (f"10<sup>{power}</sup>".replace("-", "−") for power in GRADIENT_RANGE)
    return (
        f"<small><span>state −1 {squares(colours.state)} +1</span> "
        f"<span>gradient {low} {squares(colours.gradient)} {high}</span></small>"
    )


def _choose(hand: Hand) -> None:
    """Show the controls that change one number."""
    entry = st.selectbox(
        "Change one weight or one input by hand",
        entries(),
        entries().index(FIRST),
        format_func=entry_name,
        key="hand_entry",
        filter_mode=None,  # a letter is a button's key
        persist_state="session",
    )
    key, usual = _key_of(entry), original().value(entry)

    def reset() -> None:
        st.session_state[key] = usual

    slider, button = st.columns([0.52, 0.48], vertical_alignment="bottom")
    name = entry_name(entry).split(":")[0]
    label = f"{name}, originally {written(usual, 1)}"
    value = hand.slider(label, -LIMIT, LIMIT, usual, step=PITCH, format="%.1f", key=key, box=slider)
    button.button(
        "Back to the original",
        on_click=reset,
        disabled=value == usual,
        key="hand_reset",
        width="stretch",
    )


def tell(walk: Walk, stop: Stop) -> str:
    """Return a sentence on what happens at a stop, as HTML."""
    t, kind = stop.t, stop.kind
    if kind == "state":
        start = "The memory is still empty, h<sub>0</sub> = 0." if t == 1 else "The same A and B as before."
        mixed = f"read x<sub>{t}</sub>, combine it with h<sub>{t - 1}</sub>, apply tanh"
        return f"<b>Forward, step {t} of {T}:</b> {mixed}. {start}"
    if kind == "back":
        return _tell_back(walk, t)
    if kind == "sum":
        products = {
            "A": "x<sub>t</sub><sup>⊤</sup> times α<sub>t</sub>, summed over all steps",
            "B": "h<sub>t−1</sub><sup>⊤</sup> times α<sub>t</sub>, summed over all steps",
            "C": f"h<sub>{T}</sub><sup>⊤</sup> times the error at the output; only the last step used C",
        }
        return (
            f"<b>The gradient with respect to {stop.letter}:</b> {products[stop.letter]}. "
            f"Beside {'the' if stop.letter == 'C' else 'each'} {stop.letter}: the length of that step's term."
        )
    right = walk.target + 1
    return {
        "answer": "<b>The answer:</b> after the last step, C computes it from the state.",
        "loss": f"<b>The loss:</b> softmax turns y into probabilities; class {right} is the right one.",
        "error": "<b>Now back.</b> The error at the output: the probabilities minus the target.",
    }[kind]


def _tell_back(walk: Walk, t: int) -> str:
    """Return a sentence on how the error reaches step ``t``, as HTML."""
    delta = symbol("∂L/∂h_t", f"δ<sub>{t}</sub>")
    meaning = "dL/da: the error times the slope of tanh"
    if t == T:
        reduced = hint(f"α<sub>{t}</sub>", meaning)
        return (
            f"<b>Back to step {t}:</b> C carries the error to the state, {delta}; the slope of tanh reduces "
            f"it to {reduced}."
        )
    now, later = (written(float(np.linalg.norm(walk.delta[step - 1]))) for step in (t, t + 1))
    came = hint(f"α<sub>{t + 1}</sub>", meaning)
    return (
        f"<b>Back to step {t}:</b> {came} goes through the same B again, in the other direction, and becomes "
        f"{delta}. The error's length goes from {later} to {now}."
    )


def _label(walk: Walk, stop: Stop, changed: dict[str, Mask]) -> str:
    """Return the figure's label for screen readers."""
    values = {
        "state": walk.h[stop.t],
        "answer": walk.y,
        "loss": walk.L,
        "error": walk.G,
        "back": walk.delta[stop.t - 1],
    }.get(stop.kind, getattr(walk, f"d{stop.letter}", walk.L))
    numbers = ", ".join(written(float(value), 3) for value in np.ravel(values))
    count = sum(int(mask.sum()) for mask in changed.values())
    result = f"{stop_name(stop)} = {numbers}. Changed numbers: {count}"
    return f"Network unrolled over {T} steps with its numbers. {result}"


def _outcome(walk: Walk, before: Walk, changed: dict[str, Mask]) -> str:
    """Return the loss and which numbers the change affected, as HTML."""
    loss = f"<b>L = {written(walk.L[0])}</b>"
    if not any(mask.any() for mask in changed.values()):
        return (
            f"<p class='loss-now'>{loss}, the original value. Move the slider: everything after it changes "
            "at once. (Biases are 0; numbers are rounded.)</p>"
        )
    states = [f"h<sub>{t}</sub>" for t in range(1, T + 1) if changed["h"][t].any()]
    reached = [*states, f"y<sub>{T}</sub>" if changed["y"].any() else "", "the gradient"]
    was = f"was {written(before.L[0])}"
    return (
        f"<p class='loss-now'>{loss}, {was}. Changed: {', '.join(filter(None, reached))} "
        "(<b>framed</b> in the picture, <u>underlined</u> in the equation).</p>"
    )
