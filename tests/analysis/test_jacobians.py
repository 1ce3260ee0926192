"""Singular values of ds_T/ds_t, and Lyapunov exponents, against closed forms and other computations."""

from __future__ import annotations

from decimal import Decimal, getcontext

import numpy as np
import pytest

from rnnviz import CELLS, Experiment, Network, gradient_flow, lyapunov_exponents, state_jacobians
from rnnviz.analysis.gradient_flow import probe, probe_batch
from rnnviz.analysis.jacobians import LayerPath, layer_path, orthogonalised
from rnnviz.analysis.lyapunov import LyapunovExponents
from rnnviz.model.arrays import Array
from rnnviz.model.cells.base import zero_state
from rnnviz.model.network import Params

RECURRENT = [name for name, cell in CELLS.items() if cell.recurrent]


def path_of(e: Experiment, layer: int = -1) -> LayerPath:
    return layer_path(e.network(), e.init(e.rng("weights")), probe_batch(e).inputs[:, 0], layer)


def matrices(e: Experiment) -> list[Array]:
    """ds_{t+1}/ds_t of the probe's first sequence, (S, S) each, for t = 1..T-1."""
    path = path_of(e)
    return [path.back(t, np.eye(path.size)).T for t in range(1, e.seq_len)]


def layers_of(e: Experiment, W_hh: Array) -> Params:
    params = e.init(e.rng("weights"))
    params.layers[0].W_hh[:] = W_hh
    return params


# The Jacobian of one step


@pytest.mark.parametrize("cell", RECURRENT)
def test_the_jacobian_of_a_step_is_that_of_central_differences(cell: str) -> None:
    e = Experiment(cell=cell, seq_len=6, hidden_size=4)
    network, params, path, t, nudge = e.network(), e.init(e.rng("weights")), path_of(e), 4, 1e-6
    x = probe_batch(e).inputs[t, :1]
    before = [states[t] for states in path.trace.states]

    def after(direction: Array) -> Array:
        state = [part.copy() for part in before]
        for number, i in enumerate(path.carried):
            state[i] = state[i] + direction[4 * number : 4 * number + 4]
        stepped = network.cell.step(params.layers[0], x, tuple(state))
        return np.concatenate([stepped[i][0] for i in path.carried])

    columns = [(after(nudge * unit) - after(-nudge * unit)) / (2 * nudge) for unit in np.eye(path.size)]
    np.testing.assert_allclose(matrices(e)[t - 1], np.array(columns).T, atol=1e-8)


@pytest.mark.parametrize(("cell", "size"), [("vanilla", 32), ("gru", 32), ("lstm", 64), ("lru", 64)])
def test_the_whole_state_counts_and_nothing_that_is_only_read_out(cell: str, size: int) -> None:
    assert state_jacobians(Experiment(cell=cell, seq_len=3)).powers.shape == (3, size)


# Singular values


@pytest.mark.parametrize("cell", RECURRENT)
def test_over_few_steps_they_are_those_of_the_product(cell: str) -> None:
    e = Experiment(cell=cell, seq_len=6, hidden_size=6)
    product, found = np.eye(path_of(e).size), state_jacobians(e).singular_values
    np.testing.assert_array_equal(found[-1], 1.0)
    for t, J in reversed(list(enumerate(matrices(e), start=1))):
        product = product @ J
        expected = np.linalg.svd(product, compute_uv=False)
        np.testing.assert_allclose(found[t - 1], expected, rtol=1e-6, atol=1e-13 * expected[0])


def exact_powers(product: list[list[Decimal]]) -> tuple[float, float]:
    """log10 of both singular values of a (2, 2) matrix, from trace and determinant of A^T A."""
    (a, b), (c, d) = product
    square, det = a * a + b * b + c * c + d * d, abs(a * d - b * c)
    larger = ((square + (square * square - 4 * det * det).sqrt()) / 2).sqrt()
    return float(larger.log10()), float((det / larger).log10())


