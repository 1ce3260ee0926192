"""Uploaded networks: read in any convention, measured correctly, rejected with an explanation."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnviz.analysis.driven import states_as_outputs
from rnnviz.analysis.uploaded_network import UploadedNetwork, uploaded_flow
from rnnviz.applications.network_file import (
    LARGEST_FILE,
    LARGEST_HIDDEN,
    MOST_ENTRIES,
    MOST_GATED_LAYERS,
    read_network,
    save_network,
)
from rnnviz.model.arrays import Array, norms
from rnnviz.model.cells import GRUWeights, LayerWeights, LSTMWeights, VanillaWeights
from rnnviz.model.initializers import orthogonal
from rnnviz.model.network import Network

T, I, H = 12, 3, 5  # noqa: E741
NAMES = (
    "W_xh",
    "W_hh",
    "b_h",
    "weight_ih_l0",
    "weight_hh_l0",
    "bias_ih_l0",
    "bias_hh_l0",
    "weight_hr_l0",
    "kernel",
    "recurrent_kernel",
    "x",
)
PEAK = 4 * LARGEST_FILE
"""Most bytes that reading may allocate, for any file: the file, its arrays, and these as float64."""


def packed(*, compressed: Any = False, **arrays: Any) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def weights(seed: int = 0, inputs: int = I, units: int = H) -> VanillaWeights:
    rng = np.random.default_rng(seed)
    return VanillaWeights(
        rng.normal(0, 0.5, (inputs, units)), rng.normal(0, 0.4, (units, units)), rng.normal(0, 0.3, units)
    )


def as_pytorch(layers: list[VanillaWeights], prefix: str = "", bias: bool = True) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for i, w in enumerate(layers):
        arrays |= {f"{prefix}weight_ih_l{i}": w.W_xh.T, f"{prefix}weight_hh_l{i}": w.W_hh.T}
        if bias:
            arrays |= {f"{prefix}bias_ih_l{i}": 0.25 * w.b_h, f"{prefix}bias_hh_l{i}": 0.75 * w.b_h}
    return arrays


BLOCKS = {"vanilla": 1, "gru": 3, "lstm": 4}
GATED = ["lstm", "gru"]


def state_dict(
    cell: str, depth: int = 1, bias: bool = True, seed: int = 0, inputs: int = I, units: int = H
) -> dict[str, Array]:
    """Random weights with the names, shapes and order of a PyTorch state dict."""
    rng, rows = np.random.default_rng(seed), BLOCKS[cell] * units
    arrays: dict[str, Array] = {}
    for i in range(depth):
        arrays |= {
            f"weight_ih_l{i}": rng.normal(0, 0.5, (rows, units if i else inputs)),
            f"weight_hh_l{i}": rng.normal(0, 0.5, (rows, units)),
        }
        if bias:
            arrays |= {f"bias_{kind}_l{i}": rng.normal(0, 0.5, rows) for kind in ("ih", "hh")}
    return arrays


def refusal(data: bytes) -> str:
    """The error message for a rejected file."""
    with pytest.raises(ValueError, match=r"\.$") as refused:
        read_network(data)
    sentence = str(refused.value)
    assert sentence.isprintable()
    assert 30 < len(sentence) < 400
    assert "\n" not in sentence
    return sentence


# Conventions --------------------------------------------------------------------------------------


def test_the_same_network_has_the_same_gradient_under_every_convention() -> None:
    w = weights()
    ours = read_network(packed(W_xh=w.W_xh, W_hh=w.W_hh, b_h=w.b_h))
    keras = read_network(packed(kernel=w.W_xh, recurrent_kernel=w.W_hh, bias=w.b_h))
    pytorch = read_network(packed(**as_pytorch([w], "model.rnn."), **{"fc.weight": np.zeros((2, H))}))
    assert [n.source for n in (ours, keras, pytorch)] == ["rnnviz names", "Keras", "PyTorch"]
    assert (ours.input_size, ours.hidden_size, ours.depth, ours.parameters) == (I, H, 1, I * H + H * H + H)
    assert pytorch.ignored == ("fc.weight",)
    expected = uploaded_flow(UploadedNetwork((w,)), seq_len=T).curve
    np.testing.assert_array_equal(uploaded_flow(ours, seq_len=T).curve, expected)
    np.testing.assert_array_equal(uploaded_flow(keras, seq_len=T).curve, expected)
    np.testing.assert_allclose(uploaded_flow(pytorch, seq_len=T).curve, expected, rtol=1e-12)


@pytest.mark.parametrize("names", [("W_xh", "W_hh"), ("kernel", "recurrent_kernel")])
def test_a_missing_bias_is_zero(names: tuple[str, str]) -> None:
    w = weights()
    network = read_network(packed(**{names[0]: w.W_xh, names[1]: w.W_hh}))
    np.testing.assert_array_equal(network.layers[0].b_h, np.zeros(H))
    without = read_network(packed(**as_pytorch([w], bias=False)))
    np.testing.assert_array_equal(without.layers[0].b_h, np.zeros(H))


def test_what_is_saved_can_be_read_with_all_its_layers() -> None:
    layers = (weights(0), weights(1, inputs=H), weights(2, inputs=H))
    network = read_network(save_network(UploadedNetwork(layers)))
    for read, saved in zip(network.layers, layers, strict=True):
        for name in ("W_xh", "W_hh", "b_h"):
            np.testing.assert_array_equal(getattr(read, name), getattr(saved, name))


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", ">i2", "i1", "u4", "<i8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_plain_type_and_order_of_numbers_is_read(dtype: str, order: Any) -> None:
    values = np.arange(H * H).reshape(H, H)
    arrays = {name: np.asarray(values[:n], dtype, order=order) for name, n in (("W_xh", I), ("W_hh", H))}
    layer = read_network(packed(compressed=True, **arrays)).layers[0]
    assert layer.W_hh.dtype == np.float64
    np.testing.assert_array_equal(layer.W_hh, values)
    np.testing.assert_array_equal(layer.W_xh, values[:I])


# The gradient -------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_curve_is_the_one_of_pytorchs_autograd(activation: str) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    both = torch.nn.RNN(I, H, num_layers=2, nonlinearity=activation).double()
    state = {name: value.detach().numpy() for name, value in both.state_dict().items()}
    network = read_network(packed(**{f"rnn.{name}": value for name, value in state.items()}))
    single = [torch.nn.RNN(n, H, nonlinearity=activation).double() for n in (I, H)]
    for i, rnn in enumerate(single):
        rnn.load_state_dict({n[:-1] + "0": torch.tensor(v) for n, v in state.items() if n.endswith(str(i))})
    rng = np.random.default_rng(0)
    error = rng.standard_normal((16, H))
    error /= np.linalg.norm(error, axis=1, keepdims=True)
    below = 1.5 * torch.tensor(rng.standard_normal((T, 16, I)))
    states = []
    for rnn in single:  # step by step, so that each state stands for itself
        h, before = None, []
        for x in below:
            h = rnn(x[None], h)[1]
            h.retain_grad()
            before.append(h)
        below = torch.cat(before)
        states.append(before)
    (states[-1][-1][0] * torch.tensor(error)).sum().backward()
    for layer, before in enumerate(states):
        expected = [np.linalg.norm(h.grad[0].numpy(), axis=1).mean() for h in before]
        flow = uploaded_flow(network, activation, T, 1.5, layer)
        np.testing.assert_allclose(flow.curve, expected, rtol=1e-10)


def test_a_sigmoids_curve_agrees_with_central_differences() -> None:
    w, step = weights(), 1e-5
    rng = np.random.default_rng(4)
    error = rng.standard_normal((2, H))
    error /= norms(error)[:, None]
    inputs = 0.7 * rng.standard_normal((T, 2, I))

    def forward(h: Array, begin: int) -> list[Array]:
        states = [h]
        for x in inputs[begin:]:
            states.append(1.0 / (1.0 + np.exp(-(x @ w.W_xh + states[-1] @ w.W_hh + w.b_h))))
        return states

    states = forward(np.zeros((2, H)), 0)
    expected = []
    for t in range(1, T + 1):
        gradient = np.zeros((2, H))
        for unit, push in enumerate(step * np.eye(H)):
            ends = [forward(states[t] + sign * push, t)[-1] for sign in (1, -1)]
            gradient[:, unit] = np.sum(error * (ends[0] - ends[1]), axis=1) / (2 * step)
        expected.append(norms(gradient).mean())
    flow = uploaded_flow(UploadedNetwork((w,)), "sigmoid", T, 0.7, batch=2, seed=4)
    np.testing.assert_allclose(flow.curve, expected, rtol=1e-4, atol=1e-11)


@pytest.mark.parametrize("gain", [0.7, 1.0, 1.3])
@pytest.mark.parametrize(("activation", "input_std"), [("linear", 1.0), ("tanh", 0.0)])
def test_an_orthogonal_matrix_without_slopes_changes_a_gradient_by_exactly_its_gain(
    gain: float, activation: str, input_std: float
) -> None:
    rng = np.random.default_rng(0)
    w = VanillaWeights(rng.normal(size=(I, H)), gain * orthogonal(rng, H), np.zeros(H))
    flow = uploaded_flow(UploadedNetwork((w,)), activation, 60, input_std)
    np.testing.assert_allclose(flow.curve, gain ** np.arange(59.0, -1.0, -1.0), rtol=1e-10)
    assert flow.factor == pytest.approx(gain, rel=1e-12)
    assert flow.decades == pytest.approx(59 * np.log10(gain), abs=1e-10)
    assert flow.verdict == {0.7: "vanishing", 1.0: "healthy", 1.3: "exploding"}[gain]
    assert flow.slope_factor == pytest.approx(1.0, rel=1e-12)
    assert flow.saturated == 0.0


def test_of_a_wide_input_only_what_arrives_is_drawn_with_the_same_result() -> None:
    w = weights(inputs=40, units=3)
    rng = np.random.default_rng(1)
    h = [np.zeros((4000, 3))]
    for _ in range(6):
        h.append(np.tanh(0.3 * rng.standard_normal((4000, 40)) @ w.W_xh + h[-1] @ w.W_hh + w.b_h))
    error = rng.standard_normal((4000, 3))
    error /= norms(error)[:, None]
    expected = [1.0]
    for state in h[:1:-1]:
        error = (error * (1.0 - state**2)) @ w.W_hh.T
        expected.insert(0, norms(error).mean())
    flow = uploaded_flow(UploadedNetwork((w,)), "tanh", 6, 0.3, batch=4000)
    np.testing.assert_allclose(flow.curve, expected, rtol=0.05)
    huge = UploadedNetwork((VanillaWeights(np.ones((200_000, 1)), np.eye(1), np.zeros(1)),))
    assert uploaded_flow(huge, "linear", 200).verdict == "healthy"


def test_a_dead_and_an_overflowing_network_have_a_verdict() -> None:
    dead = uploaded_flow(
        UploadedNetwork((VanillaWeights(np.ones((I, H)), np.eye(H), np.full(H, -100.0)),)), "relu"
    )
    assert (dead.verdict, dead.decades, dead.factor, dead.saturated) == ("vanishing", -np.inf, 0.0, 1.0)
    wild = uploaded_flow(
        UploadedNetwork((VanillaWeights(np.ones((I, H)), 1e30 * np.eye(H), np.zeros(H)),)), "linear"
    )
    assert wild.verdict == "exploding"


def test_choices_out_of_bounds_are_told() -> None:
    network = UploadedNetwork((weights(),))
    with pytest.raises(ValueError, match="seq_len must be between 2 and 200; got 9999"):
        uploaded_flow(network, seq_len=9999)
    with pytest.raises(ValueError, match="activation must be one of tanh"):
        uploaded_flow(network, "softmax")
    with pytest.raises(ValueError, match="layer must be between -1 and 0; got 1"):
        uploaded_flow(network, layer=1)
    with pytest.raises(ValueError, match="input_std must be between 0 and 100; got nan"):
        uploaded_flow(network, input_std=float("nan"))


# Gated cells --------------------------------------------------------------------------------------


def logistic(a: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-a))


def plain_states(
    arrays: dict[str, Array], inputs: Any, push: tuple[int, int, int, Any] | None = None
) -> list[list[list[Any]]]:
    """The equations of PyTorch's documentation of nn.LSTM and nn.GRU, in the letters that stand there.

    Returns for every step and layer [h] or [h, c]. push : layer, row, number of the array and what is added
    to it there.
    """
    B, depth = inputs.shape[1], sum(name.startswith("weight_ih") for name in arrays)
    over_time: list[list[list[Any]]] = []
    for t, x in enumerate(inputs):
        after: list[list[Any]] = []
        for i in range(depth):
            W_ih, W_hh = arrays[f"weight_ih_l{i}"], arrays[f"weight_hh_l{i}"]
            nothing = np.zeros(len(W_ih))
            b_ih, b_hh = (arrays.get(f"bias_{kind}_l{i}", nothing) for kind in ("ih", "hh"))
            (rows, H), below = W_hh.shape, after[-1][0] if after else x
            before = over_time[-1][i] if over_time else [np.zeros((B, H))] * 2
            from_x, from_h = below @ W_ih.T + b_ih, before[0] @ W_hh.T + b_hh
            if rows == 4 * H:
                i_t, f_t, g_t, o_t = np.split(from_x + from_h, 4, axis=1)
                c = logistic(f_t) * before[1] + logistic(i_t) * np.tanh(g_t)
                state = [logistic(o_t) * np.tanh(c), c]
            else:
                (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(from_x, 3, axis=1), np.split(from_h, 3, axis=1)
                n, z = np.tanh(x_n + logistic(x_r + h_r) * h_n), logistic(x_z + h_z)
                state = [(1.0 - z) * n + z * before[0]]
            if push and push[:2] == (i, t):
                state[push[2]] = state[push[2]] + push[3]
            after.append(state)
        over_time.append(after)
    return over_time


def plain_curve(arrays: dict[str, Array], inputs: Array, error: Array, layer: int) -> Array:
    """||dL/dh_t||, or of h and c together, by complex steps: exact to rounding, without a backward pass."""
    T, H = len(inputs), error.shape[1]
    parts = 2 if len(arrays["weight_hh_l0"]) == 4 * H else 1
    gradient = np.zeros((T, len(error), parts * H))
    for t, part, unit in product(range(T), range(parts), range(H)):
        push = 1e-30j * np.eye(H)[unit]
        last = plain_states(arrays, inputs, (layer, t, part, push))[-1][-1][0]
        gradient[t, :, part * H + unit] = np.sum(error * last.imag, axis=1) / 1e-30
    curve: Array = np.linalg.norm(gradient, axis=2).mean(axis=1)
    return curve


def drawn(T: int, B: int, inputs: int, units: int, strength: float) -> tuple[Array, Array]:
    """The errors and inputs that ``uploaded_flow`` draws from its seed 0."""
    rng = np.random.default_rng(0)
    error = rng.standard_normal((B, units))
    return error / np.linalg.norm(error, axis=1, keepdims=True), strength * rng.standard_normal(
        (T, B, inputs)
    )


@given(
    cell=st.sampled_from(GATED),
    depth=st.integers(1, 3),
    bias=st.booleans(),
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=60, deadline=None)
def test_a_state_dict_of_any_gated_network_gives_the_states_of_pytorchs_equations(
    cell: str, depth: int, bias: bool, sizes: tuple[int, int], seed: int
) -> None:
    arrays = state_dict(cell, depth, bias, seed, *sizes)
    network = read_network(packed(**{f"model.rnn.{name}": value for name, value in arrays.items()}))
    assert (network.source, network.cell, network.depth) == ("PyTorch", cell, depth)
    assert (network.input_size, network.hidden_size) == sizes
    inputs = np.random.default_rng(seed).standard_normal((7, 2, sizes[0]))
    expected = plain_states(arrays, inputs)
    for i, states in enumerate(states_of(network, inputs)):
        for part, values in enumerate(states):
            np.testing.assert_allclose(values, [step[i][part] for step in expected], rtol=1e-9, atol=1e-12)


def states_of(network: UploadedNetwork, inputs: Array) -> Iterator[list[Array]]:
    """Every layer's states h (and c) after each step, as rnnviz computes them."""
    H = network.hidden_size
    net = Network(
        cell=network.cell,
        input_size=network.input_size,
        hidden_size=H,
        output_size=H,
        num_layers=network.depth,
    )
    _, traces = net.forward(states_as_outputs(*network.layers, hidden_size=H), inputs)
    for trace in traces:
        yield [states[1:] for states in trace.states]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("cell", GATED)
