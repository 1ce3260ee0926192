"""Plotly figures that are redrawn in place, many times per second."""

from pathlib import Path

import streamlit as st
from plotly.graph_objects import Figure

from rnnviz.figures.message import Place
from rnnviz.figures.theme import Spec
from rnnviz.ui.scripts import CANVAS_URL, FILES_URL

_component = st.components.v2.component(
    "rnnviz_live_figure",
    js=f'const CANVAS_URL = "{CANVAS_URL}", FILES_URL = "{FILES_URL}";\n'
    + Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,  # plotly.js puts its styles into the page's head, which a shadow root does not see
)


def show(
    figure: Figure | Spec,
    *,
    key: str,
    label: str,
    height: int,
    caption: str = "",
    least_width: int = 1,
) -> None:
    """Show a figure; a call with the same key redraws it without replacing its DOM nodes.

    key, height, least_width : see ``Place``. figure, label, caption : see ``Place.message``.
    """
    place = Place(key, height, least_width, in_projector_view())
    message = place.message(figure, label, caption, playing=_under_hand())
    send(place, message, captioned=bool(caption))


def _under_hand() -> bool:
    """Whether this visitor drags a slider, so that the next picture will follow soon."""
    return "session" in st.session_state and st.session_state["session"].hand.grip is not None


def in_projector_view() -> bool:
    """Whether this visitor's page is magnified for a projector."""
    return "session" in st.session_state and st.session_state["session"].view.projector


def send(place: Place, message: bytes, captioned: bool = False, footed: bool = False) -> None:
    """Show a figure that was written as a message for its place.

    captioned : with a line above it. footed : with text below it, as high as the text.
    """
    # Streamlit forwards bytes unchanged; it would serialise a str or dict twice and hash it. A Streamlit
    # text element in the caption's place would cost a tenth of the redraws.
    _component(key=place.key, data=message, height="content" if footed else place.room(captioned))
