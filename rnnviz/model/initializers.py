"""Ways to draw the recurrent matrix W_hh before training."""

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


@dataclass(frozen=True)
class Initializer:
    """A distribution of W_hh (H, H).

    ``draw(rng, size, gain)`` ignores the gain unless ``has_gain``.
    """

    name: str
    title: str
    formula: str
    draw: Callable[[np.random.Generator, int, float], Array]
    has_gain: bool = False


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
            lambda rng, n, gain: rng.uniform(-1.0, 1.0, (n, n)) / np.sqrt(n),
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
    )
}
