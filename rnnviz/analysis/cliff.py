"""The cliff: the loss surface of a one-unit network, with a wall where it has two stable states.

Pascanu, Mikolov & Bengio 2013, figure 6: h_t = w sigmoid(h_{t-1}) + b from h_0 = 0.5, without any input,
and E = (sigmoid(h_50) - 0.7)^2. For w > 4 and b in a band the unit can settle high or low.
Where h_0 passes from one basin of attraction to the other, the loss jumps within a tiny interval of b, and
the gradient there is thousands of times larger than next to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnnviz.model.arrays import Array
from rnnviz.model.optimizers import clip_by_norm

STEPS, START, TARGET = 50, 0.5, 0.7
W_RANGE, B_RANGE = (4.0, 6.0), (-3.5, -1.5)
"""The part of the (w, b) plane that contains the wall."""


class Point(NamedTuple):
    """The loss of a one-unit network and its gradient; arrays of one shape."""

    error: Array
    dE_dw: Array
    dE_db: Array

    @property
    def norm(self) -> Array:
        """Norm of the gradient."""
        return np.hypot(self.dE_dw, self.dE_db)


def measure(w: Array | float, b: Array | float) -> Point:
    """Return the loss E and its gradient by backpropagation through time, for many (w, b) at once."""
    w, b = np.asarray(w), np.asarray(b)
    squashed = [_sigmoid(START + 0.0 * (w + b))]  # sigmoid(h_t), t = 0..50
    for _ in range(STEPS):
        squashed.append(_sigmoid(w * squashed[-1] + b))
    miss = squashed[-1] - TARGET
    dE_dh = 2.0 * miss * _slope(squashed[-1])
    dE_dw = dE_db = 0.0 * dE_dh
    for before in reversed(squashed[:-1]):
        dE_dw = dE_dw + dE_dh * before
        dE_db = dE_db + dE_dh
        dE_dh = dE_dh * w * _slope(before)  # one step back in time
    return Point(miss * miss, dE_dw, dE_db)


def wall(w: Array) -> Array:
    """Return the b of the wall for every w (W,): below it h_50 < 0, above it h_50 > 0.

    By bisection over B_RANGE, down to neighbouring floating-point numbers: h_50 increases with b.
    """
    low, high = np.full(len(w), B_RANGE[0]), np.full(len(w), B_RANGE[1])
    for _ in range(52):
        middle, h = 0.5 * (low + high), np.full(len(w), START)
        for _ in range(STEPS):
            h = w * _sigmoid(h) + middle
        low, high = np.where(h > 0.0, low, middle), np.where(h > 0.0, middle, high)
    return 0.5 * (low + high)


def _sigmoid(h: Array) -> Array:
    return 0.5 + 0.5 * np.tanh(0.5 * h)  # never overflows


def _slope(squashed: Array) -> Array:
    return squashed * (1.0 - squashed)


@dataclass(frozen=True, eq=False)
class Descent:
    """A gradient descent path of N updates.

    w, b, error, norm : (N + 1,), the point, its loss, and the norm of the unclipped gradient there.
    """

    w: Array
    b: Array
    error: Array
    norm: Array

    @property
    def longest_step(self) -> float:
        """The longest distance between two successive points."""
        return float(np.hypot(np.diff(self.w), np.diff(self.b)).max())


def descend(
    w: float, b: float, learning_rate: float = 0.1, clip_norm: float | None = None, steps: int = 200
) -> Descent:
    """Run gradient descent from (w, b): (w, b) -= learning_rate * gradient, optionally clipped.

    Raises
    ------
    ValueError
        If a number is not finite, or the learning rate or the threshold is not positive.
    """
    for name, value in (("w", w), ("b", b), ("learning_rate", learning_rate), ("clip_norm", clip_norm)):
        if value is not None and not np.isfinite(value):
            raise ValueError(f"{name} must be a finite number; got {value}.")
    if learning_rate <= 0 or (clip_norm is not None and clip_norm <= 0):
        raise ValueError(f"learning_rate and clip_norm must be above 0; got {learning_rate} and {clip_norm}.")
    rows, place = [], np.array([w, b], float)
    for _ in range(steps + 1):
        here = measure(place[0], place[1])
        gradient, norm, _ = clip_by_norm(np.array([here.dE_dw, here.dE_db]), clip_norm)
        rows.append((*place, float(here.error), norm))
        place = place - learning_rate * gradient
    return Descent(*np.array(rows).T)