def test_the_curve_of_a_gated_network_agrees_with_complex_steps_through_pytorchs_equations(
    cell: str, depth: int, bias: bool
) -> None:
    arrays = state_dict(cell, depth, bias, seed=depth)
    network, (error, inputs) = read_network(packed(**arrays)), drawn(8, 3, I, H, 1.5)
    for layer in range(depth):
        flow = uploaded_flow(network, seq_len=8, input_std=1.5, layer=layer, batch=3)
        np.testing.assert_allclose(
            flow.curve, plain_curve(arrays, inputs, error, layer), rtol=1e-9, atol=1e-15
        )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("cell", GATED)
def test_outputs_and_curves_of_a_gated_network_are_those_of_pytorch(
    cell: str, depth: int, bias: bool
) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(depth)
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
    both = kind(I, H, num_layers=depth, bias=bias).double()
    state = {name: value.detach().numpy() for name, value in both.state_dict().items()}
    network, (error, inputs) = read_network(packed(**state)), drawn(T, 16, I, H, 1.5)
    *_, (outputs, *_) = states_of(network, inputs)
    np.testing.assert_allclose(outputs, both(torch.tensor(inputs))[0].detach(), rtol=1e-9)

    single = [kind(n, H, bias=bias).double() for n in [I] + [H] * (depth - 1)]
    below, states = torch.tensor(inputs), []
    for i, rnn in enumerate(single):
        rnn.load_state_dict({n[:-1] + "0": torch.tensor(v) for n, v in state.items() if n.endswith(str(i))})
        carried, before = None, []
        for x in below:  # step by step, so that each state stands for itself
            after = rnn(x[None], carried)[1]
            parts = [part.clone() for part in (after if cell == "lstm" else (after,))]
            for part in parts:
                part.retain_grad()
            carried = tuple(parts) if cell == "lstm" else parts[0]
            before.append(parts)
        below = torch.cat([parts[0] for parts in before])
        states.append(before)
    (states[-1][-1][0][0] * torch.tensor(error)).sum().backward()
    for layer, before in enumerate(states):
        expected = []
        for parts in before:
            there = [np.zeros((16, H)) if p.grad is None else p.grad[0].numpy() for p in parts]
            expected.append(np.linalg.norm(np.concatenate(there, axis=1), axis=1).mean())
        flow = uploaded_flow(network, seq_len=T, input_std=1.5, layer=layer)
        np.testing.assert_allclose(flow.curve, expected, rtol=1e-9)


