"""The instruments Directions and Lyapunov: what a single number for the gradient hides."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from rnnviz.analysis.gradient_flow import GradientFlow, gradient_flow
from rnnviz.analysis.jacobians import StateJacobians, carried_by, state_jacobians
from rnnviz.analysis.lyapunov import LyapunovExponents, lyapunov_exponents
from rnnviz.experiment import Experiment
from rnnviz.figures.directions import directions_spec, lyapunov_spec, power_text
from rnnviz.model.cells import CELLS
from rnnviz.model.network import Params
from rnnviz.teaching.numbers import number, plain
from rnnviz.ui.instruments.quick import ONE_STEP
from rnnviz.ui.instruments.reading import Reading
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme

NO_STATE = "The network has no recurrence: the state at one step does not depend on the one before."

MANY = 64
"""Of a larger state only so many exponents are computed, and singular values at SOME steps: to be quick."""

SOME = 40


def without_past(e: Experiment) -> str:
    """Return why no state depends on an earlier one, "" if one does."""
    if e.seq_len == 1:
        return ONE_STEP
    return "" if CELLS[e.cell].recurrent else NO_STATE


def _size(e: Experiment) -> int:
    return e.hidden_size * len(carried_by(e.network().cell))


def _whole_state(e: Experiment) -> str:
    """Return what the carried state consists of."""
    cell = e.network().cell
    carried = set(carried_by(cell))
    names = [name for name, part in cell.parts.items() if set(part) <= carried]
    own = names[0] if len(names) == 1 else f"({', '.join(names)})"
    if names == ["s"]:
        own = "the complex memory"
    return f"{own} of the top layer, those below held" if e.layers > 1 else own


# Directions -------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _jacobians(e: Experiment, params: Params) -> StateJacobians:
    return state_jacobians(e, params, most=SOME if _size(e) > MANY else e.seq_len)


def directions(e: Experiment, params: Params) -> Reading | str:
    """Return the singular values of ds_T/ds_t beside the gradient's norm."""
    if message := without_past(e):
        return message
    try:
        found = _jacobians(e, params)
    except ValueError as overflow:
        return str(overflow)
    flow = gradient_flow(e, params)
    norm = flow.per_output[-1].copy()
    norm[flow.outputs[-1] :] = np.nan
    near, size = int(found.within[0]), found.powers.shape[1]
    label = (
        f"Singular values against time step: at step 1, {near} of {size} lie within a hundredth of the "
        f"largest; the gradient's norm reads {flow.verdict}"
    )
    formula = (
        r"\begin{aligned} \frac{\partial s_T}{\partial s_t}&=\frac{\partial s_T}{\partial s_{T-1}}\cdots"
        r"\frac{\partial s_{t+1}}{\partial s_t}=\sum_i\sigma_i\,u_iv_i^\top \\ "
        rf"\#\{{\sigma_i\ge\tfrac{{\sigma_1}}{{100}}\}}&={near}\ \text{{of}}\ {size}\quad(t=1)"
        r"\end{aligned}"
    )
    letters = f"s: {_whole_state(e)}; of one probe sequence · u_i, v_i: the directions of σ_i at T and at t"
    return Reading(
        directions_spec(found, norm, theme()),
        label,
        _told(found, flow),
        formula,
        _table(found, norm),
        letters,
    )


def _told(found: StateJacobians, flow: GradientFlow) -> str:
    """Return how to read the figure."""
    near, size = int(found.within[0]), found.powers.shape[1]
    how = "Each line is a direction of the last state: how much of an error in it gets back to step t. "
    if not near:
        return f"{how}At step 1 all are exactly 0: no error gets there, in any direction."
    middle = power_text(float(np.median(found.powers[0])))
    how += (
        f"At step 1 the largest is {power_text(float(found.powers[0, 0]))}, the median {middle}: "
        f"**{near} of {size}** lie within a hundredth of the largest. "
    )
    if near > size // 2:
        return f"{how}The norm on the right ({flow.verdict}) speaks for most of them."
    return f"{how}The norm on the right ({flow.verdict}) follows the largest and does not show the others."


def _table(found: StateJacobians, norm: np.ndarray) -> pd.DataFrame:
    """Return the plotted numbers; singular values as powers of ten, which floating point may not hold."""
    columns = {f"log10_sigma_{i}": values for i, values in enumerate(found.powers.T, start=1)}
    table = {"t": found.steps, "directions": found.within, "gradient_norm": norm[found.steps - 1]}
    return pd.DataFrame(table | columns)


# Lyapunov -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _exponents(e: Experiment, params: Params | None) -> LyapunovExponents:
    """Return the exponents of weights, None for those before training."""
    return lyapunov_exponents(e, params, count=MANY if _size(e) > MANY else None)


def lyapunov(session: Session, params: Params) -> Reading | str:
    """Return the Lyapunov exponents now and before training."""
    e = session.experiment
    if message := without_past(e):
        return message
    try:
        now = _exponents(e, params)
        before = _exponents(e, None) if session.run.state.step else None
    except ValueError as overflow:
        return str(overflow)
    largest, error = float(now.exponents[0]), float(now.error[0])
    k = len(now.exponents)
    those = "" if k == now.size else f" Shown: the {k} largest of {now.size}."
    how = (
        "The mean rate per step at which a small difference between two states grows (λ > 0) or shrinks "
        f"(λ < 0), over {now.steps} steps of the task's sequences, one after the other. "
        f"{_fate(e, now)}{those}"
    )
    formula = (
        r"\begin{aligned} \lambda_i&="
        r"\lim_{n\to\infty}\frac1n\,\ln\,\sigma_i\Big(\frac{\partial s_n}{\partial s_0}\Big) \\ "
        rf"\lambda_1&={number(largest)}\pm{number(error, 2)}\qquad e^{{\lambda_1}}={number(np.exp(largest))}"
        r"\end{aligned}"
    )
    label = f"Lyapunov exponents by size: the largest is {plain(largest)} ± {plain(error, 2)} per step"
    letters = f"s: {_whole_state(e)} · ±: standard error, from ten blocks of steps"
    return Reading(lyapunov_spec(now, before, theme()), label, how, formula, _both(now, before), letters)


def _fate(e: Experiment, now: LyapunovExponents) -> str:
    """Return what the largest exponent means."""
    largest, noise = float(now.exponents[0]), max(2.0 * float(now.error[0]), 1e-3)
    factor = plain(float(np.exp(largest)))
    if largest == -np.inf:
        return "All are −∞: after finitely many steps nothing is left of any difference."
    if abs(largest) <= noise:
        return (
            "The largest is 0 within its error: in that direction a difference, or an error, keeps its size."
        )
    if largest < 0.0:
        return (
            f"All are negative: in the long run every difference, and every error on its way back, shrinks; "
            f"the slowest by ×{factor} a step."
        )
    told = f"The largest is positive: near states part, and errors grow going back, by ×{factor} a step."
    if not (CELLS[e.cell].matrices and e.activation in ("tanh", "sigmoid")):
        return told
    told += " With bounded states this is chaos"
    if not np.isfinite(now.dimension):
        return f"{told}."
    return f"{told}, of Kaplan–Yorke dimension {plain(now.dimension, 2)} (of {now.size})."


def _both(now: LyapunovExponents, before: LyapunovExponents | None) -> pd.DataFrame:
    table = {
        "number": np.arange(1, len(now.exponents) + 1),
        "exponent": now.exponents,
        "standard_error": now.error,
    }
    if before is not None:
        table |= {"before_training": before.exponents, "before_training_error": before.error}
    return pd.DataFrame(table)
