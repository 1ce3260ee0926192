"""Gated cells against PyTorch's independent implementation; and how their weights are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnviz import CELLS, LOSSES, Batch, Experiment, Network, Params, take_snapshot, train
from rnnviz.analysis.gradient_flow import probe
from rnnviz.model.arrays import Array
from rnnviz.model.initializers import MATRICES

GATED = ["lstm", "gru"]
T, B, I, H, O = 9, 4, 3, 5, 2  # noqa: E741


def network(cell: str, layers: int = 1) -> tuple[Network, Params]:
    net = Network(cell=cell, input_size=I, hidden_size=H, output_size=O, num_layers=layers)
    return net, net.init(np.random.default_rng(0), "pytorch")


def as_pytorch(cell: str, net: Network, params: Params) -> Any:
    """PyTorch's module with these weights; its second bias is zero, except for the GRU's b_hn."""
    torch = pytest.importorskip("torch")
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "vanilla": torch.nn.RNN}[cell]
    rnn = kind(I, H, num_layers=net.num_layers, dtype=torch.float64)
    with torch.no_grad():
        for i, w in enumerate(params.layers):
            second = np.zeros(len(rnn.bias_hh_l0))
            if cell == "gru":
                second[2 * H :] = w.b_hn
            first = w.b_h if cell == "vanilla" else w.b
            for name, value in (
                ("weight_ih", w.W_xh.T), ("weight_hh", w.W_hh.T), ("bias_ih", first), ("bias_hh", second),
            ):  # fmt: skip
                getattr(rnn, f"{name}_l{i}").copy_(torch.tensor(value))
    return rnn


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", ["vanilla", *GATED])
def test_outputs_and_gradients_are_pytorchs(cell: str, layers: int) -> None:
    torch = pytest.importorskip("torch")
    net, params = network(cell, layers)
    rnn, rng = as_pytorch(cell, net, params), np.random.default_rng(1)
    inputs, targets = rng.standard_normal((T, B, I)), rng.standard_normal((T, B, O))
    writes = np.arange(T) % 3 == 2
    ours = net.loss_and_gradients(params, Batch(inputs, targets, writes, LOSSES["squared-error"]))

    hidden, _ = rnn(torch.tensor(inputs))
    W_hy = torch.tensor(params.W_hy, requires_grad=True)
    hidden.retain_grad()
    outputs = hidden @ W_hy + torch.tensor(params.b_y)
    loss = ((outputs - torch.tensor(targets))[torch.tensor(writes)] ** 2).mean()
    loss.backward()
    np.testing.assert_allclose(ours.outputs, outputs.detach(), atol=1e-13)
    assert ours.loss == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(ours.gradients.W_hy, W_hy.grad, atol=1e-13)
    for i, gradient in enumerate(ours.gradients.layers):
        for name, value in (("weight_ih", gradient.W_xh), ("weight_hh", gradient.W_hh)):
            np.testing.assert_allclose(value.T, getattr(rnn, f"{name}_l{i}").grad, atol=1e-13)
        bias = gradient.b_h if cell == "vanilla" else gradient.b
        np.testing.assert_allclose(bias, getattr(rnn, f"bias_ih_l{i}").grad, atol=1e-13)
        if cell == "gru":
            np.testing.assert_allclose(gradient.b_hn, getattr(rnn, f"bias_hh_l{i}").grad[2 * H :], atol=1e-13)


@pytest.mark.parametrize("cell", GATED)
def test_the_gates_lie_between_0_and_1_and_have_names(cell: str) -> None:
    net, params = network(cell)
    _, (trace,) = net.forward(params, np.random.default_rng(2).standard_normal((T, B, I)))
    gates = net.cell.gates(trace)
    assert tuple(gates) == CELLS[cell].gate_names
    for gate in gates.values():
        assert gate.shape == (T, B, H)
        assert ((gate > 0) & (gate < 1)).all()
    assert net.cell.recurrent_matrix(params.layers[0]) is None


def test_a_closed_input_gate_and_an_open_forget_gate_keep_the_memory() -> None:
    # dc_t / dc_{t-1} = f: with f near 1 the error of c goes back unchanged (Hochreiter & Schmidhuber 1997)
    net, params = network("lstm")
    w = params.layers[0]
    bias = np.concatenate([np.full(H, -50.0), np.full(H, 50.0), np.zeros(H), np.zeros(H)])
    closed = Params((type(w)(0.0 * w.W_xh, 0.0 * w.W_hh, bias),), params.W_hy, params.b_y)
    _, (trace,) = net.forward(closed, np.zeros((T, B, I)))
    errors: Any = (np.zeros((B, H)), np.ones((B, H)))
    for t in reversed(range(T)):
        errors = net.cell.vjp_step(closed.layers[0], trace, t, errors).earlier
    np.testing.assert_allclose(errors[1], 1.0, rtol=1e-12)


# How weights are drawn


@pytest.mark.parametrize("cell", GATED)
def test_pytorchs_default_draws_every_weight_and_bias_alike(cell: str) -> None:
    net = Network(cell=cell, input_size=3, hidden_size=64, output_size=2)
    layer = net.init(np.random.default_rng(0), "pytorch").layers[0]
    limit = 1.0 / np.sqrt(64)
    for W in (layer.W_xh, layer.W_hh):
        assert np.abs(W).max() <= limit
        assert np.std(W) == pytest.approx(limit / np.sqrt(3), rel=0.1)
    assert np.std(layer.b) == pytest.approx(limit * np.sqrt(2.0 / 3.0), rel=0.25), "the sum of two biases"


@pytest.mark.parametrize("cell", GATED)
@pytest.mark.parametrize("init", [name for name in MATRICES if name != "pytorch"])
def test_other_initialisations_draw_each_gates_block(cell: str, init: str) -> None:
    net = Network(cell=cell, input_size=3, hidden_size=16, output_size=2)
    layer = net.init(np.random.default_rng(0), init, 1.0).layers[0]
    blocks: list[Array] = np.split(layer.W_hh, layer.W_hh.shape[1] // 16, axis=1)
    if init == "orthogonal":
        for block in blocks:
            np.testing.assert_allclose(block.T @ block, np.eye(16), atol=1e-13)
    if init != "identity":
        assert not np.allclose(blocks[0], blocks[1])
    assert not layer.b.any()


def biases(cell: str, init: str, T: int, hidden: int = 400) -> list[Array]:
    net = Network(cell=cell, input_size=3, hidden_size=hidden, output_size=2)
    layer = net.init(np.random.default_rng(0), init, longest=T).layers[0]
    return np.split(layer.b, len(layer.b) // hidden)


def test_a_forget_bias_of_1_is_the_sum_of_both_biases() -> None:
    i, f, g, o = biases("lstm", "forget-1", 50)
    assert (f == 1.0).all()
    assert min(np.std(b) for b in (i, g, o)) > 0.0


@pytest.mark.parametrize("T", [3, 50, 200])
def test_chrono_biases_are_logarithms_of_uniform_times(T: int) -> None:
    i, f, g, o = biases("lstm", "chrono", T)
    np.testing.assert_array_equal(i, -f)
    assert not g.any()
    assert not o.any()
    r, z, n = biases("gru", "chrono", T)
    assert not r.any()
    assert not n.any()
    writes, candidate = biases("mingru", "chrono", T)
    assert not candidate.any()
    for keeps in (f, z, -writes):
        times = np.exp(keeps)
        assert 1.0 <= times.min() <= times.max() <= T - 1
        assert times.mean() == pytest.approx(T / 2, rel=0.1)


@pytest.mark.parametrize("T", [1, 2])
@pytest.mark.parametrize("cell", ["lstm", "gru", "mingru"])
def test_chrono_of_a_sequence_without_a_memory_has_no_biases(cell: str, T: int) -> None:
    assert not np.any(biases(cell, "chrono", T))
    e = Experiment(task="digits", topology="one-to-one", seq_len=1, cell=cell, init="chrono")
    assert np.isfinite(train(e, 3).history["loss"]).all()


def test_chrono_needs_a_length() -> None:
    with pytest.raises(ValueError, match=r"^longest must be 1 or more for init 'chrono'; got 0\.$"):
        Network(cell="lstm", input_size=2, hidden_size=3, output_size=1).init(
            np.random.default_rng(0), "chrono"
        )


@pytest.mark.parametrize(("init", "low", "high"), [("disk", 0.0, 1.0), ("ring", 0.9, 0.999)])
def test_eigenvalues_of_an_lru_lie_evenly_in_their_ring(init: str, low: float, high: float) -> None:
    net = Network(cell="lru", input_size=3, hidden_size=1000, output_size=2)
    (layer,) = net.init(np.random.default_rng(0), init).layers
    squared, angles = np.abs(layer.eigenvalues) ** 2, np.angle(layer.eigenvalues)
    assert low**2 <= squared.min() <= squared.max() <= high**2
    assert squared.mean() == pytest.approx((low**2 + high**2) / 2, abs=5.0 * squared.std() / np.sqrt(1000))
    for order in (1, 2, 3):
        assert abs(np.exp(1j * order * angles).mean()) < 4.0 / np.sqrt(1000)
    np.testing.assert_allclose(np.exp(layer.gamma), np.sqrt(1.0 - squared), rtol=1e-9)


@pytest.mark.parametrize("cell", ["lru", "mingru"])
def test_a_single_step_is_right_for_cells_with_elementwise_memory(cell: str) -> None:
    e = Experiment(task="digits", topology="one-to-one", seq_len=1, cell=cell)
    assert np.isfinite(train(e, 3).history["loss"]).all()


@pytest.mark.parametrize("cell", CELLS)
def test_an_initialisation_that_a_cell_does_not_have_is_refused_with_those_that_it_has(cell: str) -> None:
    net = Network(cell=cell, input_size=2, hidden_size=3, output_size=1)
    with pytest.raises(ValueError, match=f"^init must be one of {net.cell.inits[0]}.*; got 'xavier'"):
        net.init(np.random.default_rng(0), "xavier")


# In an experiment


@pytest.mark.parametrize(
    ("cell", "count"),
    [("vanilla", I * H + H * H + H), ("lstm", 4 * (I * H + H * H + H)), ("gru", 3 * (I * H + H * H + H) + H)],
)
def test_parameters_are_counted_as_they_are_trained(cell: str, count: int) -> None:
    _, params = network(cell)
    assert params.count == count + H * O + O


@pytest.mark.parametrize("cell", [name for name, cell in CELLS.items() if cell.recurrent])
def test_a_network_of_every_cell_learns(cell: str) -> None:
    run = train(Experiment(seq_len=10, cell=cell, learning_rate=1e-2), 300, until_solved=True)
    assert run.state.solved_at is not None


@pytest.mark.parametrize("cell", GATED)
def test_a_snapshot_of_a_gated_network_has_no_single_spectrum(cell: str) -> None:
    e = Experiment(seq_len=10, cell=cell)
    shot = take_snapshot(e, e.init(e.rng("weights")), 0)
    assert np.isnan([*shot.spectral_radius, *shot.sigma_max]).all()
    assert np.isfinite(shot.decades).all()


def test_a_snapshot_holds_the_gates_and_both_states_of_an_lstm() -> None:
    e = Experiment(task="echo", topology="many-to-many", seq_len=9, delay=2, layers=2, cell="lstm")
    params = e.init(e.rng("weights"))
    shot = take_snapshot(e, params, 0)
    h, c = np.zeros((2, 2, e.hidden_size))
    for t, x in enumerate(shot.inputs[:, 0]):
        below = x
        for layer, w in enumerate(params.layers):
            a = below @ w.W_xh + w.b + h[layer] @ w.W_hh
            i, f, o = (1.0 / (1.0 + np.exp(-np.split(a, 4)[k])) for k in (0, 1, 3))
            c[layer] = f * c[layer] + i * np.tanh(np.split(a, 4)[2])
            h[layer] = below = o * np.tanh(c[layer])
            seen = {name: values[t] for name, values in shot.others[layer].items()}
            for name, value in {"c": c[layer], "input gate": i, "forget gate": f, "output gate": o}.items():
                np.testing.assert_allclose(seen[name], value, rtol=1e-12, atol=1e-14, err_msg=name)
            np.testing.assert_allclose(shot.hidden[layer][t], h[layer], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_a_snapshot_shows_the_gradient_of_each_part_of_the_state(cell: str) -> None:
    e = Experiment(seq_len=9, cell=cell)
    shot = take_snapshot(e, e.init(e.rng("weights")), 0)
    parts = shot.last_parts[0]
    assert tuple(parts) == {"lstm": ("h", "c"), "lru": ("h", "s")}.get(cell, ())
    if parts:
        assert (np.max(list(parts.values()), axis=0) <= shot.last[0] * (1 + 1e-12)).all()
        assert (shot.last[0] <= np.sum(list(parts.values()), axis=0) * (1 + 1e-12)).all()
        (errors,) = probe(e).state_errors(probe(e).dL_dy)
        np.testing.assert_allclose(parts["h"], np.linalg.norm(errors[0], axis=-1).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cell": "rnn"}, "cell must be one of vanilla, .*; got 'rnn'"),
        ({"activation": "gelu"}, "activation must be one of tanh, .*; got 'gelu'"),
        ({"hidden_size": 0}, "hidden_size must be 1 or more; got 0"),
        ({"num_layers": -1}, "num_layers must be 1 or more; got -1"),
    ],
)
def test_a_network_that_cannot_be_is_refused_by_name(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        Network(**{"input_size": 2, "hidden_size": 3, "output_size": 1} | wrong)
