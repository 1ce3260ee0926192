"""The sidebar: every choice of the experiment.

Widgets show the experiment and report changes; they hold nothing themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.experiment import Experiment, choices
from rnnviz.experiment.links import to_text
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.optimizers import OPTIMIZERS
from rnnviz.tasks import TASKS
from rnnviz.tasks.corpora import CORPORA, MAX_CHARACTERS
from rnnviz.tasks.numerals import LANGUAGES
from rnnviz.tasks.series import SERIES
from rnnviz.tasks.topology import TOPOLOGIES
from rnnviz.teaching.glossary import explain
from rnnviz.teaching.presets import PRESETS
from rnnviz.ui.visit import Visit

ARROWS = {
    "one-to-one": "1→1",
    "one-to-many": "1→n",
    "many-to-one": "n→1",
    "many-to-many": "n→n",
    "sequence-to-sequence": "n⇥n",
}
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
CLIPS = (None, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
USUAL_GAINS = 3.0
"""The gain slider ends here unless the experiment's own gain lies beyond."""


def sidebar(visit: Visit) -> None:
    """Draw the choices that the view shows; changes reach ``visit`` before the page is drawn again."""
    groups = {"scenario": _scenario, "problem": _problem, "start": _start, "learning": _learning}
    shown = [draw for name, draw in groups.items() if name not in visit.view.hidden]
    with st.sidebar:
        for draw in shown:
            draw(visit)
        if "network" not in visit.view.hidden:
            with st.expander("Network and data", key="more"):
                _network(visit)
        _picture(visit)


def _bound(visit: Visit, name: str) -> dict[str, Any]:
    """Arguments that tie a widget to one field of the experiment."""
    key = f"choose_{name}"
    st.session_state[key] = getattr(visit.experiment, name)

    def choose() -> None:
        value = st.session_state[key]
        if (value is not None or choices()[name].optional) and not visit.is_stale(name, value):
            visit.choose(**{name: value})

    return {"key": key, "on_change": choose}


def _scenario(visit: Visit) -> None:
    st.session_state["scenario"] = visit.preset.name if visit.preset else None

    def open_scenario() -> None:
        name = st.session_state["scenario"]
        if name in PRESETS and not visit.is_stale("scenario", name):
            visit.open_preset(PRESETS[name])

    st.selectbox(
        "Scenario",
        list(PRESETS),
        index=None,
        format_func=lambda name: PRESETS[name].title,
        placeholder="Your own",
        key="scenario",
        on_change=open_scenario,
    )


def _problem(visit: Visit) -> None:
    e = visit.experiment
    st.segmented_control(
        "Topology",
        list(TOPOLOGIES),
        format_func=ARROWS.__getitem__,
        required=True,
        width="stretch",
        wrap=False,
        help="  \n".join(f"**{ARROWS[t.name]}** {t.title}: {t.example}" for t in TOPOLOGIES.values()),
        **_bound(visit, "topology"),
    )
    topology = TOPOLOGIES[e.topology]
    st.caption(f"**{topology.title}**, as in {topology.example}")
    fitting = [name for name, task in TASKS.items() if e.topology in task.fits]
    _names(visit, "task", {name: TASKS[name].title for name in fitting}, help_text=TASKS[e.task].summary)
    low, high = TASKS[e.task].lengths(e)
    if low == high:
        st.caption(f"**T = {low}**: a single step, so nothing can vanish")
    else:
        st.slider("Sequence length T", low, high, help=explain("t, T"), **_bound(visit, "seq_len"))


def _start(visit: Visit) -> None:
    e = visit.experiment
    if not CELLS[e.cell].recurrent:
        st.caption("No recurrence: there is no B = W_hh to initialise")
        return
    titles = {name: f"{i.title}  {i.formula}" for name, i in INITIALIZERS.items()}
    _names(visit, "init", titles, label="Initialisation of B = W_hh", help_text=explain("B = W_hh"))
    if INITIALIZERS[e.init].has_gain:
        limit = max(USUAL_GAINS, e.gain)
        st.slider("Gain g", 0.0, limit, step=0.05, help=explain("g"), **_bound(visit, "gain"))


def _learning(visit: Visit) -> None:
    e = visit.experiment
    st.select_slider(
        "Learning rate",
        sorted({*RATES, e.learning_rate}),
        format_func=to_text,  # in full: Streamlit knows an option by its text
        help=explain("η"),
        **_bound(visit, "learning_rate"),
    )
    clips = sorted({c for c in (*CLIPS, e.clip_norm) if c is not None})
    st.select_slider(
        "Clip the gradient's norm at",
        [None, *clips],
        format_func=lambda clip: "off" if clip is None else to_text(clip),
        help=explain("θ"),
        **_bound(visit, "clip_norm"),
    )


