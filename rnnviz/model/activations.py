"""The activation functions phi, with their derivatives written in terms of the state h = phi(a)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnviz.model.arrays import Array


@dataclass(frozen=True)
class Activation:
    """An elementwise function and its derivative.

    ``apply(a, out)`` writes phi(a) into ``out`` (which may be ``a`` itself);
    ``derivative(h, out)`` writes phi'(a) into ``out``, computed from h = phi(a).
    ``max_derivative`` is gamma, the largest derivative (Pascanu et al. 2013, section 2.1).
    ``blocked`` is the word for a unit whose derivative is near 0.
    """

    name: str
    title: str
    apply: Callable[[Array, Array], Array]
    derivative: Callable[[Array, Array], Array]
    max_derivative: float
    blocked: str = "saturated"


def _tanh_derivative(h: Array, out: Array) -> Array:
    np.multiply(h, h, out=out)
    return np.subtract(1.0, out, out=out)


def _relu(a: Array, out: Array) -> Array:
    return np.maximum(a, 0.0, out=out)


def _relu_derivative(h: Array, out: Array) -> Array:
    return np.greater(h, 0.0, out=out, casting="unsafe")


def _sigmoid(a: Array, out: Array) -> Array:
    # sigmoid(a) = (1 + tanh(a / 2)) / 2 never overflows
    np.multiply(a, 0.5, out=out)
    np.tanh(out, out=out)
    np.add(out, 1.0, out=out)
    return np.multiply(out, 0.5, out=out)


def _sigmoid_derivative(h: Array, out: Array) -> Array:
    np.subtract(1.0, h, out=out)
    return np.multiply(out, h, out=out)


def _linear(a: Array, out: Array) -> Array:
    if out is not a:
        np.copyto(out, a)
    return out


def _linear_derivative(h: Array, out: Array) -> Array:
    out.fill(1.0)
    return out


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation("tanh", "tanh", np.tanh, _tanh_derivative, max_derivative=1.0),
    "relu": Activation("relu", "ReLU", _relu, _relu_derivative, max_derivative=1.0, blocked="off"),
    "sigmoid": Activation("sigmoid", "sigmoid", _sigmoid, _sigmoid_derivative, max_derivative=0.25),
    "linear": Activation("linear", "linear", _linear, _linear_derivative, max_derivative=1.0),
}
