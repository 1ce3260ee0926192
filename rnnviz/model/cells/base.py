"""The protocol of a recurrent layer, and the results of its forward and backward passes.

Axes: T steps, B batch, I inputs, H hidden. Time is always the first axis. A state array has T + 1 rows,
row t being the state after step t, so the start (row 0) needs no special case. A layer with G gates keeps
their weights side by side: W_xh (I, G H), W_hh (H, G H).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from rnnviz.model.arrays import Array
from rnnviz.model.initializers import Initializer

State = tuple[Array, ...]
"""A layer's state at one step: one array (..., B, H) for each entry of ``Cell.state``."""

LayerWeights = Any
"""One layer's weights: a frozen dataclass of arrays, specific to the cell. Its gradient has the same type.

Every type has W_xh (I, G H): a layer's input is always multiplied by a matrix first. Those of cells with
``Cell.matrices`` have W_hh (H, G H).
"""


Cuts = Collection[int]
"""Rows of steps from which no error goes back to the step before: see ``network.cut_rows``."""

NO_CUTS: Cuts = frozenset()


class Workspace:
    """Named buffers, allocated on first use and then reused, to spare training the allocations.

    Each computation in a workspace overwrites the results of the one before.
    """

    def __init__(self) -> None:
        self._buffers: dict[str, Array] = {}
        self._parts: dict[int, Workspace] = {}

    def array(self, name: str, *shape: int) -> Array:
        """Return the buffer ``name`` with this shape; its contents are arbitrary."""
        buffer = self._buffers.get(name)
        if buffer is None or buffer.shape != shape:
            buffer = self._buffers[name] = np.empty(shape)
        return buffer

    def layer(self, number: int) -> Workspace:
        """Return the workspace of one layer; layers share no buffers."""
        return self._parts.setdefault(number, Workspace())


@dataclass(frozen=True, eq=False)
class Trace:
    """Results of a layer's forward pass, needed by its backward pass. Cells may add fields.

    inputs : (T, B, I). states : one (T + 1, B, H) for each entry of ``Cell.state``; h is always the first.
    """

    inputs: Array
    states: tuple[Array, ...]

    @property
    def hidden(self) -> Array:
        """The hidden states h, (T + 1, B, H)."""
        return self.states[0]


@dataclass(frozen=True, eq=False)
class Backward:
    """One layer's errors and gradients.

    states : dL/dstate, one (T, B, H) per entry of ``Cell.state``; row t belongs to step t + 1. Each is the
        derivative with respect to that array alone, as the later steps and the readout use it.
    inputs : dL/dinputs (T, B, I), None if not asked for. weights : the gradient of the layer's weights.
    """

    states: tuple[Array, ...]
    inputs: Array | None
    weights: LayerWeights


class StepBack(NamedTuple):
    """Errors backpropagated through one step.

    earlier : the part of the previous step's dL/dstate that comes through this step.
    into_input : dL/d(x_t W_xh), (..., B, G H). into_recurrent : dL/d(h_{t-1} W_hh), the same shape; None if
        that is not computed (``Cell.matrices`` is 0).
    """

    earlier: State
    into_input: Array
    into_recurrent: Array | None


class Cell(Protocol):
    """A type of recurrent layer. Cells hold no weights.

    weights and trace are of cell-specific types, as its ``init`` and ``forward`` return them.
    """

    @property
    def title(self) -> str:
        """The cell's name on screen."""

    @property
    def gate_names(self) -> tuple[str, ...]:
        """Names of the gates; empty without gates."""

    @property
    def state(self) -> tuple[str, ...]:
        """Names of the state arrays: ("h",), or ("h", "c") for an LSTM; h is what is read at each step."""

    @property
    def parts(self) -> dict[str, tuple[int, ...]]:
        """What the state consists of, by symbol, each as indices into ``state``: an LRU has h and s."""

    @property
    def recurrent(self) -> bool:
        """Whether a step depends on the previous one."""

    @property
    def matrices(self) -> int:
        """By how many blocks (H, H) of its weights W_hh a step multiplies h_{t-1}; 0 if by none as it is."""

    @property
    def inits(self) -> tuple[str, ...]:
        """The names of INITIALIZERS by which its weights can be drawn; the first is its usual one."""

    @property
    def activations(self) -> tuple[str, ...]:
        """The names of ACTIVATIONS that it can have; a single one if it has its own, see ``built_in``."""

    @property
    def built_in(self) -> str:
        """Its own activations in words, "" if they can be chosen."""

    def init(
        self,
        rng: np.random.Generator,
        input_size: int,
        hidden_size: int,
        recurrent: Initializer,
        gain: float,
        longest: int = 0,
    ) -> LayerWeights:
        """Draw weights: every recurrent block (H, H) with ``recurrent``.

        longest : the longest memory in steps, for initialisations that need it ("chrono").
        """

    def forward(
        self, weights: LayerWeights, inputs: Array, workspace: Workspace, start: State | None = None
    ) -> Trace:
        """Run the layer over ``inputs`` (T, B, I) from the state ``start``, zero if None."""

    def backward(
        self,
        weights: LayerWeights,
        trace: Any,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        wants_inputs: bool = False,
        cuts: Cuts = NO_CUTS,
    ) -> Backward:
        """Backpropagate the error through time.

        from_above : for every step the part of dL/dh_t that comes from the readout or the next layer at
        that same step, (B, H), or None for zero. wants_inputs : compute dL/dinputs too. cuts : rows t (step
        t + 1) whose previous state counts as a constant, so that row t - 1 gets no error from it.
        """

    def step(self, weights: LayerWeights, x: Array, state: State) -> State:
        """Return the state after one step from ``state`` with input ``x`` (B, I)."""

    def vjp_step(self, weights: LayerWeights, trace: Any, t: int, errors: State) -> StepBack:
        """Backpropagate errors dL/dstate of row ``t`` (after step t + 1) through that step.

        errors : (..., B, H) for each of ``state``; any number of errors at once (vector-Jacobian products).
        """

    def recurrent_matrix(self, weights: LayerWeights) -> Array | None:
        """Return the matrix (H, H) that alone maps state to state, None if there is no such matrix."""

    def slopes(self, trace: Any) -> Array | None:
        """Return phi'(a_t), (T, B, H), if a single activation lies between states; None for gated cells."""

    def gates(self, trace: Any) -> dict[str, Array]:
        """Return the gates' values by name, (T, B, H) each; empty without gates."""


def zero_state(cell: Cell, batch: int, hidden: int) -> State:
    """Return the state before the first step."""
    return tuple(np.zeros((batch, hidden)) for _ in cell.state)


def weight_products(trace: Trace, dL_da: Array) -> tuple[Array, Array, Array]:
    """Sum the contributions of all steps to W_xh, W_hh and the bias, with one matrix product each.

    dL_da : (T, B, H). Returns (I, H), (H, H) and (H,).
    """
    flat = dL_da.reshape(-1, dL_da.shape[-1])  # (T B, H)
    before, inputs = trace.hidden[:-1].reshape(flat.shape), trace.inputs.reshape(len(flat), -1)
    return inputs.T @ flat, before.T @ flat, np.ones(len(flat)) @ flat  # a product sums faster than sum()
