"""Widgets whose values the app can change, protected against late reports from the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st


@dataclass
class Widgets:
    """The keys of such widgets, by name.

    Each rerun that the browser asks for, also by itself (see ``channel``), carries its values of all widgets.
    A value sent before the browser heard that the app changed it would undo the change. Therefore a widget
    gets a new key whenever the app changes its value: late values arrive for a key that no longer exists.
    Changes by the visitor keep the key, and with it focus and dragging.

    shown : the value of each widget. generations : how often the app changed it.
    """

    shown: dict[str, Any] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """Return the current key of a widget."""
        generation = self.generations.get(name, 0)
        return f"{name}__{generation}" if generation else name

    def bound(self, name: str, value: Any, choose: Callable[[Any], None]) -> dict[str, Any]:
        """Return the arguments that make a widget show a value and report the visitor's changes of it."""
        if name in self.shown and self.shown[name] != value:
            self.generations[name] = self.generations.get(name, 0) + 1
        self.shown[name] = value
        key = self.key(name)
        st.session_state[key] = value

        def report() -> None:
            if key == self.key(name):  # otherwise the widget was replaced before its value arrived
                self.shown[name] = st.session_state[key]
                choose(self.shown[name])

        return {"key": key, "on_change": report}
