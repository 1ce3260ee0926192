"""Stacked recurrent layers with a linear readout: outputs, loss and gradients, on plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from rnnviz.model.arrays import Array, Mask
from rnnviz.model.batch import Batch
from rnnviz.model.cells import Backward, Cell, LayerWeights, State, Trace, Workspace, make_cell
from rnnviz.model.cells.base import NO_CUTS, Cuts, zero_state
from rnnviz.model.initializers import INITIALIZERS, glorot_uniform

MOST_NUMBERS = 4_000_000
"""Gates of all units at all steps (of cells without gates: states) that a pass over a batch computes at once.
With all else that it keeps, a backward pass then takes some 200 MB."""


@dataclass(frozen=True, eq=False)
class Params:
    """All weights of a network. A gradient has the same type and field names."""

    layers: tuple[LayerWeights, ...]
    W_hy: Array  # (H, O), "C" in the figures
    b_y: Array  # (O,)

    def arrays(self) -> list[Array]:
        """Return every weight array, layer by layer, with the readout last."""
        inner = [getattr(layer, f.name) for layer in self.layers for f in fields(layer)]
        return [*inner, self.W_hy, self.b_y]

    @property
    def count(self) -> int:
        """The number of trainable parameters P."""
        return sum(array.size for array in self.arrays())

    def flat(self) -> Array:
        """Return all weights as one new vector (P,), in the order of ``arrays``."""
        return np.concatenate([array.ravel() for array in self.arrays()])

    def with_flat(self, vector: Array) -> Params:
        """Return weights of the same shapes taken from ``vector`` (P,); they are views of it."""
        taken, start = [], 0
        for array in self.arrays():
            taken.append(vector[start : start + array.size].reshape(array.shape))
            start += array.size
        parts = iter(taken)
        layers = tuple(type(layer)(*(next(parts) for _ in fields(layer))) for layer in self.layers)
        return Params(layers, next(parts), next(parts))


@dataclass(frozen=True, eq=False)
class Gradients:
    """What an update needs of one batch forward and backward.

    loss : mean over the batch and over the K steps that write.
    hidden : one (T + 1, B, H) a layer; hidden[i][t] is the state after step t, hidden[i][0] = 0.
    gradients : dL/dparameter, raw: clipping is the optimizer's business.
    state_gradients : for each layer one (T, B, H) for each of ``Cell.state``; row t is dL/dstate of step
        t + 1 (1/B is inside).
    """

    loss: float
    hidden: tuple[Array, ...]
    gradients: Params
    state_gradients: tuple[tuple[Array, ...], ...]

    @property
    def hidden_gradients(self) -> tuple[Array, ...]:
        """dL/dh, one (T, B, H) per layer."""
        return tuple(states[0] for states in self.state_gradients)


@dataclass(frozen=True, eq=False)
class LossAndGradients(Gradients):
    """One batch forward and backward.

    outputs : (T, B, O), at every step (the loss looks only at those that write).
    """

    outputs: Array


class Network:
    """Recurrent layers of one cell type with a linear readout; holds no weights.

    cell : a name of CELLS, or a cell. input_size, hidden_size, output_size : I, H, O. num_layers : recurrent
    layers, each reading the states of the one below. activation : a name of ACTIVATIONS that the cell can
    have (default: its usual one).

    Raises
    ------
    ValueError
        If a name is unknown, they do not fit together, or a size is not positive.
    """

    def __init__(
        self,
        *,
        cell: str | Cell = "vanilla",
        input_size: int,
        hidden_size: int,
        output_size: int,
        num_layers: int = 1,
        activation: str = "",
    ) -> None:
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "output_size": output_size}
        for what, size in (sizes | {"num_layers": num_layers}).items():
            if size < 1:
                raise ValueError(f"{what} must be 1 or more; got {size}.")
        self.cell = make_cell(cell, activation) if isinstance(cell, str) else cell
        activation = activation or self.cell.activations[0]
        self.activation = activation
        self.input_size, self.hidden_size, self.output_size = input_size, hidden_size, output_size
        self.num_layers = num_layers

    def init(
        self,
        rng: np.random.Generator,
        init: str = "",
        gain: float = 1.0,
        longest: int = 0,
    ) -> Params:
        """Draw weights; the readout by Glorot, with zero biases.

        init : a name of the cell's ``inits`` (default: its first). longest : the longest memory in steps;
        needed for "chrono".

        Raises
        ------
        ValueError
            If the cell has no such initialisation, or "chrono" is asked for without ``longest``.
        """
        init = init or self.cell.inits[0]
        if init not in self.cell.inits:
            known = ", ".join(self.cell.inits)
            raise ValueError(f"init must be one of {known} for {self.cell.title}; got {init!r}.")
        if init == "chrono" and longest < 1:
            raise ValueError(f"longest must be 1 or more for init 'chrono'; got {longest}.")
        H, O = self.hidden_size, self.output_size  # noqa: E741
        sizes = [self.input_size] + [H] * (self.num_layers - 1)
        layers = tuple(self.cell.init(rng, size, H, INITIALIZERS[init], gain, longest) for size in sizes)
        return Params(layers, glorot_uniform(rng, H, O), np.zeros(O))

    def forward(
        self, params: Params, inputs: Array, workspace: Workspace | None = None
    ) -> tuple[Array, list[Trace]]:
        """Run the network over ``inputs`` (T, B, I); return outputs (T, B, O) and a trace a layer."""
        workspace = workspace or Workspace()
        traces = self.states(params, inputs, workspace)
        T, B, H = traces[-1].hidden[1:].shape
        outputs = workspace.array("outputs", T, B, params.b_y.size)
        np.matmul(traces[-1].hidden[1:].reshape(T * B, H), params.W_hy, out=outputs.reshape(T * B, -1))
        outputs += params.b_y
        return outputs, traces

    def at_once(self, T: int) -> int:
        """Return how many sequences of T steps should go through one pass, for the sake of memory."""
        width = max(self.cell.matrices, len(self.cell.gate_names), len(self.cell.state))
        return max(1, MOST_NUMBERS // (T * self.num_layers * self.hidden_size * width))

    def outputs(self, params: Params, inputs: Array) -> Array:
        """Return the outputs (T, B, O) for ``inputs`` (T, B, I), of as many sequences as there may be."""
        (T, B, _), size = inputs.shape, self.at_once(len(inputs))
        if size >= B:
            return self.forward(params, inputs)[0]
        outputs, workspace = np.empty((T, B, params.b_y.size)), Workspace()
        for first in range(0, B, size):
            some = slice(first, first + size)
            outputs[:, some] = self.forward(params, inputs[:, some], workspace)[0]
        return outputs

    def states(self, params: Params, inputs: Array, workspace: Workspace) -> list[Trace]:
        """Run the layers over ``inputs`` (T, B, I), without the readout; return a trace a layer."""
        traces, below = [], inputs
        for i, weights in enumerate(params.layers):
            traces.append(self.cell.forward(weights, below, workspace.layer(i)))
            below = traces[-1].hidden[1:]
        return traces

    def loss_and_gradients(
        self,
        params: Params,
        batch: Batch,
        workspace: Workspace | None = None,
        truncate: int | None = None,
    ) -> LossAndGradients:
        """Run the forward and backward pass over a batch.

        truncate : cut the backward pass into blocks of so many steps (see ``cut_rows``), None not to.
        With a ``workspace`` the arrays of the result live in it and are overwritten by its next use.
        Overflow raises no error; it appears as inf or NaN in the results.
        """
        workspace = workspace or Workspace()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            outputs, traces = self.forward(params, batch.inputs, workspace)
            found = self._gradients(params, batch, traces, outputs[batch.written], workspace, truncate)
        return LossAndGradients(**vars(found), outputs=outputs)

    def gradients(
        self, params: Params, batch: Batch, workspace: Workspace, truncate: int | None = None
    ) -> Gradients:
        """Do the same without the outputs of steps that do not write; overflow warns as NumPy is set to."""
        traces = self.states(params, batch.inputs, workspace)
        written = traces[-1].hidden[1:][batch.written] @ params.W_hy
        written += params.b_y
        return self._gradients(params, batch, traces, written, workspace, truncate)

    def _gradients(
        self,
        params: Params,
        batch: Batch,
        traces: list[Trace],
        outputs: Array,
        workspace: Workspace,
        truncate: int | None,
    ) -> Gradients:
        """Carry the loss of ``outputs`` (K, B, O) back to every weight and state."""
        loss, dL_dy = batch.loss.value_and_gradient(outputs, batch.targets[batch.written])
        written = traces[-1].hidden[1:][batch.written].reshape(-1, len(params.W_hy))
        flat_dy = dL_dy.reshape(len(written), -1)
        cuts = cut_rows(len(batch.inputs), truncate)
        layers = self.backward(params, traces, readout_errors(params, batch, dL_dy), workspace, cuts)
        readout = written.T @ flat_dy, flat_dy.sum(axis=0)
        gradients = Params(tuple(layer.weights for layer in layers), *readout)
        hidden = tuple(trace.hidden for trace in traces)
        return Gradients(loss, hidden, gradients, tuple(layer.states for layer in layers))

    def backward(
        self,
        params: Params,
        traces: Sequence[Trace],
        from_above: Sequence[Array | None],
        workspace: Workspace | None = None,
        cuts: Cuts = NO_CUTS,
    ) -> list[Backward]:
        """Backpropagate errors of the top layer's states to every layer's states and weights.

        from_above : for every step the error dL/dh_t that enters there, (B, H), or None. cuts : see
        ``cut_rows``; they cut every layer.
        """
        workspace, layers = workspace or Workspace(), []
        for i in reversed(range(len(traces))):
            weights, trace = params.layers[i], traces[i]
            layer = self.cell.backward(weights, trace, from_above, workspace.layer(i), i > 0, cuts)
            layers.append(layer)
            from_above = [] if layer.inputs is None else list(layer.inputs)
        return layers[::-1]

    def zero_state(self, batch: int) -> list[State]:
        """Return every layer's state before the first step."""
        return [zero_state(self.cell, batch, self.hidden_size) for _ in range(self.num_layers)]

    def step(self, params: Params, x: Array, states: Sequence[State]) -> tuple[Array, list[State]]:
        """Advance the layers' ``states`` by one step with input ``x`` (B, I); return the output (B, O) and
        the new states.
        """
        below, after = x, []
        for weights, state in zip(params.layers, states, strict=True):
            after.append(self.cell.step(weights, below, state))
            below = after[-1][0]
        return below @ params.W_hy + params.b_y, after

    def rollout(self, params: Params, inputs: Array, writes: Mask, decide: Callable[[Array], Array]) -> Array:
        """Run with the network's own outputs fed back instead of the targets; return outputs (T, B, O).

        inputs : (T, B, I), whose last O channels are replaced. writes : (T,), the steps whose output is fed
        to the next one. decide : maps an output (B, O) to what is fed back (see ``Loss.decide``).
        """
        T, B, _ = inputs.shape
        O = params.b_y.size  # noqa: E741
        outputs, states, inputs = np.empty((T, B, O)), self.zero_state(B), inputs.copy()
        inputs[:, :, -O:] = 0.0
        for t in range(T):
            if t > 0 and writes[t - 1]:
                inputs[t, :, -O:] = decide(outputs[t - 1])
            outputs[t], states = self.step(params, inputs[t], states)
        return outputs


