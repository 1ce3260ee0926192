"""Train a network on your own arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from rnnviz.model.arrays import Array, Indices, Mask
from rnnviz.model.batch import Batch
from rnnviz.model.losses import LOSSES
from rnnviz.model.network import Network, Params, cut_rows
from rnnviz.model.optimizers import OPTIMIZERS
from rnnviz.training.state import Divergence, TrainingState
from rnnviz.training.updates import Problem, first_state, run_updates

if TYPE_CHECKING:
    import pandas as pd

PROGRESS_SECONDS = 0.5
"""Seconds between calls of ``on_progress``."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A network trained on arrays; see ``gradient_flow(fit.network, fit.params, fit.data)`` for its gradient.

    That is measured without truncation; with it, pass ``probe(network, params, data, truncate)`` instead.
    data : the sequences that were trained on. state : the run at its end.
    """

    network: Network
    data: Batch
    state: TrainingState

    @property
    def params(self) -> Params:
        """The weights at the end."""
        return self.state.params

    @property
    def history(self) -> pd.DataFrame:
        """One row per recorded update: step, loss, metric, grad_norm, clipped_grad_norm."""
        return self.state.history.frame()

    @property
    def divergence(self) -> Divergence | None:
        """Where the run diverged, None if it did not."""
        return self.state.divergence

    def predict(self, inputs: ArrayLike) -> Array:
        """Return the outputs (T, N, O) for sequences (T, N, I)."""
        return self.network.outputs(self.params, np.asarray(inputs, float))


def fit(
    network: Network,
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    writes: ArrayLike | None = None,
    loss: str = "squared-error",
    steps: int,
    held_out: tuple[ArrayLike, ArrayLike] | None = None,
    init: str = "",
    gain: float = 1.0,
    params: Params | None = None,
    optimizer: str = "adam",
    learning_rate: float = 3e-3,
    clip_norm: float | None = 1.0,
    truncate: int | None = None,
    batch_size: int = 32,
    seed: int = 0,
    on_progress: Callable[[TrainingState], None] | None = None,
) -> Fit:
    """Train a network on N sequences of T steps; equal arguments give equal runs.

    Parameters
    ----------
    network : Network
    inputs : (T, N, I)
    targets : (T, N) whole numbers for "cross-entropy", (T, N, O) for "squared-error"
    writes : (T,) bool
        The steps whose outputs are compared with the targets (default: all of them).
    loss : str
        A name of LOSSES.
    steps : int
        Updates to make.
    held_out : (inputs, targets)
        Sequences of the same form that the metric is measured on (default: the training data): accuracy for
        "cross-entropy", mean squared error for "squared-error".
    init, gain, params : how weights are drawn (see ``Network.init``; its ``longest`` is T), or the initial
        weights.
    truncate : steps of the blocks into which the backward pass is cut (see ``network.cut_rows``).
    batch_size : sequences per update, drawn with replacement.
    on_progress : called with the state about every half second.

    Raises
    ------
    ValueError
        If arrays do not fit the network or each other, or a choice is unknown.
    """
    for what, value, known in (("loss", loss, LOSSES), ("optimizer", optimizer, OPTIMIZERS)):
        if value not in known:
            raise ValueError(f"{what} must be one of {', '.join(known)}; got {value!r}.")
    data = _batch(network, inputs, targets, writes, loss)
    measured = data if held_out is None else _batch(network, *held_out, data.writes, loss)
    cut_rows(len(data.inputs), truncate)  # refuses what is out of bounds
    rng = np.random.default_rng(seed)
    first = network.init(rng, init, gain, len(data.inputs)) if params is None else params
    problem = Problem(
        network,
        lambda rng: _sample(data, rng, batch_size),
        lambda weights: _metric(network, weights, measured),
        lambda metric: False,
        optimizer,
        learning_rate,
        clip_norm,
        truncate,
    )
    state = first_state(first, rng, len(data.inputs))
    while state.step < steps and state.divergence is None:
        state = run_updates(problem, state, PROGRESS_SECONDS, steps - state.step)
        if on_progress is not None:
            on_progress(state)
    return Fit(network, data, state)


def _batch(
    network: Network, inputs: ArrayLike, targets: ArrayLike, writes: ArrayLike | None, loss: str
) -> Batch:
    """Return arrays as a batch; raise ValueError if they are invalid."""
    x = np.asarray(inputs, float)
    if x.ndim != 3 or x.shape[2] != network.input_size:
        raise ValueError(f"inputs must be (T, N, {network.input_size}); got {x.shape}.")
    T, N, _ = x.shape
    mask: Mask = np.ones(T, bool) if writes is None else np.asarray(writes)
    if mask.dtype != bool or mask.shape != (T,) or not mask.any():
        raise ValueError(
            f"writes must be ({T},) of True and False with at least one True; got {mask.dtype} {mask.shape}."
        )
    y: Array | Indices = np.asarray(targets)
    if loss == "cross-entropy":
        if y.shape != (T, N) or y.dtype.kind not in "iu":
            raise ValueError(f"targets must be whole numbers ({T}, {N}); got {y.dtype} {y.shape}.")
        if y[mask].min() < 0 or y[mask].max() >= network.output_size:
            raise ValueError(
                f"targets must lie between 0 and {network.output_size - 1}, the network's outputs; "
                f"got {y[mask].min()} to {y[mask].max()}."
            )
        y = y.astype(np.int64)
    elif y.shape != (T, N, network.output_size):
        raise ValueError(f"targets must be ({T}, {N}, {network.output_size}); got {y.shape}.")
    return Batch(x, y, mask, LOSSES[loss])


def _sample(data: Batch, rng: np.random.Generator, size: int) -> Batch:
    """Draw ``size`` sequences with replacement."""
    chosen = rng.integers(data.inputs.shape[1], size=size)
    return Batch(data.inputs[:, chosen], data.targets[:, chosen], data.writes, data.loss)


def _metric(network: Network, params: Params, batch: Batch) -> float:
    """Return the accuracy for classes, the mean squared error for values."""
    outputs = network.outputs(params, batch.inputs)[batch.written]
    targets = batch.targets[batch.written]
    if batch.loss is LOSSES["cross-entropy"]:
        return float(np.mean(outputs.argmax(axis=-1) == targets))
    return float(np.mean((outputs - targets) ** 2))
