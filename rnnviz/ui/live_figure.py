"""Plotly figures that are redrawn in place, many times per second."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import streamlit as st
from _plotly_utils.utils import to_typed_array_spec
from plotly.graph_objects import Figure

from rnnviz.figures.theme import LARGER, magnify
from rnnviz.ui.scripts import CANVAS_URL, PLOTLY_URL

CAPTION_HEIGHT = 26
"""Height of one line of text in pixels; must match style.css."""

TALLER = 1.09
"""Factor by which figures grow in projector view, where the bar and the controls are hidden."""

SETTLE_SECONDS = 0.02
"""Twice the interval at which Streamlit's server sends a script's output."""

_component = st.components.v2.component(
    "rnnviz_live_figure",
    js=f'const CANVAS_URL = "{CANVAS_URL}";\n'
    + Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,  # plotly.js puts its styles into the page's head, which a shadow root does not see
)


def show(
    figure: Figure | dict[str, Any],
    *,
    key: str,
    label: str,
    height: int,
    caption: str = "",
    least_width: int = 1,
) -> None:
    """Show a figure; a call with the same key redraws it without replacing its DOM nodes.

    Parameters
    ----------
    figure : plotly Figure, or {"data": [...], "layout": {...}}
        A plain dict skips plotly's validation, which costs more than the rest of a redraw in Python. Its
        traces may hold numpy arrays of any shape; ranges and other layout values must be plain lists. The
        visitor's zoom survives redraws unless the layout sets its own ``uirevision``.
    key : str
        Identity on the page, and the file name of the exported image.
    label : str
        Description of the figure for screen readers.
    height : int
        Pixels, reserved before the first draw so that the layout does not shift.
    caption : str
        One line of HTML above the figure, updated with it. Untrusted text must be escaped. (A Streamlit text
        element in its place would cost a tenth of the redraws.)
    least_width : int
        Pixels that the figure needs. On a narrower page it is drawn this wide and scaled down, to three
        quarters at most; below that it scrolls sideways.
    """
    content = figure.to_dict() if isinstance(figure, Figure) else figure
    line = CAPTION_HEIGHT if caption else 0
    if "session" in st.session_state and st.session_state["session"].view.projector:
        content, height, line = magnify(content), round(TALLER * height), round(LARGER * line)
    # plotly.js takes a millisecond or two per trace, even for an empty one
    drawn = [trace for trace in content["data"] if np.size(trace.get("x", trace.get("z"))) > 0]
    message = {
        **content,
        "data": drawn,
        "name": key,
        "label": label,
        "height": height,
        "caption": caption,
        "leastWidth": least_width,
        "plotlyUrl": PLOTLY_URL,
    }
    # Streamlit forwards bytes unchanged; it would serialise a str or dict twice and hash it.
    data = orjson.dumps(message, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    _component(key=key, data=data, height=height + line)


def settle() -> None:
    """Wait until the page's figures have been sent; called at the end of the page's script.

    If a fragment's next tick is already waiting, Streamlit discards the fragment's unsent output of this
    script run. The browser then removes the figure for a moment.
    """
    time.sleep(SETTLE_SECONDS)


def _plain(value: object) -> object:
    """Convert what JSON lacks into a form that plotly.js reads; arrays as base64."""
    if isinstance(value, np.ndarray):
        spec = to_typed_array_spec(value)
        return spec.tolist() if isinstance(spec, np.ndarray) else spec  # text and huge integers stay lists
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        f"a figure may hold numbers, text, lists, dicts and numpy arrays; got {type(value).__name__}"
    )
