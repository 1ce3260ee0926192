"""How far mean-field theory applies to an experiment: the input strength, and where the theory fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.gradient_flow import probe
from rnnviz.experiment import Experiment
from rnnviz.model.cells import CELLS
from rnnviz.model.network import Params

WEAK_INPUT = 0.3
"""Below this standard deviation, random input no longer masks the structure of the recurrent matrix."""

EDGE_GAIN = 0.9
"""From this gain on, with weak input, a finite tanh network depends on its own matrix."""


@dataclass(frozen=True)
class Trust:
    """How far to trust the theory line.

    verdict : "exact", "close" (the factor per step within 15%, median over seeds), "scattered" (close for the
        median, but single networks vary widely), "drifting" (off by a few per cent per step, which add up) or
        "fails".
    why : one sentence.
    """

    verdict: str
    why: str


def drive(e: Experiment, params: Params) -> tuple[float, float]:
    """Return the gain of the top layer's W_hh, g = sqrt(sum w^2 / H), and the strength of its input.

    The strength is the root mean square of x_t W_xh + b_h over units, sequences and steps from t = 2 on.
    Only for cells to which theory ``applies``.
    """
    seen, weights = probe(e, params), params.layers[-1]
    W_hh = seen.network.cell.recurrent_matrix(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        current = seen.traces[-1].inputs @ weights.W_xh + weights.b_h
        strength = float(np.sqrt(np.mean(current[1:] ** 2))) if e.seq_len > 1 else 0.0
        gain = 0.0 if W_hh is None else float(np.sqrt(np.sum(W_hh**2) / e.hidden_size))
        return gain, strength


def applies(e: Experiment) -> bool:
    """Return whether mean-field theory as implemented here describes the cell: it knows no gates."""
    return CELLS[e.cell].matrices == 1 or not CELLS[e.cell].recurrent


def trust(e: Experiment, gain: float, input_std: float, trained: bool = False) -> Trust:
    """Return how far to trust the mean-field prediction for one layer of an experiment, and why.

    gain, input_std : as ``drive`` returns them. trained : whether the weights have been trained.
    """
    if trained:
        return Trust(
            "fails", "The theory covers random weights only; after training they are no longer independent."
        )
    if e.init == "identity" and e.activation == "relu":
        return Trust(
            "fails",
            "The theory fails here: it lets half of the error pass, but with the identity "
            "a unit that is on stays on.",
        )
    if e.init == "identity" and gain > 1.0 and e.activation != "linear":
        return Trust(
            "fails",
            "The theory fails here: with the identity the units are not connected, and each "
            "drives itself into saturation.",
        )
    if e.activation == "linear":
        if e.init in ("identity", "orthogonal"):
            return Trust("exact", "The theory is exact here: every step back multiplies by exactly g.")
        return Trust(
            "drifting",
            "The theory drifts here: without slopes the same matrix acts at every step, and its spectral "
            "radius decides, not g.",
        )
    if e.activation == "tanh" and gain >= EDGE_GAIN and input_std < WEAK_INPUT and e.init != "orthogonal":
        return Trust(
            "scattered",
            "The theory holds for the median of many seeds: with so little input each matrix behaves "
            f"differently at H = {e.hidden_size}.",
        )
    return Trust(
        "close", "The theory assumes infinite width and fresh weights at each step; it comes close here."
    )
