"""A large batch goes through the network in parts, and gives what it gives as a whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.experiment import Experiment
from rnnviz.model import network
from rnnviz.model.cells import Workspace
from rnnviz.training.loop import advance, held_out, start
from rnnviz.training.state import TrainingState

SEVEN = 7
"""Sequences in a part; batches of 32 and of 512 end with a smaller one."""


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network.Network, "at_once", lambda self, T: SEVEN)


def trained(e: Experiment, steps: int = 3) -> TrainingState:
    return advance(e, start(e), steps=steps)


@pytest.mark.parametrize("cell", ["vanilla", "lstm", "gru"])
@pytest.mark.parametrize(
    "task", [("recall", "many-to-one"), ("adding", "many-to-one"), ("echo", "many-to-many")]
)
def test_parts_give_the_same_training(
    cell: str, task: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    e = Experiment(task=task[0], topology=task[1], cell=cell, seq_len=9, hidden_size=6, layers=2)
    whole = trained(e)
    request.getfixturevalue("in_parts")
    parts = trained(e)
    np.testing.assert_allclose(parts.params.flat(), whole.params.flat(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(parts.history.frame(), whole.history.frame(), rtol=1e-9)
    np.testing.assert_allclose(parts.history.curves(), whole.history.curves(), rtol=1e-9, atol=1e-300)


def test_outputs_of_parts_are_those_of_the_whole() -> None:
    e = Experiment(task="echo", topology="many-to-many", seq_len=150, hidden_size=64, layers=3, cell="lstm")
    net, params, batch = e.network(), e.init(e.rng("weights")), e.sample(e.rng("training"))
    inputs = np.concatenate([batch.inputs] * 2, axis=1)
    assert net.at_once(150) < inputs.shape[1]
    np.testing.assert_allclose(net.outputs(params, inputs), net.forward(params, inputs)[0], atol=1e-12)


@pytest.mark.usefixtures("in_parts")
def test_an_overflow_in_parts_is_located() -> None:
    e = Experiment(activation="linear", init="scaled-gaussian", gain=10.0, seq_len=200, layers=3)
    params = e.init(e.rng("weights"))
    huge = params.with_flat(params.flat() * 1e3)
    divergence = advance(e, replace(start(e), params=huge), steps=1).divergence
    assert divergence is not None
    assert (divergence.step, divergence.what) == (0, "hidden state")
    assert 70 < (divergence.time_step or 0) < 90  # the radius is 10^4: 10^308 is passed after some 77 steps


@pytest.mark.parametrize("cell", ["vanilla", "lstm", "gru"])
def test_a_part_keeps_as_much_as_is_said(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "MOST_NUMBERS", network.MOST_NUMBERS // 20)  # to be fast
    e = Experiment(cell=cell, seq_len=50, hidden_size=32, layers=3)
    net, workspace = e.network(), Workspace()
    some = next(held_out(e).parts(net.at_once(50)))
    net.gradients(e.init(e.rng("weights")), some, workspace)
    assert 80e6 < 20 * held(workspace) < 200e6


def held(workspace: Workspace) -> int:
    """The bytes of all buffers of a workspace."""
    own = sum(buffer.nbytes for buffer in workspace._buffers.values())
    return own + sum(map(held, workspace._parts.values()))
