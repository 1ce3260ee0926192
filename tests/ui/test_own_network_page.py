"""A network that a visitor brings along, through the shell: by key, asserting values."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment, gradient_flow
from rnnviz.analysis.uploaded_network import UploadedNetwork, uploaded_flow
from rnnviz.applications.network_file import read_network, save_network
from rnnviz.experiment.links import to_params
from rnnviz.model.cells import GRUWeights, LSTMWeights, VanillaWeights
from rnnviz.training.loop import advance
from rnnviz.ui.applications.own_network import SNIPPETS, Brought
from tests.visitor import Tab, copies

H = 6
ORTHOGONAL = np.linalg.qr(np.random.default_rng(0).normal(size=(H, H)))[0]


def network(gain: float, depth: int = 1) -> UploadedNetwork:
    """A network whose gradient changes by ``gain`` per step where no slope takes of it."""
    sizes = [3] + [H] * (depth - 1)
    return UploadedNetwork(
        tuple(VanillaWeights(np.ones((n, H)), gain * ORTHOGONAL, np.zeros(H)) for n in sizes)
    )


def keeping(share: float, cell: str = "lstm", depth: int = 1) -> UploadedNetwork:
    """An LSTM or a GRU whose memory keeps this share per step, and whose other weights are zero."""
    blocks, bias = {"lstm": 4, "gru": 3}[cell], np.log(share / (1.0 - share))
    b = np.zeros(blocks * H)
    b[H : 2 * H] = bias
    rest: tuple[Any, ...] = (b,) if cell == "lstm" else (b, np.zeros(H))
    kind: Any = {"lstm": LSTMWeights, "gru": GRUWeights}[cell]
    sizes = [3] + [H] * (depth - 1)
    return UploadedNetwork(tuple(kind(np.zeros((n, len(b))), np.zeros((H, len(b))), *rest) for n in sizes))


class OwnNetwork(Tab):
    """The page Real data, opened at the visitor's own network."""

    def __init__(self, e: Experiment | None = None) -> None:
        super().__init__("real_data", job="network", **to_params(e or Experiment(seq_len=8)))

    def choose(self, job: str) -> None:
        self.widget("button_group", "job").set_value(job)
        self.look()

    def upload(self, content: bytes, name: str = "mine.npz") -> None:
        self.tab.file_uploader[0].set_value((name, content, "application/octet-stream"))
        self.look()

    @property
    def brought(self) -> Brought:
        brought: Brought = self.tab.session_state["own_network"]
        return brought

    @property
    def verdict(self) -> str:
        said = re.search(r"<p class='verdict (\w+)' role='status'[^>]*>(.*?)</p>", self.html)
        assert said is not None
        return f"{said[1]}: {said[2]}".replace("&#x27;", "'")

    @property
    def said(self) -> str:
        return " ".join(m.value for m in self.tab.markdown).replace("\u00a0", " ")

    @property
    def refusal(self) -> str:
        """What the page says of a refused file, as a person reads it."""
        return " ".join(self.notes)

    def figure(self, name: str) -> dict[str, Any]:
        sent = [json.loads(e.proto.bytes) for e in self.tab.get("bidi_component") if e.proto.bytes]
        found: dict[str, Any] = {f["name"]: f for f in sent}[name]
        return found


def test_before_any_upload_the_playgrounds_network_is_shown_and_named() -> None:
    page = OwnNetwork(Experiment(seq_len=8, activation="relu", init="orthogonal"))
    assert "Is its gradient vanishing?" in page.html
    assert "The playground's network, until you upload your own." in page.html
    layers = page.run.state.params.layers
    expected = uploaded_flow(
        UploadedNetwork(tuple(w for w in layers if isinstance(w, VanillaWeights))), "relu"
    )
    assert page.verdict.startswith(
        f"{expected.verdict}: On random input (strength 1), the playground's gradient "
    )
    assert page.tab.selectbox(key="own_activation_example").value == "relu"
    assert page.tab.selectbox(key="own_activation_example").options == ["ReLU"], "it has no other"
    assert "How to read this." in page.said
    assert not page.notes


