"""Pieces of the network that gradients do not reach: losses, activations, parameters, running free."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import ACTIVATIONS, CELLS, TASKS, Experiment, Network
from rnnviz.model.losses import LOSSES, cross_entropy, squared_error
from tests.plain_rnn import PHI, Array

POINTS = np.array([-800.0, -3.0, -0.5, 0.0, 0.5, 3.0, 800.0])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_and_slope_by_formula(name: str) -> None:
    by_formula: dict[str, tuple[Any, Any]] = {
        "tanh": ([math.tanh(a) for a in POINTS], [1.0 - math.tanh(a) ** 2 for a in POINTS]),
        "relu": ([max(a, 0.0) for a in POINTS], [float(a > 0.0) for a in POINTS]),
        "sigmoid": ([0.0, *(1.0 / (1.0 + math.exp(-a)) for a in POINTS[1:])], None),
        "linear": (POINTS, [1.0] * len(POINTS)),
    }
    values, slopes = by_formula[name]
    slopes = [s * (1.0 - s) for s in values] if slopes is None else slopes
    activation = ACTIVATIONS[name]
    h = activation.apply(POINTS.copy(), np.empty_like(POINTS))
    np.testing.assert_allclose(h, values, atol=1e-15)
    np.testing.assert_allclose(activation.slope(h, np.empty_like(h)), slopes, atol=1e-15)
    in_place = POINTS.copy()
    assert activation.apply(in_place, in_place) is in_place
    np.testing.assert_array_equal(in_place, h)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_max_slope_is_reached_and_never_passed(name: str) -> None:
    a = np.linspace(-5.0, 5.0, 10_001)
    activation = ACTIVATIONS[name]
    slope = activation.slope(activation.apply(a, np.empty_like(a)), np.empty_like(a))
    assert slope.max() == pytest.approx(activation.max_slope, abs=1e-12)
    smooth = np.abs(a[1:]) > 1e-2  # without the kink of ReLU
    rise = np.diff(PHI[name](a)) / np.diff(a)
    np.testing.assert_allclose(rise[smooth], ((slope[1:] + slope[:-1]) / 2)[smooth], atol=1e-6)


def test_cross_entropy_by_hand() -> None:
    # softmax([ln 1, ln 3]) = (1/4, 3/4)
    outputs = np.log([[[1.0, 3.0], [1.0, 3.0]]])
    loss, gradient = cross_entropy(outputs, np.array([[0, 1]]))
    assert loss == pytest.approx(-(math.log(0.25) + math.log(0.75)) / 2)
    np.testing.assert_allclose(gradient, np.array([[[-0.75, 0.75], [0.25, -0.25]]]) / 2)


def test_cross_entropy_of_extreme_outputs_stays_finite() -> None:
    loss, gradient = cross_entropy(np.array([[[1e300, -1e300, 0.0]]]), np.array([[0]]))
    assert loss == 0.0
    np.testing.assert_array_equal(gradient, 0.0)
    loss, gradient = cross_entropy(np.array([[[1000.0, 0.0]]]), np.array([[1]]))
    assert loss == 1000.0
    np.testing.assert_array_equal(gradient, [[[1.0, -1.0]]])


def test_squared_error_by_hand() -> None:
    targets = np.array([[[0.0, 0.0]], [[0.0, 2.0]]])
    loss, gradient = squared_error(np.array([[[1.0, 2.0]], [[0.0, 0.0]]]), targets)
    assert loss == (1.0 + 4.0 + 4.0) / 4
    np.testing.assert_array_equal(gradient, [[[0.5, 1.0]], [[0.0, -1.0]]])


def test_what_a_loss_feeds_back() -> None:
    outputs = np.array([[0.1, 3.0, -1.0], [5.0, 3.0, -1.0]])
    np.testing.assert_array_equal(LOSSES["cross-entropy"].decide(outputs), [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(LOSSES["squared-error"].decide(outputs), outputs)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_parameters_go_into_a_vector_and_come_back(layers: int) -> None:
    e = Experiment(layers=layers, hidden_size=5, symbols=3)
    params = Network(e).init(np.random.default_rng(0))
    assert params.count == (3 * 5 + 25 + 5) + (layers - 1) * (25 + 25 + 5) + 5 * 3 + 3
    back = params.with_flat(params.flat())
    for one, other in zip(params.arrays(), back.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)
    vector = params.flat()
    vector[:] = 0.0
    assert params.layers[0].W_hh.any(), "flat() must not be a window into the weights"


def run_free_by_hand(e: Experiment, inputs: Array) -> Array:
    """Feed each output back, step by step, with plain Python state."""
    network = Network(e)
    params = network.init(e.rng("weights"))
    size, phi = params.b_y.size, PHI[e.activation]
    states = [np.zeros((inputs.shape[1], e.hidden_size)) for _ in params.layers]
    fed_back, outputs = np.zeros((inputs.shape[1], size)), []
    for t in range(e.seq_len):
        below = np.concatenate([inputs[t, :, :-size], fed_back], axis=1)
        for i, w in enumerate(params.layers):
            below = states[i] = phi(below @ w.W_xh + states[i] @ w.W_hh + w.b_h)
        y = below @ params.W_hy + params.b_y
        outputs.append(y)
        chosen = np.eye(size)[y.argmax(axis=1)] if network.task.loss.name == "cross-entropy" else y
        fed_back = chosen * network.masks.writes[t]
    return np.array(outputs)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(
    ("task", "topology"),
    [
        ("sine", "many-to-many"),
        ("echo", "many-to-many"),
        ("copy", "sequence-to-sequence"),
        ("waves", "one-to-many"),
    ],
)
def test_running_free_feeds_back_its_own_outputs(task: str, topology: str, layers: int, cell: str) -> None:
    e = Experiment(task=task, topology=topology, seq_len=12, feedback=True, layers=layers, hidden_size=8)
    e = replace(e, cell=cell)
    inputs = TASKS[task].sample(e, e.rng("probe"), 3).inputs
    network = Network(e)
    params = network.init(e.rng("weights"))
    free = network.free_run(params, inputs)
    np.testing.assert_allclose(free, run_free_by_hand(e, inputs), atol=1e-12)
    teacher = inputs.copy()
    teacher[:, :, -params.b_y.size :] = 7.0
    np.testing.assert_array_equal(network.free_run(params, teacher), free)


def test_running_free_without_feedback_is_the_forward_pass() -> None:
    e = Experiment()
    network, inputs = Network(e), TASKS["recall"].sample(e, e.rng("probe"), 3).inputs
    params = network.init(e.rng("weights"))
    np.testing.assert_array_equal(network.free_run(params, inputs), network.forward(params, inputs)[0])


def test_outputs_depend_on_the_past_only() -> None:
    e = Experiment(task="sine", topology="many-to-many", seq_len=10, layers=2)
    network = Network(e)
    params, inputs = network.init(e.rng("weights")), TASKS["sine"].sample(e, e.rng("probe"), 2).inputs
    later = inputs.copy()
    later[6:] += 1.0
    before, after = network.forward(params, inputs)[0], network.forward(params, later)[0]
    np.testing.assert_array_equal(before[:6], after[:6])
    assert (before[6:] != after[6:]).any(axis=(1, 2)).all()


def test_samples_of_a_batch_do_not_see_each_other() -> None:
    e = replace(Experiment(), seq_len=8)
    network = Network(e)
    params, inputs = network.init(e.rng("weights")), TASKS["recall"].sample(e, e.rng("probe"), 4).inputs
    together = network.forward(params, inputs)[0]
    alone = network.forward(params, inputs[:, 2:3])[0]
    np.testing.assert_allclose(together[:, 2:3], alone, atol=1e-14)
