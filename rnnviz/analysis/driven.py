"""A network without a task: driven by random inputs, with a given error at the last step."""

from __future__ import annotations

import numpy as np

from rnnviz.model.arrays import Array, Indices
from rnnviz.model.batch import Batch
from rnnviz.model.cells import LayerWeights
from rnnviz.model.losses import Loss
from rnnviz.model.network import Params


def _projection(outputs: Array, targets: Array | Indices) -> tuple[float, Array]:
    """Return L = 1/B sum_b <y_b, u_b> and dL/dy = u / B for outputs and errors u, (1, B, O)."""
    B = outputs.shape[1]
    return float(np.sum(outputs * targets) / B), targets / B


PROJECTION = Loss(
    "projection",
    "projection on a chosen error",
    _projection,
    decide=lambda outputs: outputs,
    as_output=lambda targets, size: np.asarray(targets, float),
)
"""A loss whose gradient is its target, independent of the outputs."""


def states_as_outputs(*layers: LayerWeights, hidden_size: int) -> Params:
    """Return layers with an identity readout of the top layer's states (H)."""
    return Params(layers, np.eye(hidden_size), np.zeros(hidden_size))


def error_at_last_step(inputs: Array, error: Array) -> Batch:
    """Return a batch of ``inputs`` (T, B, I) whose gradient with respect to h_T is ``error`` (B, H) / B."""
    T, B, _ = inputs.shape
    targets = np.zeros((T, B, error.shape[-1]))
    targets[-1] = error
    return Batch(inputs, targets, np.arange(T) == T - 1, PROJECTION)
