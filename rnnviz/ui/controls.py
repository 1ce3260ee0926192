"""The sidebar: every choice of the experiment.

Widgets show the experiment and report changes; they hold nothing themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
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
from rnnviz.tasks.options import Menu, NumberBox, Option, PasteBox, Slider, Toggle
from rnnviz.tasks.topology import TOPOLOGIES
from rnnviz.teaching.glossary import explain, with_small_indices
from rnnviz.teaching.presets import PRESETS
from rnnviz.ui.hand import Scale, between
from rnnviz.ui.session import Session

ARROWS = {
    "one-to-one": "1→1",
    "one-to-many": "1→n",
    "many-to-one": "n→1",
    "many-to-many": "n→n",
    "sequence-to-sequence": "n⇥n",
}
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
BLOCKS = (1, 2, 5, 10, 20, 50, 100)
"""Steps after which the gradient may be cut."""
CLIPS = (None, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
USUAL_GAINS = 3.0
"""The gain slider ends here unless the experiment's own gain lies beyond."""


SCENARIO = "scenario"
# What is unfolded in the sidebar is kept in sight while it grows, until the visitor does something else.
_unfolding = st.components.v2.component(
    "rnnviz_unfolding",
    js="""
    export default function () {
      const grows = new ResizeObserver(([{ target }]) => target.scrollIntoView({ block: "nearest" }));
      const leave = () => grows.disconnect();
      const show = ({ target }) => {
        leave();
        if (target.open && target.matches("[data-testid=stSidebar] details")) grows.observe(target);
      };
      const others = ["pointerdown", "wheel", "keydown"];
      addEventListener("toggle", show, { capture: true });
      for (const other of others) addEventListener(other, leave, { capture: true, passive: true });
      return () => {
        leave();
        removeEventListener("toggle", show, { capture: true });
        for (const other of others) removeEventListener(other, leave, { capture: true });
      };
    }
    """,
    isolate_styles=False,
)

PICTURE = frozenset({"layer", "units", "whole_loss", "relative"})
"""What the timeline shows of the network: changes nothing in the run."""

EVERYTHING = frozenset(choices()) | {SCENARIO} | PICTURE
"""The names of all controls: the settings of an experiment, the scenario, and PICTURE."""


def sidebar(session: Session, useful: Collection[str] = EVERYTHING) -> None:
    """Draw the choices that the view shows; changes reach ``session`` before the page is drawn again.

    useful : controls that have an effect on the page; the others are left out.
    """
    groups = {"scenario": _scenario, "problem": _problem, "start": _start, "learning": _learning}
    shown = [draw for name, draw in groups.items() if name not in session.view.hidden]
    with st.sidebar:
        for draw in shown:
            draw(session, useful)
        if "network" not in session.view.hidden:
            _network(session, useful)
        _picture(session, useful)


def _bound(session: Session, name: str, scale: Scale | None = None) -> dict[str, Any]:
    """Arguments that tie a widget to one field of the experiment; scale : see ``Widgets.bound``."""

    def choose(value: Any) -> None:
        try:
            choices()[name].check(name, value)
        except ValueError:  # what an option was called, where the options have changed since
            return
        session.choose(**{name: value})

    return session.widgets.bound(f"choose_{name}", getattr(session.experiment, name), choose, scale)


def _scenario(session: Session, useful: Collection[str]) -> None:
    if SCENARIO in useful and not session.view.projector:  # there it is among the run's buttons
        scenario(session)


def scenario(session: Session, **look: Any) -> None:
    """Draw the choice of a scenario; look : arguments for Streamlit's widget."""

    def open_scenario(name: str | None) -> None:
        if name in PRESETS:
            session.open_preset(PRESETS[name])

    st.selectbox(
        "Scenario",
        list(PRESETS),
        index=None,
        format_func=lambda name: PRESETS[name].title,
        placeholder="Your own",
        filter_mode=None,  # a letter is a button's key
        **look,
        **session.widgets.bound("scenario", session.preset.name if session.preset else None, open_scenario),
    )


def _problem(session: Session, useful: Collection[str]) -> None:
    e = session.experiment
    if "task" not in useful:
        return
    st.segmented_control(
        "Type: which steps read and write",
        list(TOPOLOGIES),
        format_func=ARROWS.__getitem__,
        required=True,
        width="stretch",
        wrap=False,
        help="  \n".join(f"**{ARROWS[t.name]}** {t.title}: {t.example}" for t in TOPOLOGIES.values()),
        **_bound(session, "topology"),
    )
    topology = TOPOLOGIES[e.topology]
    st.caption(f"**{topology.title}**, as in {topology.example}")
    fitting = [name for name, task in TASKS.items() if e.topology in task.fits]
    _names(session, "task", {name: TASKS[name].title for name in fitting}, help_text=TASKS[e.task].summary)
    if "seq_len" not in useful:
        return
    low, high = TASKS[e.task].lengths(e)
    if low == high:
        st.caption(f"**T = {low}**: a single step, so nothing can vanish over time")
    else:
        bound = _bound(session, "seq_len", between(low, high))
        st.slider("Sequence length T", low, high, help=explain("t, T"), **bound)


