"""Plotly figures that are redrawn in place, many times a second."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import plotly
import streamlit as st
from _plotly_utils.utils import to_typed_array_spec
from plotly.graph_objects import Figure

from rnnviz.figures.theme import LARGER, magnify

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
# Browsers may keep it for ever: the version is in the name. Relative: it works behind any base path.
PLOTLY_URL = f"plotly-{plotly.__version__}.min.js"

CAPTION_HEIGHT = 26
"""Pixels of one line of text; style.css holds the line to it."""

TALLER = 1.09
"""How much a figure grows for a projector, in the room that the bar and the controls leave."""

SETTLE_SECONDS = 0.02
"""Twice the interval at which Streamlit's server sends what a script has written."""

_component = st.components.v2.component(
    "rnnviz_live_figure",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,  # plotly.js puts its styles into the page's head, out of a shadow root's sight
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
    """Show a figure; called again with the same key, redraw it without replacing anything on the page.

    Parameters
    ----------
    figure : plotly Figure, or {"data": [...], "layout": {...}}
        A plain dict skips plotly's validation, which costs more than all the rest of a redraw in Python. Its
        traces may hold numpy arrays of any shape; ranges and other layout values must be plain lists. The
        visitor's zoom survives redraws unless the layout has a ``uirevision`` of its own.
    key : str
        Identity on the page, and the file name of the exported picture.
    label : str
        What the figure shows, for those who cannot see it.
    height : int
        Pixels, reserved before the first draw so that nothing on the page jumps.
    caption : str
        One line of HTML above the figure that changes with it. Foreign text in it must be escaped. (One of
        Streamlit's own text elements in its place costs a tenth of the redraws.)
    least_width : int
        Pixels that the figure needs. Where there are fewer, it is drawn this wide and shrunk as a whole, to
        three quarters at the least: beyond that it scrolls sideways.
    """
    content = figure.to_dict() if isinstance(figure, Figure) else figure
    line = CAPTION_HEIGHT if caption else 0
    if "session" in st.session_state and st.session_state["session"].view.projector:
        content, height, line = magnify(content), round(TALLER * height), round(LARGER * line)
    # plotly.js spends a millisecond or two on a trace even if it draws nothing
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
    # Streamlit forwards bytes as they are; a str or dict it would serialise twice and hash in full.
    data = orjson.dumps(message, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    _component(key=key, data=data, height=height + line)


def settle() -> None:
    """Wait until the page's figures are on their way; called at the end of the page's script.

    If the next tick of a fragment is already waiting, Streamlit throws away what this fragment wrote during
    the script and is not sent yet. The browser then takes the figure for gone and removes it for a moment.
    """
    time.sleep(SETTLE_SECONDS)


def _plain(value: object) -> object:
    """Turn what JSON lacks into what plotly.js reads; arrays as base64 of their bytes."""
    if isinstance(value, np.ndarray):
        spec = to_typed_array_spec(value)
        return spec.tolist() if isinstance(spec, np.ndarray) else spec  # text and huge integers stay lists
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        f"a figure may hold numbers, text, lists, dicts and numpy arrays; got {type(value).__name__}"
    )
