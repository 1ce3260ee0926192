"""The long short-term memory (Hochreiter & Schmidhuber 1997), with PyTorch's equations and gate order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from rnnviz.model.arrays import Array
from rnnviz.model.cells.base import NO_CUTS, Backward, Cuts, State, StepBack, Trace, Workspace
from rnnviz.model.cells.gated import by_gate, draw_gates, gate_products, input_currents, input_errors, sigmoid
from rnnviz.model.initializers import MATRICES, Initializer, chrono_bias


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

    activated : (T, 4, B, H), the gates i, f, o and the candidate g, in the order i, f, g, o.
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
    parts: ClassVar[dict[str, tuple[int, ...]]] = {"h": (0,), "c": (1,)}
    recurrent: ClassVar[bool] = True
    matrices: ClassVar[int] = 4
    inits: ClassVar[tuple[str, ...]] = (*MATRICES, "forget-1", "chrono")
    activations: ClassVar[tuple[str, ...]] = ("tanh",)
    built_in: ClassVar[str] = "σ and tanh"

    def init(
        self,
        rng: np.random.Generator,
        input_size: int,
        hidden_size: int,
        recurrent: Initializer,
        gain: float,
        longest: int = 0,
    ) -> LSTMWeights:
        """Draw each gate's recurrent block with ``recurrent``; see ``gated.draw_gates``.

        "forget-1": b_f = 1 (Jozefowicz et al. 2015). "chrono": b_f = log U(1, longest - 1), b_i = -b_f and
        no other biases (Tallec & Ollivier 2018).
        """
        H = hidden_size
        W_xh, W_hh, (input_bias, recurrent_bias) = draw_gates(rng, 4, input_size, H, recurrent, gain)
        b = input_bias + recurrent_bias
        if recurrent.name == "forget-1":
            b[H : 2 * H] = 1.0
        elif recurrent.name == "chrono":
            b[H : 2 * H] = chrono_bias(rng, H, longest)
            b[:H] = -b[H : 2 * H]
        return LSTMWeights(W_xh, W_hh, b)

    def forward(
        self, weights: LSTMWeights, inputs: Array, workspace: Workspace, start: State | None = None
    ) -> LSTMTrace:
        """Run the layer over ``inputs`` (T, B, I) from the state ``start``, zero if None."""
        (T, B, _), H = inputs.shape, len(weights.W_hh)
        hidden, memory = workspace.array("hidden", T + 1, B, H), workspace.array("memory", T + 1, B, H)
        hidden[0], memory[0] = (0.0, 0.0) if start is None else start
        gates, squashed = workspace.array("gates", T, 4, B, H), workspace.array("squashed", T, B, H)
        # sigma(a) = (1 + tanh(a / 2)) / 2, so one tanh call computes all gates; halving is exact
        halves = np.repeat([0.5, 0.5, 1.0, 0.5], H)
        input_currents(inputs, weights.W_xh * halves, weights.b * halves, gates)
        recurrent, W_hh = workspace.array("recurrent", 4, B, H), by_gate(weights.W_hh * halves, 4)
        scale, shift = _scale_and_shift(B, H)
        for t in range(T):
            gates_t, h, c = gates[t], hidden[t + 1], memory[t + 1]
            np.matmul(hidden[t], W_hh, out=recurrent)
            gates_t += recurrent
            np.tanh(gates_t, gates_t)
            gates_t *= scale
            gates_t += shift
            i, f, g, o = gates_t
            np.multiply(f, memory[t], out=c)
            np.multiply(i, g, out=h)
            c += h
            np.tanh(c, squashed[t])
            np.multiply(o, squashed[t], out=h)
        return LSTMTrace(inputs, (hidden, memory), gates, squashed)

    def backward(
        self,
        weights: LSTMWeights,
        trace: LSTMTrace,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        wants_inputs: bool = False,
        cuts: Cuts = NO_CUTS,
    ) -> Backward:
        """Backpropagate the errors of h and c through time."""
        T, B, H = trace.squashed.shape
        dL_dh, dL_dc = workspace.array("dL_dh", T, B, H), workspace.array("dL_dc", T, B, H)
        dL_da = workspace.array("dL_da", 4, T, B, H)
        through, W_hh_T = np.zeros((4, B, H)), by_gate(weights.W_hh, 4).swapaxes(1, 2).copy()
        carried, free = np.zeros((B, H)), workspace.array("free", B, H)
        for t in reversed(range(T)):
            error = dL_dh[t]
            through[:2] += through[2:]  # one step back in time
            np.add(through[0], through[1], out=error)
            if (direct := from_above[t]) is not None:
                error += direct
            dL_dc[t] = carried
            _errors_of_step(trace, t, error, dL_da[:, t], carried, free)
            if t in cuts:
                through.fill(0.0)
                carried.fill(0.0)
            else:
                np.matmul(dL_da[:, t], W_hh_T, out=through)
        gradient = LSTMWeights(*gate_products(trace, dL_da, dL_da))
        inputs = input_errors(dL_da, weights.W_xh) if wants_inputs else None
        return Backward((dL_dh, dL_dc), inputs, gradient)

    def step(self, weights: LSTMWeights, x: Array, state: State) -> State:
        """Return the state after one step with input ``x`` (B, I)."""
        h, c = state
        a_i, a_f, a_g, a_o = np.split(x @ weights.W_xh + weights.b + h @ weights.W_hh, 4, axis=-1)
        c = sigmoid(a_f) * c + sigmoid(a_i) * np.tanh(a_g)
        return sigmoid(a_o) * np.tanh(c), c

    def vjp_step(self, weights: LSTMWeights, trace: LSTMTrace, t: int, errors: State) -> StepBack:
        """Backpropagate through h_t = o tanh(c_t) and c_t = f c_{t-1} + i g."""
        dL_dh, dL_dc = errors
        i, f, g, o = trace.activated[t]
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
        i, f, _, o = trace.activated.swapaxes(0, 1)
        return dict(zip(self.gate_names, (i, f, o), strict=True))


@lru_cache(maxsize=8)
def _scale_and_shift(B: int, H: int) -> tuple[Array, Array]:
    """Return what turns tanh(a / 2) into sigma(a) for i, f, o and leaves tanh(a) for g, (4, B, H) each."""
    scale = np.broadcast_to(np.reshape([0.5, 0.5, 1.0, 0.5], (4, 1, 1)), (4, B, H)).copy()
    return scale, np.where(scale < 1.0, 0.5, 0.0)


def _errors_of_step(
    trace: LSTMTrace, t: int, dL_dh: Array, dL_da: Array, carried: Array, free: Array
) -> None:
    """Carry dL/dh_t and the error ``carried`` of c_t (B, H) to the gates, and ``carried`` on to c_{t-1}.

    dL_da : (4, B, H), overwritten, for i, f, g and o.
    """
    (i, f, g, o), (into_i, into_f, into_g, into_o) = trace.activated[t], dL_da
    tanh_c = trace.squashed[t]
    np.multiply(dL_dh, o, out=into_g)  # dL/d tanh(c_t)
    np.multiply(tanh_c, tanh_c, out=free)
    np.subtract(1.0, free, out=free)
    free *= into_g
    carried += free  # dL/dc_t
    into_g *= tanh_c
    np.subtract(1.0, o, out=into_o)
    into_o *= into_g
    np.subtract(1.0, i, out=into_i)
    np.multiply(carried, i, out=free)
    np.multiply(g, g, out=into_g)
    np.subtract(1.0, into_g, out=into_g)
    into_g *= free
    free *= g
    into_i *= free
    np.subtract(1.0, f, out=into_f)
    carried *= f  # dL/dc_{t-1}
    into_f *= carried
    into_f *= trace.states[1][t]
