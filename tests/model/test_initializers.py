"""Recurrent matrices have the distribution that their formula states."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnnviz import INITIALIZERS, Experiment
from rnnviz.model.initializers import MATRICES, glorot_uniform, orthogonal
from tests.plain_rnn import Array


def draw(name: str, size: int, gain: float = 1.0, seed: int = 0) -> Array:
    return INITIALIZERS[name].draw(np.random.default_rng(seed), size, gain)


# (name, gain) -> standard deviation of an entry of an (n, n) matrix; uniform U(-a, a) has a / sqrt 3
DEVIATIONS: dict[tuple[str, float], Callable[[int], float]] = {
    ("small-normal", 1.0): lambda n: 0.01,
    ("glorot", 1.0): lambda n: np.sqrt(1.0 / n),  # a = sqrt(6 / 2n)
    ("he", 1.0): lambda n: np.sqrt(2.0 / n),
    ("pytorch", 1.0): lambda n: 1.0 / np.sqrt(3.0 * n),  # a = 1 / sqrt n: gain .577
    ("scaled-gaussian", 1.0): lambda n: 1.0 / np.sqrt(n),
    ("scaled-gaussian", 3.0): lambda n: 3.0 / np.sqrt(n),
    ("orthogonal", 1.0): lambda n: 1.0 / np.sqrt(n),
    ("orthogonal", 1.5): lambda n: 1.5 / np.sqrt(n),
}


@pytest.mark.parametrize("n", [100, 300])
@pytest.mark.parametrize(("name", "gain"), DEVIATIONS)
def test_entries_have_mean_zero_and_the_deviation_of_the_formula(name: str, gain: float, n: int) -> None:
    matrix, sigma = draw(name, n, gain), DEVIATIONS[name, gain](n)
    assert matrix.mean() == pytest.approx(0.0, abs=5.0 * sigma / n)  # five standard errors of n^2 entries
    assert matrix.std() == pytest.approx(sigma, rel=5.0 / n)


@pytest.mark.parametrize(("name", "limit"), [("glorot", np.sqrt(6.0 / 200.0)), ("pytorch", 0.1)])
def test_uniform_entries_fill_their_interval(name: str, limit: float) -> None:
    matrix = draw(name, 100)
    assert 0.99 * limit < matrix.max() <= limit
    assert -0.99 * limit > matrix.min() >= -limit
    # Evenly: a tenth of the entries in each tenth of the interval, within five standard errors.
    counts, _ = np.histogram(matrix, bins=10, range=(-limit, limit))
    assert np.abs(counts - 1000).max() < 5.0 * np.sqrt(1000 * 0.9)


@pytest.mark.parametrize("name", ["small-normal", "he", "scaled-gaussian"])
def test_normal_entries_have_no_heavy_or_missing_tails(name: str) -> None:
    z = draw(name, 200).ravel()
    z = z / z.std()
    for threshold, share in ((1.0, 0.3173), (2.0, 0.0455), (3.0, 0.0027)):
        error = 5.0 * np.sqrt(share / z.size)
        assert np.mean(np.abs(z) > threshold) == pytest.approx(share, abs=error)


@pytest.mark.parametrize("gain", [0.0, 0.9, 1.0, 1.5])
@pytest.mark.parametrize("n", [2, 3, 32, 128])
def test_orthogonal_is_gain_times_a_rotation_or_reflection(n: int, gain: float) -> None:
    matrix = draw("orthogonal", n, gain)
    np.testing.assert_allclose(matrix.T @ matrix, gain**2 * np.eye(n), atol=1e-13)


def test_orthogonal_is_uniform_over_all_orthogonal_matrices() -> None:
    # Without the signs of diag R, LAPACK's QR gives a biased first entry and too few rotations.
    many = [draw("orthogonal", 2, seed=seed) for seed in range(2000)]
    rotations = np.mean([np.linalg.det(matrix) > 0.0 for matrix in many])
    assert rotations == pytest.approx(0.5, abs=5.0 * 0.5 / np.sqrt(2000))
    angles = np.array([np.arctan2(matrix[1, 0], matrix[0, 0]) for matrix in many])
    for order in (1, 2, 3, 4):
        assert abs(np.exp(1j * order * angles).mean()) < 4.0 / np.sqrt(2000)


@pytest.mark.parametrize("gain", [0.0, 0.5, 1.0])
def test_identity_is_gain_times_one(gain: float) -> None:
    np.testing.assert_array_equal(draw("identity", 5, gain), gain * np.eye(5))


@pytest.mark.parametrize("name", MATRICES)
def test_gain_matters_exactly_where_the_registry_says_so(name: str) -> None:
    ratio = draw(name, 8, gain=2.0)[0, 0] / draw(name, 8, gain=1.0)[0, 0]
    assert ratio == pytest.approx(2.0 if INITIALIZERS[name].has_gain else 1.0, rel=1e-14)


@pytest.mark.parametrize("name", MATRICES)
def test_only_the_given_generator_decides(name: str) -> None:
    np.testing.assert_array_equal(draw(name, 6, seed=3), draw(name, 6, seed=3))
    if name != "identity":
        assert not np.array_equal(draw(name, 6, seed=3), draw(name, 6, seed=4))


def test_glorot_counts_rows_and_columns() -> None:
    matrix = glorot_uniform(np.random.default_rng(0), 50, 200)
    assert matrix.shape == (50, 200)
    limit = np.sqrt(6.0 / 250.0)
    assert 0.99 * limit < np.abs(matrix).max() <= limit


@pytest.mark.parametrize("layers", [1, 3])
def test_a_network_starts_with_the_chosen_matrix_and_without_biases(layers: int) -> None:
    e = Experiment(init="orthogonal", gain=1.2, layers=layers, hidden_size=16, symbols=5)
    params = e.init(e.rng("weights"))
    assert len(params.layers) == layers
    for i, layer in enumerate(params.layers):
        inputs = 5 if i == 0 else 16
        np.testing.assert_allclose(layer.W_hh.T @ layer.W_hh, 1.44 * np.eye(16), atol=1e-13)
        assert layer.W_xh.shape == (inputs, 16)
        assert np.abs(layer.W_xh).max() <= np.sqrt(6.0 / (inputs + 16))
        assert not layer.b_h.any()
    assert params.W_hy.shape == (16, 5)
    assert np.abs(params.W_hy).max() <= np.sqrt(6.0 / 21)
    assert not params.b_y.any()


def test_orthogonal_matrices_of_two_layers_differ() -> None:
    e = Experiment(layers=2)
    first, second = e.init(e.rng("weights")).layers
    assert not np.allclose(first.W_hh, second.W_hh)


def test_orthogonal_draws_a_matrix_of_its_own_each_time() -> None:
    rng = np.random.default_rng(0)
    assert not np.allclose(orthogonal(rng, 4), orthogonal(rng, 4))
