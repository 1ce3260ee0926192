"""The shapes on the page Types are those of the arrays, in other libraries, too."""

from __future__ import annotations

import pytest

from rnnviz.experiment.fitting import nearest
from rnnviz.tasks.topology import TOPOLOGIES
from rnnviz.teaching.shapes import NAMED, shapes_of

USUAL = {name: nearest({"topology": name}, first={"topology"})[0] for name in TOPOLOGIES}


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_shapes_are_those_of_the_arrays(name: str) -> None:
    e = USUAL[name]
    batch, params = e.sample(e.rng("training")), e.init(e.rng("weights"))
    passed = e.network().loss_and_gradients(params, batch)
    x, h, y = shapes_of(e)
    assert x.numbers == batch.inputs.shape
    assert h.numbers == passed.hidden[-1][1:].shape
    assert y.numbers == passed.outputs[batch.writes > 0].shape


def test_every_topology_has_names_in_other_libraries() -> None:
    assert list(NAMED) == list(TOPOLOGIES)


def test_pytorch_gives_what_is_said_of_it() -> None:
    torch = pytest.importorskip("torch")
    T, B, inputs, H = 6, 3, 2, 5
    output, h_n = torch.nn.RNN(inputs, H)(torch.zeros(T, B, inputs))
    assert tuple(output.shape) == (T, B, H)
    assert torch.equal(output[-1], h_n[0])
    output, h_n = torch.nn.GRU(inputs, H, num_layers=2, batch_first=True)(torch.zeros(B, T, inputs))
    assert tuple(output.shape) == (B, T, H)
    assert tuple(h_n.shape) == (2, B, H)
