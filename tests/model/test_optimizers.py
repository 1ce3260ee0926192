"""Update rules against numbers worked out by hand, closed forms, and PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnnviz import OPTIMIZERS, clip_by_norm
from rnnviz.model.optimizers import Moments
from tests.plain_rnn import Array

RATE = 0.1

# The first two changes of one parameter with gradients 2, then 1, at a learning rate of .1, by hand.
BY_HAND = {
    "sgd": (-0.2, -0.1),
    "momentum": (-0.2, -0.1 * (0.9 * 2.0 + 1.0)),
    # mean square: .1 * 4 = .4, then .9 * .4 + .1 * 1 = .46
    "rmsprop": (-0.1 * 2.0 / np.sqrt(0.4), -0.1 * 1.0 / np.sqrt(0.46)),
    # corrected means: 2 and 4, then (.9 * .2 + .1) / .19 and (.999 * .004 + .001) / .001999
    "adam": (-0.1, -0.1 * (0.28 / 0.19) / np.sqrt(0.004996 / 0.001999)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_first_two_updates_by_hand(name: str) -> None:
    moments = Moments.zero(1)
    for gradient, expected in zip((2.0, 1.0), BY_HAND[name], strict=True):
        change, moments = OPTIMIZERS[name].update(np.array([gradient]), moments, RATE)
        assert change[0] == pytest.approx(expected, rel=1e-7)  # epsilon 1e-8 is left out by hand


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_is_pure_and_counts(name: str) -> None:
    gradient, moments = np.array([1.0, -2.0]), Moments(np.array([0.5, 0.5]), np.array([0.25, 0.25]), 3)
    before = gradient.copy(), moments.first.copy(), moments.second.copy()
    change, after = OPTIMIZERS[name].update(gradient, moments, RATE)
    again, _ = OPTIMIZERS[name].update(gradient, moments, RATE)
    np.testing.assert_array_equal(change, again)
    for now, then in zip((gradient, moments.first, moments.second), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert (moments.count, after.count) == (3, 4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_goes_against_the_gradient_and_nothing_moves_without_one(name: str) -> None:
    gradient = np.array([3.0, -0.2, 0.0])
    change, _ = OPTIMIZERS[name].update(gradient, Moments.zero(3), RATE)
    np.testing.assert_array_equal(np.sign(change), -np.sign(gradient))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_changes_are_proportional_to_the_learning_rate(name: str) -> None:
    gradient = np.array([3.0, -0.2])
    small, _ = OPTIMIZERS[name].update(gradient, Moments.zero(2), 0.01)
    large, _ = OPTIMIZERS[name].update(gradient, Moments.zero(2), 0.04)
    np.testing.assert_allclose(large, 4.0 * small, rtol=1e-14)


def changes(name: str, gradients: list[Array], rate: float = RATE) -> list[Array]:
    moments, taken = Moments.zero(len(gradients[0])), []
    for gradient in gradients:
        change, moments = OPTIMIZERS[name].update(gradient, moments, rate)
        taken.append(change)
    return taken


def test_momentum_under_a_constant_gradient_grows_to_ten_times_the_step() -> None:
    taken = changes("momentum", [np.ones(1)] * 200)
    velocities = (1.0 - 0.9 ** np.arange(1, 201)) / (1.0 - 0.9)  # the geometric series
    np.testing.assert_allclose(np.ravel(taken), -RATE * velocities, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_adam_under_a_constant_gradient_steps_by_the_learning_rate(size: float) -> None:
    taken = changes("adam", [np.array([size])] * 50)
    np.testing.assert_allclose(np.ravel(taken), -RATE, rtol=1e-4)


def test_rmsprop_under_a_constant_gradient_settles_at_the_learning_rate() -> None:
    taken = np.ravel(changes("rmsprop", [np.array([5.0])] * 300))
    np.testing.assert_allclose(taken, -RATE / np.sqrt(1.0 - 0.9 ** np.arange(1, 301)), rtol=1e-7)


def test_sgd_on_a_parabola_follows_its_closed_form() -> None:
    # L = c x^2 / 2: x_n = (1 - rate c)^n x_0
    x, c = 3.0, 4.0
    for n in range(1, 20):
        change, _ = OPTIMIZERS["sgd"].update(np.array([c * x]), Moments.zero(1), RATE)
        x += change[0]
        assert x == pytest.approx(3.0 * 0.6**n, rel=1e-12)


TORCH = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "rmsprop": ("RMSprop", {"alpha": 0.9}),
    "adam": ("Adam", {}),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_updates_agree_with_pytorch(name: str) -> None:
    torch: Any = pytest.importorskip("torch", reason="compares with torch.optim")
    kind, options = TORCH[name]
    rng = np.random.default_rng(0)
    gradients = [rng.standard_normal(20) * 10.0 ** rng.uniform(-4, 2) for _ in range(50)]
    weights = torch.zeros(20, dtype=torch.float64, requires_grad=True)
    theirs = getattr(torch.optim, kind)([weights], lr=RATE, **options)
    ours = np.zeros(20)
    for gradient, change in zip(gradients, changes(name, gradients), strict=True):
        weights.grad = torch.from_numpy(gradient)
        theirs.step()
        ours += change
        np.testing.assert_allclose(ours, weights.detach().numpy(), rtol=1e-10, atol=1e-12)


finite = arrays(np.float64, st.integers(1, 20), elements=st.floats(-1e6, 1e6))


@settings(max_examples=100, deadline=None, database=None)
@given(gradient=finite, threshold=st.floats(1e-3, 1e3))
def test_clipping_keeps_the_direction_and_bounds_the_norm(gradient: Array, threshold: float) -> None:
    before = gradient.copy()
    clipped, norm, clipped_norm = clip_by_norm(gradient, threshold)
    np.testing.assert_array_equal(gradient, before)
    assert norm == pytest.approx(np.sqrt(np.sum(gradient**2)), rel=1e-12, abs=1e-150)
    assert clipped_norm == pytest.approx(min(norm, threshold), rel=1e-12, abs=1e-150)
    assert np.linalg.norm(clipped) == pytest.approx(clipped_norm, rel=1e-12, abs=1e-150)
    np.testing.assert_allclose(clipped * norm, gradient * clipped_norm, rtol=1e-12, atol=1e-300)


def test_clipping_by_hand() -> None:
    clipped, norm, clipped_norm = clip_by_norm(np.array([3.0, -4.0]), 1.0)
    assert clipped == pytest.approx([0.6, -0.8], rel=1e-15)
    assert (norm, clipped_norm) == (5.0, 1.0)


@pytest.mark.parametrize("threshold", [None, 5.1])
def test_short_gradients_and_no_threshold_pass_unchanged(threshold: float | None) -> None:
    gradient = np.array([3.0, -4.0])
    clipped, norm, clipped_norm = clip_by_norm(gradient, threshold)
    np.testing.assert_array_equal(clipped, gradient)
    assert (norm, clipped_norm) == (5.0, 5.0)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_clipping_hides_no_overflow(bad: float) -> None:
    # Scaling by 1 / inf would turn an explosion into zeros and NaN and lose where it began.
    clipped, norm, clipped_norm = clip_by_norm(np.array([1.0, bad]), 1.0)
    assert not np.isfinite(norm)
    assert not np.isfinite(clipped_norm)
    np.testing.assert_array_equal(clipped, [1.0, bad])


def test_clipping_shortens_gradients_whose_square_would_overflow() -> None:
    clipped, norm, _ = clip_by_norm(np.array([3e200, 4e200]), 1.0)
    assert norm == pytest.approx(5e200)
    assert clipped == pytest.approx([0.6, 0.8])
