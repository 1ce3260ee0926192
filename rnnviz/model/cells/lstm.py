"""The long short-term memory (Hochreiter & Schmidhuber 1997), with PyTorch's equations and gate order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from rnnviz.model.arrays import Array
from rnnviz.model.cells.base import Backward, State, StepBack, Trace, Workspace, weight_products
from rnnviz.model.cells.gated import draw_gates, input_currents, sigmoid
from rnnviz.model.initializers import Initializer


@dataclass(frozen=True, eq=False)
class LSTMWeights:
    """One LSTM layer, gates side by side in the order i, f, g, o. Its gradient has the same type.

    b : (4 H,), the sum of PyTorch's two biases.
    """

    W_xh: Array  # (I, 4 H)
    W_hh: Array  # (H, 4 H)
    b: Array  # (4 H,)


@dataclass(frozen=True, eq=False)
class LSTMTrace(Trace):
    """Results of an LSTM layer's forward pass.

    activated : (T, B, 4 H), the gates i, f, o and the candidate g, in the order i, f, g, o.
    squashed : (T, B, H), tanh(c_t).
    """

    activated: Array
    squashed: Array


@dataclass(frozen=True)
class LSTM:
    """c_t = f c_{t-1} + i g and h_t = o tanh(c_t), element by element.

    i, f, o = sigma(x_t W + h_{t-1} U + b) and g = tanh(likewise), each with its own weights.
    """

    title: ClassVar[str] = "LSTM"
    gate_names: ClassVar[tuple[str, ...]] = ("input", "forget", "output")
    state: ClassVar[tuple[str, ...]] = ("h", "c")
    recurrent: ClassVar[bool] = True

    def init(
        self,
        rng: np.random.Generator,
        input_size: int,
        hidden_size: int,
        recurrent: Initializer,
        gain: float,
    ) -> LSTMWeights:
        """Draw each gate's recurrent block with ``recurrent``; see ``gated.draw_gates``."""
        W_xh, W_hh, (input_bias, recurrent_bias) = draw_gates(
            rng, 4, input_size, hidden_size, recurrent, gain
        )
        return LSTMWeights(W_xh, W_hh, input_bias + recurrent_bias)

    def forward(
        self, weights: LSTMWeights, inputs: Array, workspace: Workspace, start: State | None = None
    ) -> LSTMTrace:
        """Run the layer over ``inputs`` (T, B, I) from the state ``start``, zero if None."""
        (T, B, _), H = inputs.shape, len(weights.W_hh)
        hidden, memory = workspace.array("hidden", T + 1, B, H), workspace.array("memory", T + 1, B, H)
        hidden[0], memory[0] = (0.0, 0.0) if start is None else start
        gates, squashed = workspace.array("gates", T, B, 4 * H), workspace.array("squashed", T, B, H)
        # sigma(a) = (1 + tanh(a / 2)) / 2, so one tanh call computes all gates; halving is exact
        scale, shift = _halves(B, H)
        input_currents(inputs, weights.W_xh * scale[0], weights.b * scale[0], gates)
        recurrent, W_hh = workspace.array("recurrent", B, 4 * H), weights.W_hh * scale[0]
        parts = gates.reshape(T, B, 4, H).transpose(0, 2, 1, 3)
        for t in range(T):
            hidden[t].dot(W_hh, recurrent)
            gates[t] += recurrent
            np.tanh(gates[t], gates[t])
            gates[t] *= scale
            gates[t] += shift
            i, f, g, o = parts[t]
            np.multiply(f, memory[t], out=memory[t + 1])
            np.multiply(i, g, out=hidden[t + 1])
            memory[t + 1] += hidden[t + 1]
            np.tanh(memory[t + 1], squashed[t])
            np.multiply(o, squashed[t], out=hidden[t + 1])
        return LSTMTrace(inputs, (hidden, memory), gates, squashed)

    def backward(
        self,
        weights: LSTMWeights,
        trace: LSTMTrace,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        wants_inputs: bool = False,
    ) -> Backward:
        """Backpropagate the errors of h and c through time."""
        T, B, H = trace.squashed.shape
        dL_dh, dL_dc = workspace.array("dL_dh", T, B, H), workspace.array("dL_dc", T, B, H)
        dL_da = workspace.array("dL_da", T, B, 4 * H)
        later, W_hh_T = np.zeros((B, 4 * H)), np.ascontiguousarray(weights.W_hh.T)
        carried, whole = np.zeros((B, H)), workspace.array("whole", B, H)
        for t in reversed(range(T)):
            later.dot(W_hh_T, dL_dh[t])  # one step back in time
            if (direct := from_above[t]) is not None:
                dL_dh[t] += direct
            dL_dc[t] = carried
            later = dL_da[t]
            through = _local_derivatives(trace, t, later, whole)
            through *= dL_dh[t]  # through h_t = o tanh(c_t)
            whole = np.add(through, carried, out=whole)
            parts = later.reshape(B, 4, H)
            parts[:, :3] *= whole[:, None]
            parts[:, 3] *= dL_dh[t]
            np.multiply(whole, trace.activated[t][:, H : 2 * H], out=carried)
        gradient = LSTMWeights(*weight_products(trace, dL_da, dL_da))
        inputs = dL_da @ weights.W_xh.T if wants_inputs else None
        return Backward((dL_dh, dL_dc), dL_da, inputs, gradient)

    def step(self, weights: LSTMWeights, x: Array, state: State) -> State:
        """Return the state after one step with input ``x`` (B, I)."""
        h, c = state
        a_i, a_f, a_g, a_o = np.split(x @ weights.W_xh + weights.b + h @ weights.W_hh, 4, axis=-1)
        c = sigmoid(a_f) * c + sigmoid(a_i) * np.tanh(a_g)
        return sigmoid(a_o) * np.tanh(c), c

    def vjp_step(self, weights: LSTMWeights, trace: LSTMTrace, t: int, errors: State) -> StepBack:
        """Backpropagate through h_t = o tanh(c_t) and c_t = f c_{t-1} + i g."""
        dL_dh, dL_dc = errors
        i, f, g, o = np.split(trace.activated[t], 4, axis=-1)
        before, squashed = trace.states[1][t], trace.squashed[t]
        dL_dc = dL_dc + dL_dh * o * (1.0 - squashed * squashed)
        dL_da = np.concatenate(
            [
                dL_dc * g * i * (1.0 - i),
                dL_dc * before * f * (1.0 - f),
                dL_dc * i * (1.0 - g * g),
                dL_dh * squashed * o * (1.0 - o),
            ],
            axis=-1,
        )
        return StepBack((dL_da @ weights.W_hh.T, dL_dc * f), dL_da, dL_da)

    def recurrent_matrix(self, weights: LSTMWeights) -> Array | None:
        """Return None: the state passes through four matrices and the gates."""
        return None

    def slopes(self, trace: Trace) -> Array | None:
        """Return None: the path through c has no activation."""
        return None

    def gates(self, trace: LSTMTrace) -> dict[str, Array]:
        """Return the input, forget and output gates."""
        i, f, _, o = np.split(trace.activated, 4, axis=-1)
        return dict(zip(self.gate_names, (i, f, o), strict=True))


