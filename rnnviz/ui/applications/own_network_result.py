"""Your network's result: the verdict, the gradient's curve, and what carries the gradient."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.analysis.spectrum import Spectrum
from rnnviz.analysis.uploaded_network import CARRYING_GATES, UploadedFlow, UploadedNetwork
from rnnviz.figures.curves import Curve, curves_spec
from rnnviz.figures.gates import gates_spec
from rnnviz.figures.matrices import spectrum_spec
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.teaching.glossary import with_small_indices
from rnnviz.teaching.numbers import number, percent, plain
from rnnviz.ui.instruments.quick import WHAT_RHO_DECIDES, fate
from rnnviz.ui.instruments.reading import Reading
from rnnviz.ui.live_figure import show
from rnnviz.ui.style import theme

LEAST_CURVE_WIDTH, LEAST_RIGHT_WIDTH = 380, 560
"""Pixels below which names in the figures would overlap."""

NO_CHANGE = 0.02
"""A factor this close to 1 counts as none."""

MEMORIES = {
    "lstm": (
        "the cell state c, where each step back multiplies a unit's error by its forget gate f",
        r"c_t&=f_t\odot c_{t-1}+i_t\odot g_t",
        "f",
    ),
    "gru": (
        "the state h itself, where each step back multiplies a unit's error by its update gate z",
        r"h_t&=z_t\odot h_{t-1}+(1-z_t)\odot n_t",
        "z",
    ),
}
"""What carries the error in a gated cell, in words, as TeX, and the letter of its gate."""


def result(reading: Reading, flow: UploadedFlow, name: str, where: str, described: str, height: int) -> None:
    """Show the verdict, the curve and the reading of what carries it side by side, and how to read them.

    name : the curve's. where : on which input and in which layer it was measured. described : HTML.
    """
    owner = "the playground" if name == "playground" else name
    st.html(
        f"<p class='story'>{described}</p><p class='verdict {flow.verdict}' role='status' "
        "style='margin:2px 0 0;font-size:1.25rem;font-weight:600;line-height:1.3'>"
        f"{where}, {escape(_sentence(owner, flow))}</p>"
    )
    left, right = st.columns([0.42, 0.58], gap="small")
    label = f"Gradient against time step: {flow.verdict}, {plain(flow.decades)} powers of ten"
    curve = np.where(np.isnan(flow.curve), np.inf, flow.curve)  # NaN comes from numbers that overflowed
    with left:
        spec = curves_spec([Curve(name, curve, "main")], theme())
        spec["layout"]["yaxis"]["title"]["text"] = "length of the error"
        show(spec, key="lab_own", label=label, height=height, least_width=LEAST_CURVE_WIDTH)
    with right:
        show(
            reading.figure,
            key="lab_own_gates" if flow.gates else "lab_own_spectrum",
            label=reading.label,
            height=height,
            least_width=LEAST_RIGHT_WIDTH,
        )
    text, formula = st.columns([0.7, 0.3], gap="medium")
    text.markdown(with_small_indices(f"**How to read this.** {reading.how}"))
    formula.latex(reading.formula)


def spectrum_reading(flow: UploadedFlow, allowed: Spectrum, activation: str, top: bool) -> Reading:
    """Return the spectrum of a simple RNN's W_hh, and what it and the slopes do to the error.

    top : whether the layer is the last one.
    """
    sigma, rho = plain(allowed.sigma_max, 4), plain(allowed.rho, 4)
    how = (
        "A random error of length 1 enters at the last step and travels back."
        f"{_slopes(flow, activation, top)} σ_max\u00a0=\u00a0{sigma}, 1/γ\u00a0=\u00a0{1 / allowed.gamma:g}. "
        f"{fate(allowed)} {WHAT_RHO_DECIDES.format(rho=rho)}"
    )
    formula = (
        r"\begin{aligned} \sigma_{\max} < \tfrac1\gamma &\ \Rightarrow\ \text{vanishing as } T\to\infty \\ "
        r"\text{exploding} &\ \Rightarrow\ \sigma_{\max} > \tfrac1\gamma \\ "
        rf"\sigma_{{\max}}={number(allowed.sigma_max, 4)}\quad \rho&={number(allowed.rho, 4)} \end{{aligned}}"
    )
    label = f"Eigenvalues and singular values of Wₕₕ: rho {rho}, sigma_max {sigma}"
    return Reading(spectrum_spec(allowed, None, theme()), label, how, formula, _table(flow))


def gates_reading(network: UploadedNetwork, flow: UploadedFlow, top: bool) -> Reading:
    """Return the gates of an LSTM or a GRU, and how much of the error they let through.

    top : whether the layer is the last one.
    """
    carrier, equation, letter = MEMORIES[network.cell]
    keeper, steps = CARRYING_GATES[network.cell], len(flow.curve) - 1
    middle, largest = float(np.median(flow.kept)), float(flow.kept.max())
    both = ", in h and c together" if network.cell == "lstm" else ""
    above = "" if top else " The layer above adds to it at each step."
    how = (
        f"A random error of length 1 enters at the last step; the curve is its length on the way back{both}. "
        f"Its direct way is {carrier}: by {plain(middle)} in the median unit and {plain(largest)} in the "
        f"most open one, which leaves {plain(largest**steps, 2)} of it after {_steps(steps)}. The ways "
        f"through W_hh and the gates add to that or cancel it.{above}"
    )
    formula = (
        rf"\begin{{aligned}} {equation} \\ \operatorname{{median}}\,\bar {letter}&={number(middle)}\quad "
        rf"\max\,\bar {letter}={number(largest)} \end{{aligned}}"
    )
    means = ", ".join(f"{name} {plain(float(gate.mean()), 2)}" for name, gate in flow.gates.items())
    label = f"Gates: mean {means}; the most open unit keeps {plain(largest)} per step by its {keeper} gate"
    return Reading(gates_spec(flow.gates, flow.kept, keeper, theme()), label, how, formula, _table(flow))


def _table(flow: UploadedFlow) -> pd.DataFrame:
    """Return the numbers of the curve, and of the gates if there are any."""
    gates = {f"{name}_gate": gate for name, gate in flow.gates.items()}
    return pd.DataFrame({"t": np.arange(1, len(flow.curve) + 1), "gradient": flow.curve} | gates)


def _sentence(name: str, flow: UploadedFlow) -> str:
    """Return the verdict in one sentence."""
    verb = {"vanishing": "vanishes", "exploding": "explodes", "healthy": "is healthy"}[flow.verdict]
    T = len(flow.curve)
    if flow.decades == -np.inf:
        there = np.flatnonzero(flow.curve > 0.0)
        what = f"before step {there[0] + 1} it is exactly zero" if there.size else "it is exactly zero"
    elif not np.isfinite(flow.decades):
        what = "the numbers leave the range of floating point"
    elif abs(flow.decades) < 0.05:
        what = f"it keeps its size over {_steps(T - 1)}"
    else:
        change = "shrinks" if flow.decades < 0 else "grows"
        what = (
            f"it {change} by {plain(abs(flow.decades), 2)} powers of ten over {_steps(T - 1)}, "
            f"a factor of {plain(flow.factor, 2 if flow.factor < 0.95 else 3)} per step"
        )
    return f"{name}'s gradient {verb}: {what}."


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _slopes(flow: UploadedFlow, activation: str, top: bool) -> str:
    """Return a sentence on the activation's effect on the error, "" if it is not finite.

    top : whether the layer is the last one; the others also receive errors from above.
    """
    if not np.isfinite(flow.slope_factor):
        return ""
    blocked = f"{percent(flow.saturated)} of the units are {ACTIVATIONS[activation].blocked}"
    told = f" The slopes φ′ let {plain(flow.slope_factor, 2)} of it through at each step ({blocked})"
    if not top or not flow.slope_factor or not np.isfinite(flow.factor):
        return f"{told}."
    rest = flow.factor / flow.slope_factor
    if abs(rest - 1.0) < NO_CHANGE:
        return f"{told}; W_hh keeps its length."
    return f"{told}; W_hh multiplies it by {plain(rest, 2)}."
