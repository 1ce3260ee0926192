"""The two losses, each with its gradient with respect to the outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.model.arrays import Array, Indices

LossFunction = Callable[[Array, Any], tuple[float, Array]]


def softmax(logits: Array) -> Array:
    """Return probabilities along the last axis."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def cross_entropy(outputs: Array, targets: Indices) -> tuple[float, Array]:
    """Return the mean cross-entropy of softmax(outputs), in nats, and its gradient.

    outputs : (K, B, O) logits; targets : (K, B) classes.
    L = -1/(KB) sum log softmax(y)[target] and dL/dy = (softmax(y) - onehot) / (KB).
    """
    logits, classes = outputs.reshape(-1, outputs.shape[-1]), targets.ravel()
    shifted = logits - logits.max(axis=1, keepdims=True)
    gradient = np.exp(shifted)
    total = gradient.sum(axis=1)
    gradient /= total[:, None]  # softmax
    chosen = np.arange(classes.size), classes
    loss = np.mean(np.log(total) - shifted[chosen])
    gradient[chosen] -= 1.0
    gradient /= classes.size
    return float(loss), gradient.reshape(outputs.shape)


def squared_error(outputs: Array, targets: Array) -> tuple[float, Array]:
    """Return the mean squared error and its gradient.

    outputs, targets : (K, B, O). L = 1/(KBO) sum (y - y*)^2 and dL/dy = 2 (y - y*) / (KBO).
    """
    error = outputs - targets
    return float(np.mean(error * error)), error * (2.0 / error.size)


def _most_likely(outputs: Array) -> Array:
    return np.eye(outputs.shape[-1])[np.argmax(outputs, axis=-1)]


def _one_hot(targets: Array | Indices, size: int) -> Array:
    return np.eye(size)[targets.astype(np.int64)]


@dataclass(frozen=True)
class Loss:
    """A loss and how outputs are interpreted under it.

    value_and_gradient : (outputs, targets) -> (L, dL/doutputs).
    decide : maps outputs (..., O) to what a free-running network feeds back.
    as_output : (targets, O) -> targets in the same form (..., O).
    """

    name: str
    title: str
    value_and_gradient: LossFunction
    decide: Callable[[Array], Array]
    as_output: Callable[[Array | Indices, int], Array]


LOSSES: dict[str, Loss] = {
    "cross-entropy": Loss("cross-entropy", "cross-entropy", cross_entropy, _most_likely, _one_hot),
    "squared-error": Loss(
        "squared-error",
        "mean squared error",
        squared_error,
        decide=lambda outputs: outputs,
        as_output=lambda targets, size: np.asarray(targets, float),
    ),
}
