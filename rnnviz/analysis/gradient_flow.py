"""Gradient flow: how much of the error reaches each time step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices
from rnnviz.model.batch import Batch
from rnnviz.model.cells import State, StepBack, Trace
from rnnviz.model.network import Network, Params, cut_rows, farthest_row, output_gradient, readout_errors
from rnnviz.training.updates import gradient_curve

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
    """Gradient norms over time; norms are means over the samples of a batch.

    total : (T,), ||dL/dh_t|| of the whole loss; of cells whose state has more arrays (h, c), of all together.
    per_output : (K, T), the same for the loss of each output alone (zero after that output).
    outputs : (K,), the steps t (1-based) of those outputs.
    lag_profile : (longest lag + 1,), P(l) = mean_k ||eps_{k,k-l}|| / ||eps_{k,k}||.
    decades : log10 of the last output's error at step 1, relative to that at its own step. Where the
        backward pass is cut, at the first step that it reaches instead of step 1.
    verdict : "vanishing", "healthy" or "exploding", by VERDICT_DECADES.
    """

    total: Array
    per_output: Array
    outputs: Indices
    lag_profile: Array
    decades: float
    verdict: str


@lru_cache(maxsize=4)
def probe_batch(e: Experiment) -> Batch:
    """Return the fixed sequences for which gradients and states are shown (cached)."""
    return e.sample(e.rng("probe"), PROBE_SAMPLES)


@dataclass(frozen=True, eq=False)
class Probe:
    """A network after the forward pass over a batch, before the backward pass.

    outputs : (T, B, O). traces : one per layer. dL_dy : (K, B, O), the errors at the steps that write.
    truncate : steps of the blocks into which the backward pass is cut (see ``network.cut_rows``), or None.
    """

    network: Network
    params: Params
    batch: Batch
    outputs: Array
    traces: list[Trace]
    dL_dy: Array
    truncate: int | None = None

    def state_errors(self, dL_dy: Array) -> tuple[State, ...]:
        """Backpropagate errors of the outputs (K, B, O); return each layer's dL/dstate, (T, B, H) for each of
        ``Cell.state``.
        """
        errors = readout_errors(self.params, self.batch, dL_dy)
        layers = self.network.backward(self.params, self.traces, errors, cuts=self.cuts)
        return tuple(layer.states for layer in layers)

    @property
    def cuts(self) -> frozenset[int]:
        """The rows at which the backward pass is cut."""
        return cut_rows(len(self.batch.inputs), self.truncate)

    @property
    def first_reached(self) -> int:
        """The first row that the last output's error reaches."""
        return farthest_row(int(self.batch.write_steps[-1]), self.cuts)

    @property
    def last_alone(self) -> Array:
        """The errors (K, B, O) of the last output's loss alone."""
        alone = np.zeros_like(self.dL_dy)
        alone[-1] = self.dL_dy[-1]
        return alone


def probe(
    subject: Experiment | Network | Probe,
    params: Params | None = None,
    batch: Batch | None = None,
    truncate: int | None = None,
) -> Probe:
    """Run a network's forward pass over a batch; overflow appears as inf or NaN.

    subject : a network, an experiment that describes one, or a probe, which is returned unchanged. params :
    weights (of an experiment, by default those before training). batch : of an experiment, by default
    ``probe_batch``. truncate : cut a network's backward pass into blocks of so many steps (see
    ``network.cut_rows``); that of an experiment follows its own setting.

    Raises
    ------
    ValueError
        If a network comes without weights or without a batch.
    """
    if isinstance(subject, Probe):
        return subject
    if isinstance(subject, Experiment):
        network = subject.network()
        params = subject.init(subject.rng("weights")) if params is None else params
        batch = probe_batch(subject) if batch is None else batch
        truncate = subject.truncate
    else:
        network = subject
    if params is None or batch is None:
        raise ValueError("A network needs weights and a batch: pass params and batch, or an Experiment.")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        outputs, traces = network.forward(params, batch.inputs)
        _, dL_dy = output_gradient(outputs, batch)
    return Probe(network, params, batch, outputs, traces, dL_dy, truncate)


