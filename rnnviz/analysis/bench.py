"""Gradient decay of a single recurrent layer at initialisation, without task or training.

The layer gets an initial input (standard deviation 1 on every pre-activation at t = 1), then random inputs
of a given strength, and a random error at the last step. The gradient at the first step shows the effect of
initialisation, activation and input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnnviz.analysis.driven import error_at_last_step, states_as_outputs
from rnnviz.analysis.gradient_flow import decades_between, gradient_flow
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.arrays import Array
from rnnviz.model.cells import VanillaWeights
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.network import Network

CHANNELS = 16
"""Input channels; W_xh ~ N(0, 1 / CHANNELS), so that an input of standard deviation s gives pre-activations
of standard deviation s."""


@dataclass(frozen=True)
class Bench:
    """The settings of one measurement.

    input_std : standard deviation of the input current on every pre-activation from t = 2 on; 0 for none.
    samples : sequences that the gradient's norm is averaged over.
    """

    init: str = "scaled-gaussian"
    gain: float = 1.0
    activation: str = "tanh"
    input_std: float = 0.0
    hidden_size: int = 32
    seq_len: int = 100
    samples: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        bounds = {"gain": (0, 1e6), "input_std": (0, 1e6), "hidden_size": (2, 1024), "seq_len": (1, 2000)}
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must be between {low:g} and {high:g}; got {value}.")
        for name, known in (("init", INITIALIZERS), ("activation", ACTIVATIONS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}; got {getattr(self, name)!r}.")


def decay(bench: Bench) -> Array:
    """Return ||dL/dh_t|| relative to ||dL/dh_T||, mean over the samples, shape (T,)."""
    rng = np.random.default_rng(bench.seed)
    T, B, H = bench.seq_len, bench.samples, bench.hidden_size
    W_hh = INITIALIZERS[bench.init].draw(rng, H, bench.gain)
    W_xh = rng.normal(0.0, 1.0 / np.sqrt(CHANNELS), (CHANNELS, H))
    inputs = rng.standard_normal((T, B, CHANNELS))
    inputs[1:] *= bench.input_std  # the initial input keeps standard deviation 1
    network = Network(input_size=CHANNELS, hidden_size=H, output_size=H, activation=bench.activation)
    params = states_as_outputs(VanillaWeights(W_xh, W_hh, np.zeros(H)), hidden_size=H)
    batch = error_at_last_step(inputs, rng.standard_normal((B, H)))
    sizes = gradient_flow(network, params, batch).per_output[-1]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return sizes / sizes[-1]


def decades(bench: Bench) -> float:
    """Return log10 ||dL/dh_1|| / ||dL/dh_T||."""
    curve = decay(bench)
    return decades_between(curve[0], curve[-1])


def over_seeds(bench: Bench, seeds: int) -> list[Bench]:
    """Return the bench with seeds 0..seeds-1."""
    return [replace(bench, seed=seed) for seed in range(seeds)]
