"""Your network: upload a trained network and check whether its gradient vanishes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.analysis.spectrum import Spectrum, spectrum
from rnnviz.analysis.uploaded_network import SEQ_LENS, UploadedFlow, UploadedNetwork, uploaded_flow
from rnnviz.applications.network_file import LARGEST_FILE, LARGEST_HIDDEN, read_network, save_network
from rnnviz.experiment import Experiment
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.cells import CELLS
from rnnviz.teaching.glossary import with_small_indices
from rnnviz.ui.applications.own_network_result import gates_reading, result, spectrum_reading
from rnnviz.ui.downloads import csv_button
from rnnviz.ui.instruments.quick import NO_RECURRENCE
from rnnviz.ui.instruments.reading import NOTICE_HEIGHT
from rnnviz.ui.notes import note, refusal
from rnnviz.ui.run_view import notice
from rnnviz.ui.session import Session
from rnnviz.ui.uploads import taken

HEIGHT, LEAST_HEIGHT, REFUSAL_HEIGHT = 252, 160, 84
"""Pixels of the figures, their minimum, and the space for the message on a rejected file."""

LARGER_HEIGHT = 76
"""Extra pixels for controls and text in projector view."""

FIRST_T, FIRST_INPUT_STD, LARGEST_INPUT_STD = 50, 1.0, 3.0

EXAMPLES = ("vanilla", "irnn", "lstm", "gru")
"""The playground's cells that are measured here."""

SHOWN_NAME = 40
"""Maximum number of characters shown of a file name."""

OVERFLOWED = "The playground's weights overflowed: nothing to show. Upload a network, or press Reset there."

SNIPPETS = {
    "PyTorch": """\
import numpy as np

# model.rnn is your torch.nn.RNN, nn.LSTM or nn.GRU
np.savez("network.npz", **{
    k: v.detach().cpu().numpy()
    for k, v in model.rnn.state_dict().items()
})
""",
    "Keras": """\
import numpy as np

layer = model.get_layer("simple_rnn")  # your keras.layers.SimpleRNN
names = ("kernel", "recurrent_kernel", "bias")
np.savez("network.npz", **dict(zip(names, layer.get_weights())))
""",
    "NumPy": """\
import numpy as np

# h_t = phi(x_t @ W_xh + h_{t-1} @ W_hh + b_h): shapes (I, H), (H, H), (H,)
np.savez("network.npz", W_xh=W_xh, W_hh=W_hh, b_h=b_h)
""",
}
"""Code that saves a network, by library."""


@dataclass
class Brought:
    """A visitor's uploaded network and settings; kept when the page changes.

    file : name of the network's file. refusal : why the newest file was rejected, "" if it was not.
    uploads : number of files so far; the uploader is emptied after each. choices : values of the controls by
    key. spectra : of the network's W_hh, by layer and activation.
    """

    network: UploadedNetwork | None = None
    file: str = ""
    refusal: str = ""
    uploads: int = 0
    choices: dict[str, Any] = field(default_factory=dict)
    spectra: dict[tuple[int, str], Spectrum] = field(default_factory=dict)

    @property
    def uploader(self) -> str:
        """The key of the uploader."""
        return f"own_file_{self.uploads}"

    def take(self) -> None:
        """Read the file that was just uploaded; if it is rejected, the earlier network is kept."""
        file = taken(self.uploader)
        if file is None:
            return
        name, data = file
        self.uploads += 1
        try:
            network = read_network(data)
        except ValueError as error:
            self.refusal = f"{_short(name)} was rejected. {error}"
            return
        self.forget()
        self.network, self.file = network, _short(name)

    def forget(self) -> None:
        """Remove the network and the settings that apply to it alone."""
        self.network, self.file, self.refusal = None, "", ""
        self.spectra.clear()
        for key in ("own_activation", "own_layer"):
            self.choices.pop(key, None)
            st.session_state.pop(key, None)


