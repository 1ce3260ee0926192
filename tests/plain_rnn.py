"""The network of the textbook, written once more and as plainly as possible, to hold rnnviz against.

Nothing here calls rnnviz. It is written with ``autograd.numpy``, so that HIPS autograd can
differentiate it. Row vectors, time first: T steps, B batch, I inputs, H hidden, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad
from numpy.typing import NDArray

Array = NDArray[np.float64]
Layer = tuple[Array, ...]  # W_xh (I, G H), W_hh (H, G H) and biases, as the cell's step below takes them
Weights = tuple[list[Layer], Array, Array]  # layers, W_hy (H, O), b_y (O,)

PHI: dict[str, Callable[[Any], Any]] = {
    "tanh": anp.tanh,
    "relu": lambda a: anp.where(a > 0.0, a, 0.0),
    "sigmoid": lambda a: 1.0 / (1.0 + anp.exp(-a)),
    "linear": lambda a: a,
}

Step = Callable[[Layer, Any, list[Any], str], tuple[list[Any], Any]]


def vanilla(layer: Layer, x: Any, state: list[Any], activation: str) -> tuple[list[Any], Any]:
    W_xh, W_hh, b_h = layer
    a = anp.dot(x, W_xh) + anp.dot(state[0], W_hh) + b_h
    return [PHI[activation](a)], a


def feed_forward(layer: Layer, x: Any, state: list[Any], activation: str) -> tuple[list[Any], Any]:
    W_xh, b_h = layer
    a = anp.dot(x, W_xh) + b_h
    return [PHI[activation](a)], a


def lstm(layer: Layer, x: Any, state: list[Any], activation: str) -> tuple[list[Any], Any]:
    """Hochreiter & Schmidhuber 1997 with a forget gate; gates in the order i, f, g, o."""
    W_xh, W_hh, b = layer
    (h, c), sigma, H = state, PHI["sigmoid"], len(W_hh)
    a = anp.dot(x, W_xh) + anp.dot(h, W_hh) + b
    i, f, o = sigma(a[:, :H]), sigma(a[:, H : 2 * H]), sigma(a[:, 3 * H :])
    c = f * c + i * anp.tanh(a[:, 2 * H : 3 * H])
    return [o * anp.tanh(c), c], a


def gru(layer: Layer, x: Any, state: list[Any], activation: str) -> tuple[list[Any], Any]:
    """Cho et al. 2014, with the reset gate after the product; gates in the order r, z, n."""
    W_xh, W_hh, b, b_hn = layer
    h, sigma, H = state[0], PHI["sigmoid"], len(W_hh)
    from_x, from_h = anp.dot(x, W_xh) + b, anp.dot(h, W_hh)
    r = sigma(from_x[:, :H] + from_h[:, :H])
    z = sigma(from_x[:, H : 2 * H] + from_h[:, H : 2 * H])
    n = anp.tanh(from_x[:, 2 * H :] + r * (from_h[:, 2 * H :] + b_hn))
    return [(1.0 - z) * n + z * h], from_x


def min_gru(layer: Layer, x: Any, state: list[Any], activation: str) -> tuple[list[Any], Any]:
    """Feng et al. 2024, algorithm 3: the gate and the candidate see the input alone."""
    W_xh, b = layer
    h, a = state[0], anp.dot(x, W_xh) + b
    H = h.shape[-1]
    z, n = PHI["sigmoid"](a[:, :H]), a[:, H:]
    return [(1.0 - z) * h + z * n], a


def antisymmetric(layer: Layer, x: Any, state: list[Any], activation: str) -> tuple[list[Any], Any]:
    """Chang et al. 2019, equation 9, with step 0.1 and damping 0.01."""
    W_xh, W_hh, b_h = layer
    h = state[0]
    a = anp.dot(x, W_xh) + anp.dot(h, W_hh) - anp.dot(h, W_hh.T) - 0.01 * h + b_h
    return [h + 0.1 * anp.tanh(a)], a


def lru(layer: Layer, x: Any, state: list[Any], activation: str) -> tuple[list[Any], Any]:
    """Orvieto et al. 2023, equation 2 and figure 1, with real numbers alone."""
    W_xh, b, nu, theta, gamma, B_re, B_im, C_re, C_im, D = layer
    _, re, im = state
    u = anp.dot(x, W_xh) + b
    size, angle = anp.exp(-anp.exp(nu)), anp.exp(theta)
    cos, sin = size * anp.cos(angle), size * anp.sin(angle)
    new_re = cos * re - sin * im + anp.exp(gamma) * anp.dot(u, B_re)
    new_im = cos * im + sin * re + anp.exp(gamma) * anp.dot(u, B_im)
    y = anp.dot(new_re, C_re) - anp.dot(new_im, C_im) + D * u
    gelu = 0.5 * y * (1.0 + anp.tanh(np.sqrt(2.0 / np.pi) * (y + 0.044715 * y * y * y)))
    return [u + gelu, new_re, new_im], y


STEPS: dict[str, Step] = {
    "vanilla": vanilla,
    "irnn": vanilla,
    "antisymmetric": antisymmetric,
    "feed-forward": feed_forward,
    "lstm": lstm,
    "gru": gru,
    "mingru": min_gru,
    "lru": lru,
}


STATES = {name: {"lstm": 2, "lru": 3}.get(name, 1) for name in STEPS}
"""Arrays that a layer carries from step to step; h is the first."""


def step_up(
    layers: list[Layer], x: Any, states: list[list[Any]], cell: str, activation: str
) -> list[list[Any]]:
    """Return every layer's state after one more step with input ``x`` (B, I)."""
    after: list[list[Any]] = []
    for layer, state in zip(layers, states, strict=True):
        x = after[-1][0] if after else x
        after.append(STEPS[cell](layer, x, state, activation)[0])
    return after