def gradient_flow(
    subject: Experiment | Network | Probe,
    params: Params | None = None,
    batch: Batch | None = None,
    layer: int = -1,
) -> GradientFlow:
    """Measure the gradient flow through one layer.

    It is the gradient that training uses: cut where an experiment truncates it. subject, params, batch : see
    ``probe``. layer : which layer's states (default: the top one).
    """
    seen = probe(subject, params, batch)
    steps = seen.batch.write_steps
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        per_output, total = _norms_over_time(seen, layer)
        own = per_output[np.arange(len(per_output)), steps]
        profile = _lag_profile(per_output / own[:, None], steps)
    decades = decades_between(per_output[-1, seen.first_reached], own[-1])
    return GradientFlow(total, per_output, steps + 1, profile, decades, verdict(decades))


def _norms_over_time(seen: Probe, layer: int) -> tuple[Array, Array]:
    """Return the norms of each output's error (K, T) and of their sum (T,) in one layer."""
    if len(seen.batch.write_steps) == 1:
        alone = gradient_curve(*seen.state_errors(seen.dL_dy)[layer])
        return alone[None], alone
    K, T = len(seen.batch.write_steps), len(seen.batch.writes)
    per_output, total = np.zeros((K, T)), np.zeros(T)
    for t, first, errors, _ in errors_back_in_time(seen, layer):
        per_output[first:, t] = gradient_curve(*errors)
        total[t] = gradient_curve(*(part.sum(axis=0) for part in errors))
    return per_output, total


def errors_back_in_time(seen: Probe, layer: int) -> Iterator[tuple[int, int, State, StepBack]]:
    """Backpropagate every output's error separately, all in parallel, without storing them over time.

    Yields for t = T - 1 down to 0: the row t, the index of the first output at that step or later, and for
    the outputs from that one on eps_{k,t} of one layer, (k, B, H) for each entry of ``Cell.state``, and the
    ``StepBack`` through that step.
    """
    cell, params, traces = seen.network.cell, seen.params, seen.traces
    steps, depth = seen.batch.write_steps, len(traces)
    K, B, cuts = len(steps), seen.batch.inputs.shape[1], seen.cuts
    carried = [
        tuple(np.zeros((K, B, trace.hidden.shape[-1])) for _ in cell.state) for trace in traces
    ]  # eps_{k,t} of every layer
    for t in reversed(range(len(seen.batch.writes))):
        first = int(np.searchsorted(steps, t))  # outputs at t or later
        if first < K and steps[first] == t:
            carried[-1][0][first] += seen.dL_dy[first] @ params.W_hy.T
        for i in reversed(range(depth)):
            errors = tuple(part[first:] for part in carried[i])
            back = cell.vjp_step(params.layers[i], traces[i], t, errors)
            if i == layer % depth:
                yield t, first, errors, back
            for part, earlier in zip(carried[i], back.earlier, strict=True):
                part[first:] = 0.0 if t in cuts else earlier
            if i > 0:
                carried[i - 1][0][first:] += back.into_input @ params.layers[i].W_xh.T


def _lag_profile(relative: Array, steps: Indices) -> Array:
    """Average relative errors (K, T) over all outputs for which a lag exists; return (longest lag + 1,)."""
    lags = steps[:, None] - np.arange(relative.shape[1])
    return np.array([relative[lags == lag].mean() for lag in range(int(steps[-1]) + 1)])


def decades_between(first: float, last: float) -> float:
    """Return log10(first / last), the powers of ten that a gradient loses (-) or gains (+)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.log10(first) - np.log10(last))


def verdict(decades: float) -> str:
    """Return "vanishing", "healthy" or "exploding" (see VERDICT_RULE).

    NaN counts as exploding: it comes from numbers that overflowed.
    """
    if decades <= -VERDICT_DECADES:
        return "vanishing"
    return "healthy" if decades < VERDICT_DECADES else "exploding"
