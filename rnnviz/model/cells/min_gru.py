"""The minimal GRU (Feng et al. 2024, arXiv 2410.01201): gates that see the input alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnviz.model.arrays import Array
from rnnviz.model.cells.base import NO_CUTS, Backward, Cuts, State, StepBack, Trace, Workspace
from rnnviz.model.cells.gated import input_currents, input_errors, side_by_side, sigmoid
from rnnviz.model.initializers import Initializer, chrono_bias, glorot_uniform, pytorch_uniform


@dataclass(frozen=True, eq=False)
class MinGRUWeights:
    """One minGRU layer, side by side in the order z, candidate. Its gradient has the same type."""

    W_xh: Array  # (I, 2 H)
    b: Array  # (2 H,)


@dataclass(frozen=True, eq=False)
class MinGRUTrace(Trace):
    """Results of a minGRU layer's forward pass.

    activated : (T, 2, B, H), the gate z and the candidate.
    """

    activated: Array


@dataclass(frozen=True)
class MinGRU:
    """h_t = (1 - z) h_{t-1} + z n, element by element, with z = sigma(x_t W_z + b_z) and n = x_t W_n + b_n.

    z writes: it is the opposite of the gate z of a GRU, which keeps. dh_t/dh_{t-1} = diag(1 - z).
    """

    title: ClassVar[str] = "minGRU"
    gate_names: ClassVar[tuple[str, ...]] = ("write",)
    state: ClassVar[tuple[str, ...]] = ("h",)
    parts: ClassVar[dict[str, tuple[int, ...]]] = {"h": (0,)}
    recurrent: ClassVar[bool] = True
    matrices: ClassVar[int] = 0
    inits: ClassVar[tuple[str, ...]] = ("glorot", "pytorch", "chrono")
    activations: ClassVar[tuple[str, ...]] = ("tanh",)
    built_in: ClassVar[str] = "σ"

    def init(
        self,
        rng: np.random.Generator,
        input_size: int,
        hidden_size: int,
        recurrent: Initializer,
        gain: float,
        longest: int = 0,
    ) -> MinGRUWeights:
        """Draw both matrices by Glorot with zero biases, or everything as PyTorch's linear layers do.

        "chrono": PyTorch's matrices, b_z = -log U(1, longest - 1) and b_n = 0, as z writes.
        """
        I, H = input_size, hidden_size  # noqa: E741
        if recurrent.name == "glorot":
            W_xh = np.hstack([glorot_uniform(rng, I, H) for _ in range(2)])
            return MinGRUWeights(W_xh, np.zeros(2 * H))
        W_xh = pytorch_uniform(rng, I, 2 * H)
        if recurrent.name == "chrono":
            return MinGRUWeights(W_xh, np.concatenate([-chrono_bias(rng, H, longest), np.zeros(H)]))
        return MinGRUWeights(W_xh, rng.uniform(-1.0, 1.0, 2 * H) / np.sqrt(I))

    def forward(
        self, weights: MinGRUWeights, inputs: Array, workspace: Workspace, start: State | None = None
    ) -> MinGRUTrace:
        """Run the layer over ``inputs`` (T, B, I) from the state ``start``, zero if None."""
        (T, B, _), H = inputs.shape, len(weights.b) // 2
        hidden = workspace.array("hidden", T + 1, B, H)
        hidden[0] = 0.0 if start is None else start[0]
        gates = workspace.array("gates", T, 2, B, H)
        half = np.repeat([0.5, 1.0], H)  # sigma(a) = (1 + tanh(a / 2)) / 2; halving is exact
        input_currents(inputs, weights.W_xh * half, weights.b * half, gates)
        z, n = gates[:, 0], gates[:, 1]
        np.tanh(z, out=z)
        z += 1.0
        z *= 0.5
        for before, state, z_t, n_t in zip(hidden, hidden[1:], z, n, strict=False):
            np.subtract(n_t, before, out=state)
            state *= z_t
            state += before  # h_{t-1} + z (n - h_{t-1})
        return MinGRUTrace(inputs, (hidden,), gates)

    def backward(
        self,
        weights: MinGRUWeights,
        trace: MinGRUTrace,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        wants_inputs: bool = False,
        cuts: Cuts = NO_CUTS,
    ) -> Backward:
        """Backpropagate the error through time; only the state's own path goes step by step."""
        T, _, B, H = trace.activated.shape
        z, n = trace.activated[:, 0], trace.activated[:, 1]
        dL_dh, kept = workspace.array("dL_dh", T, B, H), workspace.array("kept", T, B, H)
        np.subtract(1.0, z, out=kept)
        later: Array | None = None
        for t in reversed(range(T)):
            error, direct = dL_dh[t], from_above[t]
            if later is None:
                error.fill(0.0)
            else:
                np.multiply(later, kept[t + 1], out=error)
            if direct is not None:
                error += direct
            later = None if t in cuts else error
        dL_da = workspace.array("dL_da", 2, T, B, H)
        np.multiply(dL_dh, z, out=dL_da[1])
        np.subtract(n, trace.hidden[:-1], out=dL_da[0])
        dL_da[0] *= dL_da[1]
        dL_da[0] *= kept  # z' = z (1 - z)
        flat, inputs = dL_da.reshape(2, T * B, H), trace.inputs.reshape(T * B, -1)
        gradient = MinGRUWeights(side_by_side(inputs.T @ flat), (np.ones(T * B) @ flat).reshape(-1))
        return Backward((dL_dh,), input_errors(dL_da, weights.W_xh) if wants_inputs else None, gradient)

    def step(self, weights: MinGRUWeights, x: Array, state: State) -> State:
        """Return the state after one step with input ``x`` (B, I)."""
        a_z, n = np.split(x @ weights.W_xh + weights.b, 2, axis=-1)
        return (state[0] + sigmoid(a_z) * (n - state[0]),)

    def vjp_step(self, weights: MinGRUWeights, trace: MinGRUTrace, t: int, errors: State) -> StepBack:
        """Backpropagate through h_t = (1 - z) h_{t-1} + z n."""
        (dL_dh,), (z, n) = errors, trace.activated[t]
        into_z = dL_dh * (n - trace.hidden[t]) * z * (1.0 - z)
        return StepBack((dL_dh * (1.0 - z),), np.concatenate([into_z, dL_dh * z], axis=-1), None)

    def recurrent_matrix(self, weights: MinGRUWeights) -> Array | None:
        """Return None: nothing but the gate acts on the state."""
        return None

    def slopes(self, trace: Trace) -> Array | None:
        """Return None: the path (1 - z) h_{t-1} has no activation."""
        return None

    def gates(self, trace: MinGRUTrace) -> dict[str, Array]:
        """Return the gate z, which writes."""
        return {"write": trace.activated[:, 0]}
