"""Why a gradient shrinks or grows: every step back multiplies it by W_hh^T and by the activation's slope."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis.gradient_flow import Probe, probe
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array, Indices, norms
from rnnviz.model.batch import Batch
from rnnviz.model.network import Network, Params

SATURATED = 0.1
"""A unit with a slope below this passes on less than a tenth of the error."""


@dataclass(frozen=True, eq=False)
class DecayFactors:
    """The change of the last output's error per step back, split into its two factors; arrays for t = 2..T.

    steps : (T - 1,), the t of each step back, from t to t - 1.
    slope_factor : (T - 1,), ||eps_t * phi'(a_t)|| / ||eps_t||.
    recurrent_factor : (T - 1,), ||(eps_t * phi'(a_t)) W_hh^T|| / ||eps_t * phi'(a_t)||.
    saturated : (T,), share of units with phi'(a_t) < SATURATED.
    In the top layer the product of both factors is ||eps_{t-1}|| / ||eps_t||; norms are means over samples.
    """

    steps: Indices
    slope_factor: Array
    recurrent_factor: Array
    saturated: Array


def decay_factors(
    subject: Experiment | Network | Probe,
    params: Params | None = None,
    batch: Batch | None = None,
    layer: int = -1,
) -> DecayFactors:
    """Split the decay in one layer, for the error of the last output alone, without truncation.

    subject, params, batch : see ``gradient_flow.probe``. layer : default the top one.

    Raises
    ------
    ValueError
        If more than one activation lies between two states, or a path around it.
    """
    seen = replace(probe(subject, params, batch), truncate=None)
    slopes, last = seen.network.cell.slopes(seen.traces[layer]), int(seen.batch.write_steps[-1])
    if slopes is None:
        raise ValueError(
            "decay_factors needs a cell whose state goes through one activation at a step; "
            f"got {seen.network.cell.title}."
        )
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        errors = seen.state_errors(seen.last_alone)[layer][0][: last + 1]
        through = errors * slopes[: last + 1]
        W_hh = seen.network.cell.recurrent_matrix(seen.params.layers[layer])
        before = np.zeros_like(through) if W_hh is None else through @ W_hh.T
        arriving, through_size, before_size = (norms(x).sum(axis=1) for x in (errors, through, before))
        return DecayFactors(
            steps=np.arange(2, last + 2),
            slope_factor=through_size[1:] / arriving[1:],
            recurrent_factor=before_size[1:] / through_size[1:],
            saturated=(slopes < SATURATED).mean(axis=(1, 2)),
        )