class StepByStep:
    """A network of rnnviz's weights that reads one input after the other, with plain Python state."""

    def __init__(self, params: Any, batch: int, cell: str = "vanilla", activation: str = "tanh") -> None:
        self.layers = [tuple(getattr(w, field.name) for field in fields(w)) for w in params.layers]
        self.states = [[np.zeros((batch, params.W_hy.shape[0]))] * STATES[cell] for _ in self.layers]
        self.readout, self.cell, self.activation = (params.W_hy, params.b_y), cell, activation

    def read(self, x: Array) -> Array:
        """Read ``x`` (B, I) and return the output (B, O)."""
        self.states = step_up(self.layers, x, self.states, self.cell, self.activation)
        W_hy, b_y = self.readout
        return self.states[-1][0] @ W_hy + b_y


def forward(
    weights: Weights,
    inputs: Array,
    nudges: list[Array],
    activation: str,
    cell: str = "vanilla",
    start: list[list[Array]] | None = None,
) -> tuple[Any, list[Any], list[Any]]:
    """Return outputs (T, B, O), and states h and pre-activations, one (T, B, H) a layer.

    ``nudges[i][s][t]`` (B, H) is added to state array s of layer i after step t: the derivative of a loss
    with respect to it is the derivative with respect to that state, dL/dh_t or dL/dc_t. ``start`` has each
    layer's state before the first step, zero if None.
    """
    layers, W_hy, b_y = weights
    below = list(inputs)
    states, pre_activations = [], []
    for i, (layer, nudge) in enumerate(zip(layers, nudges, strict=True)):
        state: list[Any] = [anp.zeros(nudge.shape[2:]) for _ in range(STATES[cell])]
        state = state if start is None else start[i]
        hs, a_s = [], []
        for t, x_t in enumerate(below):
            state, a = STEPS[cell](layer, x_t, state, activation)
            state = [array + nudge[s, t] for s, array in enumerate(state)]
            hs.append(state[0])
            a_s.append(a)
        states.append(anp.stack(hs))
        pre_activations.append(anp.stack(a_s))
        below = hs
    return anp.stack([anp.dot(h, W_hy) + b_y for h in below]), states, pre_activations