def test_an_uploaded_network_gets_its_verdict_curve_and_spectrum() -> None:
    page = OwnNetwork()
    page.upload(save_network(network(0.76)))
    page.tab.selectbox(key="own_activation").set_value("linear")
    page.look()
    assert page.verdict == (
        "vanishing: On random input (strength 1), your network's gradient vanishes: it shrinks by 5.8 powers "
        "of ten over 49 steps, a factor of 0.76 per step."
    )
    assert (
        "<b>mine.npz</b> (rnnviz names): Simple RNN, 1 layer, I = 3, H = 6, 60 parameters "
        "without W<sub>hy</sub>." in page.html
    )
    assert "5.84 powers" in page.figure("lab_own")["label"].replace("−", "")
    assert "sigma_max 0.7600" in page.figure("lab_own_spectrum")["label"]
    assert "sufficient" in page.said
    assert "(0% of the units are saturated)" in page.said


@pytest.mark.parametrize(
    ("cell", "told", "memory"),
    [
        ("lstm", "LSTM, 1 layer, I = 3, H = 6, 240 parameters", "its forget gate f: by 0.800"),
        ("gru", "GRU, 1 layer, I = 3, H = 6, 186 parameters", "its update gate z: by 0.800"),
    ],
)
def test_a_gated_network_gets_its_verdict_curve_and_gates(cell: str, told: str, memory: str) -> None:
    page = OwnNetwork()
    page.upload(save_network(keeping(0.8, cell)))
    assert f"<b>mine.npz</b> (PyTorch): {told} without W<sub>hy</sub>." in page.html
    flow = uploaded_flow(keeping(0.8, cell))
    assert page.verdict.startswith(
        f"vanishing: On random input (strength 1), your network's gradient vanishes: it shrinks by "
        f"{abs(flow.decades):.1f} powers of ten over 49 steps"
    )
    assert memory in page.said
    assert "leaves 1.8·10⁻⁵ of it after 49 steps" in page.said, "0.8 to the power of 49"
    assert ("in h and c together" in page.said) == (cell == "lstm")
    assert "most open unit keeps 0.800 per step" in page.figure("lab_own_gates")["label"]
    activation = page.tab.selectbox(key=f"own_activation_of_{cell}")
    assert (activation.value, activation.disabled) == ("σ and tanh", True)
    assert "adds to it at each step" not in page.said


def test_each_layer_of_a_gated_network_can_be_chosen_and_the_next_upload_has_its_own_controls() -> None:
    page = OwnNetwork()
    page.upload(save_network(keeping(0.999, "gru", depth=3)))
    assert page.verdict.startswith("healthy: On random input (strength 1), in layer 3, your network's")
    page.tab.selectbox(key="own_layer").set_value(0)
    page.look()
    assert "in layer 1, your network's gradient vanishes: it is exactly zero." in page.verdict, "no way down"
    assert "The layer above adds to it at each step." in page.said
    page.upload(save_network(network(0.5)))
    assert page.tab.selectbox(key="own_activation").value == "tanh"
    assert "sufficient" in page.said


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_gated_network_of_the_playground_is_shown_and_can_be_uploaded(cell: str) -> None:
    page = OwnNetwork(Experiment(seq_len=8, cell=cell, layers=2))
    layers = page.run.state.params.layers
    expected = uploaded_flow(UploadedNetwork(layers))
    assert page.verdict.startswith(f"{expected.verdict}: On random input (strength 1), in layer 2, the play")
    page.upload(save_network(UploadedNetwork(layers)))
    kept = page.brought.network
    assert kept is not None
    np.testing.assert_array_equal(kept.layers[1].b, layers[1].b)
    assert f"{abs(expected.decades):.1f} powers" in page.verdict


@pytest.mark.parametrize(("cell", "title"), [("lru", "LRU"), ("mingru", "minGRU"), ("antisymmetric", "Anti")])
def test_of_another_cell_of_the_playground_the_page_says_which_are_measured(cell: str, title: str) -> None:
    page = OwnNetwork(Experiment(seq_len=8, cell=cell))
    assert any(
        note.startswith(f"The playground's cell is {title}") and "RNNs, LSTMs and GRUs" in note
        for note in page.notes
    )