def page(session: Session) -> None:
    """Show the uploader, controls and result."""
    brought: Brought = st.session_state.setdefault("own_network", Brought())
    example = _example(session)
    network = brought.network or example
    left, right = st.columns([0.42, 0.58], gap="medium")
    with left:
        st.file_uploader(
            "Weights of your RNN, LSTM or GRU (.npz)",
            type="npz",
            max_upload_size=2,
            key=brought.uploader,
            on_change=brought.take,
            help="From PyTorch (nn.RNN, nn.LSTM, nn.GRU), Keras (SimpleRNN) or NumPy. "
            f"At most {LARGEST_FILE // 10**6} MB, packed and unpacked, "
            f"and {LARGEST_HIDDEN} hidden units a layer. The file is read, never stored.",
        )
    with right:
        activation, T, input_std, layer = _choices(session, brought, network)
        doors = st.container(horizontal=True, gap="small")
    if brought.refusal:
        refusal(brought.refusal)
    if network is None:
        note(_without_example(session.experiment))
        with doors:
            _how_to_save()
        return
    flow = uploaded_flow(network, activation, T, input_std, layer)
    top = layer == network.depth - 1
    if network.gated:
        reading = gates_reading(network, flow, top)
    else:
        reading = spectrum_reading(flow, _spectrum(brought, network, layer, activation), activation, top)
    with doors:
        _how_to_save()
        _doors(brought, network, reading.data)
    described = _described(session, brought, network, flow, layer)
    where = f", in layer {layer + 1}" if network.depth > 1 else ""
    on = f"On random input (strength {input_std:g})" if input_std else "Without input"
    name = "playground" if brought.network is None else "your network"
    result(reading, flow, name, f"{on}{where}", described, _height(session, brought))


def _height(session: Session, brought: Brought) -> int:
    """Return the height that is left for the figures, in pixels."""
    taken = NOTICE_HEIGHT * bool(notice(session)) + REFUSAL_HEIGHT * bool(brought.refusal)
    left = HEIGHT - (1.2 * taken + LARGER_HEIGHT if session.view.projector else taken)
    return max(LEAST_HEIGHT, round(left))


def _example(session: Session) -> UploadedNetwork | None:
    """Return the playground's network, or None if its cell is not measured here or it has overflowed."""
    params = session.run.state.params
    finite = np.isfinite(params.flat()).all()
    return UploadedNetwork(params.layers) if session.experiment.cell in EXAMPLES and finite else None


def _without_example(e: Experiment) -> str:
    """Return why the playground's network is not shown."""
    if not CELLS[e.cell].recurrent:
        return f"{NO_RECURRENCE} Upload one that has."
    if e.cell not in EXAMPLES:
        return (
            f"The playground's cell is {CELLS[e.cell].title}; simple RNNs, LSTMs and GRUs are measured here. "
            "Upload one, or choose one there."
        )
    return OVERFLOWED


def _spectrum(brought: Brought, network: UploadedNetwork, layer: int, activation: str) -> Spectrum:
    """Return the spectrum of W_hh; cached for an uploaded network, as 700 units take a third of a second."""
    kept = brought.spectra if brought.network is not None else {}
    if (layer, activation) not in kept:
        kept[layer, activation] = spectrum(network.layers[layer].W_hh, activation)
    return kept[layer, activation]


# Controls -----------------------------------------------------------------------------------------


