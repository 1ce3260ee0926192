"""Gradient descent rules as pure updates of flat vectors; clipping is separate.

An optimizer is independent of the network: it maps a gradient (P,) and its moments to the
change of the parameters (P,) and new moments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnviz.model.arrays import Array, scaled_norms


@dataclass(frozen=True, eq=False)
class Moments:
    """An optimizer's state between updates.

    first : Array (P,), running mean of the gradient (or the velocity).
    second : Array (P,), running mean of its square.
    count : number of updates made.
    """

    first: Array
    second: Array
    count: int = 0

    @classmethod
    def zero(cls, size: int) -> Moments:
        """Return the moments before the first update of ``size`` parameters."""
        return cls(np.zeros(size), np.zeros(size))


Update = Callable[[Array, Moments, float], tuple[Array, Moments]]


def sgd(gradient: Array, moments: Moments, learning_rate: float) -> tuple[Array, Moments]:
    """Plain gradient descent."""
    return -learning_rate * gradient, Moments(moments.first, moments.second, moments.count + 1)


def momentum(
    gradient: Array, moments: Moments, learning_rate: float, decay: float = 0.9
) -> tuple[Array, Moments]:
    """Gradient descent with momentum (heavy-ball method, Polyak 1964)."""
    velocity = decay * moments.first + gradient
    return -learning_rate * velocity, Moments(velocity, moments.second, moments.count + 1)


def rmsprop(
    gradient: Array, moments: Moments, learning_rate: float, decay: float = 0.9, epsilon: float = 1e-8
) -> tuple[Array, Moments]:
    """Divide by the root of a running mean square (Tieleman & Hinton 2012, lecture 6.5)."""
    square = decay * moments.second + (1.0 - decay) * gradient * gradient
    change = -learning_rate * gradient / (np.sqrt(square) + epsilon)
    return change, Moments(moments.first, square, moments.count + 1)


def adam(
    gradient: Array,
    moments: Moments,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[Array, Moments]:
    """Adaptive moments with bias correction (Kingma & Ba 2015, algorithm 1)."""
    count = moments.count + 1
    first = beta_1 * moments.first + (1.0 - beta_1) * gradient
    second = beta_2 * moments.second + (1.0 - beta_2) * gradient * gradient
    mean = first / (1.0 - beta_1**count)
    scale = np.sqrt(second / (1.0 - beta_2**count)) + epsilon
    return -learning_rate * mean / scale, Moments(first, second, count)


@dataclass(frozen=True)
class Optimizer:
    """A named update rule."""

    name: str
    title: str
    update: Update


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Optimizer("sgd", "SGD", sgd),
    "momentum": Optimizer("momentum", "Momentum", momentum),
    "rmsprop": Optimizer("rmsprop", "RMSprop", rmsprop),
    "adam": Optimizer("adam", "Adam", adam),
}


def clip_by_norm(gradient: Array, threshold: float | None) -> tuple[Array, float, float]:
    """Rescale a gradient (P,) whose Euclidean norm reaches ``threshold``.

    ``if ||g|| >= theta: g <- theta / ||g|| g`` over all parameters at once (Pascanu et al. 2013,
    algorithm 1). None means no clipping.

    Returns
    -------
    The gradient to use, its norm before, and its norm after. The input is not changed.
    """
    norm = float(scaled_norms(gradient))
    if threshold is None or norm < threshold or not np.isfinite(norm):
        return gradient, norm, norm
    return gradient * (threshold / norm), norm, threshold
