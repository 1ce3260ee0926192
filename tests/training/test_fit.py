"""Training on user arrays: the same updates as an experiment's, and clear errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnviz import CELLS, LOSSES, Batch, Experiment, Network, fit, gradient_flow
from rnnviz.model.optimizers import OPTIMIZERS, Moments, clip_by_norm
from rnnviz.training.state import TrainingState

T, N = 12, 200
LAST = np.arange(T) == T - 1


def delayed_sum(seed: int = 0, N: int = N) -> tuple[np.ndarray, np.ndarray]:
    """Two inputs; the target at the last step: the first one of step 1 plus the second one of step 3."""
    inputs = np.random.default_rng(seed).uniform(-1.0, 1.0, (T, N, 2))
    targets = np.zeros((T, N, 1))
    targets[-1, :, 0] = inputs[0, :, 0] + inputs[2, :, 1]
    return inputs, targets


def network(cell: str = "vanilla", outputs: int = 1) -> Network:
    return Network(cell=cell, input_size=2, hidden_size=16, output_size=outputs)


# a minGRU's gates see no step number, so that a layer of it cannot tell which steps to add
@pytest.mark.parametrize(
    "cell", [name for name, cell in CELLS.items() if cell.recurrent and name != "mingru"]
)
def test_a_network_learns_from_arrays(cell: str) -> None:
    seen: list[TrainingState] = []
    run = fit(
        network(cell), *delayed_sum(N=2000), writes=LAST, steps=1200, learning_rate=1e-2,
        held_out=delayed_sum(1), on_progress=seen.append,
    )  # fmt: skip
    inputs, targets = delayed_sum(2)
    error = float(np.mean((run.predict(inputs) - targets)[-1] ** 2))
    assert error < 0.1 * targets[-1].var()
    assert seen[-1].step == 1200
    assert run.divergence is None
    assert run.history["metric"].iloc[-1] < 0.1 * targets[-1].var()


def test_classes_are_learned_with_cross_entropy() -> None:
    inputs, sums = delayed_sum()
    classes = (sums[:, :, 0] > 0).astype(int)
    run = fit(
        network(outputs=2), inputs, classes, writes=LAST, loss="cross-entropy", steps=400, learning_rate=1e-2
    )
    assert run.history["metric"].iloc[-1] > 0.9, "accuracy"


def test_the_first_update_is_the_one_written_out_by_hand() -> None:
    net, (inputs, targets) = network(), delayed_sum()
    run = fit(net, inputs, targets, writes=LAST, steps=1, batch_size=8, seed=3)
    rng = np.random.default_rng(3)
    params = net.init(rng)
    chosen = rng.integers(N, size=8)
    batch = Batch(inputs[:, chosen], targets[:, chosen], LAST, LOSSES["squared-error"])
    gradient = clip_by_norm(net.loss_and_gradients(params, batch).gradients.flat(), 1.0)[0]
    change, _ = OPTIMIZERS["adam"].update(gradient, Moments.zero(params.count), 3e-3)
    np.testing.assert_array_equal(run.params.flat(), params.flat() + change)


def test_equal_arguments_give_equal_runs() -> None:
    one, other = (fit(network(), *delayed_sum(), steps=20, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.params.flat(), other.params.flat())
    assert one.history.equals(other.history)


def test_the_gradient_of_a_fitted_network_can_be_measured() -> None:
    run = fit(network(), *delayed_sum(), writes=LAST, steps=5)
    flow = gradient_flow(run.network, run.params, run.data)
    whole = run.network.loss_and_gradients(run.params, run.data).hidden_gradients[0]
    np.testing.assert_allclose(flow.total, np.linalg.norm(whole, axis=2).sum(axis=1), rtol=1e-12)
    assert flow.outputs.tolist() == [T]


def test_a_run_that_overflows_says_where() -> None:
    net = Network(input_size=2, hidden_size=16, output_size=1, activation="linear")
    run = fit(net, *delayed_sum(), steps=50, optimizer="sgd", learning_rate=1e3, clip_norm=None)
    assert run.divergence is not None
    assert run.state.step < 50


def test_a_network_of_arrays_needs_weights_and_a_batch_to_be_measured() -> None:
    with pytest.raises(ValueError, match=r"^A network needs weights and a batch: pass params and batch"):
        gradient_flow(network())


IN, OUT = delayed_sum()
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "inputs without sequences": ({"inputs": IN[:, 0]}, r"inputs must be \(T, N, 2\); got \(12, 2\)"),
    "other channels": ({"inputs": IN[:, :, :1]}, r"inputs must be \(T, N, 2\); got \(12, 200, 1\)"),
    "targets of another length": (
        {"targets": OUT[1:]},
        r"targets must be \(12, 200, 1\); got \(11, 200, 1\)",
    ),
    "no step writes": (
        {"writes": np.zeros(T, bool)},
        r"writes must be \(12,\) of True and False with at least",
    ),
    "numbers of steps": ({"writes": [11]}, r"writes must be \(12,\) of True and False .*; got int64 \(1,\)"),
    "an unknown loss": ({"loss": "mae"}, r"loss must be one of cross-entropy, squared-error; got 'mae'"),
    "an unknown optimizer": ({"optimizer": "lbfgs"}, r"optimizer must be one of sgd, .*; got 'lbfgs'"),
    "classes as floats": (
        {"loss": "cross-entropy", "targets": OUT[:, :, 0]},
        r"targets must be whole numbers \(12, 200\)",
    ),
    "too many classes": (
        {"loss": "cross-entropy", "targets": np.full((T, N), 3)},
        r"targets must lie between 0 and 0, the network's outputs; got 3 to 3",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_in_a_sentence(name: str) -> None:
    change, message = WRONG[name]
    given = {"inputs": IN, "targets": OUT, "steps": 1} | change
    with pytest.raises(ValueError, match=f"^{message}"):
        fit(network(), **given)


def test_an_experiment_gives_network_weights_and_batches() -> None:
    e = Experiment(seq_len=6, hidden_size=5, layers=2, cell="gru")
    net, params, batch = e.network(), e.init(e.rng("weights")), e.sample(e.rng("training"))
    assert batch.inputs.shape == (6, 32, 4)
    result = net.loss_and_gradients(params, batch)
    assert [h.shape for h in result.hidden] == [(7, 32, 5)] * 2
    assert [g.shape for g in result.hidden_gradients] == [(6, 32, 5)] * 2
    assert e.init == "orthogonal", "it is the name as well"
