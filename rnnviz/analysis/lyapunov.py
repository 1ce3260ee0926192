"""Lyapunov exponents: the mean rate per step at which differences between states grow or shrink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.jacobians import layer_path, orthogonalised
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array
from rnnviz.model.batch import Batch
from rnnviz.model.network import Network, Params

BLOCKS = 10
"""Parts of the measured steps whose means give the standard error."""


@dataclass(frozen=True, eq=False)
class LyapunovExponents:
    """The largest Lyapunov exponents of one layer, natural logarithms per step.

    exponents : (k,), descending; -inf where a direction is lost within finitely many steps.
    error : (k,), their standard errors, from the means of BLOCKS blocks of steps; 0 where that is so.
    steps : how many steps were measured. size : of the state, S; k is S unless fewer were asked for.
    """

    exponents: Array
    error: Array
    steps: int
    size: int

    @property
    def dimension(self) -> float:
        """The Kaplan-Yorke dimension: how many of the largest exponents sum to 0, interpolated.

        It is conjectured to be the dimension of the attractor (Kaplan & Yorke 1979). 0 if all are negative;
        inf if the sum of all is positive: no attractor; NaN if too few exponents are known.
        """
        sums = np.cumsum(self.exponents)
        if sums[0] < 0.0:
            return 0.0
        negative = np.flatnonzero(sums < 0.0)
        if not negative.size:
            return np.inf if len(sums) == self.size else np.nan
        j = int(negative[0])
        return float(j + sums[j - 1] / -self.exponents[j])


def lyapunov_exponents(
    subject: Experiment | Network,
    params: Params | None = None,
    batch: Batch | None = None,
    layer: int = -1,
    steps: int = 500,
    transient: int = 100,
    count: int | None = None,
) -> LyapunovExponents:
    """Return the Lyapunov exponents of one layer, driven by sequences of the task one after the other.

    The state is carried from each sequence to the next, and those of a batch are repeated if they are too
    few. In the first ``transient`` steps the state settles. Then errors are carried back from the end, in as
    many orthonormal directions as there are exponents; each step's QR decomposition restores them, and
    log |R_ii| is averaged (Benettin et al. 1980; for recurrent networks Engelken, Wolf & Abbott 2020, arXiv
    2006.02427; Vogt et al. 2022). The last ``transient`` steps only align the directions. A product of
    Jacobians and its transpose have the same singular values, so these are the exponents of the way forward
    too. Of several layers only this one's path counts.

    subject, params : see ``gradient_flow.probe``. batch : of an experiment, by default fresh sequences.
    count : how many of the largest (default: all).

    Raises
    ------
    ValueError
        If a network comes without weights or without a batch, if there are too few steps, or if the states
        overflow.
    """
    if steps < BLOCKS or transient < 0:
        raise ValueError(f"steps must be {BLOCKS} or more and transient 0 or more; got {steps}, {transient}.")
    length = steps + 2 * transient
    if isinstance(subject, Experiment):
        params = subject.init(subject.rng("weights")) if params is None else params
        batch = (
            subject.sample(subject.rng("probe"), -(-length // subject.seq_len)) if batch is None else batch
        )
        subject = subject.network()
    if params is None or batch is None:
        raise ValueError("A network needs weights and a batch: pass params and batch, or an Experiment.")
    one_after_the_other = batch.inputs.swapaxes(0, 1).reshape(-1, batch.inputs.shape[-1])
    inputs = one_after_the_other[np.arange(length) % len(one_after_the_other)]
    path = layer_path(subject, params, inputs, layer)
    Q = np.eye(path.size)[:, :count]
    known, growth = Q.shape[1], np.zeros((steps, Q.shape[1]))
    for t in reversed(range(transient, length)):
        Q, C, kept = orthogonalised(path.back(t, Q))
        growth = growth[:, kept]
        if t < transient + steps:
            growth[t - transient] = np.log(np.abs(C[np.arange(len(kept)), kept]))
    found, error = _mean_and_error(growth)
    lost = known - len(found)
    return LyapunovExponents(
        np.append(found, np.full(lost, -np.inf)), np.append(error, np.zeros(lost)), steps, path.size
    )


def _mean_and_error(growth: Array) -> tuple[Array, Array]:
    """Return the means (k,) of growth (steps, k), descending, and their standard errors over blocks."""
    blocks = np.stack([block.mean(axis=0) for block in np.array_split(growth, BLOCKS)])
    means, error = growth.mean(axis=0), blocks.std(axis=0, ddof=1) / np.sqrt(BLOCKS)
    order = np.argsort(-means, kind="stable")
    return means[order], error[order]