@pytest.mark.parametrize(
    ("gain", "activation", "told"),
    [
        (
            1.0,
            "linear",
            "your network's gradient is healthy: it keeps its size over 49 steps.",
        ),
        (1.02, "linear", "it grows by 0.42 powers of ten over 49 steps, a factor of 1.02 per step."),
        (
            1.2,
            "linear",
            "your network's gradient explodes: it grows by 3.9 ",
        ),
        (0.0, "linear", "your network's gradient vanishes: before step 50 it is exactly zero."),
        (1e25, "linear", "your network's gradient explodes: the numbers leave the range"),
    ],
)
def test_every_fate_is_told_in_one_sentence(gain: float, activation: str, told: str) -> None:
    page = OwnNetwork()
    page.upload(save_network(network(gain)))
    page.tab.selectbox(key="own_activation").set_value(activation)
    page.look()
    assert told in page.verdict
    assert "nan" not in page.said.lower()


def test_the_controls_reach_the_measurement() -> None:
    page = OwnNetwork()
    page.upload(save_network(network(0.9, depth=2)))
    page.tab.slider(key="own_T").set_value(20)
    page.tab.slider(key="own_input").set_value(0.5)
    page.tab.selectbox(key="own_layer").set_value(0)
    page.look()
    expected = uploaded_flow(read_network(save_network(network(0.9, depth=2))), "tanh", 20, 0.5, layer=0)
    assert f"{expected.verdict}: " in page.verdict
    assert "over 19 steps" in page.verdict
    assert ": On random input (strength 0.5), in layer 1, your network's" in page.verdict
    assert f"{abs(expected.decades):.1f} powers" in page.verdict
    page.tab.slider(key="own_input").set_value(0.0)
    page.look()
    assert ": Without input, in layer 1, your network's" in page.verdict


def test_a_refused_file_leaves_the_earlier_network_and_the_run_as_they_are() -> None:
    page = OwnNetwork()
    page.run._newest = advance(page.run.experiment, page.run.state, steps=3), page.run.initial
    page.upload(save_network(network(0.5)))
    before, kept = page.verdict, page.brought.network
    page.upload(b"\x93NUMPY not what was asked for", "**x** <b>_:red[y]_$z$.npz")
    assert page.refusal.startswith(
        "**x** <b>_:red[y]_$z$.npz was rejected. Expected an .npz file; got a single"
    )
    assert "**x** &lt;b&gt;_:red[y]_$z$.npz" in page.html, "nothing in a name is HTML"
    assert (page.verdict, page.brought.network, page.run.state.step) == (before, kept, 3)
    page.upload(save_network(network(1.0)), "other.npz")
    assert not page.notes
    assert "other.npz" in page.html


def test_the_server_keeps_no_copy_of_an_uploaded_file() -> None:
    page = OwnNetwork()
    for gain in (0.5, 0.9):
        with copies() as kept:
            page.upload(save_network(network(gain)))
        assert page.brought.network is not None
        assert page.brought.network.layers[0].W_hh[0, 0] == pytest.approx(gain * ORTHOGONAL[0, 0])
        assert kept == []


def test_a_network_stays_while_pages_are_turned_until_it_is_forgotten() -> None:
    page = OwnNetwork()
    page.upload(save_network(network(0.9, depth=2)))
    page.tab.selectbox(key="own_activation").set_value("linear")
    page.tab.slider(key="own_T").set_value(30)
    page.tab.selectbox(key="own_layer").set_value(0)
    page.look()
    before = page.verdict
    assert "over 29 steps" in before
    page.choose("sentiment")
    page.choose("network")
    assert page.verdict == before
    page.go("glossary")
    page.go("real_data")
    assert page.verdict == before
    page.upload(save_network(network(0.9)))
    assert page.tab.selectbox(key="own_activation").value == "tanh", "another network, another activation"
    assert "own_layer" not in [box.key for box in page.tab.selectbox]
    page.press("own_forget")
    assert page.verdict.split(": ")[1].startswith("On random input (strength 1), the playground's")
    assert page.brought.network is None


