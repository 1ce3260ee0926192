"""Why a gradient shrinks or grows: every step back goes through W_hh and through the activation's slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradient_flow import probe
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices, norms
from rnnviz.model.network import Params
from rnnviz.tasks.base import Batch

SATURATED = 0.1
"""A unit whose slope is below this lets less than a tenth of the error through."""


@dataclass(frozen=True, eq=False)
class Causes:
    """The last output's error on its way back, split into its two causes; arrays for t = 2..T.

    steps : (T - 1,), the t that the error leaves, on its way to t - 1.
    slope_factor : (T - 1,), ||eps_t * phi'(a_t)|| / ||eps_t||.
    recurrent_factor : (T - 1,), ||(eps_t * phi'(a_t)) W_hh^T|| / ||eps_t * phi'(a_t)||.
    saturated : (T,), share of units with phi'(a_t) < SATURATED.
    The product of both factors is ||eps_{t-1}|| / ||eps_t|| for a single layer; norms are means over samples.
    """

    steps: Indices
    slope_factor: Array
    recurrent_factor: Array
    saturated: Array


def causes(e: Experiment, params: Params | None = None, batch: Batch | None = None) -> Causes:
    """Split the decay in the top layer, for the error of the last output alone.

    params, batch : see ``gradient_flow.probe``.
    """
    seen = probe(e, params, batch)
    network, weights, states = seen.network, seen.params.layers[-1], seen.traces[-1].hidden[1:]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        slopes = network.cell.activation.slope(states, np.empty_like(states))
        error, last = seen.dL_dy[-1] @ seen.params.W_hy.T, int(network.steps[-1])
        sizes = []
        for t in range(last, 0, -1):
            through = error * slopes[t]
            before = through @ weights.W_hh.T
            sizes.append([norms(x).sum() for x in (error, through, before)])
            error = before
        kept, through_size, before_size = np.array(sizes[::-1]).reshape(-1, 3).T
        return Causes(
            steps=np.arange(2, last + 2),
            slope_factor=through_size / kept,
            recurrent_factor=before_size / through_size,
            saturated=(slopes < SATURATED).mean(axis=(1, 2)),
        )