def _network(visit: Visit) -> None:
    e = visit.experiment
    left, right = st.columns(2)
    with left:
        _names(visit, "activation", {name: a.title for name, a in ACTIVATIONS.items()})
        _number(visit, "hidden_size")
        _number(visit, "batch_size")
    with right:
        _names(visit, "optimizer", {name: o.title for name, o in OPTIMIZERS.items()})
        _number(visit, "layers")
        _number(visit, "seed")
    if TOPOLOGIES[e.topology].can_feed_back:
        st.toggle("Feed the output back", **_bound(visit, "feedback"))
    for option in TASKS[e.task].options:
        OPTIONS[option](visit)


def _names(
    visit: Visit, name: str, titles: dict[str, str], label: str = "", help_text: str | None = None
) -> None:
    label = label or choices()[name].title
    st.selectbox(label, list(titles), format_func=titles.__getitem__, help=help_text, **_bound(visit, name))


def _number(visit: Visit, name: str) -> None:
    choice = choices()[name]
    st.number_input(choice.title, int(choice.low), int(choice.high), step=1, **_bound(visit, name))


def _noise(visit: Visit) -> None:
    choice = choices()["noise"]
    st.slider(choice.title, choice.low, choice.high, step=0.05, **_bound(visit, "noise"))


def _own_text(visit: Visit) -> None:
    """A box for text of one's own; what is in it is used only if it can be learned from."""
    st.text_area(
        "Your own text",
        value=visit.experiment.text,
        placeholder=f"Paste 10 to {MAX_CHARACTERS:,} characters",
        height=90,
        key="pasted_text",
    )

    def use() -> None:
        visit.choose(corpus="own", text=st.session_state["pasted_text"])

    st.button("Learn this text", on_click=use, width="stretch", key="use_text")


OPTIONS: dict[str, Callable[[Visit], None]] = {
    "symbols": lambda visit: _number(visit, "symbols"),
    "noise": _noise,
    "delay": lambda visit: _number(visit, "delay"),
    "items": lambda visit: _number(visit, "items"),
    "corpus": lambda visit: _names(
        visit, "corpus", {n: t for n, t in CORPORA.items() if n != "own" or visit.experiment.corpus == "own"}
    ),
    "text": _own_text,
    "series": lambda visit: _names(
        visit, "series", {n: t for n, t in SERIES.items() if n != "own" or visit.experiment.series == "own"}
    ),
    "data": lambda visit: None,  # uploaded on the page Applications
    "language": lambda visit: _names(visit, "language", {n: k.title for n, k in LANGUAGES.items()}),
    "target": lambda visit: _names(
        visit, "target", {n: LANGUAGES[n].title for n in choices()["target"].names}
    ),
}
"""How each option of a single task is chosen."""


def _picture(visit: Visit) -> None:
    """What the timeline shows of the network: changes nothing in the run."""
    e = visit.experiment
    if e.layers > 1:
        st.session_state["layer"] = visit.layer
        st.segmented_control(
            "Layer shown",
            list(range(e.layers)),
            format_func=lambda layer: str(layer + 1),
            required=True,
            key="layer",
            on_change=lambda: setattr(visit, "layer", st.session_state["layer"]),
        )
    if int(TASKS[e.task].masks(e).writes.sum()) > 1:
        _switch(
            visit,
            "whole_loss",
            "Gradient of the whole loss",
            "Where many steps write, the whole loss keeps the gradient up everywhere, even when each "
            "single output's error dies within a few steps. Off: the error of the last output alone.",
        )
    _switch(
        visit,
        "relative",
        "Relative to the last step",
        "Divides by the gradient at the last output, so that a loss that was learned away "
        "does not look like vanishing.",
    )


def _switch(visit: Visit, name: str, label: str, help_text: str) -> None:
    st.session_state[name] = getattr(visit, name)
    st.toggle(label, key=name, help=help_text, on_change=lambda: setattr(visit, name, st.session_state[name]))


def remedies(e: Experiment, gradient_norms: Array) -> dict[str, dict[str, Any]]:
    """Return what could have kept a diverged run alive: a button's label and the choices behind it.

    gradient_norms : (n,), raw, as recorded until it broke off.
    """
    cures: dict[str, dict[str, Any]] = {}
    if e.clip_norm is None:
        cures["Clip at 1"] = {"clip_norm": 1.0}
    rate = _gentle_rate(e, gradient_norms)
    if rate is not None:
        cures[f"Learning rate {rate:g}"] = {"learning_rate": rate}
    if INITIALIZERS[e.init].has_gain and e.gain > 1.0:
        cures["Gain 1"] = {"gain": 1.0}
    return cures


def _gentle_rate(e: Experiment, gradient_norms: Array) -> float | None:
    """Return the power of ten at which even the largest gradient moves the weights by 0.1 at most."""
    largest = float(np.max(gradient_norms[np.isfinite(gradient_norms)], initial=1.0))
    rate = float(10.0 ** np.floor(np.log10(0.1 / largest)))
    return rate if choices()["learning_rate"].low <= rate < e.learning_rate else None
