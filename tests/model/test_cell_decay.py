"""How much of the error each cell carries back before training, against figures measured elsewhere.

Another implementation measured the median of 20 seeds of log10 of the gradient at the first step over that at
the last: 32 units, 8 normal inputs, error at the last step only.
"""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz import Network
from rnnviz.model.cells import Antisymmetric, Cell
from rnnviz.model.network import Params
from rnnviz.training.updates import gradient_curve

SEEDS, B, I, H = 20, 1, 8, 32  # noqa: E741
MEASURED: dict[str, tuple[str | Cell, str, float, float]] = {
    "simple RNN, all of PyTorch's": ("vanilla", "pytorch", -14.2, -56.0),
    "simple RNN, orthogonal": ("vanilla", "orthogonal", -7.2, -29.0),
    "LSTM": ("lstm", "pytorch", -10.5, -40.0),
    "LSTM, forget bias 1": ("lstm", "forget-1", -4.3, -15.0),
    "LSTM, chrono": ("lstm", "chrono", -1.0, -1.1),
    "GRU": ("gru", "pytorch", -10.0, -40.0),
    "GRU, chrono": ("gru", "chrono", -0.7, -0.7),
    "minGRU": ("mingru", "glorot", -14.8, -61.0),
    "minGRU, chrono": ("mingru", "chrono", -0.8, -0.8),
    "LRU, disk": ("lru", "disk", -1.1, -1.7),
    "LRU, ring": ("lru", "ring", -0.5, -0.9),
    "IRNN": ("irnn", "identity", -0.6, -1.2),
    "antisymmetric, large step": (Antisymmetric(1.0, 0.0), "scaled-gaussian", 1.9, 3.1),
    "antisymmetric": (Antisymmetric(0.1, 0.01), "scaled-gaussian", 0.1, 0.6),
}


def weights(network: Network, init: str, T: int, rng: np.random.Generator) -> Params:
    params = network.init(rng, init, longest=T)
    if network.cell.title == "Simple RNN" and init == "pytorch":  # PyTorch draws all weights and biases alike
        (layer,) = params.layers
        W_xh, b_h = (rng.uniform(-1.0, 1.0, shape) / np.sqrt(H) for shape in ((I, H), H))
        b_h = b_h + rng.uniform(-1.0, 1.0, H) / np.sqrt(H)
        params = Params((type(layer)(W_xh, layer.W_hh, b_h),), params.W_hy, params.b_y)
    return params


def decades(cell: str | Cell, init: str, T: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    network = Network(cell=cell, input_size=I, hidden_size=H, output_size=1)
    params = weights(network, init, T, rng)
    _, traces = network.forward(params, rng.standard_normal((T, B, I)))
    (errors,) = network.backward(params, traces, [None] * (T - 1) + [rng.standard_normal((B, H))])
    curve = gradient_curve(*errors.states)
    with np.errstate(divide="ignore"):  # all units of an IRNN may be off
        return float(np.log10(curve[0] / curve[-1]))


@pytest.mark.parametrize("name", MEASURED)
def test_as_much_of_the_error_is_left_as_others_measured(name: str) -> None:
    cell, init, *expected = MEASURED[name]
    for T, others in zip((50, 200), expected, strict=True):
        ours = np.median([decades(cell, init, T, seed) for seed in range(SEEDS)])
        assert ours == pytest.approx(others, rel=0.1 if T == 200 else 0.0, abs=0.3 if T == 50 else 0.35)


def test_chrono_fits_the_length_and_other_biases_do_not() -> None:
    drop = {
        init: np.median([decades("lstm", init, 200, seed) for seed in range(SEEDS)])
        for init in ("pytorch", "forget-1", "chrono")
    }
    assert drop["pytorch"] < drop["forget-1"] - 10 < drop["chrono"] - 20