@given(
    cell=st.sampled_from(list(BLOCKS)),
    depth=st.integers(1, 3),
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=60, deadline=None)
def test_a_network_of_any_cell_comes_back_from_its_file_as_it_was(
    cell: str, depth: int, sizes: tuple[int, int], seed: int
) -> None:
    network = read_network(packed(**state_dict(cell, depth, True, seed, *sizes)))
    again = read_network(save_network(network))
    assert (again.cell, again.depth, again.parameters) == (cell, depth, network.parameters)
    for read, saved in zip(again.layers, network.layers, strict=True):
        for field in fields(saved):
            np.testing.assert_array_equal(getattr(read, field.name), getattr(saved, field.name))


@pytest.mark.parametrize("cell", GATED)
def test_a_saved_gated_network_can_be_loaded_by_pytorch(cell: str) -> None:
    torch = pytest.importorskip("torch")
    network = read_network(packed(**state_dict(cell, 2)))
    rnn = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](I, H, num_layers=2).double()
    with np.load(io.BytesIO(save_network(network))) as saved:
        rnn.load_state_dict({name: torch.tensor(value) for name, value in saved.items()})
    inputs = np.random.default_rng(0).standard_normal((T, 2, I))
    *_, (outputs, *_) = states_of(network, inputs)
    np.testing.assert_allclose(outputs, rnn(torch.tensor(inputs))[0].detach(), rtol=1e-9)