def _start(session: Session, useful: Collection[str]) -> None:
    e = session.experiment
    if "init" not in useful:
        return
    if not CELLS[e.cell].recurrent:
        st.caption(with_small_indices("No recurrence: there is no B = W_hh to initialise"))
        return
    if e.seq_len == 1:
        st.caption(with_small_indices("A single step: B = W_hh is not used"))
        return
    cell = CELLS[e.cell]
    titles = {name: f"{INITIALIZERS[name].title}  {INITIALIZERS[name].formula}" for name in cell.inits}
    of = {0: "", 1: " of B = W_hh"}.get(cell.matrices, " of each gate's W_hh")
    _names(
        session,
        "init",
        titles,
        label=with_small_indices(f"Initialisation{of}"),
        help_text=explain("B = W_hh"),
    )
    if INITIALIZERS[e.init].has_gain:
        limit = max(USUAL_GAINS, session.hand.before(session.widgets.key("choose_gain"), e.gain))
        bound = _bound(session, "gain", between(0.0, limit))
        st.slider("Gain g", 0.0, limit, step=0.05, help=explain("g"), **bound)


def _learning(session: Session, useful: Collection[str]) -> None:
    e = session.experiment
    if "learning_rate" in useful:
        st.select_slider(
            "Learning rate",
            sorted({*RATES, e.learning_rate}),
            format_func=to_text,  # in full: Streamlit knows an option by its text
            help=explain("η"),
            **_bound(session, "learning_rate"),
        )
    drawn = {"clip_norm": _clipping, "truncate": _truncation}
    shown = [draw for name, draw in drawn.items() if name in useful and (draw is _clipping or _cuts(e))]
    for place, draw in zip(st.columns(2) if len(shown) == 2 else [st.container()], shown, strict=False):
        with place:
            draw(session)


def _clipping(session: Session) -> None:
    clips = sorted({c for c in (*CLIPS, session.experiment.clip_norm) if c is not None})
    st.select_slider(
        "Clip norm at",
        [None, *clips],
        format_func=lambda clip: "off" if clip is None else to_text(clip),
        help=explain("θ"),
        **_bound(session, "clip_norm"),
    )


def _cuts(e: Experiment) -> bool:
    """Return whether truncation can cut anything."""
    return e.seq_len > 1 and CELLS[e.cell].recurrent


def _truncation(session: Session) -> None:
    e = session.experiment
    blocks = {k for k in BLOCKS if k < e.seq_len} | ({e.truncate} if e.truncate else set())
    st.select_slider(
        "Cut BPTT every",
        [None, *sorted(blocks)],
        format_func=_in_steps,
        help=explain("truncated BPTT"),
        **_bound(session, "truncate"),
    )


def _in_steps(steps: int | None) -> str:
    return "off" if steps is None else "1 step" if steps == 1 else f"{steps} steps"


def _network(session: Session, useful: Collection[str]) -> None:
    """The settings of the network and of the data, folded away unless there are no others."""
    e = session.experiment
    named: dict[str, Callable[[], None]] = {
        "cell": lambda: _names(session, "cell", {name: cell.title for name, cell in CELLS.items()}),
        "activation": lambda: _activation(session),
        "optimizer": lambda: _names(session, "optimizer", {n: o.title for n, o in OPTIMIZERS.items()}),
    }
    numbers = ("hidden_size", "batch_size"), ("layers", "seed")
    if not any(name in useful for name in (*named, *numbers[0], *numbers[1])):
        return
    alone = "task" not in useful
    if alone:
        place = st.container(key="few")
    else:
        place = st.expander("Network and data", key="more", on_change="rerun")
        _unfolding(key="unfolding", height=1)
        if not place.open:  # each control costs every rerun of the page, in a class of thirty too
            return
    with place:
        for name, draw in named.items():
            if name in useful:
                draw()
        for place, column in zip(st.columns(2), numbers, strict=True):
            with place:
                for name in column:
                    if name in useful:
                        _number(session, name)
        if "feedback" in useful and TOPOLOGIES[e.topology].can_feed_back:
            st.toggle("Feed the output back", **_bound(session, "feedback"))
        for option in TASKS[e.task].options.values():
            if option.name in useful:
                _option(session, option)


def _activation(session: Session) -> None:
    """The activation, if the cell has a choice."""
    cell = CELLS[session.experiment.cell]
    if len(cell.activations) == 1:
        st.selectbox(
            choices()["activation"].title,
            [f"built in: {cell.built_in}"],
            disabled=True,
            help=f"{cell.title} has activations of its own.",
            key=f"activation_of_{session.experiment.cell}",
        )
    else:
        _names(session, "activation", {name: a.title for name, a in ACTIVATIONS.items()})


def _names(
    session: Session, name: str, titles: dict[str, str], label: str = "", help_text: str | None = None
) -> None:
    label = label or choices()[name].title
    st.selectbox(
        label,
        list(titles),
        format_func=titles.__getitem__,
        help=help_text,
        filter_mode=None,
        **_bound(session, name),
    )


