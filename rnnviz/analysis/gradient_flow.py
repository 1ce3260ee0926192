"""From gradients to meaning: how much of the error arrives at each time step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices, norms
from rnnviz.model.cells import Trace
from rnnviz.model.network import Network, Params
from rnnviz.tasks import TASKS, Batch

PROBE_SAMPLES = 16
"""Sequences over which gradient curves are averaged."""

VERDICT_DECADES = 2.0
"""Powers of ten over the whole sequence from which a gradient counts as vanishing or exploding."""

VERDICT_RULE = (
    f"Compared: the error of the last output at the first step and at the step of that output. "
    f"{10**VERDICT_DECADES:.0f} times smaller or more: vanishing. "
    f"{10**VERDICT_DECADES:.0f} times larger or more: exploding. In between: healthy."
)


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """The gradient's way back through time; norms are means over the samples of a batch.

    total : (T,), ||dL/dh_t|| of the whole loss.
    itemised : (K, T), the part of it that each output's loss alone sends back (zero after that output).
    outputs : (K,), the steps t (1-based) of those outputs.
    lag_profile : (longest lag + 1,), P(l) = mean_k ||eps_{k,k-l}|| / ||eps_{k,k}||.
    decades : log10 of the last output's error at step 1 against at its own step.
    verdict : "vanishing", "healthy" or "exploding", by VERDICT_DECADES.
    """

    total: Array
    itemised: Array
    outputs: Indices
    lag_profile: Array
    decades: float
    verdict: str


def probe_batch(e: Experiment) -> Batch:
    """Return the fixed sequences on which gradients and states are shown."""
    return TASKS[e.task].sample(e, e.rng("probe"), PROBE_SAMPLES)


@dataclass(frozen=True, eq=False)
class Probe:
    """A network that has read a batch, and whose errors have not yet gone back through time.

    outputs : (T, B, O). traces : one a layer. dL_dy : (K, B, O), the errors at the steps that write.
    """

    network: Network
    params: Params
    batch: Batch
    outputs: Array
    traces: list[Trace]
    dL_dy: Array


def probe(e: Experiment, params: Params | None = None, batch: Batch | None = None) -> Probe:
    """Let a network read a batch; overflow shows as inf or NaN.

    params : weights to look at (default: before training). batch : default ``probe_batch``.
    """
    network = Network(e)
    params = network.init(e.rng("weights")) if params is None else params
    batch = probe_batch(e) if batch is None else batch
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        outputs, traces = network.forward(params, batch.inputs)
        _, dL_dy = network.output_gradient(outputs, batch)
    return Probe(network, params, batch, outputs, traces, dL_dy)


def gradient_flow(
    e: Experiment, params: Params | None = None, batch: Batch | None = None, layer: int = -1
) -> GradientFlow:
    """Measure the gradient's flow through one layer.

    params, batch : see ``probe``. layer : which layer's states (default: the top one).
    """
    seen = probe(e, params, batch)
    steps = seen.network.steps
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        itemised, total = _norms_over_time(seen, layer)
        own = itemised[np.arange(len(itemised)), steps]
        profile = _lag_profile(itemised / own[:, None], steps)
    decades = decades_between(itemised[-1, 0], own[-1])
    return GradientFlow(total, itemised, steps + 1, profile, decades, verdict(decades))


def _norms_over_time(seen: Probe, layer: int) -> tuple[Array, Array]:
    """Carry each output's error back by itself; return its norms (K, T) and the total's (T,).

    One sweep back over time with all K errors side by side, (K, B, H) a layer: nothing is kept but norms.
    """
    network, params, traces = seen.network, seen.params, seen.traces
    T, B, H = traces[-1].hidden[1:].shape
    K, top = len(network.steps), len(traces) - 1
    carried = [np.zeros((K, B, H)) for _ in traces]  # eps_{k,t} of every layer
    itemised, total = np.zeros((K, T)), np.zeros(T)
    for t in reversed(range(T)):
        active = slice(int(np.searchsorted(network.steps, t)), K)  # outputs at t or later
        if active.start < K and network.steps[active.start] == t:
            carried[top][active.start] += seen.dL_dy[active.start] @ params.W_hy.T
        for i in reversed(range(len(traces))):
            error = carried[i][active]
            if i == layer % len(traces):
                itemised[active, t] = _mean_norm(error)
                alone = active.start == K - 1
                total[t] = itemised[-1, t] if alone else _mean_norm(error.sum(axis=0))
            dL_da, carried[i][active] = network.cell.back_one_step(params.layers[i], traces[i], t, error)
            if i > 0:
                carried[i - 1][active] += dL_da @ params.layers[i].W_xh.T
    return itemised, total


def _mean_norm(error: Array) -> Array:
    """Mean over the samples of ||error||, for (..., B, H) with 1/B inside."""
    return norms(error).sum(axis=-1)


def _lag_profile(relative: Array, steps: Indices) -> Array:
    """Average relative errors (K, T) over all outputs that reach a lag; return (longest lag + 1,)."""
    lags = steps[:, None] - np.arange(relative.shape[1])
    return np.array([relative[lags == lag].mean() for lag in range(int(steps[-1]) + 1)])


def decades_between(first: float, last: float) -> float:
    """Return log10(first / last), the powers of ten that a gradient loses (-) or gains (+) on its way."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.log10(first) - np.log10(last))


def verdict(decades: float) -> str:
    """Say what became of a gradient: "vanishing", "healthy" or "exploding" (see VERDICT_RULE).

    NaN counts as exploding: it comes from numbers that overflowed.
    """
    if decades <= -VERDICT_DECADES:
        return "vanishing"
    return "healthy" if decades < VERDICT_DECADES else "exploding"