@pytest.mark.parametrize(("cell", "count"), [("lstm", 4 * (I + H + 1) * H), ("gru", 3 * (I + H + 1) * H + H)])
def test_biases_that_are_added_up_count_once(cell: str, count: int) -> None:
    assert read_network(packed(**state_dict(cell))).parameters == count


@pytest.mark.parametrize("keeps", [0.2, 0.5, 0.98])
@pytest.mark.parametrize("cell", GATED)
def test_without_other_weights_a_gradient_changes_by_exactly_what_the_gate_keeps(
    cell: str, keeps: float
) -> None:
    arrays = {name: np.zeros_like(value) for name, value in state_dict(cell).items()}
    arrays["bias_ih_l0"][H : 2 * H] = np.log(keeps / (1.0 - keeps)) - 1.0
    arrays["bias_hh_l0"][H : 2 * H] = 1.0
    flow = uploaded_flow(read_network(packed(**arrays)), seq_len=30)
    np.testing.assert_allclose(flow.curve[1:-1] / flow.curve[:-2], 1.0 / keeps, rtol=1e-10)
    np.testing.assert_allclose(flow.kept, np.full(H, keeps), rtol=1e-12)
    carrier, *others = {"lstm": ("forget", "input", "output"), "gru": ("update", "reset")}[cell]
    np.testing.assert_allclose(flow.gates[carrier], np.full(30, keeps), rtol=1e-12)
    for name in others:
        np.testing.assert_allclose(flow.gates[name], np.full(30, 0.5), rtol=1e-12)
    assert np.isnan([flow.slope_factor, flow.saturated]).all(), "there is no single activation"


