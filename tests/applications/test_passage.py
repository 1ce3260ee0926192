"""One sequence through a network in use: nobody helps it, and what it writes is what it reads next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnviz import TASKS, Experiment, Network, Params
from rnnviz.applications.passage import pass_through
from tests.plain_rnn import Array, StepByStep

CAPTIONS = {"task": "captions", "topology": "one-to-many", "seq_len": 7}
TRANSLATION = {"task": "translation", "topology": "sequence-to-sequence", "seq_len": 9}
SENTIMENT = {"task": "sentiment", "topology": "many-to-one", "seq_len": 16}
CASES = [
    pytest.param(
        fields | {"feedback": feedback, "layers": layers}, id=f"{fields['task']}-{feedback}-{layers}"
    )
    for fields, feedbacks in ((CAPTIONS, (True, False)), (TRANSLATION, (True, False)), (SENTIMENT, (False,)))
    for feedback in feedbacks
    for layers in (1, 2)
] + [pytest.param(CAPTIONS | {"feedback": True, "cell": cell}, id=cell) for cell in ("lstm", "gru")]


def experiment(**fields: Any) -> Experiment:
    return Experiment(**{"hidden_size": 10, "activation": "tanh", **fields})


def weights(e: Experiment, size: float = 0.7) -> Params:
    """Weights anywhere, so large that different steps give different answers."""
    zero = e.init(np.random.default_rng(0))
    return zero.with_flat(np.random.default_rng(2).normal(0.0, size, zero.count))


def something_to_read(e: Experiment) -> Array:
    """Numbers at the steps that read, nothing elsewhere, no feedback channels."""
    task = TASKS[e.task]
    read = np.random.default_rng(3).normal(size=(e.seq_len, 1, task.sizes(e)[0]))
    read[~task.masks(e).reads] = 0.0
    return read


def plainly(e: Experiment, params: Params, read: Array) -> tuple[Array, Array, list[Array]]:
    """Neuron by neuron: states (T, H), probabilities (T, O), and what came back in at every step."""
    writes, O = TASKS[e.task].masks(e).writes, params.b_y.size  # noqa: E741
    network = StepByStep(params, 1, e.cell, e.activation)
    hidden, probabilities, came_back = [], [], []
    for t in range(e.seq_len):
        back = np.zeros(O)
        if t > 0 and writes[t - 1]:
            back[int(np.argmax(probabilities[-1]))] = 1.0
        below = np.concatenate([read[t, 0], back]) if e.feedback else read[t, 0]
        exponentials = np.exp(network.read(below[None])[0])
        hidden.append(network.states[-1][0][0])
        probabilities.append(exponentials / exponentials.sum())
        came_back.append(back)
    return np.array(hidden), np.array(probabilities), came_back


@pytest.mark.parametrize("fields", CASES)
def test_a_passage_is_the_network_step_by_step(fields: dict[str, Any]) -> None:
    e = experiment(**fields)
    params, read = weights(e), something_to_read(e)
    hidden, probabilities, _ = plainly(e, params, read)
    assert len(set(probabilities.argmax(axis=1))) > 1 or e.task == "sentiment", "else the test tells little"
    seen = pass_through(e, params, read)
    np.testing.assert_allclose(seen.hidden, hidden, atol=1e-12)
    np.testing.assert_allclose(seen.probabilities, probabilities, atol=1e-12)
    np.testing.assert_allclose(seen.probabilities.sum(axis=1), 1.0)


@pytest.mark.parametrize("fields", [CAPTIONS, TRANSLATION], ids=["captions", "translation"])
def test_what_it_decided_comes_back_and_nothing_else(
    fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    e = experiment(**fields, feedback=True)
    params, read = weights(e), something_to_read(e)
    last: list[Array] = []
    forward = Network.forward

    def listen(self: Network, params: Params, inputs: Array, *more: Any) -> Any:
        last.append(inputs.copy())
        return forward(self, params, inputs, *more)

    monkeypatch.setattr(Network, "forward", listen)
    before = read.copy()
    pass_through(e, params, read)
    _, _, came_back = plainly(e, params, read)
    channels = read.shape[2]
    np.testing.assert_array_equal(last[-1][:, 0, channels:], came_back)
    np.testing.assert_array_equal(last[-1][:, :, :channels], before)
    np.testing.assert_array_equal(read, before, "the caller's array is left alone")


def test_a_step_that_only_reads_gives_nothing_back() -> None:
    e = experiment(**TRANSLATION, feedback=True)
    writes = TASKS[e.task].masks(e).writes
    _, _, came_back = plainly(e, weights(e), something_to_read(e))
    assert [bool(back.any()) for back in came_back] == [False, *writes[:-1].tolist()]


def test_numbers_that_overflow_are_no_error() -> None:
    e = experiment(**SENTIMENT | {"activation": "linear"})
    params = weights(e)
    seen = pass_through(e, params.with_flat(1e30 * params.flat()), something_to_read(e))
    assert seen.hidden.shape == (16, 10)
    assert not np.isfinite(seen.probabilities).all()


@pytest.mark.parametrize("fields", [{"task": "sunspots", "topology": "many-to-many", "seq_len": 5}])
def test_a_task_without_classes_is_refused(fields: dict[str, Any]) -> None:
    e = experiment(**fields)
    with pytest.raises(ValueError, match=r"among classes; got 'sunspots'"):
        pass_through(e, weights(e), np.zeros((5, 1, 1)))


@pytest.mark.parametrize("feedback", [False, True])
@pytest.mark.parametrize("change", [(-1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_inputs_of_another_shape_are_refused(change: tuple[int, int, int], feedback: bool) -> None:
    e = experiment(**CAPTIONS, feedback=feedback)
    T, B, I = (n + d for n, d in zip((7, 1, 64), change, strict=True))  # noqa: E741
    with pytest.raises(ValueError, match=rf"shape \(7, 1, 64\); got \({T}, {B}, {I}\)"):
        pass_through(e, weights(e), np.zeros((T, B, I)))
