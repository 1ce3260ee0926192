"""The antisymmetric RNN (Chang et al. 2019, arXiv 1902.09689)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

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
from rnnviz.model.cells.vanilla import VanillaWeights, input_currents
from rnnviz.model.initializers import Initializer, glorot_uniform


@dataclass(frozen=True, eq=False)
class AntisymmetricTrace(Trace):
    """Results of an antisymmetric layer's forward pass. squashed : (T, B, H), the tanh of each step."""

    squashed: Array


@dataclass(frozen=True)
class Antisymmetric:
    """h_t = h_{t-1} + epsilon tanh(x_t W_xh + h_{t-1} (W_hh - W_hh^T - gamma 1) + b_h).

    Only the antisymmetric part of W_hh acts: its eigenvalues are imaginary, so that a small step epsilon
    turns the state and leaves its length. gamma damps.
    """

    epsilon: float = 0.1
    gamma: float = 0.01
    title: ClassVar[str] = "Antisymmetric"
    gate_names: ClassVar[tuple[str, ...]] = ()
    state: ClassVar[tuple[str, ...]] = ("h",)
    parts: ClassVar[dict[str, tuple[int, ...]]] = {"h": (0,)}
    recurrent: ClassVar[bool] = True
    matrices: ClassVar[int] = 0
    inits: ClassVar[tuple[str, ...]] = ("scaled-gaussian", "glorot", "he", "pytorch", "small-normal")
    activations: ClassVar[tuple[str, ...]] = ("tanh",)
    built_in: ClassVar[str] = "tanh"

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
    ) -> AntisymmetricTrace:
        """Run the layer over ``inputs`` (T, B, I) from the state ``start``, zero if None."""
        (T, B, _), H = inputs.shape, weights.b_h.size
        hidden = workspace.array("hidden", T + 1, B, H)
        hidden[0] = 0.0 if start is None else start[0]
        squashed = workspace.array("squashed", T, B, H)
        input_currents(weights.W_xh, weights.b_h, inputs, squashed)
        recurrent, matrix = workspace.array("recurrent", B, H), self._matrix(weights)
        for before, state, turn in zip(hidden, hidden[1:], squashed, strict=False):
            before.dot(matrix, recurrent)
            turn += recurrent
            np.tanh(turn, turn)
            np.multiply(turn, self.epsilon, out=state)
            state += before
        return AntisymmetricTrace(inputs, (hidden,), squashed)

    def backward(
        self,
        weights: VanillaWeights,
        trace: AntisymmetricTrace,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        wants_inputs: bool = False,
        cuts: Cuts = NO_CUTS,
    ) -> Backward:
        """Backpropagate the error through time."""
        T, B, H = trace.squashed.shape
        dL_dh, dL_da = workspace.array("dL_dh", T, B, H), workspace.array("dL_da", T, B, H)
        np.multiply(trace.squashed, trace.squashed, out=dL_da)
        np.subtract(1.0, dL_da, out=dL_da)
        dL_da *= self.epsilon  # epsilon tanh'(a_t) for now
        matrix_T = np.ascontiguousarray(self._matrix(weights).T)
        for t in reversed(range(T)):
            error = dL_dh[t]
            if t + 1 < T and t + 1 not in cuts:
                dL_da[t + 1].dot(matrix_T, error)
                error += dL_dh[t + 1]
            else:
                error.fill(0.0)
            if (direct := from_above[t]) is not None:
                error += direct
            dL_da[t] *= error
        W_xh, matrix, b_h = weight_products(trace, dL_da)
        inputs = dL_da @ weights.W_xh.T if wants_inputs else None
        return Backward((dL_dh,), inputs, VanillaWeights(W_xh, matrix - matrix.T, b_h))

    def step(self, weights: VanillaWeights, x: Array, state: State) -> State:
        """Return the state after one step with input ``x`` (B, I)."""
        (h,) = state
        return (h + self.epsilon * np.tanh(x @ weights.W_xh + weights.b_h + h @ self._matrix(weights)),)

    def vjp_step(self, weights: VanillaWeights, trace: AntisymmetricTrace, t: int, errors: State) -> StepBack:
        """Backpropagate through the identity and through the tanh."""
        dL_da = errors[0] * self.epsilon * (1.0 - trace.squashed[t] ** 2)
        return StepBack((errors[0] + dL_da @ self._matrix(weights).T,), dL_da, None)

    def recurrent_matrix(self, weights: VanillaWeights) -> Array | None:
        """Return None: the state also takes the path around the tanh."""
        return None

    def slopes(self, trace: Trace) -> Array | None:
        """Return None: the path around the tanh has no activation."""
        return None

    def gates(self, trace: Trace) -> dict[str, Array]:
        """Return an empty dict: no gates."""
        return {}

    def _matrix(self, weights: VanillaWeights) -> Array:
        """Return W_hh - W_hh^T - gamma 1."""
        matrix: Array = weights.W_hh - weights.W_hh.T
        matrix[np.diag_indices_from(matrix)] -= self.gamma
        return matrix