@lru_cache(maxsize=8)
def _halves(B: int, H: int) -> tuple[Array, Array]:
    """Return scale and shift (B, 4 H) that turn tanh(scale a) into sigma for i, f, o and leave tanh for g."""
    scale = np.repeat([0.5, 0.5, 1.0, 0.5], H)
    return np.tile(scale, (B, 1)), np.tile(np.where(scale < 1.0, 0.5, 0.0), (B, 1))


def _local_derivatives(trace: LSTMTrace, t: int, into_gates: Array, into_c: Array) -> Array:
    """Write the local derivatives of row ``t``, by which errors are multiplied.

    into_gates : (B, 4 H), dc_t/da for i, f and g, and dh_t/da at fixed c_t for o. into_c : (B, H),
    dh_t/dc_t = o (1 - tanh(c_t)^2), which is returned.
    """
    gates, squashed = trace.activated[t], trace.squashed[t]
    H = squashed.shape[-1]
    i, f, g, o = (slice(k * H, (k + 1) * H) for k in range(4))
    np.multiply(gates, gates, out=into_gates)
    np.subtract(1.0, into_gates[:, g], out=into_c)  # tanh' of the candidate
    np.subtract(gates, into_gates, out=into_gates)  # sigma' of the gates
    into_gates[:, i] *= gates[:, g]
    into_gates[:, f] *= trace.states[1][t]
    np.multiply(into_c, gates[:, i], out=into_gates[:, g])
    into_gates[:, o] *= squashed
    np.multiply(squashed, squashed, out=into_c)
    np.subtract(1.0, into_c, out=into_c)
    into_c *= gates[:, o]
    return into_c