@pytest.mark.parametrize(("cell", "gates"), [("lstm", (1, 0)), ("gru", (1, 1))])
def test_what_each_unit_keeps_is_the_geometric_mean_of_its_gate(cell: str, gates: tuple[int, int]) -> None:
    arrays = state_dict(cell)
    _, inputs = drawn(8, 3, I, H, 1.0)
    rows = slice(H, 2 * H)
    W_ih, W_hh = arrays["weight_ih_l0"][rows], arrays["weight_hh_l0"][rows]
    states = [np.zeros((3, H)), *(step[0][0] for step in plain_states(arrays, inputs))]
    b = arrays["bias_ih_l0"][rows] + arrays["bias_hh_l0"][rows]
    values = np.array([logistic(x @ W_ih.T + h @ W_hh.T + b) for x, h in zip(inputs, states, strict=False)])
    flow = uploaded_flow(read_network(packed(**arrays)), seq_len=8, batch=3)
    np.testing.assert_allclose(flow.kept, np.prod(values[1:], axis=(0, 1)) ** (1 / 21), rtol=1e-10)


def test_of_a_gated_networks_wide_input_only_what_arrives_is_drawn_with_the_same_result() -> None:
    narrow = read_network(packed(**state_dict("gru", inputs=8, units=3)))
    error, inputs = drawn(6, 16, 8, 3, 1.0)
    expected = plain_curve(state_dict("gru", inputs=8, units=3), inputs, error, 0)
    np.testing.assert_allclose(uploaded_flow(narrow, seq_len=6).curve, expected, rtol=1e-9)
    arrays = state_dict("gru", inputs=40, units=3)
    error, inputs = drawn(6, 4000, 40, 3, 0.3)
    expected = plain_curve(arrays, inputs, error, 0)
    flow = uploaded_flow(read_network(packed(**arrays)), seq_len=6, input_std=0.3, batch=4000)
    np.testing.assert_allclose(flow.curve, expected, rtol=0.05)


@pytest.mark.parametrize("size", [-1e30, 1e30])
@pytest.mark.parametrize("cell", GATED)
def test_the_largest_weights_of_a_gated_network_have_a_verdict(cell: str, size: float) -> None:
    arrays = {name: np.full_like(value, size) for name, value in state_dict(cell, 3).items()}
    flow = uploaded_flow(read_network(packed(**arrays)))
    assert flow.verdict in ("vanishing", "healthy", "exploding")
    assert ((flow.kept >= 0.0) & (flow.kept <= 1.0)).all()


def test_layers_of_other_cells_or_of_different_ones_are_refused() -> None:
    lstm, gru = (read_network(packed(**state_dict(cell))).layers[0] for cell in GATED)
    lru = Network(cell="lru", input_size=I, hidden_size=H, output_size=1).init(np.random.default_rng(0))
    for layers, got in (
        ((lstm, gru), "GRUWeights and LSTMWeights"),
        (lru.layers, "LRUWeights"),
        ((), "none"),
    ):
        with pytest.raises(ValueError, match=f"^layers must all be VanillaWeights or .*; got {got}.$"):
            UploadedNetwork(layers)
    with pytest.raises(ValueError, match="activation must be 'tanh' for cell 'lstm'; got 'relu'"):
        uploaded_flow(UploadedNetwork((lstm,)), "relu")


# Refusals -----------------------------------------------------------------------------------------

