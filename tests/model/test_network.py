"""Parts of the network not covered by the gradient tests: losses, activations, parameters, rollout."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import ACTIVATIONS, CELLS, TASKS, Experiment
from rnnviz.model.arrays import Array
from rnnviz.model.losses import LOSSES, cross_entropy, squared_error
from tests.plain_rnn import PHI, StepByStep

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
    np.testing.assert_allclose(activation.derivative(h, np.empty_like(h)), slopes, atol=1e-15)
    in_place = POINTS.copy()
    assert activation.apply(in_place, in_place) is in_place
    np.testing.assert_array_equal(in_place, h)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_max_derivative_is_reached_and_never_passed(name: str) -> None:
    a = np.linspace(-5.0, 5.0, 10_001)
    activation = ACTIVATIONS[name]
    slope = activation.derivative(activation.apply(a, np.empty_like(a)), np.empty_like(a))
    assert slope.max() == pytest.approx(activation.max_derivative, abs=1e-12)
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
    params = e.init(np.random.default_rng(0))
    assert params.count == (3 * 5 + 25 + 5) + (layers - 1) * (25 + 25 + 5) + 5 * 3 + 3
    back = params.with_flat(params.flat())
    for one, other in zip(params.arrays(), back.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)
    vector = params.flat()
    vector[:] = 0.0
    assert params.layers[0].W_hh.any(), "flat() must not be a window into the weights"


def run_free_by_hand(e: Experiment, inputs: Array) -> Array:
    """Feed each output back, step by step."""
    params = e.init(e.rng("weights"))
    network, size = StepByStep(params, inputs.shape[1], e.cell, e.activation), params.b_y.size
    fed_back, outputs = np.zeros((inputs.shape[1], size)), []
    for t in range(e.seq_len):
        y = network.read(np.concatenate([inputs[t, :, :-size], fed_back], axis=1))
        outputs.append(y)
        chosen = np.eye(size)[y.argmax(axis=1)] if TASKS[e.task].loss.name == "cross-entropy" else y
        fed_back = chosen * e.masks.writes[t]
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
    e = Experiment(
        task=task, topology=topology, seq_len=12, feedback=True, layers=layers, hidden_size=8, cell=cell,
        activation=CELLS[cell].activations[0],
    )  # fmt: skip
    batch, params, network = e.sample(e.rng("probe"), 3), e.init(e.rng("weights")), e.network()
    free = e.answers(network, params, batch)
    np.testing.assert_allclose(free, run_free_by_hand(e, batch.inputs), atol=1e-12)
    teacher = batch.inputs.copy()
    teacher[:, :, -params.b_y.size :] = 7.0
    np.testing.assert_array_equal(e.answers(network, params, replace(batch, inputs=teacher)), free)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_single_steps_are_the_forward_pass(cell: str, layers: int) -> None:
    e = Experiment(
        task="sine", topology="many-to-many", seq_len=9, layers=layers, hidden_size=6, cell=cell,
        activation=CELLS[cell].activations[0],
    )  # fmt: skip
    batch, params, network = e.sample(e.rng("probe"), 3), e.init(e.rng("weights")), e.network()
    outputs, traces = network.forward(params, batch.inputs)
    states = network.zero_state(3)
    for t, x in enumerate(batch.inputs):
        y, states = network.step(params, x, states)
        np.testing.assert_allclose(y, outputs[t], rtol=1e-12, atol=1e-14)
    for state, trace in zip(states, traces, strict=True):
        for array, expected in zip(state, trace.states, strict=True):
            np.testing.assert_allclose(array, expected[-1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_errors_carried_step_by_step_are_those_of_the_whole_pass(cell: str) -> None:
    e = Experiment(seq_len=7, hidden_size=5, cell=cell, activation=CELLS[cell].activations[0])
    params, batch, network = e.init(e.rng("weights")), e.sample(e.rng("probe"), 3), e.network()
    _, (trace,) = network.forward(params, batch.inputs)
    rng = np.random.default_rng(0)
    error: list[Array | None] = [None] * 6 + [rng.standard_normal((3, 5))]
    (whole,) = network.backward(params, [trace], error)
    errors = (np.asarray(error[-1]), *(np.zeros((3, 5)) for _ in network.cell.state[1:]))
    summed = 0.0
    for t in reversed(range(7)):
        for carried, expected in zip(errors, whole.states, strict=True):
            np.testing.assert_allclose(carried, expected[t], rtol=1e-11, atol=1e-14)
        back = network.cell.vjp_step(params.layers[0], trace, t, errors)
        if back.into_recurrent is not None:
            summed += trace.hidden[t].T @ back.into_recurrent
        errors = back.earlier
    if network.cell.matrices:
        np.testing.assert_allclose(summed, whole.weights.W_hh, rtol=1e-11, atol=1e-14)


def test_running_free_without_feedback_is_the_forward_pass() -> None:
    e = Experiment()
    network, batch, params = e.network(), e.sample(e.rng("probe"), 3), e.init(e.rng("weights"))
    np.testing.assert_array_equal(e.answers(network, params, batch), network.forward(params, batch.inputs)[0])


def test_outputs_depend_on_the_past_only() -> None:
    e = Experiment(task="sine", topology="many-to-many", seq_len=10, layers=2)
    network = e.network()
    params, inputs = e.init(e.rng("weights")), TASKS["sine"].sample(e, e.rng("probe"), 2).inputs
    later = inputs.copy()
    later[6:] += 1.0
    before, after = network.forward(params, inputs)[0], network.forward(params, later)[0]
    np.testing.assert_array_equal(before[:6], after[:6])
    assert (before[6:] != after[6:]).any(axis=(1, 2)).all()


def test_samples_of_a_batch_do_not_see_each_other() -> None:
    e = replace(Experiment(), seq_len=8)
    network = e.network()
    params, inputs = e.init(e.rng("weights")), TASKS["recall"].sample(e, e.rng("probe"), 4).inputs
    together = network.forward(params, inputs)[0]
    alone = network.forward(params, inputs[:, 2:3])[0]
    np.testing.assert_allclose(together[:, 2:3], alone, atol=1e-14)
