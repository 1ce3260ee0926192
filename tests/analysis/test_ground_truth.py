"""Published and measured outcomes: the gradient at the start of training, in decades.

The tables hold log10(||dL/dh_1|| / ||dL/dh_T||), the median over 20 seeds at H = 32, and its range
over those seeds where it is wide. A value outside its row would show users something false.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz import TASKS, Experiment, GradientFlow, gradient_flow
from tests.plain_rnn import Array

SEEDS = range(20)


def flow_on_batch(e: Experiment) -> GradientFlow:
    """The flow at the start of training over one batch of the experiment's own size."""
    return gradient_flow(e, batch=TASKS[e.task].sample(e, e.rng("probe")))


# (activation, init, gain): lowest and highest median that agrees with the measured one
RECALL = {
    ("tanh", "small-normal", 1.0): (-63.0, -58.0),
    ("tanh", "pytorch", 1.0): (-13.0, -5.7),
    ("tanh", "scaled-gaussian", 0.5): (-15.4, -13.4),
    ("tanh", "glorot", 1.0): (-2.0, 0.5),
    ("tanh", "scaled-gaussian", 2.0): (0.6, 3.5),
    ("tanh", "scaled-gaussian", 3.0): (3.8, 7.3),
    ("tanh", "orthogonal", 0.9): (-2.6, -2.4),
    ("tanh", "orthogonal", 1.0): (-0.8, -0.7),
    ("tanh", "orthogonal", 1.2): (0.4, 0.6),
    ("tanh", "orthogonal", 1.5): (1.3, 1.7),
    ("relu", "he", 1.0): (-1.0, 1.0),
    ("relu", "scaled-gaussian", 2.0): (2.9, 12.0),
    ("relu", "identity", 1.0): (-0.4, -0.2),
    ("relu", "orthogonal", 1.0): (-8.5, -7.3),
    ("linear", "orthogonal", 0.9): (-2.25, -2.24),
    ("linear", "orthogonal", 1.0): (-1e-9, 1e-9),
    ("linear", "orthogonal", 1.1): (2.02, 2.03),
}


@pytest.mark.parametrize(("activation", "init", "gain"), RECALL)
def test_decades_at_the_start_of_recall(activation: str, init: str, gain: float) -> None:
    e = Experiment(task="recall", seq_len=50, noise=0.1, activation=activation, init=init, gain=gain)
    decades = [flow_on_batch(replace(e, seed=seed)).decades for seed in SEEDS]
    low, high = RECALL[activation, init, gain]
    assert low <= np.median(decades) <= high, sorted(decades)


@pytest.mark.parametrize("gain", [0.5, 0.9, 1.0, 1.1, 2.0])
def test_linear_orthogonal_error_changes_by_exactly_the_gain_per_step(gain: float) -> None:
    for seed in range(3):
        flow = flow_on_batch(
            Experiment(activation="linear", init="orthogonal", gain=gain, seq_len=100, seed=seed)
        )
        np.testing.assert_allclose(flow.total[:-1] / flow.total[1:], gain, rtol=1e-12)
        assert flow.decades == pytest.approx(99 * np.log10(gain), abs=1e-10)


def factor_per_step(e: Experiment, input_std: Array) -> float:
    """Return the mean factor of ||dL/dh_t|| per step over lags 10 to 90, driven by N(0, std_t^2)."""
    rng, H = e.rng("probe"), e.hidden_size
    params = e.init(e.rng("weights"))
    W_xh = rng.normal(0.0, 1.0 / np.sqrt(H), (H, H))
    driven = replace(params, layers=(replace(params.layers[0], W_xh=W_xh),))
    inputs = rng.standard_normal((e.seq_len, e.batch_size, H)) * input_std[:, None, None]
    flow = gradient_flow(
        e, driven, TASKS[e.task].as_batch(e, inputs, rng.integers(e.symbols, size=inputs.shape[:2]))
    )
    return float(np.exp(np.log(flow.lag_profile[90] / flow.lag_profile[10]) / 80))