def _number(session: Session, name: str) -> None:
    choice = choices()[name]
    st.number_input(choice.title, int(choice.low), int(choice.high), step=1, **_bound(session, name))


def _option(session: Session, option: Option[Any]) -> None:
    """An option of the task, by the control that it declares."""
    match option.control:
        case NumberBox():
            _number(session, option.name)
        case Slider(step):
            bound = _bound(session, option.name, between(option.low, option.high))
            st.slider(option.title, option.low, option.high, step=step, **bound)
        case Toggle():
            st.toggle(option.title, **_bound(session, option.name))
        case Menu(unlisted):
            listed = set(option.names) - set(unlisted) | {option.of(session.experiment)}
            _names(session, option.name, {n: title for n, title in option.names.items() if n in listed})
        case PasteBox() as box:
            _paste_box(session, option, box)


def _paste_box(session: Session, option: Option[str], box: PasteBox) -> None:
    """A box for the visitor's own text; only valid text is used."""
    key = f"pasted_{option.name}"
    st.text_area(
        option.title,
        value=option.of(session.experiment),
        placeholder=box.placeholder,
        height=90,
        key=key,
    )

    def use() -> None:
        session.choose(**option.in_force_with(st.session_state[key]))

    st.button(box.button, on_click=use, width="stretch", key=f"use_{option.name}")


def _picture(session: Session, useful: Collection[str]) -> None:
    """Draw the controls named in PICTURE."""
    e = session.experiment
    if "layer" in useful and e.layers > 1:
        st.segmented_control(
            "Layer shown",
            list(range(e.layers)),
            format_func=lambda layer: str(layer + 1),
            required=True,
            **session.widgets.bound("layer", session.layer, lambda layer: _show_layer(session, layer)),
        )
    others = units_of(CELLS[e.cell]) if "units" in useful else {}
    if len(others) > 1:
        shown = session.units if session.units in others else "h"
        st.selectbox(
            "Units: what is shown",
            list(others),
            format_func=others.__getitem__,
            filter_mode=None,
            **session.widgets.bound("units", shown, lambda name: setattr(session, "units", name or "h")),
        )
    if "whole_loss" in useful and int(e.masks.writes.sum()) > 1:
        _switch(
            session,
            "whole_loss",
            "Gradient of the whole loss",
            "Where many steps write, the whole loss keeps the gradient up everywhere, even when each "
            "single output's error dies within a few steps. Off: the error of the last output alone.",
        )
    if "relative" in useful:
        _switch(
            session,
            "relative",
            "Relative to the last step",
            "Divides by the gradient at the last output, so that a loss close to zero "
            "does not look like vanishing.",
        )


def units_of(cell: type[Any]) -> dict[str, str]:
    """Return what can be shown of a cell's units, with its name on screen."""
    states = {name if len(part) == 1 else f"|{name}|": part for name, part in cell.parts.items()}
    named = {"h": "hidden state h", "c": "cell state c", "|s|": "size of the memory |s|"}
    return {name: named[name] for name in states} | {f"{g} gate": f"{g} gate" for g in cell.gate_names}


def _show_layer(session: Session, layer: int | None) -> None:
    if layer is not None and layer in range(session.experiment.layers):
        session.layer = layer


def _switch(session: Session, name: str, label: str, help_text: str) -> None:
    bound = session.widgets.bound(name, getattr(session, name), lambda on: setattr(session, name, on))
    st.toggle(label, help=help_text, **bound)


def remedies(e: Experiment, gradient_norms: Array) -> dict[str, dict[str, Any]]:
    """Return what could have kept a diverged run alive: a button's label and the choices behind it.

    gradient_norms : (n,), raw, as recorded until the run diverged.
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


def remedies_for_vanishing(e: Experiment) -> dict[str, dict[str, Any]]:
    """Return what may let a gradient arrive: a button's label and the choices behind it."""
    if not CELLS[e.cell].recurrent:
        return {}
    cures: dict[str, dict[str, Any]] = {}
    cell = CELLS[e.cell]
    if "chrono" in cell.inits:
        if e.init != "chrono":
            cures["Chrono initialisation"] = {"init": "chrono"}
    elif e.activation == "relu":
        if (e.init, e.gain) != ("identity", 1.0):
            cures["Identity W_hh"] = {"init": "identity", "gain": 1.0}
    elif cell.matrices == 1 and (e.init, e.gain) != ("orthogonal", 1.0):
        cures["Orthogonal W_hh"] = {"init": "orthogonal", "gain": 1.0}
    shorter = max(e.seq_len // 5, TASKS[e.task].lengths(e)[0])
    if shorter < e.seq_len:
        cures[f"T = {shorter}"] = {"seq_len": shorter}
    return cures


def _gentle_rate(e: Experiment, gradient_norms: Array) -> float | None:
    """Return the power of ten at which even the largest gradient moves the weights by 0.1 at most."""
    largest = float(np.max(gradient_norms[np.isfinite(gradient_norms)], initial=1.0))
    rate = float(10.0 ** np.floor(np.log10(0.1 / largest)))
    return rate if choices()["learning_rate"].low <= rate < e.learning_rate else None
