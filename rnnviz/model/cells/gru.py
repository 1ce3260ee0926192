"""The gated recurrent unit (Cho et al. 2014), in PyTorch's form: r is applied after the product with U_n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnviz.model.arrays import Array
from rnnviz.model.cells.base import Backward, State, StepBack, Trace, Workspace, weight_products
from rnnviz.model.cells.gated import draw_gates, input_currents, sigmoid
from rnnviz.model.initializers import Initializer


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

    activated : (T, B, 3 H), the gates r and z and the candidate n. product : (T, B, H), h_{t-1} U_n + b_hn.
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
    recurrent: ClassVar[bool] = True

    def init(
        self,
        rng: np.random.Generator,
        input_size: int,
        hidden_size: int,
        recurrent: Initializer,
        gain: float,
    ) -> GRUWeights:
        """Draw each gate's recurrent block with ``recurrent``; see ``gated.draw_gates``."""
        H = hidden_size
        W_xh, W_hh, (b_x, b_h) = draw_gates(rng, 3, input_size, H, recurrent, gain)
        b = b_x + np.concatenate([b_h[: 2 * H], np.zeros(H)])
        return GRUWeights(W_xh, W_hh, b, b_h[2 * H :].copy())

    def forward(
        self, weights: GRUWeights, inputs: Array, workspace: Workspace, start: State | None = None
    ) -> GRUTrace:
        """Run the layer over ``inputs`` (T, B, I) from the state ``start``, zero if None."""
        (T, B, _), H = inputs.shape, len(weights.W_hh)
        hidden = workspace.array("hidden", T + 1, B, H)
        hidden[0] = 0.0 if start is None else start[0]
        gates, product = workspace.array("gates", T, B, 3 * H), workspace.array("product", T, B, H)
        # sigma(a) = (1 + tanh(a / 2)) / 2; halving is exact
        scale = np.repeat([0.5, 0.5, 1.0], H)
        input_currents(inputs, weights.W_xh * scale, weights.b * scale, gates)
        recurrent, W_hh = workspace.array("recurrent", B, 3 * H), weights.W_hh * scale
        b_hn, both = np.tile(weights.b_hn, (B, 1)), slice(0, 2 * H)
        for t in range(T):
            hidden[t].dot(W_hh, recurrent)
            r_and_z = gates[t][:, both]
            r_and_z += recurrent[:, both]
            np.tanh(r_and_z, r_and_z)
            r_and_z += 1.0
            r_and_z *= 0.5
            r, z, n = gates[t][:, :H], gates[t][:, H : 2 * H], gates[t][:, 2 * H :]
            np.add(recurrent[:, 2 * H :], b_hn, out=product[t])
            state = hidden[t + 1]
            np.multiply(r, product[t], out=state)
            n += state
            np.tanh(n, n)
            np.subtract(hidden[t], n, out=state)
            state *= z
            state += n  # n + z (h_{t-1} - n)
        return GRUTrace(inputs, (hidden,), gates, product)

    def backward(
        self,
        weights: GRUWeights,
        trace: GRUTrace,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        wants_inputs: bool = False,
    ) -> Backward:
        """Backpropagate the error through time."""
        T, B, H = trace.product.shape
        dL_dh = workspace.array("dL_dh", T, B, H)
        into_recurrent = workspace.array("into_recurrent", T, B, 3 * H)
        into_input = workspace.array("into_input", T, B, 3 * H)
        later, W_hh_T = np.zeros((B, 3 * H)), np.ascontiguousarray(weights.W_hh.T)
        kept, into_n = np.zeros((B, H)), workspace.array("into_n", B, H)
        for t in reversed(range(T)):
            later.dot(W_hh_T, dL_dh[t])  # one step back in time
            dL_dh[t] += kept
            if (direct := from_above[t]) is not None:
                dL_dh[t] += direct
            later = into_recurrent[t]
            _local_derivatives(trace, t, later, into_n)
            later.reshape(B, 3, H)[...] *= dL_dh[t][:, None]
            into_input[t][:, : 2 * H] = later[:, : 2 * H]
            np.multiply(into_n, dL_dh[t], out=into_input[t][:, 2 * H :])
            np.multiply(dL_dh[t], trace.activated[t][:, H : 2 * H], out=kept)
        W_xh, W_hh, b = weight_products(trace, into_input, into_recurrent)
        b_hn = np.ones(T * B) @ into_recurrent.reshape(T * B, -1)[:, 2 * H :]
        inputs = into_input @ weights.W_xh.T if wants_inputs else None
        return Backward((dL_dh,), into_recurrent, inputs, GRUWeights(W_xh, W_hh, b, b_hn))

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
        r, z, n = np.split(trace.activated[t], 3, axis=-1)
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
        r, z, _ = np.split(trace.activated, 3, axis=-1)
        return dict(zip(self.gate_names, (r, z), strict=True))


def _local_derivatives(trace: GRUTrace, t: int, into_recurrent: Array, into_n: Array) -> None:
    """Write the local derivatives of row ``t``, by which dL/dh_t is multiplied.

    into_recurrent : (B, 3 H), gives dL/d(h_{t-1} W_hh). into_n : (B, H), gives dL/d(x_t W_n).
    """
    gates, H = trace.activated[t], trace.product.shape[-1]
    r, z, n = (gates[:, k * H : (k + 1) * H] for k in range(3))
    into_r, into_z, into_rn = (into_recurrent[:, k * H : (k + 1) * H] for k in range(3))
    np.subtract(1.0, z, out=into_rn)
    np.multiply(n, n, out=into_n)
    np.subtract(1.0, into_n, out=into_n)
    into_n *= into_rn
    np.subtract(trace.hidden[t], n, out=into_z)
    into_z *= z
    into_z *= into_rn
    np.multiply(into_n, r, out=into_rn)
    np.subtract(1.0, r, out=into_r)
    into_r *= into_rn
    into_r *= trace.product[t]
