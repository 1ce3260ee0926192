"""Instruments of the laboratory that answer at once: causes, triangle, spectrum, the run's history."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rnnviz.causes import causes
from rnnviz.figures.curves import causes_spec
from rnnviz.figures.matrices import spectrum_spec, triangle_spec
from rnnviz.figures.training_history import over_training_spec
from rnnviz.gradient_flow import gradient_flow
from rnnviz.network import Network, Params
from rnnviz.spectrum import spectrum
from rnnviz.triangle import triangle
from rnnviz.ui.instruments.reading import Reading, number
from rnnviz.ui.style import theme
from rnnviz.ui.visit import Visit

# Why ----------------------------------------------------------------------------------------------


def why(visit: Visit, params: Params) -> Reading | str:
    """The decay split into its two causes."""
    e = visit.experiment
    if e.seq_len == 1:
        return "A single step: no way back, so nothing can shrink or grow. Choose a topology with many steps."
    parts = causes(e, params)
    both = parts.slope_factor * parts.recurrent_factor
    if not np.isfinite(both).any():
        return "The error is zero or overflowed at every step, so it has no factor per step."
    middle = {
        name: float(np.nanmedian(values))
        for name, values in (("slope", parts.slope_factor), ("W", parts.recurrent_factor), ("both", both))
    }
    table = pd.DataFrame(
        {
            "t": parts.steps,
            "slope_factor": parts.slope_factor,
            "W_hh_factor": parts.recurrent_factor,
            "both": both,
            "saturated": parts.saturated[parts.steps - 1],
        }
    )
    how = (
        "Every step back multiplies the error twice: by the activation's slope at that step, then by W_hh "
        "(numbers under the braces: medians). "
        "Above 1 it grows, below 1 it shrinks. Bars: the share of units so saturated that less than a tenth "
        "of the error passes. An orthogonal W_hh never shrinks anything; then all the loss is the slope's."
    )
    formula = (
        r"\frac{\|\varepsilon_{t-1}\|}{\|\varepsilon_t\|} ="
        r"\underbrace{\frac{\|\varepsilon_t\odot\varphi'(a_t)\|}{\|\varepsilon_t\|}}_{"
        rf"{middle['slope']:.3f}}}"
        r"\cdot\underbrace{\frac{\|(\varepsilon_t\odot\varphi'(a_t))W_{hh}^\top\|}"
        r"{\|\varepsilon_t\odot\varphi'(a_t)\|}}_{"
        rf"{middle['W']:.3f}}}"
    )
    label = f"Factors of each step back: slope {middle['slope']:.2f}, W_hh {middle['W']:.2f} (medians)"
    return Reading(causes_spec(parts, theme()), label, how, formula, table)


# Triangle -----------------------------------------------------------------------------------------


def itemised(visit: Visit, params: Params) -> Reading | str:
    """The gradient of W_hh by output and time step."""
    e = visit.experiment
    items = triangle(e, params)
    square = float(np.sum(items.total**2))
    if square == 0.0 or not np.isfinite(square):
        return (
            "There is no finite gradient of W_hh here: a single step does not use it, or numbers overflowed."
        )
    flow = gradient_flow(e, params)
    K, T = items.size.shape
    k, t = np.meshgrid(items.outputs, np.arange(1, T + 1), indexing="ij")
    used = t <= k
    table = pd.DataFrame({"k": k[used], "t": t[used], "size": items.size[used], "share": items.share[used]})
    near = float(items.share[(k - t < 5) & used].sum())
    how = (
        "Row k, column t: what the loss of output k asks of W_hh because of its use at step t. Far from the "
        "diagonal means far back in memory. The signed shares (blue pulls the other way) sum to exactly 1; "
        f"here {near:.0%} of the whole gradient comes from the last five steps before an output."
    )
    formula = (
        r"\begin{aligned} \frac{\partial L}{\partial W_{hh}}&=\sum_k\sum_{t\le k} C_{kt},\quad "
        r"C_{kt}=h_{t-1}^\top(\varepsilon_{kt}\odot\varphi'(a_t)) \\ "
        rf"1 &= \sum_{{kt}}\frac{{\langle C_{{kt}},\,\partial L/\partial W_{{hh}}\rangle}}"
        rf"{{\|\partial L/\partial W_{{hh}}\|^2}}\quad(K={K},\ T={T}) \end{{aligned}}"
    )
    label = (
        f"Itemised gradient of W_hh over {K} outputs and {T} steps; the shares sum to {items.share.sum():.3f}"
    )
    return Reading(triangle_spec(items, flow, theme()), label, how, formula, table)


# Spectrum -----------------------------------------------------------------------------------------


def eigenvalues(visit: Visit, params: Params) -> Reading | str:
    """The spectrum of W_hh and the two bounds."""
    e = visit.experiment
    W_hh = params.layers[-1].W_hh
    if not np.isfinite(W_hh).all():
        return "W_hh holds inf or NaN: the run overflowed. In the playground, press Reset or apply a remedy."
    now = spectrum(W_hh, e.activation)
    before = None
    if visit.run.state.step:
        before = spectrum(Network(e).init(e.rng("weights")).layers[-1].W_hh, e.activation)
    if now.surely_vanishes:
        fate = "Staying below is **sufficient** for vanishing: every gradient shrinks, whatever the input."
    elif now.can_explode:
        fate = (
            "Exceeding it is **necessary** for exploding, not sufficient: the slopes of a driven network can "
            "still make every gradient vanish, even with ρ above 1."
        )
    else:
        fate = "Exactly at the bound: no gradient can explode, and only the slopes can make it vanish."
    how = (
        f"σ_max = {now.sigma_max:.3f}, 1/γ = {1 / now.gamma:g}, γ being the activation's largest slope. "
        f"{fate} The spectral radius ρ = {now.rho:.3f} decides only in a linear network, in the long run."
    )
    formula = (
        r"\begin{aligned} \sigma_{\max} < \tfrac1\gamma &\ \Rightarrow\ \text{vanishing} \\ "
        r"\text{exploding} &\ \Rightarrow\ \sigma_{\max} > \tfrac1\gamma \\ "
        rf"\sigma_{{\max}}={now.sigma_max:.3f}\quad \rho&={now.rho:.3f}\quad \gamma={now.gamma:g}"
        r"\end{aligned}"
    )
    table = pd.DataFrame(
        {
            "eigenvalue_real": now.eigenvalues.real,
            "eigenvalue_imaginary": now.eigenvalues.imag,
            "singular_value": now.singular_values,
        }
    )
    label = f"Eigenvalues and singular values of W_hh: rho {now.rho:.3f}, sigma_max {now.sigma_max:.3f}"
    return Reading(spectrum_spec(now, before, theme()), label, how, formula, table)


# Over training ------------------------------------------------------------------------------------


def over_training(visit: Visit) -> Reading | str:
    """The gradient at every training step, and the weight gradient before and after clipping."""
    e, history = visit.experiment, visit.run.state.history
    norms = history.frame()
    if norms.empty:
        return "Nothing was trained yet. Press Play in the playground for a moment, then come back."
    raw = norms["grad_norm"].to_numpy()
    limit = e.clip_norm
    share = 0.0 if limit is None else float(np.mean(raw >= limit))
    how = (
        "Each column is the gradient's curve at one training step, t = 1 at the bottom: a band that "
        "fades downwards is a gradient that dies on its way back. Below, the whole weight gradient's norm. "
        + (
            "Clipping is off."
            if limit is None
            else f"It reached the threshold in {share:.0%} of the steps shown, and was shortened there."
        )
    )
    norm = number(float(raw[-1])) if np.isfinite(raw[-1]) else r"\infty"
    threshold = r"\infty" if limit is None else f"{limit:g}"
    formula = (
        r"\text{if } \|g\|\ge\theta:\quad g \leftarrow \frac{\theta}{\|g\|}\,g \qquad "
        rf"\|g\|={norm},\ \theta={threshold}"
    )
    label = f"Gradient over {len(norms)} training steps; clipped in {share:.0%} of them"
    figure = over_training_spec(history.curves(), norms, limit, theme())
    return Reading(figure, label, how, formula, norms)
