"""The array types that signatures speak of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]


def norms(values: Array) -> Array:
    """Return the Euclidean norms over the last axis, (...,).

    Scaled first: gradients of 1e-170 or 1e170 are numbers, though their squares are not.
    """
    largest = np.abs(values).max(axis=-1, keepdims=True)
    scale = np.where(np.isfinite(largest) & (largest > 0.0), largest, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities stay what they are
        return np.asarray(np.linalg.norm(values / scale, axis=-1) * scale[..., 0])
