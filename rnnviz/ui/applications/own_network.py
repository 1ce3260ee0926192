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
from rnnviz.figures.curves import Curve, curves_spec
from rnnviz.figures.matrices import spectrum_spec
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.cells import VanillaWeights
from rnnviz.teaching.glossary import with_small_indices
from rnnviz.teaching.numbers import number, percent, plain
from rnnviz.ui.downloads import csv_button
from rnnviz.ui.instruments.quick import WHAT_RHO_DECIDES, fate, without_recurrent_matrix
from rnnviz.ui.instruments.reading import NOTICE_HEIGHT
from rnnviz.ui.live_figure import show
from rnnviz.ui.notes import note, refusal
from rnnviz.ui.run_view import notice
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme
from rnnviz.ui.uploads import taken

HEIGHT, LEAST_HEIGHT, REFUSAL_HEIGHT = 252, 160, 84
"""Pixels of the figures, their minimum, and the space for the message on a rejected file."""

LARGER_HEIGHT = 76
"""Extra pixels for controls and text in projector view."""

LEAST_CURVE_WIDTH, LEAST_SPECTRUM_WIDTH = 380, 560
"""Pixels below which names in the figures would overlap."""

FIRST_T, FIRST_INPUT_STD, LARGEST_INPUT_STD = 50, 1.0, 3.0
NO_CHANGE = 0.02
"""A factor this close to 1 counts as none."""

SHOWN_NAME = 40
"""Maximum number of characters shown of a file name."""

OVERFLOWED = "The playground's weights overflowed: nothing to show. Upload a network, or press Reset there."

