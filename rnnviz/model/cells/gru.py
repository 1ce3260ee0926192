"""The gated recurrent unit (Cho et al. 2014), in PyTorch's form: r is applied after the product with U_n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnviz.model.arrays import Array
from rnnviz.model.cells.base import NO_CUTS, Backward, Cuts, State, StepBack, Trace, Workspace
from rnnviz.model.cells.gated import by_gate, draw_gates, gate_products, input_currents, input_errors, sigmoid
from rnnviz.model.initializers import MATRICES, Initializer, chrono_bias


@dataclass(frozen=True, eq=False)
class GRUWeights:
    """One GRU layer, gates side by side in the order r, z, n. Its gradient has the same type.

    b : (3 H,), for r and z the sum of PyTorch's two biases. b_hn : (H,), inside the product with r.
    """

    W_xh: Array  # (I, 3 H)
    W_hh: Array  # (H, 3 H)
    b: Array  # (3 H,)
    b_hn: Array  # (H,)


@dataclass(frozen=True, eq=False)
class GRUTrace(Trace):
    """Results of a GRU layer's forward pass.

    activated : (T, 3, B, H), the gates r and z and the candidate n. product : (T, B, H), h_{t-1} U_n + b_hn.
    """

    activated: Array
    product: Array


@dataclass(frozen=True)
class GRU:
    """h_t = (1 - z) n + z h_{t-1}, element by element.

    r, z = sigma(x_t W + h_{t-1} U + b), each with its own weights;
    n = tanh(x_t W_n + b_n + r (h_{t-1} U_n + b_hn)).
    """

    title: ClassVar[str] = "GRU"
    gate_names: ClassVar[tuple[str, ...]] = ("reset", "update")
    state: ClassVar[tuple[str, ...]] = ("h",)
    parts: ClassVar[dict[str, tuple[int, ...]]] = {"h": (0,)}
    recurrent: ClassVar[bool] = True
    matrices: ClassVar[int] = 3
    inits: ClassVar[tuple[str, ...]] = (*MATRICES, "chrono")
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
    ) -> GRUWeights:
        """Draw each gate's recurrent block with ``recurrent``; see ``gated.draw_gates``.

        "chrono": b_z = log U(1, longest - 1), as z keeps, and no other biases.
        """
        H = hidden_size
        W_xh, W_hh, (b_x, b_h) = draw_gates(rng, 3, input_size, H, recurrent, gain)
        b = b_x + np.concatenate([b_h[: 2 * H], np.zeros(H)])
        if recurrent.name == "chrono":
            b[H : 2 * H] = chrono_bias(rng, H, longest)
        return GRUWeights(W_xh, W_hh, b, b_h[2 * H :].copy())

    def forward(
        self, weights: GRUWeights, inputs: Array, workspace: Workspace, start: State | None = None
    ) -> GRUTrace:
        """Run the layer over ``inputs`` (T, B, I) from the state ``start``, zero if None."""
        (T, B, _), H = inputs.shape, len(weights.W_hh)
        hidden = workspace.array("hidden", T + 1, B, H)
        hidden[0] = 0.0 if start is None else start[0]
        gates, products = workspace.array("gates", T, 3, B, H), workspace.array("products", T, B, H)
        # sigma(a) = (1 + tanh(a / 2)) / 2; halving is exact
        scale = np.repeat([0.5, 0.5, 1.0], H)
        input_currents(inputs, weights.W_xh * scale, weights.b * scale, gates)
        recurrent, W_hh = workspace.array("recurrent", 3, B, H), by_gate(weights.W_hh * scale, 3)
        b_hn = np.tile(weights.b_hn, (B, 1))
        for before, state, gates_t, product in zip(hidden, hidden[1:], gates, products, strict=False):
            np.matmul(before, W_hh, out=recurrent)
            r_and_z, (r, z, n) = gates_t[:2], gates_t
            r_and_z += recurrent[:2]
            np.tanh(r_and_z, r_and_z)
            r_and_z += 1.0
            r_and_z *= 0.5
            np.add(recurrent[2], b_hn, out=product)
            np.multiply(r, product, out=state)
            n += state
            np.tanh(n, n)
            np.subtract(before, n, out=state)
            state *= z
            state += n  # n + z (h_{t-1} - n)
        return GRUTrace(inputs, (hidden,), gates, products)

    def backward(
        self,
        weights: GRUWeights,
        trace: GRUTrace,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        wants_inputs: bool = False,
        cuts: Cuts = NO_CUTS,
    ) -> Backward:
        """Backpropagate the error through time."""
        T, _, B, H = trace.activated.shape
        dL_dh = workspace.array("dL_dh", T, B, H)
        into = workspace.array("into", 4, T, B, H)
        into_recurrent, into_input = into[:3], into[1:]  # in the orders n, r, z and r, z, n
        through, W_hh_T = (
            np.zeros((3, B, H)),
            by_gate(np.roll(weights.W_hh, H, axis=1), 3).swapaxes(1, 2).copy(),
        )
        kept, free = np.zeros((B, H)), workspace.array("free", B, H)
        for t in reversed(range(T)):
            error = dL_dh[t]
            np.add(through[0], through[1], out=error)  # one step back in time
            error += through[2]
            error += kept
            if (direct := from_above[t]) is not None:
                error += direct
            _errors_of_step(trace, t, error, into[:, t], kept, free)
            if t in cuts:
                through.fill(0.0)
                kept.fill(0.0)
            else:
                np.matmul(into_recurrent[:, t], W_hh_T, out=through)
        W_xh, W_hh, b = gate_products(trace, into_input, into_recurrent)
        b_hn = np.ones(T * B) @ into[0].reshape(T * B, H)
        inputs = input_errors(into_input, weights.W_xh) if wants_inputs else None
        gradient = GRUWeights(W_xh, np.roll(W_hh, -H, axis=1), b, b_hn)
        return Backward((dL_dh,), inputs, gradient)

    def step(self, weights: GRUWeights, x: Array, state: State) -> State:
        """Return the state after one step with input ``x`` (B, I)."""
        h = state[0]
        x_r, x_z, x_n = np.split(x @ weights.W_xh + weights.b, 3, axis=-1)
        h_r, h_z, h_n = np.split(h @ weights.W_hh, 3, axis=-1)
        z = sigmoid(x_z + h_z)
        n = np.tanh(x_n + sigmoid(x_r + h_r) * (h_n + weights.b_hn))
        return (n + z * (h - n),)

    def vjp_step(self, weights: GRUWeights, trace: GRUTrace, t: int, errors: State) -> StepBack:
        """Backpropagate through h_t = (1 - z) n + z h_{t-1}."""
        (dL_dh,) = errors
        r, z, n = trace.activated[t]
        dL_dn = dL_dh * (1.0 - z) * (1.0 - n * n)
        dL_dz = dL_dh * (trace.hidden[t] - n) * z * (1.0 - z)
        dL_dr = dL_dn * trace.product[t] * r * (1.0 - r)
        into_recurrent = np.concatenate([dL_dr, dL_dz, dL_dn * r], axis=-1)
        earlier = dL_dh * z + into_recurrent @ weights.W_hh.T
        return StepBack((earlier,), np.concatenate([dL_dr, dL_dz, dL_dn], axis=-1), into_recurrent)

    def recurrent_matrix(self, weights: GRUWeights) -> Array | None:
        """Return None: the state passes through three matrices and the gates."""
        return None

    def slopes(self, trace: Trace) -> Array | None:
        """Return None: the path z h_{t-1} has no activation."""
        return None

    def gates(self, trace: GRUTrace) -> dict[str, Array]:
        """Return the reset gate r and the update gate z (which keeps h_{t-1})."""
        r, z, _ = trace.activated.swapaxes(0, 1)
        return dict(zip(self.gate_names, (r, z), strict=True))


def _errors_of_step(trace: GRUTrace, t: int, dL_dh: Array, into: Array, kept: Array, free: Array) -> None:
    """Carry dL/dh_t (B, H) to what the step computed; ``kept`` becomes z dL/dh_t, its part in dL/dh_{t-1}.

    into : (4, B, H), becomes dL/d(h_{t-1} W_hh) for n, r and z, and dL/d(x_t W_n).
    """
    (r, z, n), (into_rn, into_r, into_z, into_n) = trace.activated[t], into
    np.multiply(dL_dh, z, out=kept)
    np.subtract(dL_dh, kept, out=free)  # (1 - z) dL/dh_t
    np.multiply(n, n, out=into_n)
    np.subtract(1.0, into_n, out=into_n)
    into_n *= free
    np.subtract(trace.hidden[t], n, out=into_z)
    into_z *= z
    into_z *= free
    np.multiply(into_n, r, out=into_rn)
    np.subtract(1.0, r, out=into_r)
    into_r *= into_rn
    into_r *= trace.product[t]
