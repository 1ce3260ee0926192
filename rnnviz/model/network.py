"""Layers of cells under a linear readout: outputs, loss and gradients."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array
from rnnviz.model.cells import CELLS, LayerWeights, Trace, Workspace
from rnnviz.model.initializers import glorot_uniform
from rnnviz.tasks import TASKS
from rnnviz.tasks.base import Batch

if TYPE_CHECKING:
    from rnnviz.experiment import Experiment


@dataclass(frozen=True, eq=False)
class Params:
    """All weights of a network. A gradient has the same type and field names."""

    layers: tuple[LayerWeights, ...]
    W_hy: Array  # (H, O), "C" in the pictures
    b_y: Array  # (O,)

    def arrays(self) -> list[Array]:
        """Return every weight array, layer by layer, the readout last."""
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
class Pass:
    """One batch forward and backward.

    loss : mean over the batch and over the K steps that write.
    outputs : (T, B, O), at every step (the loss looks only at those that write).
    hidden : one (T + 1, B, H) a layer; hidden[i][t] is the state after step t, hidden[i][0] = 0.
    gradients : dL/dparameter, raw: clipping is the optimizer's business.
    hidden_gradients : one (T, B, H) a layer; row t is dL/dh of step t + 1 (1/B is inside).
    """

    loss: float
    outputs: Array
    hidden: tuple[Array, ...]
    gradients: Params
    hidden_gradients: tuple[Array, ...]


class Network:
    """The network that an experiment describes; it holds no weights."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.task = TASKS[experiment.task]
        self.cell = CELLS[experiment.cell](ACTIVATIONS[experiment.activation])
        self.masks = self.task.masks(experiment)
        self.steps = self.masks.write_steps
        first, last = int(self.steps[0]), int(self.steps[-1])
        gapless = len(self.steps) == last - first + 1
        self.written = slice(first, last + 1) if gapless else self.steps  # reading a slice copies nothing

    def init(self, rng: np.random.Generator) -> Params:
        """Draw weights: W_hh as the experiment says, W_xh and W_hy by Glorot, biases zero."""
        e = self.experiment
        H, (_, O) = e.hidden_size, self.task.sizes(e)  # noqa: E741
        sizes = [self.task.input_size(e)] + [H] * (e.layers - 1)
        layers = tuple(self.cell.init(rng, inputs, H, e.init, e.gain) for inputs in sizes)
        return Params(layers, glorot_uniform(rng, H, O), np.zeros(O))

    def forward(
        self, params: Params, inputs: Array, workspace: Workspace | None = None
    ) -> tuple[Array, list[Trace]]:
        """Run the network over ``inputs`` (T, B, I); return outputs (T, B, O) and a trace a layer."""
        workspace, traces, below = workspace or Workspace(), [], inputs
        for i, weights in enumerate(params.layers):
            traces.append(self.cell.forward(weights, below, workspace, str(i)))
            below = traces[-1].hidden[1:]
        T, B, H = below.shape
        outputs = workspace.array("outputs", T, B, params.b_y.size)
        np.matmul(below.reshape(T * B, H), params.W_hy, out=outputs.reshape(T * B, -1))
        outputs += params.b_y
        return outputs, traces

    def loss_and_gradients(self, params: Params, batch: Batch, workspace: Workspace | None = None) -> Pass:
        """Run a batch forward and back.

        With a ``workspace`` the arrays of the returned Pass live in it and are overwritten by its
        next use. Overflow is not an error here: it shows as inf or NaN in the results.
        """
        workspace = workspace or Workspace()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            outputs, traces = self.forward(params, batch.inputs, workspace)
            loss, dL_dy = self.output_gradient(outputs, batch)
            gradients, hidden_gradients = self.backward(params, traces, dL_dy, workspace)
        return Pass(loss, outputs, tuple(trace.hidden for trace in traces), gradients, hidden_gradients)

    def output_gradient(self, outputs: Array, batch: Batch) -> tuple[float, Array]:
        """Return the loss of ``outputs`` and dL/dy at the steps that write, (K, B, O)."""
        return self.task.loss.value_and_gradient(outputs[self.written], batch.targets[self.written])

    def backward(
        self, params: Params, traces: list[Trace], dL_dy: Array, workspace: Workspace
    ) -> tuple[Params, tuple[Array, ...]]:
        """Carry dL/dy (K, B, O) back to every weight and to every state (see Pass)."""
        T, B, H = traces[-1].hidden[1:].shape
        written = traces[-1].hidden[1:][self.written].reshape(-1, H)
        flat_dy = dL_dy.reshape(len(written), -1)
        from_above: list[Array | None] = [None] * T
        for t, direct in zip(self.steps, (flat_dy @ params.W_hy.T).reshape(-1, B, H), strict=True):
            from_above[t] = direct
        hidden_gradients, layer_gradients = [], []
        for i in reversed(range(len(traces))):
            weights, trace = params.layers[i], traces[i]
            dL_dh, dL_da = self.cell.backward_in_time(weights, trace, from_above, workspace, str(i))
            hidden_gradients.append(dL_dh)
            layer_gradients.append(self.cell.weight_gradient(trace, dL_da))
            if i > 0:
                from_above = list(dL_da @ weights.W_xh.T)
        gradients = Params(tuple(reversed(layer_gradients)), written.T @ flat_dy, flat_dy.sum(axis=0))
        return gradients, tuple(reversed(hidden_gradients))

    def free_run(self, params: Params, inputs: Array) -> Array:
        """Run with the network's own outputs fed back in place of the teacher's; return (T, B, O).

        The feedback channels of ``inputs`` (T, B, I) are ignored. Without feedback this is ``forward``.
        """
        if not self.experiment.feedback:
            return self.forward(params, inputs)[0]
        T, B, _ = inputs.shape
        O = params.b_y.size  # noqa: E741
        outputs, workspace = np.zeros((T, B, O)), Workspace()
        states: list[Array | None] = [None] * len(params.layers)
        for t in range(T):
            below = inputs[t : t + 1].copy()
            fed_back = t > 0 and self.masks.writes[t - 1]
            below[0, :, -O:] = self.task.loss.decide(outputs[t - 1]) if fed_back else 0.0
            for i, weights in enumerate(params.layers):
                hidden = self.cell.forward(weights, below, workspace, str(i), start=states[i]).hidden
                states[i] = hidden[1].copy()
                below = hidden[1:]
            outputs[t] = below[0] @ params.W_hy + params.b_y
        return outputs
