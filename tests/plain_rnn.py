"""The network of the textbook, written once more and as plainly as possible, to hold rnnviz against.

Nothing here calls rnnviz. It is written with ``autograd.numpy``, so that HIPS autograd can
differentiate it. Row vectors, time first: T steps, B batch, I inputs, H hidden, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Layer = tuple[Array, Array, Array]  # W_xh (I, H), W_hh (H, H), b_h (H,)
Weights = tuple[list[Layer], Array, Array]  # layers, W_hy (H, O), b_y (O,)

PHI: dict[str, Callable[[Any], Any]] = {
    "tanh": anp.tanh,
    "relu": lambda a: anp.where(a > 0.0, a, 0.0),
    "sigmoid": lambda a: 1.0 / (1.0 + anp.exp(-a)),
    "linear": lambda a: a,
}


def forward(
    weights: Weights, inputs: Array, nudges: list[Array], activation: str
) -> tuple[Any, list[Any], list[Any]]:
    """Return outputs (T, B, O), and states and pre-activations, one (T, B, H) a layer.

    ``nudges[i][t]`` (B, H) is added to the state of layer i after step t: the derivative of a loss
    with respect to it is the derivative with respect to that state, dL/dh_t.
    """
    layers, W_hy, b_y = weights
    phi, below = PHI[activation], list(inputs)
    states, pre_activations = [], []
    for (W_xh, W_hh, b_h), nudge in zip(layers, nudges, strict=True):
        h, hs, a_s = anp.zeros(nudge.shape[1:]), [], []
        for x_t, nudge_t in zip(below, nudge, strict=True):
            a = anp.dot(x_t, W_xh) + anp.dot(h, W_hh) + b_h
            h = phi(a) + nudge_t
            hs.append(h)
            a_s.append(a)
        states.append(anp.stack(hs))
        pre_activations.append(anp.stack(a_s))
        below = hs
    return anp.stack([anp.dot(h, W_hy) + b_y for h in below]), states, pre_activations


def loss_of_step(y: Any, target: NDArray[Any]) -> Any:
    """Return the batch mean of one step's loss: cross-entropy for classes (B,), squared error for (B, O)."""
    if target.ndim == 1:
        y = y - anp.max(y, axis=1, keepdims=True)
        log_probability = y - anp.log(anp.sum(anp.exp(y), axis=1, keepdims=True))
        return -anp.mean(log_probability[np.arange(len(target)), target])
    return anp.mean((y - target) ** 2)


def loss(
    weights: Weights,
    inputs: Array,
    targets: NDArray[Any],
    steps: list[int],
    nudges: list[Array],
    activation: str,
) -> Any:
    """Return the mean loss over the steps that write (0-based)."""
    outputs, _, _ = forward(weights, inputs, nudges, activation)
    return sum(loss_of_step(outputs[k], targets[k]) for k in steps) / len(steps)


@dataclass(frozen=True, eq=False)
class Case:
    """One network with one batch, seen plainly. All points are float64."""

    weights: Weights
    inputs: Array
    targets: NDArray[Any]
    steps: list[int]
    activation: str
    hidden_size: int

    @property
    def no_nudges(self) -> list[Array]:
        shape = (*self.inputs.shape[:2], self.hidden_size)
        return [np.zeros(shape) for _ in self.weights[0]]

    def loss(self, weights: Weights, nudges: list[Array]) -> Any:
        return loss(weights, self.inputs, self.targets, self.steps, nudges, self.activation)

    def loss_of_output(self, k: int, nudges: list[Array]) -> Any:
        """Return what step ``k`` alone contributes to the loss."""
        share = loss(self.weights, self.inputs, self.targets, [k], nudges, self.activation)
        return share / len(self.steps)
