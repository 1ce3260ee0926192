"""Mean-field theory: gradient decay and growth in an infinitely wide random network at initialisation.

Poole et al. 2016, Schoenholz et al. 2017, and for recurrent networks Chen, Pennington & Schoenholz
2018. The theory draws fresh weights at every step; a real network uses the same ones at all steps, so
the theory fails where this matters: linear networks (growth follows the spectral radius), tanh without
input at gain >= 1 and small H, identity with ReLU.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array

NODES = 201
"""Quadrature nodes: tanh needs many at large q, where it is nearly a step."""

TOLERANCE = 1e-13


class MeanField(NamedTuple):
    """The fixed point of a wide random network.

    q : variance of a pre-activation. chi : mean square factor of the gradient per step back.
    """

    q: float
    chi: float

    @property
    def factor(self) -> float:
        """Factor of the gradient's norm per step back, sqrt(chi)."""
        return float(np.sqrt(self.chi))

    @property
    def depth_scale(self) -> float:
        """Steps over which the gradient's norm changes e-fold, |2 / ln chi|; inf at criticality."""
        with np.errstate(divide="ignore"):
            return float(abs(2.0 / np.log(np.float64(self.chi))))


@lru_cache
def _gauss() -> tuple[Array, Array]:
    """Return quadrature nodes and weights of the mean over a standard normal variable."""
    nodes, weights = hermegauss(NODES)
    return nodes, weights / weights.sum()


def _averages(q: float, activation: str) -> tuple[float, float]:
    """Return E[phi(sqrt(q) z)^2] and E[phi'(sqrt(q) z)^2] over z ~ N(0, 1)."""
    nodes, weights = _gauss()
    phi = ACTIVATIONS[activation]
    h = phi.apply(np.sqrt(q) * nodes, np.empty(NODES))
    slope = phi.derivative(h, np.empty(NODES))
    return float(weights @ (h * h)), float(weights @ (slope * slope))


@lru_cache(maxsize=4096)
def mean_field(gain: float, input_std: float, activation: str = "tanh") -> MeanField:
    """Return the fixed point of a network with W_hh ~ N(0, gain^2 / H), H -> infinity.

    q* = gain^2 E[phi(sqrt(q*) z)^2] + input_std^2 and chi = gain^2 E[phi'(sqrt(q*) z)^2].

    Parameters
    ----------
    gain : g >= 0.
    input_std : standard deviation of x_t W_xh + b_h over units and steps, >= 0.
    activation : a name in ACTIVATIONS.

    Raises
    ------
    ValueError
        If an argument is negative, not finite, or an unknown activation.
    """
    for name, value in (("gain", gain), ("input_std", input_std)):
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{name} must be a number from 0 up; got {value}.")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}; got {activation!r}.")
    if activation == "relu":  # homogeneous: exactly half of the second moment passes
        chi = gain**2 / 2.0
        return MeanField(_linear_q(chi, input_std), chi)
    if activation == "linear":
        return MeanField(_linear_q(gain**2, input_std), gain**2)
    q = _fixed_point(gain, input_std, activation)
    return MeanField(q, gain**2 * _averages(q, activation)[1])


def _linear_q(share: float, input_std: float) -> float:
    """Solve q = share q + s^2: the variance diverges for share >= 1."""
    if share < 1.0:
        return input_std**2 / (1.0 - share)
    return 0.0 if share == 1.0 and input_std == 0.0 else np.inf


def _fixed_point(gain: float, input_std: float, activation: str) -> float:
    """Find the stable q*: bisection of the decreasing function map(q) / q - 1 on q > 0."""

    def excess(q: float) -> float:
        return gain**2 * _averages(q, activation)[0] + input_std**2 - q

    low, high = 1e-18, gain**2 + input_std**2 + 1e-12  # |phi| <= 1 bounds q from above
    if excess(low) <= 0.0:
        return 0.0
    while high - low > TOLERANCE * high:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    return 0.5 * (low + high)


@lru_cache(maxsize=1024)
def critical_gain(input_std: float, activation: str = "tanh") -> float:
    """Return the gain at which chi = 1: below it gradients vanish, above it they explode."""
    low, high = 0.0, 1.0
    while mean_field(high, input_std, activation).chi < 1.0:
        low, high = high, 2.0 * high
        if high > 1e6:
            return np.inf
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if mean_field(middle, input_std, activation).chi < 1.0 else (low, middle)
    return 0.5 * (low + high)