GOOD = {"W_xh": np.zeros((I, H)), "W_hh": np.zeros((H, H))}


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"fc.weight": np.zeros(3)}, "Expected arrays named W_xh, W_hh and b_h"),
        ({}, "got none"),
        ({"W_hh": np.zeros((3, 4)), "W_xh": np.zeros((2, 4))}, "W_hh must be square, (H, H); got (3, 4)."),
        ({"W_hh": np.zeros(3), "W_xh": np.zeros((2, 3))}, "W_hh must be square, (H, H); got (3,)."),
        ({"W_hh": np.zeros((1,) * 32), "W_xh": np.zeros((2, 3))}, "got 32 axes"),
        ({"W_hh": np.zeros(()), "W_xh": np.zeros((2, 3))}, "W_hh must be square, (H, H); got ()."),
        ({"W_hh": np.zeros((H, H))}, "W_xh is missing"),
        ({"W_xh": np.zeros((I, H))}, "W_hh is missing"),
        (GOOD | {"W_xh": np.zeros((H, I))}, "It looks transposed"),
        (GOOD | {"W_xh": np.zeros((I, 9))}, "W_xh must be (I, 5), as W_hh has H = 5; got (3, 9)."),
        (GOOD | {"b_h": np.zeros((1, H))}, "b_h must be (5,), one number a unit; got (1, 5)."),
        (GOOD | {"W_hh": np.zeros((0, 0))}, "W_hh must not be empty; got shape (0, 0)."),
        (GOOD | {"W_hh": np.full((H, H), np.nan)}, "W_hh must hold finite numbers"),
        (GOOD | {"W_hh": np.full((H, H), -np.inf)}, "W_hh must hold finite numbers"),
        (GOOD | {"W_hh": np.full((H, H), 1e200)}, "got 1e+200"),
        (GOOD | {"W_hh": np.zeros((H, H), complex)}, "got complex numbers"),
        (GOOD | {"W_hh": np.zeros((H, H), bool)}, "got true and false"),
        (GOOD | {"W_hh": np.zeros((H, H), "U3")}, "got text"),
        (GOOD | {"W_hh": np.zeros((H, H), "M8[s]")}, "got no numbers"),
        (GOOD | {"W_hh": np.zeros((H, H), np.longdouble)}, "got a type of 16 bytes"),
        (GOOD | {"W_hh": np.zeros((H, H), [("a", "f4")])}, "got a type of 4 bytes"),
        (GOOD | {"W_hh": np.zeros((H, H), object)}, "got pickled objects"),
        (GOOD | {"recurrent_kernel": np.zeros((H, H))}, "got rnnviz names and Keras side by side"),
        (
            {"weight_hh_l0": np.zeros((10, 5)), "weight_ih_l0": np.zeros((10, 3))},
            "weight_hh_l0 must be (H, H), (3 H, H) or (4 H, H), as of an RNN, a GRU or an LSTM; got (10, 5).",
        ),
        ({"weight_hh_l0": np.zeros((5, 20)), "weight_ih_l0": np.zeros((20, 3))}, "(4 H, H)"),
        ({"weight_hh_l0": np.zeros((21, 5)), "weight_ih_l0": np.zeros((21, 3))}, "(4 H, H)"),
        ({"weight_hh_l0": np.zeros(20), "weight_ih_l0": np.zeros((20, 3))}, "(4 H, H)"),
        (
            {"weight_hh_l0": np.zeros((20, 5)), "weight_ih_l0": np.zeros((15, 3))},
            "weight_ih_l0 must be (20, I), as weight_hh_l0 is that of an LSTM with H = 5; got (15, 3).",
        ),
        ({"weight_hh_l0": np.zeros((15, 5)), "weight_ih_l0": np.zeros((3, 15))}, "It looks transposed"),
        (
            state_dict("lstm") | {"bias_ih_l0": np.zeros(5)},
            "bias_ih_l0 must be (20,), 4 numbers a unit; got (5,).",
        ),
        (state_dict("gru") | {"bias_hh_l0": np.zeros(20)}, "bias_hh_l0 must be (15,), 3 numbers a unit"),
        ({n: v for n, v in state_dict("gru").items() if n != "bias_hh_l0"}, "bias_hh_l0 is missing"),
        ({n: v for n, v in state_dict("lstm", 2).items() if n != "weight_hh_l1"}, "weight_hh_l1 is missing"),
        (
            state_dict("lstm", 2) | {n: v for n, v in state_dict("gru", 2).items() if n.endswith("1")},
            "weight_ih_l1 is of a GRU, the layer below of an LSTM",
        ),
        (
            state_dict("gru", 2) | {"weight_ih_l1": np.zeros((15, 4))},
            "weight_ih_l1 must read the 5 units of the layer below; it reads 4 inputs",
        ),
        (state_dict("lstm") | {"weight_ih_l0_reverse": np.zeros((20, I))}, "bidirectional"),
        (state_dict("gru") | {"bias_hh_l0_reverse": np.zeros(15)}, "bidirectional"),
        (
            state_dict("lstm") | {"weight_hr_l0": np.zeros((2, 5)), "weight_hh_l0": np.zeros((20, 2))},
            "Expected an LSTM without proj_size; got one with a projection (weight_hr_l0).",
        ),
        (state_dict("gru") | {"weight_hh_l0": np.full((15, 5), np.nan)}, "must hold finite numbers"),
        (state_dict("lstm", MOST_GATED_LAYERS + 1), "An LSTM or a GRU may have 3 layers; got 4."),
        (
            {"weight_hh_l0": np.zeros((3 * 701, 701), "i1"), "weight_ih_l0": np.zeros((3 * 701, 1), "i1")},
            "may be of 700 hidden units; got 701",
        ),
        ({"recurrent_kernel": np.zeros((5, 20)), "kernel": np.zeros((3, 20))}, "as in an LSTM"),
        ({"recurrent_kernel": np.zeros((5, 15)), "kernel": np.zeros((3, 15))}, "as in a GRU"),
        (as_pytorch([weights()]) | {"weight_ih_l0_reverse": np.zeros((H, I))}, "bidirectional"),
        (as_pytorch([weights()], "a.") | as_pytorch([weights()], "b."), "got 2, beginning with a., b."),
        (as_pytorch([weights()]) | {"weight_ih": np.zeros((H, I))}, "got weight_ih_l0 and weight_ih"),
        (
            {n: v for n, v in as_pytorch([weights()]).items() if n != "bias_hh_l0"},
            "bias_hh_l0 is missing",
        ),
        (
            {n.replace("l1", "l2"): v for n, v in as_pytorch([weights(), weights(inputs=H)]).items()},
            "_l1 is missing, got none",
        ),
        (as_pytorch([weights(), weights(inputs=4)]), "weight_ih_l1 must read the 5 units of the layer below"),
        (as_pytorch([weights(inputs=H)] * 9), "may have 8 layers; got 9"),
        (GOOD | {f"x{i}": np.zeros(1) for i in range(MOST_ENTRIES)}, "may hold 64 arrays; got 66"),
        (
            {"W_hh": np.zeros((LARGEST_HIDDEN + 1,) * 2, "i1"), "W_xh": np.zeros((1, LARGEST_HIDDEN + 1))},
            "may be of 700 hidden units; got 701",
        ),
        (GOOD | {"x": np.zeros(LARGEST_FILE // 8)}, "may have 2 MB; got 2.1 MB"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_in_words(arrays: dict[str, Any], told: str) -> None:
    assert told in refusal(packed(compressed=True, **arrays))


def test_other_kinds_of_files_are_named() -> None:
    npy = io.BytesIO()
    np.save(npy, np.zeros((H, H)))
    assert "a single array (.npy)" in refusal(npy.getvalue())
    assert "an HDF5 file (.h5)" in refusal(b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert "a pickle" in refusal(b"\x80\x02}q\x00.")
    assert "an empty file" in refusal(b"")
    assert "no complete zip archive" in refusal(packed(**GOOD)[:-30])
    assert "got 2.1 MB" in refusal(bytes(LARGEST_FILE + 90_000))
    assert "a PyTorch file" in refusal(zipped({"archive/data.pkl": b"\x80\x02."}))
    assert "model.rnn.state_dict()" in refusal(zipped({"archive/data.pkl": b"\x80\x02."}))
    assert "a Keras file" in refusal(zipped({"config.json": b"{}", "model.weights.h5": b""}))


def test_a_foreign_name_is_shortened_and_told_without_its_special_characters() -> None:
    names = {"<script>alert(1)</script>" * 3: np.zeros(1), "ключ": np.zeros(1), "**bold**": np.zeros(1)}
    ignored = read_network(packed(**names, **GOOD)).ignored
    assert ignored == ("?script?alert?1??/script??scri…", "????", "??bold??")
    assert "?script?" in refusal(packed(**names))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H" if version[0] == 1 else "<I", len(text)) + text + data


def peak_of_refusing(data: bytes) -> int:
    """Peak memory in bytes while a file is rejected."""
    tracemalloc.start()
    try:
        refusal(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


BOMB_BYTES = 100_000_000


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A valid file of 100 MB of zeros, 100 kB compressed."""
    file = io.BytesIO()
    header = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3500, 3500)}")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("W_hh.npy", "w") as member:
            member.write(header + bytes(BOMB_BYTES % 1_000_000 or 1_000_000 - len(header)))
            for _ in range(BOMB_BYTES // 1_000_000 - 1):
                member.write(bytes(1_000_000))
        archive.writestr(
            "W_xh.npy", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1)}", bytes(8))
        )
    return file.getvalue()


def test_a_zip_bomb_is_never_unpacked(bomb: bytes) -> None:
    assert len(bomb) < LARGEST_FILE
    assert "got 100.1 MB" in refusal(bomb)
    assert peak_of_refusing(bomb) < PEAK


@pytest.mark.parametrize("told", [1000, LARGEST_FILE - 1000])
def test_a_zip_bomb_that_tells_a_small_size_is_not_unpacked_beyond_it(bomb: bytes, told: int) -> None:
    lying = bomb.replace(struct.pack("<L", BOMB_BYTES), struct.pack("<L", told))
    assert lying != bomb
    assert "broken entry" in refusal(lying)
    assert peak_of_refusing(lying) < PEAK


@pytest.mark.parametrize(
    "shape", ["(1000000, 1000000)", "(10**12,)", "(-1, -1)", f"({'9' * 300},)", "((2, 2),)"]
)
def test_a_header_cannot_claim_more_than_there_is(shape: str) -> None:
    lying = npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}", bytes(64))
    data = zipped({"W_hh.npy": lying, "W_xh.npy": lying})
    assert refusal(data).startswith("W_hh must ")
    assert peak_of_refusing(data) < PEAK


@pytest.mark.parametrize(
    "header",
    [
        "__import__('os').abort()",
        "(" * 900,
        "-" * 900 + "1",
        "{" * 90 + "}" * 90,
        "{'descr': '|O', 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '<f8', 'fortran_order': 3, 'shape': (1, 1)}",
        "{'descr': '<f8', 'shape': (1L, 1L), 'fortran_order': False}",
        "{'descr': '\\d', 'fortran_order': False, 'shape': (1, 1)}",
        "\x00",
        "",
        "x" * 5000,
    ],
)
@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x09"])
def test_a_header_that_is_none_is_refused(header: str, version: bytes) -> None:
    broken = npy(header, bytes(8), version)
    assert refusal(zipped({"W_hh.npy": broken, "W_xh.npy": broken})).startswith("W_hh must ")


class Trap:
    sprung = False

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return spring, ()


def spring() -> None:
    Trap.sprung = True


def test_a_pickle_is_never_opened() -> None:
    trap = np.array([[Trap()]], object)
    assert "pickled objects" in refusal(packed(W_hh=trap, W_xh=np.zeros((1, 1))))
    assert read_network(packed(W_hh=np.zeros((1, 1)), W_xh=np.zeros((1, 1)), other=trap)).ignored == (
        "other",
    )
    assert not Trap.sprung


def test_locked_packed_otherwise_and_doubled_entries_are_refused() -> None:
    good = {f"{name}.npy": npy_of(value) for name, value in GOOD.items()}
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert "stored or deflated" in refusal(zipped(good, method))
    locked = bytearray(zipped(good))
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := locked.find(sign, at + 1)) >= 0:
            locked[at + offset] |= 1
    assert "encrypted" in refusal(bytes(locked))
    file = io.BytesIO(zipped(good))
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("W_hh.npy", good["W_hh.npy"])
    assert "got W_hh twice" in refusal(file.getvalue())


def npy_of(value: Array) -> bytes:
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


# Whatever comes -----------------------------------------------------------------------------------


def read_or_refuse(data: bytes) -> None:
    """Fail on anything but a network or an error message."""
    layers: tuple[LayerWeights, ...] = ()
    sentence = "."
    try:
        layers = read_network(data).layers
    except ValueError as refused:
        sentence = str(refused)
    assert sentence.endswith(".")
    assert sentence.isprintable()
    for layer in layers:
        blocks = {VanillaWeights: 1, GRUWeights: 3, LSTMWeights: 4}[type(layer)]
        H, width = layer.W_hh.shape
        assert (layer.W_xh.shape[1], width) == (blocks * H,) * 2
        assert {array.shape for name, array in vars(layer).items() if name.startswith("b")} <= {
            (width,),
            (H,),
        }
        assert all(np.isfinite(array).all() for array in vars(layer).values())


@given(start=st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY"]), rest=st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_random_bytes_are_refused(start: bytes, rest: bytes) -> None:
    read_or_refuse(start + rest)


INTACT = [
    packed(compressed=c, other=np.zeros(2, "U2"), **arrays)
    for c in (False, True)
    for arrays in (GOOD | {"b_h": np.arange(5.0)}, state_dict("lstm", 2), state_dict("gru"))
]


@given(
    intact=st.sampled_from(INTACT),
    flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), max_size=4),
    ends=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    cut=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_read_or_refused(
    intact: bytes, flips: list[tuple[float, int]], ends: tuple[float, float], cut: bool
) -> None:
    damaged = bytearray(intact)
    for place, change in flips:
        damaged[int(place * len(damaged))] ^= change
    start, stop = sorted(int(end * len(damaged)) for end in ends)
    read_or_refuse(bytes(damaged[start:stop] if cut else damaged))


shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
dtypes = hnp.scalar_dtypes() | hnp.byte_string_dtypes() | hnp.unicode_string_dtypes()
anything = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int8]),
    st.sampled_from([(2, 2), (2,), (6, 2), (8, 2), (6,), (8,)]),
) | (hnp.arrays(dtypes, shapes))


@given(arrays=st.dictionaries(st.sampled_from(NAMES), anything, max_size=5))
@settings(max_examples=100, deadline=None)
def test_arrays_of_any_type_and_shape_are_read_or_refused(arrays: dict[str, Any]) -> None:
    read_or_refuse(packed(**arrays))


@given(
    members=st.dictionaries(st.sampled_from([f"{n}.npy" for n in NAMES]), st.binary(max_size=40), max_size=4)
)
@settings(max_examples=100, deadline=None)
def test_members_with_anything_in_them_are_refused(members: dict[str, bytes]) -> None:
    for start in (b"", b"\x93NUMPY\x01\x00"):
        read_or_refuse(zipped({name: start + content for name, content in members.items()}))
