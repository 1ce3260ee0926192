"""Shared by the gated cells: the logistic function, products gate by gate, and drawing the gates' weights.

Arrays over whole sequences keep each gate's row (B, H) contiguous: elementwise arithmetic on it takes a third
of the time that it takes on a part of a row (B, G H).
"""

from __future__ import annotations

import numpy as np

from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array
from rnnviz.model.cells.base import Trace
from rnnviz.model.initializers import MATRICES, Initializer, glorot_uniform


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a)) without overflow."""
    return ACTIVATIONS["sigmoid"].apply(a, np.empty_like(a))


def by_gate(matrix: Array, gates: int) -> Array:
    """Split (rows, G H) into a contiguous block for each gate, (G, rows, H)."""
    return np.ascontiguousarray(matrix.reshape(len(matrix), gates, -1).swapaxes(0, 1))


def side_by_side(blocks: Array) -> Array:
    """Put (G, rows, H) side by side, (rows, G H); the inverse of ``by_gate``."""
    return blocks.swapaxes(0, 1).reshape(blocks.shape[1], -1)


def input_currents(inputs: Array, W_xh: Array, b: Array, out: Array) -> None:
    """Write x_t W_xh + b of all steps into ``out`` (T, G, B, H); x gets a column of ones.

    W_xh : (I, G H). b : (G H,).
    """
    (T, G, B, _), I = out.shape, inputs.shape[-1]  # noqa: E741
    with_one = np.ones((T, 1, B, I + 1))
    with_one[:, 0, :, :I] = inputs
    np.matmul(with_one, by_gate(np.vstack([W_xh, b]), G), out=out)


def input_errors(into_input: Array, W_xh: Array) -> Array:
    """Return dL/dx (T, B, I). into_input : dL/d(x_t W_xh), (G, T, B, H). W_xh : (I, G H)."""
    transposed = by_gate(W_xh, len(into_input)).swapaxes(1, 2)
    return np.einsum("gtbh,ghi->tbi", into_input, transposed, optimize=True)


def gate_products(trace: Trace, into_input: Array, into_recurrent: Array) -> tuple[Array, Array, Array]:
    """Sum the contributions of all steps to W_xh, W_hh and the bias, with one matrix product a gate.

    into_input, into_recurrent : (G, T, B, H). Returns (I, G H), (H, G H) and (G H,).
    """
    G, T, B, H = into_input.shape
    before, inputs = trace.hidden[:-1].reshape(T * B, H), trace.inputs.reshape(T * B, -1)
    flat_input, flat_recurrent = into_input.reshape(G, T * B, H), into_recurrent.reshape(G, T * B, H)
    W_xh, W_hh = inputs.T @ flat_input, before.T @ flat_recurrent
    b = np.ones(T * B) @ flat_input  # a product with ones sums faster than sum(axis=1)
    return side_by_side(W_xh), side_by_side(W_hh), b.reshape(-1)


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
    "pytorch", and what builds on it, is PyTorch's default for all weights and biases: U(-1 / sqrt H,
    1 / sqrt H); "chrono" has zero biases for its cell to fill.
    """
    H, width = hidden_size, gates * hidden_size
    if recurrent.name not in MATRICES or recurrent.name == "pytorch":
        limit = 1.0 / np.sqrt(H)
        W_xh, W_hh = (rng.uniform(-limit, limit, (rows, width)) for rows in (input_size, H))
        if recurrent.name == "chrono":
            return W_xh, W_hh, (np.zeros(width), np.zeros(width))
        return W_xh, W_hh, (rng.uniform(-limit, limit, width), rng.uniform(-limit, limit, width))
    W_xh = np.hstack([glorot_uniform(rng, input_size, H) for _ in range(gates)])
    W_hh = np.hstack([recurrent.draw(rng, H, gain) for _ in range(gates)])
    return W_xh, W_hh, (np.zeros(width), np.zeros(width))