def test_two_visitors_do_not_see_each_others_networks() -> None:
    first, second = OwnNetwork(), OwnNetwork()
    first.upload(save_network(network(0.5)), "first.npz")
    second.look()
    assert "first.npz" in first.html
    assert "first.npz" not in second.html


@pytest.mark.parametrize(
    "e", [Experiment(seq_len=8, layers=3), Experiment(seq_len=1, topology="one-to-one", task="digits")]
)
def test_the_playgrounds_weights_are_a_file_to_try(e: Experiment) -> None:
    page = OwnNetwork(e)
    layers = tuple(w for w in page.run.state.params.layers if isinstance(w, VanillaWeights))
    read = read_network(save_network(UploadedNetwork(layers)))
    page.upload(save_network(read), "rnnviz-network.npz")
    assert f"{e.layers} layer" in page.html
    np.testing.assert_array_equal(read.layers[0].W_hh, layers[0].W_hh)


@pytest.mark.parametrize(("T", "told"), [(20, True), (200, False)])
def test_where_the_playground_says_otherwise_of_the_same_network_both_verdicts_are_told(
    T: int, told: bool
) -> None:
    """At T = 200 the playground's own task makes the gradient vanish as well."""
    page = OwnNetwork(Experiment(seq_len=T))
    assert "the playground's gradient vanishes" in page.verdict
    assert (gradient_flow(Experiment(seq_len=T)).verdict == "healthy") == told
    assert ("On its own task (T = 20) its gradient is healthy." in page.html) == told


def test_without_a_matrix_or_after_an_overflow_the_page_asks_for_a_file() -> None:
    page = OwnNetwork(Experiment(seq_len=8, cell="feed-forward"))
    assert any("no Whh" in note for note in page.notes)
    page.upload(save_network(network(0.5)))
    assert "your network's gradient vanishes" in page.verdict
    page = OwnNetwork(Experiment(seq_len=8))
    state = page.run.state
    layer = replace(state.params.layers[0], W_xh=np.full_like(state.params.layers[0].W_xh, np.inf))
    page.run._newest = replace(state, params=replace(state.params, layers=(layer,))), page.run.initial
    page.look()
    assert any("overflowed" in note for note in page.notes)


def test_the_line_for_numpy_saves_what_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = save_with("NumPy", monkeypatch, **vars(network(0.5).layers[0]))
    assert read_network(saved).source == "rnnviz names"


@pytest.mark.parametrize(("kind", "cell"), [("RNN", "vanilla"), ("LSTM", "lstm"), ("GRU", "gru")])
def test_the_lines_for_pytorch_save_what_can_be_read(
    kind: str, cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")

    class Model:
        rnn = getattr(torch.nn, kind)(3, H, num_layers=2)

    assert f"nn.{kind}" in SNIPPETS["PyTorch"]
    read = read_network(save_with("PyTorch", monkeypatch, model=Model()))
    assert (read.source, read.cell, read.depth, read.input_size, read.hidden_size) == (
        "PyTorch",
        cell,
        2,
        3,
        H,
    )


@pytest.mark.parametrize("bias", [True, False])
def test_the_lines_for_keras_save_what_can_be_read(bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras is no part of the tests: a layer that gives its weights in the order that Keras documents."""

    class Layer:
        def get_weights(self) -> list[Any]:
            w = network(0.5).layers[0]
            return [w.W_xh, w.W_hh, w.b_h][: 2 + bias]

    class Model:
        def get_layer(self, name: str) -> Layer:
            assert name == "simple_rnn"
            return Layer()

    read = read_network(save_with("Keras", monkeypatch, model=Model()))
    assert (read.source, read.input_size, read.hidden_size) == ("Keras", 3, H)


def save_with(library: str, monkeypatch: pytest.MonkeyPatch, **names: Any) -> bytes:
    """Run the lines that the page shows; return the file that they write."""
    file, savez = io.BytesIO(), np.savez
    monkeypatch.setattr(np, "savez", lambda _, **arrays: savez(file, **arrays))
    exec(SNIPPETS[library], names)  # noqa: S102
    return file.getvalue()
