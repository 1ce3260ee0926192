"""Recurrent cells over a whole sequence, forward and backward; the vanilla (Elman) cell so far.

Axes: T steps, B batch, I inputs, H hidden. Time comes first everywhere. A state array ``h`` has
T + 1 rows, ``h[t]`` being the state after step t, so the start h[0] = 0 needs no special case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.activations import Activation
from rnnviz.arrays import Array
from rnnviz.initializers import INITIALIZERS, glorot_uniform


class Workspace:
    """Buffers by name, made on first use and used again: training never waits for memory.

    Whatever was computed in a workspace is overwritten by the next computation in it.
    """

    def __init__(self) -> None:
        self._buffers: dict[str, Array] = {}

    def array(self, name: str, *shape: int) -> Array:
        """Return the buffer ``name`` with this shape; its contents are arbitrary."""
        buffer = self._buffers.get(name)
        if buffer is None or buffer.shape != shape:
            buffer = self._buffers[name] = np.empty(shape)
        return buffer


@dataclass(frozen=True, eq=False)
class VanillaWeights:
    """One vanilla layer. Its gradient has the same type and field names."""

    W_xh: Array  # (I, H), "A" in the pictures
    W_hh: Array  # (H, H), "B"
    b_h: Array  # (H,)


@dataclass(frozen=True, eq=False)
class Trace:
    """What one layer did with a batch; a cell's backward pass needs it.

    inputs : (T, B, I); hidden : (T + 1, B, H); slope : (T, B, H), phi'(a_t).
    """

    inputs: Array
    hidden: Array
    slope: Array


@dataclass(frozen=True)
class Vanilla:
    """h_t = phi(x_t W_xh + h_{t-1} W_hh + b_h), the Elman network (Elman 1990)."""

    activation: Activation

    def init(
        self, rng: np.random.Generator, inputs: int, hidden: int, init: str, gain: float
    ) -> VanillaWeights:
        """Draw W_hh as ``init`` says and W_xh by Glorot; biases start at zero."""
        W_xh = glorot_uniform(rng, inputs, hidden)
        return VanillaWeights(W_xh, INITIALIZERS[init].draw(rng, hidden, gain), np.zeros(hidden))

    def forward(
        self,
        weights: VanillaWeights,
        inputs: Array,
        workspace: Workspace,
        name: str,
        start: Array | None = None,
    ) -> Trace:
        """Run the layer over ``inputs`` (T, B, I) from the state ``start`` (B, H), zero if None."""
        (T, B, _), H = inputs.shape, weights.W_hh.shape[0]
        hidden = workspace.array(f"hidden {name}", T + 1, B, H)
        hidden[0] = 0.0 if start is None else start
        states = hidden[1:]
        np.matmul(
            inputs.reshape(T * B, -1), weights.W_xh, out=states.reshape(T * B, H)
        )  # all x_t W_xh at once
        states += weights.b_h
        recurrent, apply = workspace.array("recurrent", B, H), self.activation.apply
        for before, state in zip(hidden, states, strict=False):
            np.dot(before, weights.W_hh, out=recurrent)
            np.add(state, recurrent, out=state)  # a_t
            apply(state, state)  # h_t
        slope = self.activation.slope(states, workspace.array(f"slope {name}", T, B, H))
        return Trace(inputs, hidden, slope)

    def backward_in_time(
        self, weights: VanillaWeights, trace: Trace, dL_dh: Array, workspace: Workspace, name: str
    ) -> Array:
        """Turn the direct part of dL/dh (T, B, H) into the total, in place; return dL/da.

        delta_t = direct_t + (delta_{t+1} * phi'(a_{t+1})) W_hh^T (Pascanu et al. 2013, eq. 5).
        """
        B, H = dL_dh.shape[1:]
        dL_da = workspace.array(f"dL_da {name}", *dL_dh.shape)
        recurrent, W_hh_T = workspace.array("recurrent", B, H), np.ascontiguousarray(weights.W_hh.T)
        for t in range(len(dL_dh) - 1, 0, -1):
            np.multiply(dL_dh[t], trace.slope[t], out=dL_da[t])  # through the activation
            np.dot(dL_da[t], W_hh_T, out=recurrent)
            np.add(dL_dh[t - 1], recurrent, out=dL_dh[t - 1])  # one step back in time
        np.multiply(dL_dh[0], trace.slope[0], out=dL_da[0])
        return dL_da

    def back_one_step(
        self, weights: VanillaWeights, trace: Trace, t: int, dL_dh: Array
    ) -> tuple[Array, Array]:
        """Carry errors dL/dh_t (..., B, H) of row ``t`` to the inputs and to the state one step before.

        Returns dL/dx_t (..., B, I) and the recurrent part of dL/dh_{t-1} (..., B, H).
        """
        dL_da = dL_dh * trace.slope[t]
        return dL_da @ weights.W_xh.T, dL_da @ weights.W_hh.T

    def weight_gradient(self, trace: Trace, dL_da: Array) -> VanillaWeights:
        """Sum what every step asks of the shared weights: one matmul each over all steps."""
        flat = dL_da.reshape(-1, dL_da.shape[-1])  # (T B, H)
        before = trace.hidden[:-1].reshape(flat.shape)
        inputs = trace.inputs.reshape(len(flat), -1)
        return VanillaWeights(W_xh=inputs.T @ flat, W_hh=before.T @ flat, b_h=flat.sum(axis=0))


CELLS = {"vanilla": Vanilla}
"""Cell types by name; calling one with an Activation gives the cell."""