@pytest.mark.parametrize("init", ["glorot", "small-normal"])
def test_over_200_steps_they_are_those_of_a_product_in_500_digits(init: str) -> None:
    getcontext().prec = 500
    e = Experiment(init=init, seq_len=200, hidden_size=2)
    found = state_jacobians(e).powers
    product = [[Decimal(1), Decimal(0)], [Decimal(0), Decimal(1)]]
    for t, J in reversed(list(enumerate(matrices(e), start=1))):
        exact = [[Decimal(float(entry)) for entry in row] for row in J]
        product = [
            [sum((row[k] * exact[k][j] for k in range(2)), Decimal(0)) for j in range(2)] for row in product
        ]
        np.testing.assert_allclose(found[t - 1], exact_powers(product), atol=1e-9)
    assert found[0, 1] < -60, "a naive product loses all below 1e-16 of the largest"
    assert found[0, 1] < found[0, 0] - 16


@pytest.mark.parametrize("cell", ["vanilla", "lstm", "gru", "antisymmetric"])
def test_over_200_steps_their_product_is_the_determinant(cell: str) -> None:
    e = Experiment(cell=cell, init=CELLS[cell].inits[-1], seq_len=200)
    sizes = [np.linalg.slogdet(J)[1] / np.log(10.0) for J in matrices(e)]
    expected = np.cumsum(sizes[::-1])[::-1]
    np.testing.assert_allclose(state_jacobians(e).powers[:-1].sum(axis=1), expected, rtol=1e-9, atol=1e-5)


def test_the_smallest_of_200_steps_is_the_largest_of_the_way_forward_through_inverses() -> None:
    e = Experiment(init="glorot", seq_len=200, hidden_size=8)
    product, scale, found = np.eye(8), 0.0, state_jacobians(e).powers
    for t, J in reversed(list(enumerate(matrices(e), start=1))):
        product = np.linalg.inv(J) @ product
        largest = np.linalg.norm(product, 2)
        product, scale = product / largest, scale + np.log10(largest)
        assert found[t - 1, -1] == pytest.approx(-scale, abs=1e-6)
    assert found[0, -1] < -100


def test_of_diagonal_jacobians_they_are_the_products_of_the_diagonals() -> None:
    """LRU: each eigenvalue twice (real and imaginary part). minGRU: 1 - z."""
    lru = Experiment(cell="lru", seq_len=150)
    moduli = np.abs(lru.init(lru.rng("weights")).layers[0].eigenvalues)
    expected = np.sort(np.repeat(149 * np.log10(moduli), 2))[::-1]
    np.testing.assert_allclose(state_jacobians(lru).powers[0], expected, atol=1e-9)
    gru = Experiment(cell="mingru", seq_len=150)
    kept = np.log10(1.0 - gru.network().cell.gates(path_of(gru).trace)["write"][1:, 0]).sum(axis=0)
    np.testing.assert_allclose(state_jacobians(gru).powers[0], np.sort(kept)[::-1], atol=1e-9)


def test_what_is_beyond_the_range_of_floating_point_is_kept_as_a_power_of_ten() -> None:
    e = Experiment(activation="linear", seq_len=200, hidden_size=3)
    diagonal = np.array([1.0, 1e-2, 1e-4])
    found = state_jacobians(e, layers_of(e, np.diag(diagonal)))
    np.testing.assert_allclose(found.powers[0], 199 * np.log10(diagonal), atol=1e-9)
    assert list(found.singular_values[0]) == [1.0, 0.0, 0.0], "below 1e-323 a float is 0"


def test_units_that_are_off_and_weights_of_zero_leave_exact_zeros() -> None:
    relu = Experiment(activation="relu", init="he", seq_len=12)
    on = path_of(relu).trace.hidden[2:, 0] > 0
    ranks = np.isfinite(state_jacobians(relu).powers).sum(axis=1)
    assert np.all(ranks[:-1] <= np.minimum.accumulate(on.sum(axis=1)[::-1])[::-1])
    assert np.all(np.diff(ranks) >= 0), "the rank of a product falls with every factor"
    assert 0 < ranks[0] < 32
    nothing = Experiment(init="scaled-gaussian", gain=0.0, seq_len=5)
    assert np.all(state_jacobians(nothing).powers[:-1] == -np.inf)
    feed_forward = state_jacobians(Experiment(cell="feed-forward", seq_len=5))
    assert list(feed_forward.within) == [0, 0, 0, 0, 32]


