"""The laboratory's quick instruments: decay factors, contributions, spectrum."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rnnviz.analysis.contributions import gradient_contributions
from rnnviz.analysis.decay_factors import DecayFactors, decay_factors
from rnnviz.analysis.gradient_flow import gradient_flow
from rnnviz.analysis.spectrum import Spectrum, spectrum
from rnnviz.experiment import Experiment
from rnnviz.figures.curves import decay_factors_spec
from rnnviz.figures.matrices import contributions_spec, spectrum_spec
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.cells import CELLS
from rnnviz.model.network import Params
from rnnviz.teaching.numbers import number, percent, plain
from rnnviz.ui.instruments.reading import Reading, cut_where, uncut
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme

NO_RECURRENCE = "The network has no recurrence, so it has no W_hh."
ONE_STEP = (
    "A single step: no earlier step to reach, so nothing can shrink or grow. Choose a type with many steps."
)


def without_recurrent_matrix(e: Experiment) -> str:
    """Return why no single matrix carries the state of this cell, "" if one does."""
    cell = CELLS[e.cell]
    if not cell.recurrent:
        return NO_RECURRENCE
    if cell.matrices == 1:
        return ""
    if not cell.gate_names:
        return f"{cell.title}: no W_hh carries the state from step to step. See Compare instead."
    return (
        f"{cell.title}: no single matrix carries the state from step to step. Its gates do, and they change "
        "with every input, so the spectrum of W_hh decides nothing here. See Compare instead."
    )


def without_slopes(e: Experiment) -> str:
    """Return why slope and W_hh do not explain the decay of this cell, "" if they do."""
    cell = CELLS[e.cell]
    if cell.matrices == 1 or not cell.recurrent:
        return ""
    path = "the path that the gates keep open" if cell.gate_names else "a path around the activation"
    return (
        f"{cell.title}: the error does not go through one activation and one W_hh at a step. It also takes "
        f"{path}, so these two factors do not apply. See Compare instead."
    )


# Causes -------------------------------------------------------------------------------------------


def causes(session: Session, params: Params) -> Reading | str:
    """Return the decay split into its two factors."""
    e = session.experiment
    if e.seq_len == 1:
        return ONE_STEP
    if message := without_slopes(e):
        return message
    parts = decay_factors(e, params)
    both = parts.slope_factor * parts.recurrent_factor
    if not np.isfinite(both).any():
        return "The error is zero or overflowed at every step, so it has no factor per step."
    slope, recurrent = (float(np.nanmedian(f)) for f in (parts.slope_factor, parts.recurrent_factor))
    table = pd.DataFrame(
        {
            "t": parts.steps,
            "slope_factor": parts.slope_factor,
            "W_hh_factor": parts.recurrent_factor,
            "both": both,
            "saturated": parts.saturated[parts.steps - 1],
        }
    )
    blocked = ACTIVATIONS[e.activation].blocked
    remark = _remark(e, parts, session.run.state.step > 0)
    how = (
        "Every step back multiplies the error by two factors: the activation's slope at that step, then W_hh "
        "(medians are under the braces). Above 1 it grows, below 1 it shrinks. Bars: the share of units that "
        f"are {blocked}, which pass less than a tenth of the error. {remark} {uncut(e)}"
    )
    formula = (
        r"\frac{\|\varepsilon_{t-1}\|}{\|\varepsilon_t\|} ="
        r"\underbrace{\frac{\|\varepsilon_t\odot\varphi'(a_t)\|}{\|\varepsilon_t\|}}_{"
        rf"{number(slope)}}}"
        r"\cdot\underbrace{\frac{\|(\varepsilon_t\odot\varphi'(a_t))W_{hh}^\top\|}"
        r"{\|\varepsilon_t\odot\varphi'(a_t)\|}}_{"
        rf"{number(recurrent)}}}"
    )
    label = f"Factors of each step back: slope {plain(slope)}, W_hh {plain(recurrent)} (medians)"
    letters = (
        "ε_t: the part of ∂L/∂h_t that comes from the last output · φ′(a_t): the activation's slope at step t"
    )
    return Reading(
        decay_factors_spec(parts, theme(), blocked),
        label,
        how,
        formula,
        table,
        letters,
    )


def _remark(e: Experiment, parts: DecayFactors, trained: bool) -> str:
    """Return a remark on overflow, on an error of exactly zero, or on an orthogonal W_hh; else ""."""
    both = parts.slope_factor * parts.recurrent_factor
    ends = parts.steps[both == 0.0]
    if not ends.size and not np.isfinite(both).all():
        return "The lines end where the numbers overflowed."
    if ends.size:
        return f"Before step {ends.max()} the error is exactly zero: the factor there is 0."
    if e.init == "orthogonal" and e.gain == 1.0 and CELLS[e.cell].recurrent and not trained:
        return "An orthogonal W_hh of gain 1 preserves every length; all loss here comes from the slopes."
    return ""


# Contributions -----------------------------------------------------------------------------------------


def contributions(session: Session, params: Params) -> Reading | str:
    """Return the contributions to the gradient of W_hh, by output and time step."""
    e = session.experiment
    cell = CELLS[e.cell]
    if cell.recurrent and not cell.matrices:
        return f"{cell.title} does not multiply its state by a matrix W_hh, so there is no gradient of it."
    items = gradient_contributions(e, params)
    square = float(np.sum(items.total**2))
    if square == 0.0 or not np.isfinite(square):
        return _nothing_to_itemise(e, square)
    K, T = items.size.shape
    k, t = np.meshgrid(items.outputs, np.arange(1, T + 1), indexing="ij")
    used = t <= k
    table = pd.DataFrame({"k": k[used], "t": t[used], "size": items.size[used], "share": items.share[used]})
    near = percent(float(items.share[(k - t < 5) & used].sum()))
    gated = bool(CELLS[e.cell].gate_names)
    how, formula = _of_one_output(T, near, gated) if K == 1 else _of_many_outputs(K, T, near, gated)
    label = (
        f"Contributions to the gradient of W_hh, {K} outputs by {T} steps; "
        f"the shares sum to {items.share.sum():.3f}"
    )
    figure = contributions_spec(items, gradient_flow(e, params), theme())
    return Reading(figure, label, f"{how} {cut_where(e)}", formula, table, _through_gates(e) if gated else "")


def _nothing_to_itemise(e: Experiment, square: float) -> str:
    """Return why there is no gradient of W_hh to break down."""
    if square != 0.0:
        return "The numbers overflowed: there is no finite gradient of W_hh to break down."
    if e.seq_len == 1:
        return "A single step does not use W_hh: it has no previous step. Choose a type with many steps."
    if not CELLS[e.cell].recurrent:
        return NO_RECURRENCE
    return "The gradient of W_hh is exactly zero: there is nothing to break down."


def _through_gates(e: Experiment) -> str:
    """Return how the contributions of a gated cell differ from those of a vanilla one."""
    cell = CELLS[e.cell]
    return f"{cell.title}: W_hh is {cell.matrices} matrices side by side; the last factor includes the gates"


def _factor(k: str, gated: bool) -> str:
    """Return as TeX the error of output k at the product h_{t-1} W_hh."""
    if gated:
        loss = f"L_{k}" if k else "L"
        return rf"\,\frac{{\partial {loss}}}{{\partial(h_{{t-1}}W_{{hh}})}}"
    return rf"(\varepsilon_{{{k}t}}\odot\varphi'(a_t))"


def _of_many_outputs(K: int, T: int, near: str, gated: bool) -> tuple[str, str]:
    how = (
        "Row k, column t: the contribution of step t to output k's gradient of W_hh. Far from the diagonal "
        "is far back in memory; column 1 is exactly 0, because h₀ = 0. The signed shares (blue: against "
        f"the total) sum to exactly 1; {near} of the whole comes from the last five steps before an output."
    )
    formula = (
        r"\begin{aligned} \frac{\partial L}{\partial W_{hh}}&=\sum_k\sum_{t\le k} D_{kt},\quad "
        rf"D_{{kt}}=h_{{t-1}}^\top{_factor('k', gated)} \\ "
        rf"1 &= \sum_{{kt}}\frac{{\langle D_{{kt}},\,\partial L/\partial W_{{hh}}\rangle}}"
        rf"{{\|\partial L/\partial W_{{hh}}\|^2}}\quad(K={K},\ T={T}) \end{{aligned}}"
    )
    return how, formula


def _of_one_output(T: int, near: str, gated: bool) -> tuple[str, str]:
    how = (
        f"The contribution of each step t to the gradient of W_hh for the only output, at t = {T}. Step 1 "
        "contributes exactly 0, because h₀ = 0. The signed shares (below 0: against the total) sum to "
        f"exactly 1; {near} of the whole comes from the last five steps."
    )
    formula = (
        r"\begin{aligned} \frac{\partial L}{\partial W_{hh}}&=\sum_t D_t,\quad "
        rf"D_t=h_{{t-1}}^\top{_factor('', gated)} \\ "
        r"1 &= \sum_t\frac{\langle D_t,\,\partial L/\partial W_{hh}\rangle}"
        rf"{{\|\partial L/\partial W_{{hh}}\|^2}}\quad(T={T}) \end{{aligned}}"
    )
    return how, formula


# Spectrum -----------------------------------------------------------------------------------------


def eigenvalues(session: Session, params: Params) -> Reading | str:
    """Return the spectrum of W_hh and the two bounds."""
    e = session.experiment
    cell = e.network().cell
    W_hh = cell.recurrent_matrix(params.layers[-1])
    if W_hh is None:
        return without_recurrent_matrix(e)
    if not np.isfinite(W_hh).all():
        return "W_hh holds inf or NaN: the run overflowed. In the playground, press Reset or apply a remedy."
    now = spectrum(W_hh, e.activation)
    before = None
    if session.run.state.step:
        first = cell.recurrent_matrix(e.init(e.rng("weights")).layers[-1])
        before = None if first is None else spectrum(first, e.activation)
    sigma, rho = plain(now.sigma_max, 4), plain(now.rho, 4)
    how = (
        f"σ_max = {sigma}, 1/γ = {1 / now.gamma:g}, γ being the activation's largest slope. "
        f"{fate(now)} {WHAT_RHO_DECIDES.format(rho=rho)}"
    )
    if now.rho > 100.0:
        how += " The unit circle is too small to see here."
    formula = (
        r"\begin{aligned} \sigma_{\max} < \tfrac1\gamma &\ \Rightarrow\ \text{vanishing as } T\to\infty \\ "
        r"\text{exploding} &\ \Rightarrow\ \sigma_{\max} > \tfrac1\gamma \\ "
        rf"\sigma_{{\max}}={number(now.sigma_max, 4)}\quad \rho&={number(now.rho, 4)}"
        rf"\quad \gamma={now.gamma:g}"
        r"\end{aligned}"
    )
    table = pd.DataFrame(
        {
            "eigenvalue_real": now.eigenvalues.real,
            "eigenvalue_imaginary": now.eigenvalues.imag,
            "singular_value": now.singular_values,
        }
    )
    label = f"Eigenvalues and singular values of W_hh: rho {rho}, sigma_max {sigma}"
    return Reading(spectrum_spec(now, before, theme()), label, how, formula, table)


WHAT_RHO_DECIDES = (
    "In a linear network, the spectral radius ρ\u00a0=\u00a0{rho} alone decides what happens over many steps."
    " It nearly does for tanh with states close to 0."
)


def fate(now: Spectrum) -> str:
    """Return a sentence on what the largest singular value implies."""
    if now.surely_vanishes:
        return (
            "Staying below is **sufficient** for vanishing in the limit of many steps: each step back "
            "shrinks every gradient, whatever the input. Over few steps that may be little."
        )
    if now.can_explode:
        return (
            "Exceeding it is **necessary** for exploding, not sufficient: the slopes of a driven network can "
            "still make every gradient vanish, even with ρ above 1."
        )
    if now.keeps_lengths:
        return (
            "All singular values are at the bound: no gradient can explode; it shrinks only where slopes are "
            "below γ."
        )
    return (
        "Exactly at the bound: no gradient can explode. Directions with smaller singular values shrink it, "
        "and so do slopes below γ."
    )
