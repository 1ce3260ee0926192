"""Gradient decay at initialisation: the published table, T = 100, 20 seeds."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.analysis.bench import Bench, decades, decay, over_seeds
from tests.slope import factor_per_step

# activation, init, gain, input_std -> factor per step back (mean over seeds of its log), and
# log10 ||dL/dh_1|| / ||dL/dh_T||: median, lowest, highest of 20 seeds; H = 32, B = 16
TABLE = {
    "tanh small normal, silence": (("tanh", "small-normal", 1.0, 0.0), 0.062, (-120.0, -125.0, -114.0)),
    "tanh small normal, driven": (("tanh", "small-normal", 1.0, 1.0), 0.039, (-140.0, None, None)),
    "tanh PyTorch, silence": (("tanh", "pytorch", 1.0, 0.0), 0.598, (-22.7, -27.0, -16.0)),
    "tanh PyTorch, driven": (("tanh", "pytorch", 1.0, 1.0), 0.383, (-41.0, None, None)),
    "tanh g=.5, silence": (("tanh", "scaled-gaussian", 0.5, 0.0), 0.546, (-26.7, -31.0, -21.0)),
    "tanh g=.5, driven": (("tanh", "scaled-gaussian", 0.5, 1.0), 0.337, (-47.0, None, None)),
    "tanh g=.9, silence": (("tanh", "scaled-gaussian", 0.9, 0.0), 0.943, (-2.9, -8.2, -0.6)),
    "tanh g=.9, driven": (("tanh", "scaled-gaussian", 0.9, 1.0), 0.576, (-23.0, None, None)),
    "tanh Glorot, silence": (("tanh", "glorot", 1.0, 0.0), 0.965, (-1.5, -6.5, 0.1)),
    "tanh Glorot, driven": (("tanh", "glorot", 1.0, 1.0), 0.626, (-20.0, None, None)),
    "tanh g=1, silence": (("tanh", "scaled-gaussian", 1.0, 0.0), 0.944, (-1.7, -10.0, -0.2)),
    "tanh g=1, driven": (("tanh", "scaled-gaussian", 1.0, 1.0), 0.629, (-19.6, None, None)),
    "tanh g=2, silence": (("tanh", "scaled-gaussian", 2.0, 0.0), 1.059, (4.4, -12.0, 6.2)),
    "tanh g=2, driven": (("tanh", "scaled-gaussian", 2.0, 1.0), 1.015, (0.8, -1.1, 2.5)),
    "tanh g=3, silence": (("tanh", "scaled-gaussian", 3.0, 0.0), 1.207, (10.9, -19.0, 12.0)),
    "tanh g=3, driven": (("tanh", "scaled-gaussian", 3.0, 1.0), 1.231, (9.4, 4.8, 10.1)),
    "tanh orthogonal .9, silence": (("tanh", "orthogonal", 0.9, 0.0), 0.900, (-4.8, -4.9, -4.8)),
    "tanh orthogonal .9, driven": (("tanh", "orthogonal", 0.9, 1.0), 0.575, (-23.8, None, None)),
    "tanh orthogonal 1, silence": (("tanh", "orthogonal", 1.0, 0.0), 0.988, (-0.9, -0.9, -0.9)),
    "tanh orthogonal 1, driven": (("tanh", "orthogonal", 1.0, 1.0), 0.630, (-19.9, None, None)),
    "tanh orthogonal 1.1, silence": (("tanh", "orthogonal", 1.1, 0.0), 1.004, (-0.1, -0.1, 0.0)),
    "tanh orthogonal 1.1, driven": (("tanh", "orthogonal", 1.1, 1.0), 0.681, (-16.6, None, None)),
    "tanh orthogonal 1.5, silence": (("tanh", "orthogonal", 1.5, 0.0), 1.059, (2.4, 2.2, 3.1)),
    "tanh orthogonal 1.5, driven": (("tanh", "orthogonal", 1.5, 1.0), 0.860, (-6.4, None, None)),
    "tanh identity, silence": (("tanh", "identity", 1.0, 0.0), 0.984, (-0.6, -0.7, -0.5)),
    "tanh identity, driven": (("tanh", "identity", 1.0, 1.0), 0.625, (-20.0, None, None)),
    "ReLU PyTorch": (("relu", "pytorch", 1.0, 1.0), 0.400, (-39.0, None, None)),
    "ReLU g=1": (("relu", "scaled-gaussian", 1.0, 1.0), 0.691, (-17.0, None, None)),
    "ReLU He": (("relu", "he", 1.0, 1.0), 1.010, (-1.3, -6.5, 11.0)),
    "ReLU g=2": (("relu", "scaled-gaussian", 2.0, 1.0), 1.413, (14.0, 5.0, 26.0)),
    "ReLU g=3": (("relu", "scaled-gaussian", 3.0, 1.0), 2.120, (32.0, 22.0, 43.0)),
    "ReLU orthogonal 1": (("relu", "orthogonal", 1.0, 1.0), 0.682, (None, None, None)),
    "ReLU identity": (("relu", "identity", 1.0, 1.0), 0.992, (-0.6, None, None)),
    "ReLU identity, silence": (("relu", "identity", 1.0, 0.0), 1.000, (None, None, None)),
}


@pytest.mark.parametrize("row", TABLE)
def test_the_published_table(row: str) -> None:
    (activation, init, gain, input_std), factor, spread = TABLE[row]
    bench = Bench(init=init, gain=gain, activation=activation, input_std=input_std)
    curves = [decay(b) for b in over_seeds(bench, 20)]
    measured = float(np.exp(np.mean([np.log(factor_per_step(curve)) for curve in curves])))
    assert measured == pytest.approx(factor, rel=0.015), "factor per step back"
    logs = np.log10([curve[0] for curve in curves])
    for name, value, expected in zip(
        ("median", "lowest", "highest"), (np.median(logs), logs.min(), logs.max()), spread, strict=True
    ):
        if expected is not None:
            assert value == pytest.approx(expected, abs=0.5 + 0.02 * abs(expected)), f"{name} decades"


def test_width_brings_the_network_closer_to_the_theory() -> None:
    wide = [decay(b) for b in over_seeds(Bench(gain=0.5, hidden_size=128), 20)]
    assert np.exp(np.mean(np.log([factor_per_step(c) for c in wide]))) == pytest.approx(0.520, rel=0.015)


@pytest.mark.parametrize("gain", [0.5, 1.0, 1.3])
def test_a_linear_orthogonal_layer_loses_exactly_its_gain_each_step(gain: float) -> None:
    curve = decay(Bench(init="orthogonal", gain=gain, activation="linear", seq_len=60, input_std=1.0))
    np.testing.assert_allclose(curve[:-1] / curve[1:], gain, rtol=1e-12)


def test_a_single_step_has_nothing_to_lose() -> None:
    assert decades(Bench(seq_len=1)) == 0.0


@pytest.mark.parametrize(("name", "value"), [("gain", np.nan), ("gain", -1), ("seq_len", 0), ("init", "x")])
def test_what_cannot_be_measured_gets_a_sentence(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be .*; got"):
        Bench(**{name: value})
