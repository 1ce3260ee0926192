"""Every gradient shown in a figure is the derivative of the loss, computed in two other ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from autograd import grad
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rnnviz import CELLS, TASKS, Experiment, Params, gradient_flow, train
from rnnviz.model.cells import Workspace
from rnnviz.tasks import Batch
from rnnviz.training.updates import gradient_curve
from tests.plain_rnn import Array, Case, Weights, forward, weight_arrays

# One task for every valid pair of topology and loss; each allows T = 7, 8.
LAYOUTS: dict[str, dict[str, Any]] = {
    "one-to-one, cross-entropy": {"topology": "one-to-one", "task": "digits", "seq_len": 1},
    "one-to-many, squared error": {"topology": "one-to-many", "task": "waves"},
    "one-to-many, cross-entropy": {"topology": "one-to-many", "task": "captions"},
    "many-to-one, cross-entropy": {"topology": "many-to-one", "task": "recall"},
    "many-to-one, squared error": {"topology": "many-to-one", "task": "adding"},
    "many-to-many, cross-entropy": {"topology": "many-to-many", "task": "parity"},
    "many-to-many, some steps silent": {"topology": "many-to-many", "task": "echo", "delay": 3},
    "many-to-many, squared error": {"topology": "many-to-many", "task": "sine"},
    "sequence-to-sequence, cross-entropy": {"topology": "sequence-to-sequence", "task": "copy"},
}
MANY_OUTPUTS = [name for name, layout in LAYOUTS.items() if not layout["topology"].endswith("to-one")]

QUICK = settings(max_examples=4, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])

ROUNDING = 1e-13
"""A probability near 1 is rounded at 1e-16, and backpropagation amplifies that."""

shapes = st.fixed_dictionaries(
    {
        "layers": st.integers(1, 3),
        "seq_len": st.integers(7, 8),
        "hidden_size": st.integers(2, 6),
        "batch_size": st.integers(1, 4),
        "seed": st.integers(0, 10_000),
    }
)


def experiment(layout: str, **fields: Any) -> Experiment:
    cell = CELLS[fields.get("cell", "vanilla")]
    return Experiment(**{"activation": cell.activations[0], **fields, **LAYOUTS[layout]})


def random_weights(e: Experiment) -> Params:
    """Weights and biases at random values, not only initial ones."""
    rng = np.random.default_rng(e.seed)
    zero = e.init(rng)
    scale = 0.2 if e.cell == "lru" else 0.5  # beyond, autograd's derivative of tanh overflows
    return zero.with_flat(rng.normal(0.0, scale, zero.count))


def plainly(e: Experiment, params: Params, batch: Batch) -> Case:
    layers = [tuple(getattr(w, field.name) for field in fields(w)) for w in params.layers]
    targets = np.asarray(batch.targets)
    steps = [t for t, writes in enumerate(TASKS[e.task].masks(e).writes) if writes]
    weights: Weights = (layers, params.W_hy, params.b_y)
    return Case(weights, batch.inputs, targets, steps, e.activation, e.hidden_size, e.cell)


def drawn(e: Experiment) -> tuple[Params, Batch, Case]:
    params, batch = random_weights(e), TASKS[e.task].sample(e, np.random.default_rng(e.seed + 1))
    return params, batch, plainly(e, params, batch)


def moved(weights: Weights, changes: list[Array]) -> Weights:
    """The same weights with a change added to each array."""
    arrays = [array + change for array, change in zip(weight_arrays(weights), changes, strict=True)]
    size = len(weights[0][0])
    layers = [tuple(arrays[i : i + size]) for i in range(0, len(arrays) - 2, size)]
    return layers, arrays[-2], arrays[-1]


def away_from_kinks(case: Case, reach: float = 1e-4) -> bool:
    """Whether no ReLU is so close to 0 that a small change switches it."""
    pre_activations = forward(case.weights, case.inputs, case.no_nudges, case.activation, case.cell)[2]
    return case.activation != "relu" or min(np.abs(a).min() for a in pre_activations) > reach


def random_direction(rng: np.random.Generator, like: list[Array]) -> list[Array]:
    """A direction of length 1 through all arrays at once."""
    direction = [rng.standard_normal(array.shape) for array in like]
    length = np.sqrt(sum(np.sum(d * d) for d in direction))
    return [d / length for d in direction]


def along(gradients: Sequence[Array], direction: Sequence[Array]) -> float:
    """The directional derivative of a loss from its gradients."""
    return float(sum(np.sum(g * d) for g, d in zip(gradients, direction, strict=True)))


def central_difference(loss: Callable[[list[Array]], Any], direction: list[Array]) -> float:
    """The directional derivative of a loss from a central difference."""
    step = 1e-6
    ahead, behind = (loss([sign * step * d for d in direction]) for sign in (1.0, -1.0))
    return float(ahead - behind) / (2.0 * step)


def assert_gradients_are_derivatives(e: Experiment) -> None:
    params, batch, case = drawn(e)
    assume(away_from_kinks(case))
    result = e.network().loss_and_gradients(params, batch)

    outputs, states, _ = forward(case.weights, case.inputs, case.no_nudges, e.activation, e.cell)
    np.testing.assert_allclose(result.outputs, outputs, rtol=1e-11, atol=1e-11)
    for hidden, expected in zip(result.hidden, states, strict=True):
        np.testing.assert_allclose(hidden[1:], expected, rtol=1e-11, atol=1e-11)
        assert not hidden[0].any()
    assert result.loss == pytest.approx(case.loss(case.weights, case.no_nudges), rel=1e-12)

    of_weights, of_states = grad(case.loss, (0, 1))(case.weights, case.no_nudges)
    ours, theirs = result.gradients.arrays(), weight_arrays(of_weights)
    for number, (own, expected) in enumerate(zip(ours, theirs, strict=True)):
        scale, name = np.abs(expected).max(), f"array {number} of the weights"
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-11 * scale + ROUNDING, err_msg=name)
    for i, expected in enumerate(of_states):
        scale, own, name = np.abs(expected).max(), np.stack(result.state_gradients[i]), f"states of layer {i}"
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-11 * scale + ROUNDING, err_msg=name)
        np.testing.assert_array_equal(result.hidden_gradients[i], own[0])

    tolerance = 1e-8 * max(1.0, abs(result.loss))  # rounding of the loss over the width of the difference
    rng = np.random.default_rng(e.seed)
    through_weights = random_direction(rng, theirs)
    slope = central_difference(lambda by: case.loss(moved(case.weights, by), case.no_nudges), through_weights)
    assert along(ours, through_weights) == pytest.approx(slope, rel=2e-5, abs=tolerance)
    through_states = random_direction(rng, case.no_nudges)
    slope = central_difference(lambda by: case.loss(case.weights, by), through_states)
    of_all_states = along([np.stack(layer) for layer in result.state_gradients], through_states)
    assert of_all_states == pytest.approx(slope, rel=2e-5, abs=tolerance)


KINDS = [(name, activation) for name, cell in CELLS.items() for activation in cell.activations]
"""Cells with their valid activations."""


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_gradients_are_the_derivatives_of_the_loss(cell: str, activation: str, layout: str) -> None:
    @QUICK
    @given(shape=shapes)
    def check(shape: dict[str, int]) -> None:
        e = experiment(layout, cell=cell, activation=activation, **shape)
        assert_gradients_are_derivatives(e)

    check()


@pytest.mark.parametrize("layout", MANY_OUTPUTS)
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_gradients_with_the_teachers_outputs_fed_back(cell: str, activation: str, layout: str) -> None:
    @settings(QUICK, max_examples=3)
    @given(shape=shapes)
    def check(shape: dict[str, int]) -> None:
        e = experiment(layout, cell=cell, activation=activation, feedback=True, **shape)
        assert_gradients_are_derivatives(e)

    check()


@pytest.mark.parametrize("layout", ["one-to-many, squared error", "many-to-many, squared error"])
def test_teachers_outputs_arrive_one_step_late(layout: str) -> None:
    e = experiment(layout, feedback=True)
    batch = TASKS[e.task].sample(e, np.random.default_rng(0))
    assert not batch.inputs[0, :, -1:].any()
    np.testing.assert_array_equal(batch.inputs[1:, :, -1:], batch.targets[:-1])


def test_a_workspace_that_was_used_before_changes_nothing() -> None:
    # Stale buffers would give gradients of the previous batch.
    workspace, e = Workspace(), experiment("many-to-many, some steps silent", layers=2, seq_len=8)
    params, batch, _ = drawn(e)
    network = e.network()
    for seed in range(2):
        network.loss_and_gradients(random_weights(replace(e, seed=seed + 5)), batch, workspace)
    fresh, reused = (
        network.loss_and_gradients(params, batch),
        network.loss_and_gradients(params, batch, workspace),
    )
    np.testing.assert_array_equal(fresh.gradients.flat(), reused.gradients.flat())
    np.testing.assert_array_equal(fresh.hidden_gradients, reused.hidden_gradients)


def test_a_workspace_serves_batches_of_different_size() -> None:
    workspace, e = Workspace(), experiment("many-to-one, cross-entropy", seq_len=8)
    params, network = random_weights(e), e.network()
    for size in (3, 32, 1):
        batch = TASKS[e.task].sample(e, np.random.default_rng(size), size)
        fresh, reused = (
            network.loss_and_gradients(params, batch),
            network.loss_and_gradients(params, batch, workspace),
        )
        np.testing.assert_array_equal(fresh.gradients.flat(), reused.gradients.flat())


def test_gradients_change_neither_weights_nor_batch() -> None:
    e = experiment("sequence-to-sequence, cross-entropy", layers=3, seq_len=8)
    params, batch, _ = drawn(e)
    before = params.flat(), batch.inputs.copy(), batch.targets.copy()
    e.network().loss_and_gradients(params, batch)
    for now, then in zip((params.flat(), batch.inputs, batch.targets), before, strict=True):
        np.testing.assert_array_equal(now, then)


def mean_of_sample_norms(errors: Array) -> Array:
    """(arrays of the state, T, B, H) with 1/B inside -> (T,)."""
    return np.sqrt((errors**2).sum(axis=(0, 3))).sum(axis=1)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("cell", CELLS)
def test_flow_itemises_the_error_by_output(cell: str, layout: str) -> None:
    e = experiment(layout, cell=cell, layers=2, hidden_size=4, batch_size=3, seq_len=8, seed=7)
    params, batch, case = drawn(e)
    of_all_layers = [grad(case.loss_of_output, 1)(k, case.no_nudges) for k in case.steps]
    gradients = e.network().loss_and_gradients(params, batch).state_gradients
    for layer in (0, -1):
        flow = gradient_flow(e, params, batch, layer)
        assert flow.outputs.tolist() == [k + 1 for k in case.steps]

        by_output = [layers[layer] for layers in of_all_layers]
        for k, row, errors in zip(case.steps, flow.per_output, by_output, strict=True):
            np.testing.assert_allclose(row, mean_of_sample_norms(errors), rtol=1e-10, atol=1e-16)
            assert not row[k + 1 :].any(), "an output sends nothing into its future"
        together = np.sum(by_output, axis=0)  # delta_t = sum_k eps_{k,t}
        np.testing.assert_allclose(flow.total, mean_of_sample_norms(together), rtol=1e-10)
        np.testing.assert_allclose(gradient_curve(*gradients[layer]), flow.total, rtol=1e-10)


@pytest.mark.parametrize("layout", MANY_OUTPUTS)
def test_lag_profile_and_decades_follow_their_definitions(layout: str) -> None:
    e = experiment(layout, hidden_size=4, seq_len=8, seed=3)
    flow = gradient_flow(e)
    for lag, share in enumerate(flow.lag_profile):
        reached = [
            (row, t - 1) for row, t in zip(flow.per_output, flow.outputs, strict=True) if t - 1 - lag >= 0
        ]
        assert share == pytest.approx(np.mean([row[k - lag] / row[k] for row, k in reached]), rel=1e-12)
    assert flow.lag_profile[0] == 1.0
    assert len(flow.lag_profile) == e.seq_len, "the last output looks back to the first step"
    last = flow.per_output[-1]
    assert flow.decades == pytest.approx(np.log10(last[0] / last[-1]), abs=1e-12)


def test_flow_of_a_layout_with_one_output_is_the_total() -> None:
    flow = gradient_flow(Experiment(seq_len=30))
    np.testing.assert_allclose(flow.per_output, flow.total[None], rtol=1e-12)
    np.testing.assert_allclose(flow.lag_profile, flow.total[::-1] / flow.total[-1], rtol=1e-12)


@pytest.mark.parametrize(
    ("init", "gain", "expected"),
    [
        ("small-normal", 1.0, "vanishing"),
        ("orthogonal", 1.0, "healthy"),
        ("scaled-gaussian", 4.0, "exploding"),
    ],
)
def test_verdict_names_the_three_fates(init: str, gain: float, expected: str) -> None:
    flow = gradient_flow(Experiment(seq_len=50, hidden_size=64, init=init, gain=gain))
    assert flow.verdict == expected, flow.decades


def test_overflow_is_a_verdict_and_no_error() -> None:
    flow = gradient_flow(
        Experiment(seq_len=200, init="scaled-gaussian", gain=10.0, activation="linear", layers=3)
    )
    assert flow.verdict == "exploding"


def test_a_single_step_keeps_its_gradient() -> None:
    flow = gradient_flow(Experiment(topology="one-to-one", task="digits", seq_len=1))
    assert (flow.decades, flow.verdict) == (0.0, "healthy")
    assert flow.per_output.shape == (1, 1)


def test_gain_zero_cuts_the_memory_off() -> None:
    flow = gradient_flow(Experiment(seq_len=5, gain=0.0))
    assert flow.decades == -np.inf
    assert flow.verdict == "vanishing"


# Without recurrence


def without_recurrence(layout: str, **fields: Any) -> Experiment:
    return experiment(layout, cell="feed-forward", seq_len=8, seed=3, **fields)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_recurrence_a_step_hears_its_own_input_only(layout: str) -> None:
    e = without_recurrence(layout, layers=2)
    params, batch, _ = drawn(e)
    whole = e.network().forward(params, batch.inputs)[0]
    for t in range(e.seq_len):
        alone = e.network().forward(params, batch.inputs[t : t + 1])[0]
        np.testing.assert_allclose(whole[t], alone[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_recurrence_no_error_reaches_an_earlier_step(layout: str) -> None:
    e = without_recurrence(layout, layers=2)
    params, batch, _ = drawn(e)
    for layer in range(e.layers):
        flow = gradient_flow(e, params, batch, layer)
        for k, row in zip(flow.outputs, flow.per_output, strict=True):
            assert row[k - 1] > 0
            assert np.flatnonzero(row).tolist() == [k - 1], "exact zeros, not small numbers"
    hidden = e.network().loss_and_gradients(params, batch).hidden_gradients[0]
    silent = ~TASKS[e.task].masks(e).writes
    assert not hidden[silent].any()


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_without_recurrence_no_recurrent_weight_is_counted_or_trained(layers: int) -> None:
    e = Experiment(cell="feed-forward", layers=layers)
    recurrent = replace(e, cell="vanilla")
    count, full = (x.init(x.rng("weights")).count for x in (e, recurrent))
    assert full - count == layers * e.hidden_size**2
    trained = train(e, 3).params
    assert trained.flat().size == count
    network = e.network()
    assert not any(network.cell.recurrent_matrix(layer) is not None for layer in trained.layers)


def test_both_cells_start_from_the_same_weights_except_the_recurrent_ones() -> None:
    e = Experiment(layers=2)
    plain, recurrent = (replace(e, cell=cell).init(e.rng("weights")) for cell in ("feed-forward", "vanilla"))
    for one, other in zip(plain.layers, recurrent.layers, strict=True):
        np.testing.assert_array_equal(one.W_xh, other.W_xh)
    np.testing.assert_array_equal(plain.W_hy, recurrent.W_hy)


def test_with_a_single_step_both_cells_are_the_same_network() -> None:
    e = Experiment(topology="one-to-one", task="digits", seq_len=1, learning_rate=5e-3)
    plain, recurrent = (train(replace(e, cell=cell), 100) for cell in ("feed-forward", "vanilla"))
    np.testing.assert_array_equal(plain.history["metric"], recurrent.history["metric"])
    np.testing.assert_allclose(plain.history["loss"], recurrent.history["loss"], rtol=1e-9)
    assert plain.metric == recurrent.metric
