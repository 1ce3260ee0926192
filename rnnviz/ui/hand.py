"""Sliders that answer while they are dragged: Streamlit reports a value only when its slider is released.

``hand.js`` watches the sliders. While the visitor drags one, it asks for a rerun with the value under the
hand, and again as soon as that has come back: a slow server is asked less often. Until the release the
widget's own state stays as it was: setting it would move the thumb under the hand. Pictures that are the same
for everybody are prepared for every value, and the browser draws them by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.ui.page_turn import ASKING

Number = TypeVar("Number", int, float)
Value = TypeVar("Value")

Scale = Callable[[float], Any]
"""Returns the value at a place on a slider, as the browser tells it."""

_component = st.components.v2.component(
    "rnnviz_hand",
    js=ASKING + Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def between(low: Number, high: Number) -> Callable[[float], Number]:
    """Return the scale of a slider of numbers."""
    return lambda place: type(low)(min(max(place, low), high))


def among(options: Sequence[Value]) -> Callable[[float], Value]:
    """Return the scale of a slider of options, whose places are their numbers."""
    return lambda place: options[min(max(int(place), 0), len(options) - 1)]


@dataclass(frozen=True)
class Prepared:
    """A picture for each value of a slider, which the browser draws itself while the slider is dragged.

    figure : the key of the figure. url : of a JSON array of its messages.
    """

    figure: str
    url: str


@dataclass(frozen=True)
class Watched:
    """A slider that answers while it is dragged: its scale, and what is called with each value."""

    scale: Scale
    choose: Callable[[Any], object]
    pictures: Prepared | None = None


@dataclass(frozen=True)
class Grip:
    """A slider that the visitor drags: its key, its value now, and the value of the widget itself.

    repeats : it is moved by an arrow key that is held down; Streamlit reports each of these moves.
    """

    key: str
    value: Any
    before: Any
    repeats: bool = False

    @property
    def lasts(self) -> bool:
        """Whether the slider has not been released: then Streamlit reports its value."""
        return self.repeats or st.session_state.get(self.key) == self.before


@dataclass
class Hand:
    """What one visitor drags."""

    _grip: Grip | None = None
    _shown: dict[str, Watched] = field(default_factory=dict)
    _drawings: int = 0

    @property
    def grip(self) -> Grip | None:
        """The slider that is being dragged, or None."""
        return self._grip if self._grip and self._grip.lasts else None

    def holds(self, key: str) -> bool:
        """Return whether the slider with this key is being dragged."""
        return self.grip is not None and self.grip.key == key

    def before(self, key: str, otherwise: Value) -> Value:
        """Return the value that the slider had when it was taken, or ``otherwise`` if nobody drags it."""
        value: Value = self.grip.before if self.grip and self.holds(key) else otherwise
        return value

    def let_go(self) -> None:
        """Forget what is being dragged."""
        self._grip = None

    def watch(
        self, key: str, scale: Scale, choose: Callable[[Any], object], pictures: Prepared | None = None
    ) -> None:
        """Call ``choose`` with each value of a slider while it is dragged; see ``follows``.

        pictures : once the browser has them it draws them, and asks for nothing until the release.
        """
        self._shown[key] = Watched(scale, choose, pictures)

    def slider(
        self,
        label: str,
        low: Number,
        high: Number,
        first: Number | None = None,
        *,
        key: str,
        box: DeltaGenerator | None = None,
        pictures: Prepared | None = None,
        **more: Any,
    ) -> Number:
        """Show a slider of numbers; return its value, the one under the hand while it is dragged.

        first : the value at first, None for the lowest. box : where it is shown, None for here.
        pictures : see ``watch``. more : arguments of ``st.slider``.
        """
        self.watch(key, between(low, high), lambda _: None, pictures)
        show = box.slider if box else st.slider
        released: Number = show(label, low, high, first, key=key, **more)
        return self.value(key, released)

    def select_slider(
        self,
        label: str,
        options: Sequence[Value],
        first: Value | None = None,
        *,
        key: str,
        box: DeltaGenerator | None = None,
        **more: Any,
    ) -> Value:
        """Show a slider of options; see ``slider``."""
        self.watch(key, among(options), lambda _: None)
        show = box.select_slider if box else st.select_slider
        if first is not None:
            more["value"] = first
        released: Value = show(label, options, key=key, **more)
        return self.value(key, released)

    def value(self, key: str, released: Value) -> Value:
        """Return a slider's value, that of the widget itself (``released``) if nobody drags it."""
        grip = self.grip
        value: Value = grip.value if grip and grip.key == key and not grip.repeats else released
        return value

    @contextmanager
    def follows(self, name: str) -> Iterator[None]:
        """Let the sliders shown in this block answer while they are dragged; takes no space.

        A value reruns the fragment that the block is in, or else the page. name : identity on the page.
        """
        outer, self._shown = self._shown, {}
        try:
            yield
            self._mount(name, self._shown)
        finally:
            self._shown = outer

    def _mount(self, name: str, watched: dict[str, Watched]) -> None:
        self._drawings += 1
        prepared = {key: vars(slider.pictures) for key, slider in watched.items() if slider.pictures}
        told = {"name": name, "keys": list(watched), "drawing": self._drawings, "prepared": prepared}
        key = f"under_hand_{name}"
        _component(key=key, data=told, height=1, on_moved_change=partial(self._move, key, watched))

    def _move(self, component: str, watched: dict[str, Watched]) -> None:
        """Take over what the browser tells of a slider; anything else is ignored."""
        match st.session_state[component].get("moved"):
            case {"key": str(key), "end": True}:
                if self._grip and self._grip.key == key:
                    self.let_go()
            case {"key": str(key), "repeats": True} if key in watched:
                self._grip = Grip(key, None, None, repeats=True)
            case {"key": str(key), "from": float() | int() as start, "to": float() | int() as end} if (
                key in watched and math.isfinite(start) and math.isfinite(end)
            ):
                slider = watched[key]
                grip = Grip(key, slider.scale(end), slider.scale(start))
                if grip.lasts:
                    self._grip = grip
                    slider.choose(grip.value)
