"""Array type aliases, and norms that neither overflow nor underflow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

SAFE_SQUARES = (1e-250, 1e250)
"""Sums of squares between these bounds are unaffected by underflow and overflow."""


def norms(values: Array) -> Array:
    """Return the Euclidean norms over the last axis, (...,).

    Rows whose squares would underflow or overflow (entries such as 1e-170 or 1e170) are scaled first.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # inf stays inf
        squares = np.asarray(np.einsum("...i,...i->...", values, values))
        found = np.sqrt(squares)
        low, high = SAFE_SQUARES
        if not ((squares > low) & (squares < high)).all():
            odd = ~((squares > low) & (squares < high))
            found = np.asarray(found)
            found[odd] = scaled_norms(values[odd])
    return found


def scaled_norms(rows: Array) -> Array:
    """Return the norms (...,) of rows (..., H), each divided by its largest element before it is squared."""
    largest = np.abs(rows).max(axis=-1, keepdims=True)
    scale = np.where(np.isfinite(largest) & (largest > 0.0), largest, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.linalg.norm(rows / scale, axis=-1) * scale[..., 0])
