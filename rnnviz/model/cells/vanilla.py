"""The vanilla (Elman) layer, and the same layer without recurrence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnviz.model.activations import ACTIVATIONS, Activation
from rnnviz.model.arrays import Array
from rnnviz.model.cells.base import (
    NO_CUTS,
    Backward,
    Cuts,
    State,
    StepBack,
    Trace,
    Workspace,
    weight_products,
)
from rnnviz.model.initializers import MATRICES, Initializer, glorot_uniform


@dataclass(frozen=True, eq=False)
class VanillaWeights:
    """One vanilla layer. Its gradient has the same type and field names."""

    W_xh: Array  # (I, H), "A" in the figures
    W_hh: Array  # (H, H), "B"
    b_h: Array  # (H,)


@dataclass(frozen=True, eq=False)
class FeedForwardWeights:
    """One feed-forward layer. Its gradient has the same type and field names."""

    W_xh: Array  # (I, H)
    b_h: Array  # (H,)


@dataclass(frozen=True)
class Vanilla:
    """h_t = phi(x_t W_xh + h_{t-1} W_hh + b_h), the Elman network (Elman 1990)."""

    activation: Activation
    title: ClassVar[str] = "Simple RNN"
    gate_names: ClassVar[tuple[str, ...]] = ()
    state: ClassVar[tuple[str, ...]] = ("h",)
    parts: ClassVar[dict[str, tuple[int, ...]]] = {"h": (0,)}
    recurrent: ClassVar[bool] = True
    matrices: ClassVar[int] = 1
    inits: ClassVar[tuple[str, ...]] = MATRICES
    activations: ClassVar[tuple[str, ...]] = tuple(ACTIVATIONS)
    built_in: ClassVar[str] = ""

    def init(
        self,
        rng: np.random.Generator,
        input_size: int,
        hidden_size: int,
        recurrent: Initializer,
        gain: float,
        longest: int = 0,
    ) -> VanillaWeights:
        """Draw W_hh with ``recurrent`` and W_xh with Glorot; biases are zero."""
        W_xh = glorot_uniform(rng, input_size, hidden_size)
        return VanillaWeights(W_xh, recurrent.draw(rng, hidden_size, gain), np.zeros(hidden_size))

    def forward(
        self, weights: VanillaWeights, inputs: Array, workspace: Workspace, start: State | None = None
    ) -> Trace:
        """Run the layer over ``inputs`` (T, B, I) from the state ``start``, zero if None."""
        (T, B, _), H = inputs.shape, weights.b_h.size
        hidden = workspace.array("hidden", T + 1, B, H)
        hidden[0] = 0.0 if start is None else start[0]
        states = input_currents(weights.W_xh, weights.b_h, inputs, hidden[1:])
        recurrent, apply = workspace.array("recurrent", B, H), self.activation.apply
        for before, state in zip(hidden, states, strict=False):
            before.dot(weights.W_hh, recurrent)
            state += recurrent  # a_t
            apply(state, state)  # h_t
        return Trace(inputs, (hidden,))

    def backward(
        self,
        weights: VanillaWeights,
        trace: Trace,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        wants_inputs: bool = False,
        cuts: Cuts = NO_CUTS,
    ) -> Backward:
        """delta_t = from_above_t + (delta_{t+1} * phi'(a_{t+1})) W_hh^T (Pascanu et al. 2013, eq. 5)."""
        states = trace.hidden[1:]
        T, B, H = states.shape
        dL_dh = workspace.array("dL_dh", T, B, H)
        dL_da = self.activation.derivative(states, workspace.array("dL_da", T, B, H))  # phi'(a_t) for now
        nothing, W_hh_T = np.zeros((B, H)), np.ascontiguousarray(weights.W_hh.T)
        later, steps = nothing, list(zip(range(T), dL_dh, dL_da, from_above, strict=True))
        for t, dL_dh_t, dL_da_t, from_above_t in reversed(steps):
            later.dot(W_hh_T, dL_dh_t)  # one step back in time
            if from_above_t is not None:
                dL_dh_t += from_above_t
            dL_da_t *= dL_dh_t  # through the activation
            later = nothing if t in cuts else dL_da_t
        gradient = VanillaWeights(*weight_products(trace, dL_da))
        return Backward((dL_dh,), dL_da @ weights.W_xh.T if wants_inputs else None, gradient)

    def step(self, weights: VanillaWeights, x: Array, state: State) -> State:
        """Return the state after one step with input ``x`` (B, I)."""
        a = x @ weights.W_xh + weights.b_h + state[0] @ weights.W_hh
        return (self.activation.apply(a, a),)

    def vjp_step(self, weights: VanillaWeights, trace: Trace, t: int, errors: State) -> StepBack:
        """Multiply by phi'(a_t), then by W_hh^T."""
        state = trace.hidden[t + 1]
        dL_da = errors[0] * self.activation.derivative(state, np.empty_like(state))
        return StepBack((dL_da @ weights.W_hh.T,), dL_da, dL_da)

    def recurrent_matrix(self, weights: VanillaWeights) -> Array | None:
        """Return W_hh (H, H)."""
        return weights.W_hh

    def slopes(self, trace: Trace) -> Array | None:
        """Return phi'(a_t), (T, B, H)."""
        states = trace.hidden[1:]
        return self.activation.derivative(states, np.empty_like(states))

    def gates(self, trace: Trace) -> dict[str, Array]:
        """Return an empty dict: no gates."""
        return {}


@dataclass(frozen=True)
class IRNN(Vanilla):
    """The vanilla layer with ReLU and W_hh = 1 before training (Le et al. 2015, arXiv 1504.00941)."""

    activation: Activation = ACTIVATIONS["relu"]
    title: ClassVar[str] = "IRNN"
    inits: ClassVar[tuple[str, ...]] = ("identity",)
    activations: ClassVar[tuple[str, ...]] = ("relu",)
    built_in: ClassVar[str] = "ReLU"


@dataclass(frozen=True)
class FeedForward:
    """h_t = phi(x_t W_xh + b_h): the vanilla layer without W_hh, which is no parameter here."""

    activation: Activation
    title: ClassVar[str] = "Feed-forward"
    gate_names: ClassVar[tuple[str, ...]] = ()
    state: ClassVar[tuple[str, ...]] = ("h",)
    parts: ClassVar[dict[str, tuple[int, ...]]] = {"h": (0,)}
    recurrent: ClassVar[bool] = False
    matrices: ClassVar[int] = 0
    inits: ClassVar[tuple[str, ...]] = MATRICES
    activations: ClassVar[tuple[str, ...]] = tuple(ACTIVATIONS)
    built_in: ClassVar[str] = ""

    def init(
        self,
        rng: np.random.Generator,
        input_size: int,
        hidden_size: int,
        recurrent: Initializer,
        gain: float,
        longest: int = 0,
    ) -> FeedForwardWeights:
        """Draw W_xh with Glorot; ``rng`` advances as for a vanilla layer, so later draws are the same."""
        weights = Vanilla(self.activation).init(rng, input_size, hidden_size, recurrent, gain)
        return FeedForwardWeights(weights.W_xh, weights.b_h)

    def forward(
        self, weights: FeedForwardWeights, inputs: Array, workspace: Workspace, start: State | None = None
    ) -> Trace:
        """Run the layer over ``inputs`` (T, B, I); each step is independent of the others."""
        (T, B, _), H = inputs.shape, weights.b_h.size
        hidden = workspace.array("hidden", T + 1, B, H)
        hidden[0] = 0.0
        states = input_currents(weights.W_xh, weights.b_h, inputs, hidden[1:])
        self.activation.apply(states, states)
        return Trace(inputs, (hidden,))

    def backward(
        self,
        weights: FeedForwardWeights,
        trace: Trace,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        wants_inputs: bool = False,
        cuts: Cuts = NO_CUTS,
    ) -> Backward:
        """delta_t = from_above_t: no error reaches an earlier step."""
        states = trace.hidden[1:]
        dL_dh = workspace.array("dL_dh", *states.shape)
        for dL_dh_t, from_above_t in zip(dL_dh, from_above, strict=True):
            dL_dh_t[...] = 0.0 if from_above_t is None else from_above_t
        dL_da = self.activation.derivative(states, workspace.array("dL_da", *states.shape))
        dL_da *= dL_dh
        W_xh, _, b_h = weight_products(trace, dL_da)
        inputs = dL_da @ weights.W_xh.T if wants_inputs else None
        return Backward((dL_dh,), inputs, FeedForwardWeights(W_xh, b_h))

    def step(self, weights: FeedForwardWeights, x: Array, state: State) -> State:
        """Return the state after one step with input ``x`` (B, I)."""
        a = x @ weights.W_xh + weights.b_h
        return (self.activation.apply(a, a),)

    def vjp_step(self, weights: FeedForwardWeights, trace: Trace, t: int, errors: State) -> StepBack:
        """Multiply by phi'(a_t); no error goes further back."""
        state = trace.hidden[t + 1]
        dL_da = errors[0] * self.activation.derivative(state, np.empty_like(state))
        return StepBack((np.zeros_like(dL_da),), dL_da, None)

    def recurrent_matrix(self, weights: FeedForwardWeights) -> Array | None:
        """Return None: there is no recurrent weight."""
        return None

    def slopes(self, trace: Trace) -> Array | None:
        """Return phi'(a_t), (T, B, H)."""
        return Vanilla(self.activation).slopes(trace)

    def gates(self, trace: Trace) -> dict[str, Array]:
        """Return an empty dict: no gates."""
        return {}


def input_currents(W_xh: Array, b_h: Array, inputs: Array, out: Array) -> Array:
    """Write x_t W_xh + b_h of all steps into ``out`` (T, B, H), the product as one matmul."""
    T, B, H = out.shape
    np.matmul(inputs.reshape(T * B, -1), W_xh, out=out.reshape(T * B, H))
    out += np.tile(b_h, (B, 1))  # adding a full (B, H) is faster than broadcasting a row
    return out