# (activation, init, gain): factor per step without input after the first, and driven by N(0, 1), at
# H = 32; and how far the median of other 20 seeds may be off. Random matrices spread, orthogonal ones do not.
FACTORS = {
    ("tanh", "small-normal", 1.0): (0.062, 0.039, 0.1),
    ("tanh", "pytorch", 1.0): (0.598, 0.383, 0.05),
    ("tanh", "scaled-gaussian", 0.5): (0.546, 0.337, 0.1),
    ("tanh", "scaled-gaussian", 0.9): (0.943, 0.576, 0.05),
    ("tanh", "scaled-gaussian", 1.0): (0.944, 0.629, 0.1),
    ("tanh", "scaled-gaussian", 2.0): (1.059, 1.015, 0.1),
    ("tanh", "scaled-gaussian", 3.0): (1.207, 1.231, 0.1),
    ("tanh", "orthogonal", 0.9): (0.900, 0.575, 0.02),
    ("tanh", "orthogonal", 1.0): (0.988, 0.630, 0.02),
    ("tanh", "orthogonal", 1.5): (1.059, 0.860, 0.02),
    ("relu", "identity", 1.0): (1.000, 0.992, 0.005),
}


@pytest.mark.parametrize(("activation", "init", "gain"), FACTORS)
def test_factor_per_step_in_silence_and_under_input(activation: str, init: str, gain: float) -> None:
    # Orthogonal preserves a gradient only for weak input: .988 without input, .630 when driven.
    e = Experiment(seq_len=100, batch_size=16, activation=activation, init=init, gain=gain)
    in_silence, when_driven, tolerance = FACTORS[activation, init, gain]
    silence, driven = np.zeros(100), np.ones(100)
    silence[0] = 1.0
    for input_std, expected in ((silence, in_silence), (driven, when_driven)):
        factors = [factor_per_step(replace(e, seed=seed), input_std) for seed in SEEDS]
        assert np.median(factors) == pytest.approx(expected, rel=tolerance)


def test_many_outputs_hide_that_each_of_them_is_forgotten() -> None:
    # The total stays at .07 while the error of a single output decays by 13 decades in 10 steps.
    e = Experiment(task="echo", topology="many-to-many", seq_len=20, delay=3, init="small-normal")
    flows = [flow_on_batch(replace(e, seed=seed)) for seed in SEEDS]
    for t in (4, 10, 20):
        assert np.median([flow.total[t - 1] for flow in flows]) == pytest.approx(6.9e-2, rel=0.05)
    assert np.median([np.log10(flow.lag_profile[10]) for flow in flows]) == pytest.approx(
        np.log10(1.8e-13), abs=0.3
    )


def test_curves_reach_far_below_single_precision() -> None:
    flow = gradient_flow(Experiment(seq_len=100, init="small-normal"))
    assert flow.decades < -110.0
    assert (flow.total > 0.0).all()


def test_curves_do_not_stop_where_their_squares_underflow() -> None:
    # Norms of numbers below 1e-162 are not 0, although the squares of those numbers are.
    e = Experiment(activation="linear", init="orthogonal", gain=0.01, seq_len=140)
    flow = gradient_flow(e)
    np.testing.assert_allclose(flow.total[:-1] / flow.total[1:], 0.01, rtol=1e-9)


def test_gradient_at_start_is_largest_singular_value_at_most() -> None:
    # Pascanu, Mikolov & Bengio 2013, section 2.1: a factor of at most gamma * lambda_1 per step.
    for activation, max_derivative in (("tanh", 1.0), ("sigmoid", 0.25)):
        e = Experiment(activation=activation, init="scaled-gaussian", gain=2.0, seq_len=30)
        largest = np.linalg.norm(e.init(e.rng("weights")).layers[0].W_hh, 2)
        flow = gradient_flow(e)
        assert (flow.total[:-1] / flow.total[1:]).max() <= max_derivative * largest
