"""The theory holds where ``trust`` says so, and fails where it says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.analysis.bench import Bench, decay, over_seeds
from rnnviz.analysis.mean_field import mean_field
from rnnviz.analysis.theory import drive, trust
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.initializers import INITIALIZERS, MATRICES
from tests.slope import factor_per_step

SEEDS, H = 8, 32
LAGS = (5, 60)
STRENGTHS = (0.0, 0.1, 1.0)
GAINS = (0.5, 0.9, 1.0, 1.3, 2.0, 3.0)


def matrix(bench: Bench) -> np.ndarray:
    rng = np.random.default_rng(bench.seed)
    return INITIALIZERS[bench.init].draw(rng, bench.hidden_size, bench.gain)


def compare(bench: Bench) -> tuple[np.ndarray, float, float]:
    """Measured factors over the seeds, theory's factor, and the gain that it was given."""
    seeds = over_seeds(bench, SEEDS)
    gain = float(np.mean([np.sqrt(np.sum(matrix(b) ** 2) / H) for b in seeds]))
    theory = mean_field(gain, bench.input_std, bench.activation).factor
    return np.array([factor_per_step(decay(b), LAGS) for b in seeds]), theory, gain


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("init", MATRICES)
def test_what_is_said_of_the_theory_is_what_happens(activation: str, init: str) -> None:
    e = Experiment(activation=activation, init=init, hidden_size=H)
    for gain in GAINS if INITIALIZERS[init].has_gain else (1.0,):
        for strength in STRENGTHS:
            bench = Bench(init, gain, activation, strength, H, seq_len=80)
            measured, theory, told = compare(bench)
            said = trust(e, told, strength)
            off = abs(np.log(np.maximum(np.median(measured), 1e-30) / theory))
            where = f"{bench}: measured {np.median(measured):.3f}, theory {theory:.3f}, said {said}"
            if said.verdict == "exact":
                np.testing.assert_allclose(measured, theory, rtol=1e-12, err_msg=where)
            elif said.verdict in ("close", "scattered", "drifting"):
                assert off < np.log(1.15), where


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize(("activation", "gain"), [("relu", 1.0), ("tanh", 2.0), ("sigmoid", 3.0)])
def test_where_it_is_said_to_fail_it_is_far_off(activation: str, gain: float, strength: float) -> None:
    measured, theory, _ = compare(Bench("identity", gain, activation, strength, H, seq_len=80))
    assert trust(Experiment(init="identity", activation=activation), gain, strength).verdict == "fails"
    assert abs(np.log(np.median(measured) / theory)) > np.log(1.3)


def test_a_linear_gaussian_network_follows_its_spectral_radius() -> None:
    for bench in over_seeds(Bench(activation="linear", seq_len=200), SEEDS):
        rho = np.abs(np.linalg.eigvals(matrix(bench))).max()
        assert factor_per_step(decay(bench), (50, 190)) == pytest.approx(rho, rel=0.02)
    assert trust(Experiment(activation="linear", init="scaled-gaussian"), 1.0, 0.0).verdict == "drifting"


def test_networks_without_input_scatter_more_than_driven_ones() -> None:
    silent, _, _ = compare(Bench(gain=2.0, hidden_size=H))
    driven, _, _ = compare(Bench(gain=2.0, hidden_size=H, input_std=1.0))
    assert np.ptp(np.log(silent)) > 2.0 * np.ptp(np.log(driven))
    assert trust(Experiment(init="scaled-gaussian", gain=2.0), 2.0, 0.0).verdict == "scattered"


def test_the_drive_is_that_of_the_weights_and_the_input() -> None:
    e = Experiment(init="scaled-gaussian", gain=1.4, hidden_size=128, noise=0.0)
    params = e.init(e.rng("weights"))
    gain, strength = drive(e, params)
    assert gain == pytest.approx(1.4, rel=0.02)
    assert strength == 0.0, "recall without noise is silent after the first step"
    assert drive(replace(e, noise=0.5), params)[1] > 0.1


def test_trained_weights_are_not_random() -> None:
    assert trust(Experiment(), 1.0, 0.1, trained=True).verdict == "fails"
