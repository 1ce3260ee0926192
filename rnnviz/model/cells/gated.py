"""Shared by the gated cells: the logistic function, input products, and drawing the gates' weights."""

from __future__ import annotations

import numpy as np

from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array
from rnnviz.model.initializers import Initializer, glorot_uniform


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a)) without overflow."""
    return ACTIVATIONS["sigmoid"].apply(a, np.empty_like(a))


def input_currents(inputs: Array, W_xh: Array, b: Array, out: Array) -> None:
    """Write x_t W_xh + b of all steps into ``out`` (T, B, G H), as one product; x gets a column of ones."""
    T, B, I = inputs.shape  # noqa: E741
    with_one = np.ones((T * B, I + 1))
    with_one[:, :I] = inputs.reshape(T * B, I)
    np.matmul(with_one, np.vstack([W_xh, b]), out=out.reshape(T * B, -1))


def draw_gates(
    rng: np.random.Generator,
    gates: int,
    input_size: int,
    hidden_size: int,
    recurrent: Initializer,
    gain: float,
) -> tuple[Array, Array, tuple[Array, Array]]:
    """Draw the weights of G gates side by side: W_xh (I, G H), W_hh (H, G H) and two biases (G H,).

    Every recurrent block (H, H) is drawn with ``recurrent``, every input block with Glorot; biases are zero.
    "pytorch" is PyTorch's default for all weights and biases: U(-1 / sqrt H, 1 / sqrt H).
    """
    H, width = hidden_size, gates * hidden_size
    if recurrent.name == "pytorch":
        limit = 1.0 / np.sqrt(H)
        W_xh, W_hh = (rng.uniform(-limit, limit, (rows, width)) for rows in (input_size, H))
        return W_xh, W_hh, (rng.uniform(-limit, limit, width), rng.uniform(-limit, limit, width))
    W_xh = np.hstack([glorot_uniform(rng, input_size, H) for _ in range(gates)])
    W_hh = np.hstack([recurrent.draw(rng, H, gain) for _ in range(gates)])
    return W_xh, W_hh, (np.zeros(width), np.zeros(width))
