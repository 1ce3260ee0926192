"""The page How: the loop unfolded step by step, or one pass by hand."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from rnnviz.figures.theme import Theme
from rnnviz.figures.unfolding import MOST_STEPS, Unfolding, unfolding_spec
from rnnviz.teaching.symbols import symbol
from rnnviz.teaching.walkthrough import Sizes
from rnnviz.ui.by_hand import by_hand
from rnnviz.ui.hand import Hand
from rnnviz.ui.live_figure import show
from rnnviz.ui.session import Session
from rnnviz.ui.step_bar import step_bar
from rnnviz.ui.style import theme
from rnnviz.ui.views import HALVES
from rnnviz.ui.widgets import one_of

INPUTS, OUTPUTS, HIDDEN = 4, 2, 8
WIDEST = 32
LOOP_HEIGHT = 330
LEAST_WIDTH = 700
"""Pixels below which numbers and names would overlap."""


IDEA = (
    f"Read {symbol('x_t')} through {symbol('A = W_xh', 'A')}, combine it with the memory "
    f"{symbol('h_t', 'h<sub>t−1</sub>')} through {symbol('B = W_hh', 'B')}; where an answer is due, write "
    f"{symbol('y_t')} through {symbol('C = W_hy', 'C')}."
)


FED_BACK = "Each output is an extra input of the next step (dotted, through A): A gets O more rows."


def page(session: Session) -> None:
    """Show the chosen half; it is part of the URL."""

    def choose(half: str | None) -> None:
        if half in HALVES:
            session.view = replace(session.view, half=half)

    shown = session.view.half or next(iter(HALVES))
    with st.container(key="how", width="content"):
        one_of("View", HALVES, HALVES.__getitem__, **session.widgets.bound("half", shown, choose))
    (by_hand if shown == "by-hand" else loop)(session)


@st.fragment
def loop(session: Session) -> None:
    """Show the loop, its unfolded steps, and the parameter counts."""
    with session.hand.follows("loop"):
        _loop(session.hand)


def _loop(hand: Hand) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="loop_bar"):
        steps = step_bar(
            hand,
            "loop_steps",
            {0: "folded"} | {t: str(t) for t in range(1, MOST_STEPS + 1)},
            "Steps unfolded",
        )
        own = st.toggle(
            "Separate weights for each step",
            key="loop_own",
            disabled=steps == 0,
            persist_state="session",
        )
        feedback = st.toggle("Feed the output back", key="loop_feedback", persist_state="session")
    view = Unfolding(steps, own and steps > 0, feedback)
    told = f"{_tell(view)} {FED_BACK}" if view.feedback else _tell(view)
    st.html(f"<div class='telling-line'><span role='status'>{told}</span></div>")
    label = _label(view)
    show(unfolding_spec(view, theme()), key="loop", label=label, height=LOOP_HEIGHT, least_width=LEAST_WIDTH)
    counts, size = st.columns([0.76, 0.24], gap="medium", vertical_alignment="center")
    hidden = hand.slider("Hidden units H", 1, WIDEST, HIDDEN, key="loop_H", box=size, persist_state="session")
    counts.html(_counts(view, Sizes(INPUTS, hidden, OUTPUTS, feedback), theme()))


def _tell(view: Unfolding) -> str:
    """Return a sentence or two on what the figure shows, as HTML."""
    if view.steps == 0:
        return (
            f"<b>A layer connected to itself.</b> The loop {symbol('B = W_hh', 'B')} carries the "
            f"{symbol('h_t', 'hidden state')} from one step to the next. Unfold it step by step."
        )
    if view.steps == 1:
        return (
            "<b>One step:</b> the first state is computed from x<sub>1</sub> and a memory that is still "
            "empty, h<sub>0</sub> = 0."
        )
    if view.own:
        return (
            f"<b>A deep network with {view.steps} hidden layers.</b> Each has separate weights to learn, "
            f"and step {view.steps + 1} has none yet."
        )
    return (
        f"<b>A deep network whose {view.steps} hidden layers share their weights:</b> the same A, B and C at "
        "every step. A longer sequence needs no new weights."
    )


def _label(view: Unfolding) -> str:
    """Return the figure's label for screen readers."""
    if view.steps == 0:
        return (
            "A hidden node h with a loop B, an input x below it through A and an output y above it through C"
        )
    weights = "separate weights, A1, B1, C1 and so on" if view.own else "the same weights A, B and C"
    fed = ", each output fed back into the next step" if view.feedback else ""
    return f"The loop beside its {view.steps} unfolded steps with {weights}{fed}"


def _counts(view: Unfolding, sizes: Sizes, colours: Theme) -> str:
    """Return both parameter counts as HTML, each with its formula and a bar."""
    letters, numbers = _formula(sizes, colours)
    separate, folded = sizes.separate(max(view.steps, 1)), view.steps == 0
    times = "T" if folded else str(view.steps)
    shared = f"{letters} = {numbers}", f"{sizes.shared:,}", sizes.shared
    own = f"T·({letters}) = {times}·({numbers})", f"{'T · ' * folded}{separate:,}", separate
    rows = (
        ("Shared: one layer, used T times", *shared, not view.own),
        ("A separate layer for each step", *own, view.own),
    )
    largest = sizes.separate(MOST_STEPS)
    boxes = (
        f"<div class='{'chosen' if chosen else ''}'>"
        f"<b>{title}</b><span>{formula}</span><strong>{total}</strong>"
        f"<i style='width:{100 * count / largest:.1f}%;background:{colours.hidden}'></i></div>"
        for title, formula, total, count, chosen in rows
    )
    return f"<div class='counts'>{''.join(boxes)}</div>"


def _formula(sizes: Sizes, colours: Theme) -> tuple[str, str]:
    """Return the formula for one layer's parameter count, in letters and in numbers."""
    I, H, O = sizes.inputs, sizes.hidden, sizes.outputs  # noqa: E741
    read, reads = ("(I+O)", f"({I}+{O})") if sizes.feedback else ("I", str(I))
    parts = (
        (f"{read}·H", f"{reads}·{H}", colours.input),
        ("H·H", f"{H}·{H}", colours.hidden),
        ("H", f"{H}", colours.ink),
        ("H·O", f"{H}·{O}", colours.output),
        ("O", f"{O}", colours.ink),
    )
    letters = (f"<span style='color:{colour}'>{letter}</span>" for letter, _, colour in parts)
    numbers = (f"<span style='color:{colour}'>{number}</span>" for _, number, colour in parts)
    return " + ".join(letters), " + ".join(numbers)