def test_what_the_norm_hides() -> None:
    """Glorot: the gradient reads healthy, and 4 of 32 directions lie within two decades; orthogonal: all."""
    e = Experiment(init="glorot", seq_len=50)
    assert gradient_flow(e).verdict == "healthy"
    medians = np.median([state_jacobians(e, sequence=i).powers[0] for i in range(16)], axis=0)
    assert (medians >= medians[0] - 2.0).sum() == 4
    assert np.median(medians) == pytest.approx(-10.0, abs=0.5)
    assert 3 <= state_jacobians(e).within[0] <= 7
    kept = state_jacobians(e.replace(init="orthogonal"))
    assert gradient_flow(e.replace(init="orthogonal")).verdict == "healthy"
    assert kept.within[0] >= 31


def test_no_error_shrinks_or_grows_by_more_than_the_singular_values() -> None:
    e = Experiment(init="glorot", seq_len=50)
    seen = probe(e)
    (error,) = seen.state_errors(seen.dL_dy)[0]
    sizes = np.linalg.norm(error[:, 0], axis=1)
    found = state_jacobians(e).singular_values
    assert np.all(sizes <= found[:, 0] * sizes[-1] * (1 + 1e-9))
    assert np.all(sizes >= found[:, -1] * sizes[-1])


def test_of_several_layers_the_others_are_held() -> None:
    """The lower layer's own path is that of a network which has no other."""
    two = Experiment(layers=2, seq_len=10, init="glorot")
    params = two.init(two.rng("weights"))
    lower = Params(params.layers[:1], params.W_hy, params.b_y)
    alone = state_jacobians(two.replace(layers=1), lower, probe_batch(two))
    np.testing.assert_array_equal(state_jacobians(two, layer=0).powers, alone.powers)
    assert not np.array_equal(state_jacobians(two).powers, alone.powers)


def test_a_single_step_has_nothing_before_it() -> None:
    one = state_jacobians(Experiment(task="digits", topology="one-to-one", seq_len=1))
    assert one.powers.tolist() == [[0.0] * 32]


def test_what_has_no_jacobian_gets_a_sentence() -> None:
    e = Experiment(seq_len=8)
    params = e.init(e.rng("weights"))
    params.layers[0].W_hh[:] = np.nan
    for measure in (state_jacobians, lyapunov_exponents):
        with pytest.raises(ValueError, match="The states overflowed"):
            measure(e, params)
        with pytest.raises(ValueError, match="needs weights and a batch"):
            measure(e.network(), params)
    with pytest.raises(ValueError, match="The states overflowed"):
        orthogonalised(np.full((2, 2), np.inf))
    with pytest.raises(ValueError, match="steps must be 10 or more"):
        lyapunov_exponents(e, steps=5)


def test_of_a_large_state_only_some_steps_are_decomposed() -> None:
    e = Experiment(seq_len=50)
    every, some = state_jacobians(e), state_jacobians(e, most=8)
    assert list(some.steps) == [1, 8, 15, 22, 29, 36, 43, 50]
    np.testing.assert_array_equal(some.powers, every.powers[some.steps - 1])


# Lyapunov exponents


def linear(W_hh: Array, **options: int) -> LyapunovExponents:
    e = Experiment(activation="linear", seq_len=10, hidden_size=len(W_hh))
    return lyapunov_exponents(e, layers_of(e, W_hh), **options)


def test_those_of_a_linear_network_are_the_logarithms_of_its_eigenvalues() -> None:
    rng = np.random.default_rng(0)
    basis, values = rng.standard_normal((5, 5)), np.array([1.05, -0.9, 0.7, 0.3, -0.1])
    found = linear(basis @ np.diag(values) @ np.linalg.inv(basis), steps=200)
    np.testing.assert_allclose(found.exponents, np.log(np.abs(values)), atol=1e-9)
    assert np.all(found.error < 1e-9), "each step is like the one before"
    assert linear(np.diag(values), count=2).exponents == pytest.approx(np.log([1.05, 0.9]))


def test_an_orthogonal_linear_network_has_none_but_zero() -> None:
    e = Experiment(activation="linear", seq_len=10)
    np.testing.assert_allclose(lyapunov_exponents(e).exponents, 0.0, atol=1e-12)


def test_near_rest_tanh_has_those_of_its_matrix() -> None:
    e = Experiment(noise=0.0, seq_len=100, init="scaled-gaussian", gain=0.9)
    params = e.init(e.rng("weights"))
    params.layers[0].W_xh[:] *= 1e-6
    found = lyapunov_exponents(e, params)
    moduli = np.sort(np.abs(np.linalg.eigvals(params.layers[0].W_hh)))[::-1]
    np.testing.assert_allclose(found.exponents, np.log(moduli), atol=0.01)