def cut_rows(T: int, truncate: int | None) -> frozenset[int]:
    """Return the rows at which backpropagation through time is cut into blocks of ``truncate`` steps.

    Blocks are counted back from the last step: of 25 steps, those of 10 are steps 6 to 15 and 16 to 25, and
    steps 1 to 5 are left. Row t (step t + 1) is in the result if a block begins there: its previous state
    then counts as a constant, so that no error goes on to step t. States still go on from block to block,
    and all blocks' gradients are added up for one update. Empty if ``truncate`` is None, or at least T.

    This is BPTT(h; h') with h = h' = ``truncate`` (Williams & Peng 1990), or k_1 = k_2 in Sutskever's terms
    (2013, section 2.8), with weights that change only after the whole sequence.

    Raises
    ------
    ValueError
        If ``truncate`` is below 1.
    """
    if truncate is None:
        return frozenset()
    if truncate < 1:
        raise ValueError(f"truncate must be 1 or more, or None; got {truncate}.")
    return frozenset(range(T - truncate, 0, -truncate))


def farthest_row(row: int, cuts: Cuts) -> int:
    """Return the first row that an error from ``row`` reaches."""
    return max((cut for cut in cuts if cut <= row), default=0)


def output_gradient(outputs: Array, batch: Batch) -> tuple[float, Array]:
    """Return the loss of ``outputs`` (T, B, O) and dL/dy at the steps that write, (K, B, O)."""
    return batch.loss.value_and_gradient(outputs[batch.written], batch.targets[batch.written])


def readout_errors(params: Params, batch: Batch, dL_dy: Array) -> list[Array | None]:
    """Backpropagate dL/dy (K, B, O) through the readout; return dL/dh_t (B, H) or None for every step."""
    (T, B), H = batch.inputs.shape[:2], len(params.W_hy)
    errors: list[Array | None] = [None] * T
    direct = (dL_dy.reshape(-1, dL_dy.shape[-1]) @ params.W_hy.T).reshape(-1, B, H)
    for t, error in zip(batch.write_steps, direct, strict=True):
        errors[t] = error
    return errors
