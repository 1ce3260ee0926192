"""Figures as the bytes that the browser's ``live_figure.js`` reads, written on the server or by a worker."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import plotly
from plotly.graph_objects import Figure

from rnnviz.figures.theme import LARGER, Spec, magnify

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
# Browsers may cache it forever: the version is in the name. Relative, so that it works with any base path.
PLOTLY_URL = f"plotly-{plotly.__version__}.min.js"

TYPED_ARRAYS = {"i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"}
"""plotly.js's names of element types, which are numpy's."""

CAPTION_HEIGHT = 26
"""Height of one line of text in pixels; must match style.css."""

TALLER = 1.09
"""Factor by which figures grow in projector view, where the bar and the controls are hidden."""


@dataclass(frozen=True)
class Place:
    """Where a figure stands on the page.

    key : identity on the page, and the file name of the exported image.
    height : pixels, reserved before the first draw so that the layout does not shift.
    least_width : pixels that the figure needs. On a narrower page it is drawn this wide and scaled down, to
        three quarters at most; below that it scrolls sideways.
    projector : whether it is magnified for a projector.
    """

    key: str
    height: int
    least_width: int = 1
    projector: bool = False

    def room(self, captioned: bool = False) -> int:
        """Return the height in pixels of the figure, with a caption if it has one."""
        line = CAPTION_HEIGHT if captioned else 0
        return self._figure_height + (round(LARGER * line) if self.projector else line)

    @property
    def _figure_height(self) -> int:
        return round(TALLER * self.height) if self.projector else self.height

    def message(
        self,
        figure: Figure | Spec,
        label: str,
        caption: str = "",
        footer: str = "",
        status: str = "",
        playing: bool = False,
    ) -> bytes:
        """Return a figure at this place as JSON.

        figure : a plotly Figure, or {"data": [...], "layout": {...}}. A plain dict skips plotly's validation,
            which costs more than the rest of a redraw in Python. Its traces may hold numpy arrays of any
            shape; ranges and other layout values must be plain lists. The visitor's zoom survives redraws
            unless the layout sets its own ``uirevision``.
        label : description for screen readers.
        caption, footer : HTML above and below the figure, updated with it. Untrusted text must be escaped.
        status : a sentence that screen readers are told when it changes, "" for none.
        playing : more will follow soon, so the browser may paint it without plotly.
        """
        content = figure.to_dict() if isinstance(figure, Figure) else figure
        if self.projector:
            content = magnify(content)
        # plotly.js takes a millisecond or two per trace, even for an empty one
        drawn = [trace for trace in content["data"] if np.size(trace.get("x", trace.get("z"))) > 0]
        message = {
            **content,
            "data": drawn,
            "name": self.key,
            "label": label,
            "height": self._figure_height,
            "caption": caption,
            "footer": footer,
            "status": status,
            "leastWidth": self.least_width,
            "plotlyUrl": PLOTLY_URL,
        }
        if playing:
            message["playing"] = True
        return orjson.dumps(message, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> Any:
    """Convert what JSON lacks into a form that plotly.js reads; arrays as base64."""
    if isinstance(value, np.ndarray):
        return packed(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        f"a figure may hold numbers, text, lists, dicts and numpy arrays; got {type(value).__name__}"
    )


def packed(values: np.ndarray[Any, Any]) -> Any:
    """Return an array as plotly.js's typed array, or as a list if it is empty or holds no numbers.

    plotly.py's own conversion of one array takes 0.1 ms, half the time of a picture with 22 of them.
    """
    if values.dtype.str[1:] in ("i8", "u8"):
        values = values.astype(np.float64)  # JavaScript has no other numbers of that size
    kind = values.dtype.str[1:]
    if values.size == 0 or kind not in TYPED_ARRAYS:
        return values.tolist()
    shape = {"shape": ", ".join(map(str, values.shape))} if values.ndim > 1 else {}
    return {"dtype": kind, "bdata": b64encode(values.tobytes()).decode("ascii")} | shape
