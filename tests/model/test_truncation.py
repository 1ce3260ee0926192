"""Truncated backpropagation through time: blocks of steps that no error leaves, each differentiated alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from rnnviz import (
    CELLS,
    Experiment,
    Network,
    fit,
    gradient_contributions,
    gradient_flow,
    take_snapshot,
    train,
)
from rnnviz.analysis.decay_factors import decay_factors
from rnnviz.analysis.gradient_flow import probe, probe_batch
from rnnviz.model.network import cut_rows, farthest_row
from rnnviz.training.updates import gradient_curve
from tests.model.test_gradients import (
    LAYOUTS,
    ROUNDING,
    drawn,
    experiment,
    mean_of_sample_norms,
)

SOME = ["many-to-many, some steps silent", "sequence-to-sequence, cross-entropy"]
RECURRENT = [name for name, cell in CELLS.items() if cell.recurrent]


def blocks(T: int, truncate: int) -> list[tuple[int, int]]:
    """The blocks counted back from the end, as first step and one after the last, from 0."""
    ends = [*range(T, 0, -truncate), 0]
    return [(first, end) for end, first in pairwise(ends)][::-1]


def assert_truncated(e: Experiment) -> None:
    """Weights and states have the gradients of blocks that autograd differentiated one by one."""
    params, batch, case = drawn(e)
    assert e.truncate
    result = e.network().loss_and_gradients(params, batch, truncate=e.truncate)
    of_weights, of_states = case.truncated(blocks(e.seq_len, e.truncate))
    for number, (own, expected) in enumerate(zip(result.gradients.arrays(), of_weights, strict=True)):
        scale = np.abs(expected).max()
        name = f"array {number} of the weights"
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-11 * scale + ROUNDING, err_msg=name)
    for layer, (states, expected) in enumerate(zip(result.state_gradients, of_states, strict=True)):
        scale, name = np.abs(expected).max(), f"states of layer {layer}"
        own = np.stack(states)
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-11 * scale + ROUNDING, err_msg=name)
    whole = e.network().loss_and_gradients(params, batch)
    assert result.loss == whole.loss, "the forward pass is the same"


@pytest.mark.parametrize("truncate", [1, 3])
@pytest.mark.parametrize("layout", [*SOME, "many-to-one, cross-entropy"])
@pytest.mark.parametrize("cell", CELLS)
def test_each_block_has_the_gradient_that_it_has_alone(cell: str, layout: str, truncate: int) -> None:
    e = experiment(layout, cell=cell, layers=2, hidden_size=4, batch_size=3, seq_len=8, seed=truncate)
    assert_truncated(replace(e, truncate=truncate))


@pytest.mark.parametrize("cell", CELLS)
def test_outputs_fed_back_are_no_way_around_a_cut(cell: str) -> None:
    e = experiment("many-to-many, squared error", cell=cell, layers=3, hidden_size=3, seq_len=8)
    assert_truncated(replace(e, feedback=True, truncate=3))


def test_blocks_are_counted_back_from_the_last_step() -> None:
    assert cut_rows(25, 10) == {5, 15}, "steps 1 to 5, 6 to 15 and 16 to 25"
    assert cut_rows(25, 1) == set(range(1, 25))
    assert not cut_rows(25, None)
    assert not cut_rows(25, 25)
    assert not cut_rows(25, 200)
    assert [farthest_row(row, cut_rows(25, 10)) for row in (0, 4, 5, 14, 24)] == [0, 0, 5, 5, 15]
    with pytest.raises(ValueError, match="truncate must be 1 or more, or None; got 0"):
        cut_rows(25, 0)


@pytest.mark.parametrize("truncate", [8, 9, 200])
@pytest.mark.parametrize("cell", CELLS)
def test_blocks_as_long_as_the_sequence_change_no_bit(cell: str, truncate: int) -> None:
    e = experiment("many-to-many, cross-entropy", cell=cell, layers=2, seq_len=8, hidden_size=4)
    params, batch, _ = drawn(e)
    network = e.network()
    cut, whole = (network.loss_and_gradients(params, batch, truncate=k) for k in (truncate, None))
    np.testing.assert_array_equal(cut.gradients.flat(), whole.gradients.flat())
    np.testing.assert_array_equal(cut.state_gradients, whole.state_gradients)
    runs = [train(replace(e, truncate=k), 5) for k in (truncate, None)]
    np.testing.assert_array_equal(runs[0].params.flat(), runs[1].params.flat())


@pytest.mark.parametrize("cell", RECURRENT)
def test_with_blocks_of_one_step_an_output_teaches_its_own_step_only(cell: str) -> None:
    e = experiment("many-to-many, cross-entropy", cell=cell, seq_len=8, hidden_size=4, truncate=1)
    for t, errors in enumerate(gradient_flow(e).per_output):
        assert np.flatnonzero(errors).tolist() == [t]


@pytest.mark.parametrize("layout", SOME)
@pytest.mark.parametrize("cell", RECURRENT)
def test_what_is_measured_is_the_gradient_that_training_uses(cell: str, layout: str) -> None:
    e = experiment(layout, cell=cell, layers=2, hidden_size=4, batch_size=3, seq_len=8, truncate=3)
    params, batch, case = drawn(e)
    for layer in (0, 1):
        flow = gradient_flow(e, params, batch, layer)
        for k, row in zip(case.steps, flow.per_output, strict=True):
            share = 1.0 / len(case.steps)
            alone = replace(case, steps=[k]).truncated(blocks(8, 3))[1][layer] * share
            np.testing.assert_allclose(row, mean_of_sample_norms(alone), rtol=1e-9, atol=1e-16)
        own = e.network().loss_and_gradients(params, batch, truncate=3)
        np.testing.assert_allclose(gradient_curve(*own.state_gradients[layer]), flow.total, rtol=1e-9)
        first = farthest_row(case.steps[-1], cut_rows(8, 3))
        last = flow.per_output[-1]
        assert flow.decades == pytest.approx(np.log10(last[first] / last[case.steps[-1]]), abs=1e-12)


@pytest.mark.parametrize("cell", ["vanilla", "gru", "lstm"])
def test_contributions_sum_to_the_truncated_gradient(cell: str) -> None:
    e = Experiment(task="echo", topology="many-to-many", seq_len=20, delay=3, cell=cell, truncate=6)
    items = gradient_contributions(e)
    params = e.init(e.rng("weights"))
    _, W_hh, *_ = e.network().loss_and_gradients(params, probe_batch(e), truncate=6).gradients.arrays()
    np.testing.assert_allclose(items.total, W_hh, rtol=1e-10)
    assert items.share.sum() == pytest.approx(1.0)
    assert not items.size[-1, :14].any(), "the last output contributes through the last block alone"
    assert items.size[-1, 14] > 0


def test_factors_of_each_step_are_measured_without_truncation() -> None:
    e = Experiment(seq_len=20)
    cut, whole = decay_factors(replace(e, truncate=5)), decay_factors(e)
    np.testing.assert_array_equal(cut.slope_factor, whole.slope_factor)
    np.testing.assert_array_equal(cut.recurrent_factor, whole.recurrent_factor)


@pytest.mark.parametrize("task", [{}, {"task": "echo", "topology": "many-to-many", "delay": 3}])
def test_a_snapshot_shows_what_gradient_flow_measures(task: dict[str, Any]) -> None:
    e = Experiment(seq_len=20, layers=2, truncate=6, **task)
    seen = take_snapshot(e, e.init(e.rng("weights")), 0)
    for layer in (0, 1):
        flow = gradient_flow(e, layer=layer)
        np.testing.assert_allclose(seen.last[layer], flow.per_output[-1], rtol=1e-12)
        np.testing.assert_allclose(seen.total[layer], flow.total, rtol=1e-10)
        assert seen.decades[layer] == pytest.approx(flow.decades)
        assert seen.verdict[layer] == flow.verdict
    assert not seen.last[1][:14].any(), "cut off"
    assert np.isfinite(seen.decades[1])


def test_a_cut_is_no_vanishing_gradient() -> None:
    e = Experiment(seq_len=20)
    assert gradient_flow(e).verdict == gradient_flow(replace(e, truncate=5)).verdict == "healthy"
    small = replace(e, init="small-normal", truncate=10)
    assert gradient_flow(small).verdict == "vanishing", "within the block"


def test_an_update_follows_the_truncated_gradient() -> None:
    e = Experiment(seq_len=12, truncate=4, optimizer="sgd", clip_norm=None, learning_rate=0.1)
    before, batch = e.init(e.rng("weights")), e.sample(e.rng("training"))
    gradient = e.network().loss_and_gradients(before, batch, truncate=4).gradients.flat()
    np.testing.assert_allclose(train(e, 1).params.flat(), before.flat() - 0.1 * gradient, rtol=1e-12)
    (curve,) = train(e, 1).state.history.curves().to_numpy()
    assert np.flatnonzero(curve).tolist() == [8, 9, 10, 11], "so is the gradient that is recorded"


def test_arrays_of_your_own_can_be_trained_with_it() -> None:
    rng = np.random.default_rng(0)
    network = Network(cell="gru", input_size=2, hidden_size=4, output_size=1)
    data = rng.normal(size=(9, 20, 2)), rng.normal(size=(9, 20, 1))
    runs = {k: fit(network, *data, steps=3, truncate=k) for k in (None, 3, 9)}
    np.testing.assert_array_equal(runs[9].params.flat(), runs[None].params.flat())
    assert not np.array_equal(runs[3].params.flat(), runs[None].params.flat())
    flow = gradient_flow(probe(network, runs[3].params, runs[3].data, truncate=3))
    assert not flow.per_output[-1][:6].any()
    with pytest.raises(ValueError, match="truncate must be 1 or more"):
        fit(network, *data, steps=1, truncate=0)


def test_layouts_with_a_single_step_have_nothing_to_cut() -> None:
    e = Experiment(**LAYOUTS["one-to-one, cross-entropy"])
    np.testing.assert_array_equal(train(replace(e, truncate=1), 3).params.flat(), train(e, 3).params.flat())
