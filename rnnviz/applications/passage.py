"""One sequence through a trained network, as it happens in use: without any teacher."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array
from rnnviz.model.losses import softmax
from rnnviz.model.network import Params
from rnnviz.tasks import TASKS


@dataclass(frozen=True, eq=False)
class Passage:
    """What a network made of one sequence; T steps, H units, O outputs.

    hidden : (T, H), the top layer's states h_1..h_T.
    probabilities : (T, O), softmax of the outputs at every step, those that do not write included.
    """

    hidden: Array
    probabilities: Array


def pass_through(e: Experiment, params: Params, inputs: Array) -> Passage:
    """Let a network read one sequence (T, 1, I), without feedback channels; its own output is fed back.

    Raises
    ------
    ValueError
        If the task has no classes to choose from, or the inputs have another shape.
    """
    task, network = TASKS[e.task], e.network()
    channels = task.sizes(e)[0]
    if task.loss.name != "cross-entropy":
        raise ValueError(f"pass_through needs a task that chooses among classes; got {e.task!r}.")
    if inputs.shape != (e.seq_len, 1, channels):
        raise ValueError(f"inputs must have the shape ({e.seq_len}, 1, {channels}); got {inputs.shape}.")
    if e.feedback:
        inputs = np.concatenate([inputs, np.zeros((e.seq_len, 1, params.b_y.size))], axis=2)
    with np.errstate(over="ignore", invalid="ignore"):
        batch = task.as_batch(e, inputs, np.zeros((e.seq_len, 1), np.int64))
        outputs = e.answers(network, params, batch)
        if e.feedback:
            written = batch.writes[:-1]
            inputs[1:, :, channels:][written] = task.loss.decide(outputs[:-1][written])
        _, traces = network.forward(params, inputs)
        return Passage(traces[-1].hidden[1:, 0].copy(), softmax(outputs[:, 0]))