SNIPPETS = {
    "PyTorch": """\
import numpy as np

# model.rnn is your torch.nn.RNN
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
            with_small_indices("W_xh, W_hh and b_h of your network (.npz)"),
            type="npz",
            max_upload_size=2,
            key=brought.uploader,
            on_change=brought.take,
            help=f"From PyTorch, Keras or NumPy. At most {LARGEST_FILE // 10**6} MB, packed and unpacked, "
            f"and {LARGEST_HIDDEN} hidden units a layer. The file is read, never stored.",
        )
    with right:
        activation, T, input_std, layer = _choices(session, brought, network)
        doors = st.container(horizontal=True, gap="small")
    if brought.refusal:
        refusal(brought.refusal)
    if network is None:
        note(without_recurrent_matrix(session.experiment) or OVERFLOWED)
        with doors:
            _how_to_save()
        return
    flow = uploaded_flow(network, activation, T, input_std, layer)
    with doors:
        _how_to_save()
        _doors(brought, network, flow)
    allowed = _spectrum(brought, network, layer, activation)
    _result(session, brought, network, flow, allowed, _height(session, brought), activation, layer, input_std)


def _height(session: Session, brought: Brought) -> int:
    """Return the height that is left for the figures, in pixels."""
    taken = NOTICE_HEIGHT * bool(notice(session)) + REFUSAL_HEIGHT * bool(brought.refusal)
    left = HEIGHT - (1.2 * taken + LARGER_HEIGHT if session.view.projector else taken)
    return max(LEAST_HEIGHT, round(left))


def _example(session: Session) -> UploadedNetwork | None:
    """Return the playground's network, or None if it has no W_hh or has overflowed."""
    layers = [layer for layer in session.run.state.params.layers if isinstance(layer, VanillaWeights)]
    finite = all(np.isfinite(array).all() for layer in layers for array in vars(layer).values())
    return UploadedNetwork(tuple(layers)) if layers and finite else None


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

    The activation is a choice for an uploaded network only, since the file does not contain it.
    """
    mine = brought.network is not None
    depth = network.depth if network else 1
    boxes = st.columns([0.24, 0.27, 0.27, 0.22] if depth > 1 else [0.28, 0.36, 0.36], gap="medium")
    activation_key = "own_activation" if mine else "own_activation_example"
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
    brought.choices |= {activation_key: activation, "own_T": T, "own_input": input_std}
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


def _doors(brought: Brought, network: UploadedNetwork, flow: UploadedFlow) -> None:
    """Show the buttons: download an example or remove the network, and download the curve."""
    if brought.network is None:
        st.download_button(
            "The playground's weights",
            lambda: save_network(network),
            "rnnviz-network.npz",
            "application/octet-stream",
            icon=":material/download:",
            on_click="ignore",
            key="own_template",
            help=with_small_indices("W_xh, W_hh and b_h as .npz: a file to try the upload with."),
        )
    else:
        st.button("Remove my network", icon=":material/close:", on_click=brought.forget, key="own_forget")
    table = pd.DataFrame({"t": np.arange(1, len(flow.curve) + 1), "gradient": flow.curve})
    csv_button("Data as CSV", lambda: table, "rnnviz-own.csv", key="lab_csv")


# The result ---------------------------------------------------------------------------------------


def _result(
    session: Session,
    brought: Brought,
    network: UploadedNetwork,
    flow: UploadedFlow,
    allowed: Spectrum,
    height: int,
    activation: str,
    layer: int,
    input_std: float,
) -> None:
    """Show the verdict, the curve and the spectrum side by side, and how to read them."""
    mine = brought.network is not None
    name = "your network" if mine else "the playground"
    where = f", in layer {layer + 1}" if network.depth > 1 else ""
    on = f"On random input (strength {input_std:g})" if input_std else "Without input"
    described = _described(session, brought, network, flow, layer)
    st.html(
        f"<p class='story'>{described}</p><p class='verdict {flow.verdict}' role='status' "
        "style='margin:2px 0 0;font-size:1.25rem;font-weight:600;line-height:1.3'>"
        f"{on}{where}, {escape(_sentence(name, flow))}</p>"
    )
    left, right = st.columns([0.42, 0.58], gap="small")
    label = f"Gradient against time step: {flow.verdict}, {plain(flow.decades)} powers of ten"
    curve = np.where(np.isnan(flow.curve), np.inf, flow.curve)  # NaN comes from numbers that overflowed
    with left:
        spec = curves_spec([Curve("your network" if mine else "playground", curve, "main")], theme())
        spec["layout"]["yaxis"]["title"]["text"] = "length of the error"
        show(spec, key="lab_own", label=label, height=height, least_width=LEAST_CURVE_WIDTH)
    sigma, rho = plain(allowed.sigma_max, 4), plain(allowed.rho, 4)
    with right:
        label = f"Eigenvalues and singular values of Wₕₕ: rho {rho}, sigma_max {sigma}"
        spec = spectrum_spec(allowed, None, theme())
        show(spec, key="lab_own_spectrum", label=label, height=height, least_width=LEAST_SPECTRUM_WIDTH)
    text, formula = st.columns([0.7, 0.3], gap="medium")
    slopes = _slopes(flow, activation, top=layer == network.depth - 1)
    how = (
        f"**How to read this.** A random error of length 1 enters at the last step and travels back."
        f"{slopes} σ_max\u00a0=\u00a0{sigma}, 1/γ\u00a0=\u00a0{1 / allowed.gamma:g}. "
        f"{fate(allowed)} {WHAT_RHO_DECIDES.format(rho=rho)}"
    )
    text.markdown(with_small_indices(how))
    formula.latex(
        r"\begin{aligned} \sigma_{\max} < \tfrac1\gamma &\ \Rightarrow\ \text{vanishing as } T\to\infty \\ "
        r"\text{exploding} &\ \Rightarrow\ \sigma_{\max} > \tfrac1\gamma \\ "
        rf"\sigma_{{\max}}={number(allowed.sigma_max, 4)}\quad \rho&={number(allowed.rho, 4)} \end{{aligned}}"
    )


def _described(
    session: Session, brought: Brought, network: UploadedNetwork, flow: UploadedFlow, layer: int
) -> str:
    """Return one line of HTML on which network is shown, its size, and its verdict in the playground."""
    layers = "1 layer" if network.depth == 1 else f"{network.depth} layers"
    weights = f"{network.parameters:,} parameters without W<sub>hy</sub>"
    size = f"{layers}, I = {network.input_size}, H = {network.hidden_size}, {weights}"
    if brought.network is None:
        verdict = session.run.moment().snapshot.verdict[layer]
        there = f" On its own task (T = {session.experiment.seq_len}) its gradient is {verdict}."
        differing = there if verdict != flow.verdict else ""
        return f"<b>The playground's network, until you upload your own.</b> {size}.{differing}"
    ignored = f" Ignored: {', '.join(network.ignored[:4])}." if network.ignored else ""
    return f"<b>{escape(brought.file)}</b> ({network.source}): {size}.{escape(ignored)}"


def _sentence(name: str, flow: UploadedFlow) -> str:
    """Return the verdict in one sentence."""
    verb = {"vanishing": "vanishes", "exploding": "explodes", "healthy": "is healthy"}[flow.verdict]
    T = len(flow.curve)
    if flow.decades == -np.inf:
        there = np.flatnonzero(flow.curve > 0.0)
        what = f"before step {there[0] + 1} it is exactly zero" if there.size else "it is exactly zero"
    elif not np.isfinite(flow.decades):
        what = "the numbers leave the range of floating point"
    elif abs(flow.decades) < 0.05:
        what = f"it keeps its size over {_steps(T - 1)}"
    else:
        change = "shrinks" if flow.decades < 0 else "grows"
        what = (
            f"it {change} by {plain(abs(flow.decades), 2)} powers of ten over {_steps(T - 1)}, "
            f"a factor of {plain(flow.factor, 2 if flow.factor < 0.95 else 3)} per step"
        )
    return f"{name}'s gradient {verb}: {what}."


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _slopes(flow: UploadedFlow, activation: str, top: bool) -> str:
    """Return a sentence on the activation's effect on the error, "" if it is not finite.

    top : whether the layer is the last one; the others also receive errors from above.
    """
    if not np.isfinite(flow.slope_factor):
        return ""
    blocked = f"{percent(flow.saturated)} of the units are {ACTIVATIONS[activation].blocked}"
    told = f" The slopes φ′ let {plain(flow.slope_factor, 2)} of it through at each step ({blocked})"
    if not top or not flow.slope_factor or not np.isfinite(flow.factor):
        return f"{told}."
    rest = flow.factor / flow.slope_factor
    if abs(rest - 1.0) < NO_CHANGE:
        return f"{told}; W_hh keeps its length."
    return f"{told}; W_hh multiplies it by {plain(rest, 2)}."


def _short(name: str) -> str:
    """Shorten a file name to fit in a line."""
    shown = "".join(c if c.isprintable() else "?" for c in name[:SHOWN_NAME])
    return shown + ("…" if len(name) > SHOWN_NAME else "")
