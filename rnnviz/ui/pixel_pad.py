"""A pad of 8 by 8 grey pixels to draw on, with a mouse, a pen, a finger or the keyboard."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import streamlit as st

from rnnviz.model.arrays import Array

SIDE = 8
HEIGHT = 326
"""Pixels of the grid, its buttons and the focus ring around them, as the CSS lays them out."""

SAME = 1e-6
"""Images no further apart are the same: numbers may lose digits on the way to the browser and back."""

_component = st.components.v2.component(
    "rnnviz_pixel_pad",
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


@dataclass
class _Shown:
    """What the browser shows, as far as Python knows, and how many images Python has sent it."""

    image: Array = field(default_factory=lambda: np.full(SIDE * SIDE, -1.0))
    number: int = 0


def pixel_pad(image: Array, *, key: str, on_change: Callable[[Array], None]) -> None:
    """Show an image to draw on, and report it after each stroke of the pen and each key that changes it.

    Parameters
    ----------
    image : Array (64,)
        Ink from 0 to 1, row by row from the top left. An image other than the one shown or reported last
        replaces whatever has been drawn; the same one leaves alone what is being drawn just now.
    key : str
        Identity on the page.
    on_change : callable
        Called with the changed image, (64,), before the page runs again. It should be remembered, and
        be the ``image`` of the next run.

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
    """Return an image from the browser, or None if it is none: anyone can send anything."""
    if not isinstance(pixels, list) or len(pixels) != SIDE * SIDE:
        return None
    if not all(isinstance(value, int | float) and 0.0 <= value <= 1.0 for value in pixels):
        return None
    return np.array(pixels, dtype=float)
