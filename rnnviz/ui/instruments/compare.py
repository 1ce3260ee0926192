"""The instrument Compare: the gradient over time, compared with other initialisations and with theory."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.analysis.gradient_flow import GradientFlow, gradient_flow
from rnnviz.analysis.mean_field import mean_field
from rnnviz.analysis.theory import applies, drive, trust
from rnnviz.experiment import Experiment
from rnnviz.figures.curves import Curve, curves_spec
from rnnviz.model.arrays import Array
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.network import Params
from rnnviz.teaching.numbers import number, plain
from rnnviz.ui.instruments.reading import Reading, cut_where
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme

TRAINING = "training"
ONE_STEP = "A single step: no earlier step to reach, so there is no curve. Choose a type with many steps."
LETTERS = (
    "s: strength of the input · q*: variance of the pre-activations a · χ: mean square factor per step · "
    "|2/ln\xa0χ|: "
)
DURING = (0.1, 0.4)
"""Fractions of the training so far near which the earlier gradient is shown."""


def compare(session: Session, params: Params) -> Reading | str:
    """Return the gradient over time, compared with other initialisations, earlier steps and theory."""
    e, trained = session.experiment, session.run.state.step > 0
    if e.seq_len == 1:
        return ONE_STEP
    others = _choose_comparisons(e, trained)
    flow = gradient_flow(e, params)
    last = int(flow.outputs[-1])
    own = INITIALIZERS[e.init].title
    lines = [Curve(f"{own}, now" if trained else own, flow.per_output[-1], "main")]
    if TRAINING in others:
        lines += _earlier(session)
    lines += [
        Curve(INITIALIZERS[name].title, _before_training(_started_with(e, name)).per_output[-1])
        for name in others
        if name != TRAINING
    ]
    theory, words, letters, caveat = _theory(e, params, flow.per_output[-1], trained)
    if applies(e):
        lines.append(Curve("theory", theory, "theory"))
    lines = [_shown(line, last, session.relative) for line in lines]
    items = None
    if len(flow.outputs) > 1:
        lines += _of_the_whole_loss(session, flow)
        items = flow.per_output
        if session.relative:
            items = items / items[np.arange(len(items)), flow.outputs - 1][:, None]
    table = _curve_table(e, lines, flow)
    how = f"{_how_to_read_the_curve(lines[0], items is not None, trained)} {cut_where(e)} {caveat}"
    label = f"Gradient against time step: {flow.verdict}, {plain(flow.decades)} powers of ten"
    return Reading(curves_spec(lines, theme(), session.relative, items), label, how, words, table, letters)


def _started_with(e: Experiment, init: str) -> Experiment:
    """Return an experiment with another initialisation; training settings are reset to share the cache."""
    gain = e.gain if INITIALIZERS[init].has_gain else 1.0
    return replace(e, init=init, gain=gain, learning_rate=1e-3, clip_norm=None)


@lru_cache(maxsize=64)
def _before_training(e: Experiment) -> GradientFlow:
    return gradient_flow(e)


def _choose_comparisons(e: Experiment, trained: bool) -> list[str]:
    """Show and return the choice of comparisons: initialisations, and earlier training steps."""
    titles = {TRAINING: "Before and during training"} if trained else {}
    fit = CELLS[e.cell].inits
    titles |= {name: i.title for name, i in INITIALIZERS.items() if name in fit and name != e.init}
    usual = [TRAINING] if trained else [name for name in ("pytorch", "orthogonal") if name in titles]
    return st.pills(
        "Compare with",
        list(titles),
        format_func=titles.__getitem__,
        selection_mode="multi",
        default=usual,
        key=f"compare_{e.init}_{trained}",
        label_visibility="collapsed",
    )


def _earlier(session: Session) -> list[Curve]:
    """Return the gradient before training and at two training steps."""
    run = session.run
    made = [step for step in run.album if 0 < step < run.state.step]
    near = sorted(
        {min(made, key=lambda step: abs(step - share * run.state.step)) for share in DURING if made}
    )
    during = [Curve(f"update {step:,}", run.album[step], "during") for step in near]
    return [Curve("before training", run.initial.last[-1], "before"), *during]


def _of_the_whole_loss(session: Session, flow: GradientFlow) -> list[Curve]:
    """Return the gradient of the whole loss, now and before training."""
    wholes = [Curve("whole loss, now", flow.total, "main", whole=True)]
    if session.run.state.step:
        wholes.append(
            Curve("whole loss, before training", session.run.initial.total[-1], "before", whole=True)
        )
    return [_shown(whole, int(flow.outputs[-1]), session.relative) for whole in wholes]


def _curve_table(e: Experiment, lines: list[Curve], flow: GradientFlow) -> pd.DataFrame:
    """Return the plotted data, one column per curve, the errors by output last."""
    table = {"t": np.arange(1, e.seq_len + 1)} | {line.name: line.values for line in lines}
    if len(flow.outputs) > 1:
        table |= {f"output {k}": item for k, item in zip(flow.outputs, flow.per_output, strict=True)}
    return pd.DataFrame(table)


def _how_to_read_the_curve(main: Curve, several: bool, trained: bool) -> str:
    how = "Right to left: the error starts at the last output and travels back."
    further = "A straight line down to the left is exponential forgetting."
    if several:
        how = (
            "Right: the error of **one output alone** on its way back (bold: the last output's; thin: each "
            "other's). Left: the **whole loss**."
        )
        further = (
            "It stays large because every output adds new error at its own step, so it can look healthy "
            "while no single output's error reaches far back."
        )
    if np.isinf(main.values).any():
        further = "The numbers left the range of floating point: × marks where."
    return " ".join([how, further, *(["Other initialisations are untrained."] if trained else [])])


def _shown(line: Curve, last: int, relative: bool) -> Curve:
    """Return a curve up to the last output, divided by its value there if ``relative``.

    NaN comes from overflow and becomes inf, which is marked.
    """
    values = line.values.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        values = values / values[last - 1] if relative else values
    if line.kind != "theory":
        values[np.isnan(values)] = np.inf
    values[last:] = np.nan
    return replace(line, values=values)


def _theory(e: Experiment, params: Params, measured: Array, trained: bool) -> tuple[Array, str, str, str]:
    """Return the mean-field line (T,) from the last output back, for the top layer's actual gain and input.

    Also returns its formula, the meaning of the letters, and how far to trust it here.
    """
    last = int(e.masks.write_steps[-1]) + 1
    if not applies(e):
        title = CELLS[e.cell].title
        words = f"The mean-field theory drawn here is that of the simple RNN: no theory line for {title}."
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = number(measured[0] / measured[last - 1])
        formula = rf"\frac{{\|\partial L/\partial h_1\|}}{{\|\partial L/\partial h_{{{last}}}\|}} = {kept}"
        return np.full(e.seq_len, np.nan), formula, "", words
    gain, input_std = drive(e, params)
    if not (np.isfinite(gain) and np.isfinite(input_std)):
        words = "The weights overflowed: the theory does not apply."
        return np.full(e.seq_len, np.nan), r"g = \infty", "", words
    q, chi = field = mean_field(gain, input_std, e.activation)
    with np.errstate(over="ignore"):
        line = measured[last - 1] * field.factor ** (last - np.arange(1.0, e.seq_len + 1))
    formula = (
        rf"\begin{{aligned}} g &= {number(gain)} \qquad s = {number(input_std)} \\"
        rf" q^* &= g^2\,\mathbb E\,\varphi(\sqrt{{q^*}}z)^2 + s^2 = {number(q)} \\"
        rf" \chi &= g^2\,\mathbb E\,\varphi'(\sqrt{{q^*}}z)^2 = {number(chi)} \\"
        rf" \sqrt\chi &= {number(field.factor)}\ \text{{a step back}}\quad"
        rf" |2/\ln\chi| = {number(field.depth_scale)}\ \text{{steps}} \end{{aligned}}"
    )
    letters = f"{LETTERS}steps until " + ("1/e is left" if chi < 1.0 else "it is e times as large")
    return line, formula, letters, trust(e, gain, input_std, trained).why
