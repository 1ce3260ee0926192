"""A drawing pad of 8 by 8 grey pixels, for mouse, pen, touch or keyboard."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import streamlit as st

from rnnviz.model.arrays import Array

SIDE = 8
HEIGHT = 326
"""Height in pixels of the grid, its buttons and the focus ring, as laid out by the CSS."""

SAME = 1e-6
"""Tolerance for equal images: numbers may lose digits on the way to the browser and back."""

_component = st.components.v2.component(
    "rnnviz_pixel_pad",
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


@dataclass
class _Shown:
    """The image in the browser, as far as known, and the number of images sent to it."""

    image: Array = field(default_factory=lambda: np.full(SIDE * SIDE, -1.0))
    number: int = 0


def pixel_pad(image: Array, *, key: str, on_change: Callable[[Array], None]) -> None:
    """Show an image to draw on, and report it after each stroke and each key press that changes it.

    Parameters
    ----------
    image : Array (64,)
        Ink from 0 to 1, row by row from the top left. An image that differs from the one last shown or
        reported replaces the drawing; an equal one does not disturb a stroke in progress.
    key : str
        Identity on the page.
    on_change : callable
        Called with the changed image, (64,), before the page reruns. It should be stored and passed as
        ``image`` in the next run.

    Raises
    ------
    ValueError
        If the image has another shape.
    """
    if np.shape(image) != (SIDE * SIDE,):
        raise ValueError(f"image must have the shape ({SIDE * SIDE},); got {np.shape(image)}.")
    image = np.clip(np.nan_to_num(image), 0.0, 1.0)
    shown: _Shown = st.session_state.setdefault(f"{key}_shown", _Shown())
    if np.abs(image - shown.image).max() > SAME:
        shown.image, shown.number = image, shown.number + 1

    def report() -> None:
        drawing = st.session_state[key].get("drawing") or {}
        drawn = _read(drawing.get("pixels"))
        if (
            drawn is not None and drawing.get("over") == shown.number
        ):  # else it went over an image that is gone
            shown.image = drawn
            on_change(drawn.copy())

    _component(
        key=key,
        data={"pixels": shown.image.tolist(), "number": shown.number},
        height=HEIGHT,
        on_drawing_change=report,
    )


def _read(pixels: object) -> Array | None:
    """Return an image from the browser, or None if the data is invalid."""
    if not isinstance(pixels, list) or len(pixels) != SIDE * SIDE:
        return None
    if not all(isinstance(value, int | float) and 0.0 <= value <= 1.0 for value in pixels):
        return None
    return np.array(pixels, dtype=float)