def loss_of_step(y: Any, target: NDArray[Any]) -> Any:
    """Return the batch mean of one step's loss: cross-entropy for classes (B,), squared error for (B, O)."""
    if target.ndim == 1:
        y = y - anp.max(y, axis=1, keepdims=True)
        log_probability = y - anp.log(anp.sum(anp.exp(y), axis=1, keepdims=True))
        return -anp.mean(log_probability[np.arange(len(target)), target])
    return anp.mean((y - target) ** 2)


def loss(
    weights: Weights,
    inputs: Array,
    targets: NDArray[Any],
    steps: list[int],
    nudges: list[Array],
    activation: str,
    cell: str,
) -> Any:
    """Return the mean loss over the steps that write (0-based)."""
    outputs, _, _ = forward(weights, inputs, nudges, activation, cell)
    return sum(loss_of_step(outputs[k], targets[k]) for k in steps) / len(steps)


@dataclass(frozen=True, eq=False)
class Case:
    """One network with one batch, seen plainly. All points are float64."""

    weights: Weights
    inputs: Array
    targets: NDArray[Any]
    steps: list[int]
    activation: str
    hidden_size: int
    cell: str = "vanilla"

    @property
    def no_nudges(self) -> list[Array]:
        shape = (STATES[self.cell], *self.inputs.shape[:2], self.hidden_size)
        return [np.zeros(shape) for _ in self.weights[0]]

    def loss(self, weights: Weights, nudges: list[Array]) -> Any:
        return loss(weights, self.inputs, self.targets, self.steps, nudges, self.activation, self.cell)

    def loss_of_output(self, k: int, nudges: list[Array]) -> Any:
        """Return what step ``k`` alone contributes to the loss."""
        share = loss(self.weights, self.inputs, self.targets, [k], nudges, self.activation, self.cell)
        return share / len(self.steps)

    def truncated(self, blocks: list[tuple[int, int]]) -> tuple[list[Array], list[Array]]:
        """Return the gradients of the weights and the nudges, each block of steps differentiated alone.

        A block (first step, one after its last) begins with the states that the one before left, as plain
        numbers: what it gets wrong changes nothing in earlier blocks.
        """
        layers, of_nudges = self.weights[0], self.no_nudges
        of_weights = [np.zeros_like(w) for w in weight_arrays(self.weights)]
        states: list[list[Any]] = [list(nudge[:, 0]) for nudge in self.no_nudges]  # zero
        for first, end in blocks:
            part = self._block(first, end)

            def loss_of_block(
                weights: Weights, nudges: list[Array], start: Any = states, part: Case = part
            ) -> Any:
                outputs = forward(weights, part.inputs, nudges, self.activation, self.cell, start)[0]
                wrong = [loss_of_step(outputs[k], part.targets[k]) for k in part.steps]
                return sum(wrong) / len(self.steps)

            if part.steps:
                by_weights, by_nudges = grad(loss_of_block, (0, 1))(self.weights, part.no_nudges)
                for total, more in zip(of_weights, weight_arrays(by_weights), strict=True):
                    total += more
                for layer, found in zip(of_nudges, by_nudges, strict=True):
                    layer[:, first:end] = found
            for x in part.inputs:
                states = step_up(layers, x, states, self.cell, self.activation)
        return of_weights, of_nudges

    def _block(self, first: int, end: int) -> Case:
        """Return the steps from ``first`` to before ``end``, with ``steps`` counted from there."""
        steps = [k - first for k in self.steps if first <= k < end]
        inputs, targets = self.inputs[first:end], self.targets[first:end]
        return replace(self, inputs=inputs, targets=targets, steps=steps)


def weight_arrays(weights: Weights) -> list[Array]:
    """Return every array of the weights, layer by layer, with the readout last."""
    layers, W_hy, b_y = weights
    return [*(array for layer in layers for array in layer), W_hy, b_y]
