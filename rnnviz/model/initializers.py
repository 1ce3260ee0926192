"""Ways to draw a layer's weights before training: recurrent matrices, biases of gates, eigenvalues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnviz.model.arrays import Array


def glorot_uniform(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Draw U(-a, a) with a = sqrt(6 / (rows + columns)), shape (rows, columns) (Glorot & Bengio 2010)."""
    limit = np.sqrt(6.0 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns))


def orthogonal(rng: np.random.Generator, size: int) -> Array:
    """Draw an orthogonal matrix (size, size) from the Haar measure (Mezzadri 2007: QR, signs of diag R)."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return q * np.sign(np.diag(r))


def pytorch_uniform(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Draw U(-1 / sqrt n, 1 / sqrt n) with n rows, shape (rows, columns), as PyTorch does by default."""
    return rng.uniform(-1.0, 1.0, (rows, columns)) / np.sqrt(rows)


def chrono_bias(rng: np.random.Generator, size: int, longest: int) -> Array:
    """Draw log U(1, longest - 1), (size,): gates that forget within about 1 to ``longest`` steps.

    Tallec & Ollivier 2018, arXiv 1804.11188. The bias is zero if ``longest`` is 2 or less.
    """
    return np.log(rng.uniform(1.0, max(1.0, longest - 1.0), size))


@dataclass(frozen=True)
class Initializer:
    """How a layer's weights are drawn.

    ``draw(rng, size, gain)`` draws a recurrent matrix (size, size); it ignores the gain unless ``has_gain``.
    ``radii`` : for layers with complex eigenvalues, between which distances from 0 they lie.
    What else depends on the choice (biases, input weights) is told by the cell's ``init``.
    """

    name: str
    title: str
    formula: str
    draw: Callable[[np.random.Generator, int, float], Array]
    has_gain: bool = False
    radii: tuple[float, float] = (0.0, 1.0)


INITIALIZERS: dict[str, Initializer] = {
    initializer.name: initializer
    for initializer in (
        Initializer(
            "small-normal",
            "Small normal",
            "N(0, 0.01²)",
            lambda rng, n, gain: rng.normal(0.0, 0.01, (n, n)),
        ),
        Initializer(
            "glorot",
            "Glorot uniform",
            "U(±√(6 / 2H))",
            lambda rng, n, gain: glorot_uniform(rng, n, n),
        ),
        Initializer(
            "he",
            "He normal",
            "N(0, 2 / H)",
            lambda rng, n, gain: rng.normal(0.0, np.sqrt(2.0 / n), (n, n)),
        ),
        Initializer(
            "pytorch",
            "PyTorch default",
            "U(±1 / √H)",
            lambda rng, n, gain: pytorch_uniform(rng, n, n),
        ),
        Initializer(
            "orthogonal",
            "Orthogonal",
            "g · Q, QᵀQ = 1",
            lambda rng, n, gain: gain * orthogonal(rng, n),
            has_gain=True,
        ),
        Initializer(
            "identity",
            "Identity",
            "g · 1",
            lambda rng, n, gain: gain * np.eye(n),
            has_gain=True,
        ),
        Initializer(
            "scaled-gaussian",
            "Scaled Gaussian",
            "N(0, g² / H)",
            lambda rng, n, gain: rng.normal(0.0, gain / np.sqrt(n), (n, n)),
            has_gain=True,
        ),
        Initializer(
            "forget-1",
            "Forget-gate bias 1",
            "PyTorch's, b_f = 1",
            lambda rng, n, gain: pytorch_uniform(rng, n, n),
        ),
        Initializer(
            "chrono",
            "Chrono",
            "b = ± log U(1, T − 1)",
            lambda rng, n, gain: pytorch_uniform(rng, n, n),
        ),
        Initializer(
            "disk",
            "Eigenvalues in the unit disk",
            "|λ|² ~ U(0, 1)",
            lambda rng, n, gain: pytorch_uniform(rng, n, n),
        ),
        Initializer(
            "ring",
            "Eigenvalues near the unit circle",
            "0.9 ≤ |λ| ≤ 0.999",
            lambda rng, n, gain: pytorch_uniform(rng, n, n),
            radii=(0.9, 0.999),
        ),
    )
}

MATRICES = ("orthogonal", "glorot", "he", "pytorch", "small-normal", "identity", "scaled-gaussian")
"""Initialisations that draw a recurrent matrix and leave all biases 0 (PyTorch's: draw them as well)."""
