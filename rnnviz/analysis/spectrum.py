"""What the eigenvalues and singular values of a recurrent matrix imply for the gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array

ROUNDING = 1e-9
"""Tolerance: the singular values of an orthogonal matrix lie exactly at the bound, up to rounding."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues and singular values of W_hh, and what they imply (Pascanu et al. 2013, section 2.1).

    eigenvalues : (H,) complex, by descending modulus. singular_values : (H,), descending.
    rho : spectral radius, the largest |eigenvalue|. sigma_max : the largest singular value.
    gamma : the activation's largest slope (tanh, ReLU, linear 1, sigmoid 1/4).
    """

    eigenvalues: NDArray[np.complex128]
    singular_values: Array
    gamma: float

    @property
    def rho(self) -> float:
        """Largest |eigenvalue|."""
        return float(abs(self.eigenvalues[0]))

    @property
    def sigma_max(self) -> float:
        """Largest singular value."""
        return float(self.singular_values[0])

    @property
    def surely_vanishes(self) -> bool:
        """sigma_max < 1 / gamma: every step back shrinks every gradient, which vanishes in the limit."""
        return self.sigma_max * self.gamma < 1.0 - ROUNDING

    @property
    def keeps_lengths(self) -> bool:
        """All singular values are 1 / gamma: only the slopes can shrink a gradient."""
        return bool(np.all(np.abs(self.singular_values * self.gamma - 1.0) <= ROUNDING))

    @property
    def can_explode(self) -> bool:
        """sigma_max > 1 / gamma: necessary for exploding, but not sufficient."""
        return self.sigma_max * self.gamma > 1.0 + ROUNDING


def spectrum(W_hh: Array, activation: str = "tanh") -> Spectrum:
    """Return the spectrum of a recurrent matrix (H, H).

    Raises
    ------
    ValueError
        If the matrix is not square or holds inf or NaN, or the activation is unknown.
    """
    W_hh = np.asarray(W_hh, float)
    if W_hh.ndim != 2 or W_hh.shape[0] != W_hh.shape[1]:
        raise ValueError(f"W_hh must be a square matrix (H, H); got shape {W_hh.shape}.")
    if not np.isfinite(W_hh).all():
        raise ValueError("W_hh must hold finite numbers; got inf or NaN. Look before the overflow.")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}; got {activation!r}.")
    eigenvalues = np.linalg.eigvals(W_hh).astype(complex)
    order = np.argsort(-np.abs(eigenvalues))
    singular_values: Array = np.linalg.svd(W_hh, compute_uv=False).astype(np.float64)
    return Spectrum(eigenvalues[order], singular_values, ACTIVATIONS[activation].max_derivative)
