"""Cells over a whole sequence, forward and backward: the vanilla (Elman) one, and one without memory.

Axes: T steps, B batch, I inputs, H hidden. Time comes first everywhere. A state array ``h`` has
T + 1 rows, ``h[t]`` being the state after step t, so the start h[0] = 0 needs no special case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnviz.model.activations import Activation
from rnnviz.model.arrays import Array
from rnnviz.model.initializers import INITIALIZERS, glorot_uniform


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
class FeedForwardWeights:
    """One feed-forward layer. Its gradient has the same type and field names."""

    W_xh: Array  # (I, H)
    b_h: Array  # (H,)

    @property
    def W_hh(self) -> Array:
        """No step hears the one before: a matrix (H, H) of zeros, which is no weight of this layer."""
        return np.zeros((self.b_h.size, self.b_h.size))


LayerWeights = VanillaWeights | FeedForwardWeights


@dataclass(frozen=True, eq=False)
class Trace:
    """What one layer did with a batch; a cell's backward pass needs it.

    inputs : (T, B, I); hidden : (T + 1, B, H).
    """

    inputs: Array
    hidden: Array


@dataclass(frozen=True)
class Vanilla:
    """h_t = phi(x_t W_xh + h_{t-1} W_hh + b_h), the Elman network (Elman 1990).

    recurrent : whether a step hears the state of the step before.
    """

    recurrent: ClassVar[bool] = True
    activation: Activation

    def init(
        self, rng: np.random.Generator, inputs: int, hidden: int, init: str, gain: float
    ) -> LayerWeights:
        """Draw W_hh as ``init`` says and W_xh by Glorot; biases start at zero."""
        W_xh = glorot_uniform(rng, inputs, hidden)
        return VanillaWeights(W_xh, INITIALIZERS[init].draw(rng, hidden, gain), np.zeros(hidden))

    def forward(
        self,
        weights: LayerWeights,
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
        states += np.tile(weights.b_h, (B, 1))  # a whole (B, H) is added faster than a row B times
        recurrent, apply = workspace.array("recurrent", B, H), self.activation.apply
        for before, state in zip(hidden, states, strict=False):
            before.dot(weights.W_hh, recurrent)
            state += recurrent  # a_t
            apply(state, state)  # h_t
        return Trace(inputs, hidden)

    def backward_in_time(
        self,
        weights: LayerWeights,
        trace: Trace,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        name: str,
    ) -> tuple[Array, Array]:
        """Carry the error back through time; return dL/dh and dL/da, (T, B, H) each.

        from_above : for every step the part of dL/dh_t that comes from the readout or the next layer at
        that same step, (B, H), or None for nothing.
        delta_t = from_above_t + (delta_{t+1} * phi'(a_{t+1})) W_hh^T (Pascanu et al. 2013, eq. 5).
        """
        states = trace.hidden[1:]
        T, B, H = states.shape
        dL_dh = workspace.array(f"dL_dh {name}", T, B, H)
        dL_da = self.activation.slope(states, workspace.array(f"dL_da {name}", T, B, H))  # phi'(a_t) for now
        later, W_hh_T = np.zeros((B, H)), np.ascontiguousarray(weights.W_hh.T)
        steps = list(zip(dL_dh, dL_da, from_above, strict=True))
        for dL_dh_t, dL_da_t, from_above_t in reversed(steps):
            later.dot(W_hh_T, dL_dh_t)  # one step back in time
            if from_above_t is not None:
                dL_dh_t += from_above_t
            dL_da_t *= dL_dh_t  # through the activation
            later = dL_da_t
        return dL_dh, dL_da

    def back_one_step(self, weights: LayerWeights, trace: Trace, t: int, dL_dh: Array) -> tuple[Array, Array]:
        """Carry errors dL/dh_t (..., B, H) of row ``t`` through the activation and one step back in time.

        Returns dL/da_t and the recurrent part of dL/dh_{t-1}, (..., B, H) each.
        """
        state = trace.hidden[t + 1]
        dL_da = dL_dh * self.activation.slope(state, np.empty_like(state))
        return dL_da, dL_da @ weights.W_hh.T

    def weight_gradient(self, trace: Trace, dL_da: Array) -> LayerWeights:
        """Sum what every step asks of the shared weights: one matmul each over all steps."""
        flat = dL_da.reshape(-1, dL_da.shape[-1])  # (T B, H)
        before = trace.hidden[:-1].reshape(flat.shape)
        inputs = trace.inputs.reshape(len(flat), -1)
        ones = np.ones(len(flat))  # a product with ones sums faster than sum(axis=0)
        return VanillaWeights(W_xh=inputs.T @ flat, W_hh=before.T @ flat, b_h=ones @ flat)


class FeedForward(Vanilla):
    """h_t = phi(x_t W_xh + b_h): the vanilla cell with W_hh = 0, which is never trained and never counted."""

    recurrent = False

    def init(
        self, rng: np.random.Generator, inputs: int, hidden: int, init: str, gain: float
    ) -> LayerWeights:
        """Draw W_xh by Glorot; what is drawn after it is what a vanilla cell would leave to be drawn."""
        weights = super().init(rng, inputs, hidden, init, gain)
        return FeedForwardWeights(weights.W_xh, weights.b_h)

    def weight_gradient(self, trace: Trace, dL_da: Array) -> LayerWeights:
        """Sum what every step asks of the shared weights."""
        weights = super().weight_gradient(trace, dL_da)
        return FeedForwardWeights(weights.W_xh, weights.b_h)


CELLS = {"vanilla": Vanilla, "feed-forward": FeedForward}
"""Cell types by name; calling one with an Activation gives the cell."""