def test_those_of_an_lru_are_its_eigenvalues_twice() -> None:
    e = Experiment(cell="lru", seq_len=30)
    moduli = np.abs(e.init(e.rng("weights")).layers[0].eigenvalues)
    found = lyapunov_exponents(e)
    np.testing.assert_allclose(found.exponents, np.sort(np.repeat(np.log(moduli), 2))[::-1], atol=1e-12)


def test_the_largest_is_the_rate_at_which_two_near_states_part() -> None:
    e = Experiment(init="scaled-gaussian", gain=3.0, seq_len=50)
    network, params = e.network(), e.init(e.rng("weights"))
    inputs = e.sample(e.rng("held-out"), 40).inputs.swapaxes(0, 1).reshape(2000, 1, -1)
    state, growth, rng = zero_state(network.cell, 1, 32)[0], [], np.random.default_rng(0)
    gap = rng.standard_normal((1, 32))
    for x in inputs:
        gap *= 1e-8 / np.linalg.norm(gap)
        ((near,), (state,)) = (network.cell.step(params.layers[0], x, (h,)) for h in (state + gap, state))
        gap = near - state
        growth.append(np.log(np.linalg.norm(gap) / 1e-8))
    found = lyapunov_exponents(e)
    assert found.exponents[0] > 0, "chaos"
    assert found.exponents[0] == pytest.approx(np.mean(growth[100:]), abs=4 * found.error[0] + 0.01)
    assert 0 < found.error[0] < 0.05


def test_the_mean_of_all_is_the_mean_of_the_determinants() -> None:
    e = Experiment(cell="gru", seq_len=20)
    batch = probe_batch(e)
    found = lyapunov_exponents(e, batch=batch, steps=120, transient=40)
    again = lyapunov_exponents(e.network(), e.init(e.rng("weights")), batch, steps=120, transient=40)
    np.testing.assert_array_equal(found.exponents, again.exponents)
    inputs = batch.inputs.swapaxes(0, 1).reshape(-1, batch.inputs.shape[-1])[:200]
    path = layer_path(e.network(), e.init(e.rng("weights")), inputs, -1)
    sizes = [np.linalg.slogdet(path.back(t, np.eye(32)))[1] for t in range(40, 160)]
    assert found.exponents.sum() == pytest.approx(np.mean(sizes), rel=1e-9)


def test_a_short_batch_is_repeated() -> None:
    network = Network(input_size=2, hidden_size=4, output_size=1)
    e = Experiment(seq_len=5, symbols=2, hidden_size=4)
    batch = probe_batch(e)
    params = e.init(e.rng("weights"))
    assert network.input_size == batch.inputs.shape[-1]
    found = lyapunov_exponents(network, params, batch, steps=400, transient=0)
    assert found.steps == 400
    assert found.error.max() < lyapunov_exponents(network, params, batch, steps=40).error.max()


def test_directions_that_are_lost_have_an_exponent_of_minus_infinity() -> None:
    assert list(linear(np.diag([0.5, 0.0, 0.2])).exponents) == pytest.approx(
        [np.log(0.5), np.log(0.2), -np.inf]
    )
    assert np.all(lyapunov_exponents(Experiment(cell="feed-forward")).exponents == -np.inf)
    off = lyapunov_exponents(Experiment(activation="relu", init="he"))
    assert not np.isnan(off.exponents).any()
    assert off.exponents[-1] == -np.inf


@pytest.mark.parametrize(
    ("exponents", "size", "dimension"),
    [
        ([-0.1, -1.0], 2, 0.0),
        ([0.5, -1.0], 2, 1.5),
        ([0.906, 0.0, -14.572], 3, 2.0622),  # Lorenz's own system
        ([0.5, 0.1], 2, np.inf),
        ([0.5, 0.1], 3, np.nan),
        ([0.5, -np.inf], 2, 1.0),
        ([-np.inf], 1, 0.0),
    ],
)
def test_the_kaplan_yorke_dimension(exponents: list[float], size: int, dimension: float) -> None:
    found = LyapunovExponents(np.array(exponents), np.zeros(len(exponents)), 500, size)
    assert found.dimension == pytest.approx(dimension, abs=1e-3, nan_ok=True)