def _choices(
    session: Session, brought: Brought, network: UploadedNetwork | None
) -> tuple[str, int, float, int]:
    """Show and return the choice of activation, T, input strength and layer.

    The activation is a choice for an uploaded simple RNN only: its file does not contain it. LSTMs and GRUs
    have their own.
    """
    mine = brought.network is not None
    depth = network.depth if network else 1
    boxes = st.columns([0.24, 0.27, 0.27, 0.22] if depth > 1 else [0.28, 0.36, 0.36], gap="medium")
    activation_key = "own_activation" if mine else "own_activation_example"
    if network is not None and network.gated:
        cell = CELLS[network.cell]
        boxes[0].selectbox(
            "Activation",
            [cell.built_in],
            disabled=True,
            help=f"{cell.title} has activations of its own.",
            key=f"own_activation_of_{network.cell}",
        )
        activation = cell.activations[0]
    else:
        if not mine:
            st.session_state[activation_key] = session.experiment.activation
        activation = boxes[0].selectbox(
            "Activation",
            list(ACTIVATIONS) if mine else [session.experiment.activation],
            format_func=lambda name: ACTIVATIONS[name].title,
            key=_kept(brought, activation_key, "tanh"),
            help="The file does not say: choose the one that your network was trained with."
            if mine
            else "The playground's own.",
        )
        brought.choices[activation_key] = activation
    hand = session.hand
    T = hand.slider("Steps T", *SEQ_LENS, key=_kept(brought, "own_T", FIRST_T), box=boxes[1])
    input_std = hand.slider(
        "Input strength",
        0.0,
        LARGEST_INPUT_STD,
        step=0.1,
        key=_kept(brought, "own_input", FIRST_INPUT_STD),
        box=boxes[2],
        help="Standard deviation of the random numbers on every input channel; 0: no input.",
    )
    layer = depth - 1
    if depth > 1:
        if brought.choices.get("own_layer", 0) >= depth:
            brought.choices["own_layer"] = st.session_state["own_layer"] = depth - 1
        layer = boxes[3].selectbox(
            "Layer",
            range(depth),
            format_func=lambda i: f"{i + 1} of {depth}",
            key=_kept(brought, "own_layer", depth - 1),
            help="The error always enters the top layer.",
        )
        brought.choices["own_layer"] = layer
    brought.choices |= {"own_T": T, "own_input": input_std}
    return activation, T, input_std, layer


def _kept(brought: Brought, key: str, first: Any) -> str:
    """Restore a control's value after a change of page; return its key."""
    st.session_state.setdefault(key, brought.choices.get(key, first))
    return key


def _how_to_save() -> None:
    """Show code that saves a network, to be copied."""
    with st.popover("How do I save mine?", icon=":material/code:"):
        for tab, code in zip(st.tabs(list(SNIPPETS)), SNIPPETS.values(), strict=True):
            tab.code(code, language="python")


def _doors(brought: Brought, network: UploadedNetwork, table: pd.DataFrame) -> None:
    """Show the buttons: download an example or remove the network, and download the numbers shown."""
    names = "The names of a PyTorch state dict" if network.gated else "W_xh, W_hh and b_h"
    if brought.network is None:
        st.download_button(
            "The playground's weights",
            lambda: save_network(network),
            "rnnviz-network.npz",
            "application/octet-stream",
            icon=":material/download:",
            on_click="ignore",
            key="own_template",
            help=with_small_indices(f"{names}, as .npz: a file to try the upload with."),
        )
    else:
        st.button("Remove my network", icon=":material/close:", on_click=brought.forget, key="own_forget")
    csv_button("Data as CSV", lambda: table, "rnnviz-own.csv", key="lab_csv")


def _described(
    session: Session, brought: Brought, network: UploadedNetwork, flow: UploadedFlow, layer: int
) -> str:
    """Return one line of HTML on which network is shown, its size, and its verdict in the playground."""
    layers = "1 layer" if network.depth == 1 else f"{network.depth} layers"
    weights = f"{network.parameters:,} parameters without W<sub>hy</sub>"
    shape = f"{layers}, I = {network.input_size}, H = {network.hidden_size}"
    size = f"{CELLS[network.cell].title}, {shape}, {weights}"
    if brought.network is None:
        verdict = session.run.moment().snapshot.verdict[layer]
        there = f" On its own task (T = {session.experiment.seq_len}) its gradient is {verdict}."
        differing = there if verdict != flow.verdict else ""
        return f"<b>The playground's network, until you upload your own.</b> {size}.{differing}"
    ignored = f" Ignored: {', '.join(network.ignored[:4])}." if network.ignored else ""
    return f"<b>{escape(brought.file)}</b> ({network.source}): {size}.{escape(ignored)}"


def _short(name: str) -> str:
    """Shorten a file name to fit in a line."""
    shown = "".join(c if c.isprintable() else "?" for c in name[:SHOWN_NAME])
    return shown + ("…" if len(name) > SHOWN_NAME else "")
