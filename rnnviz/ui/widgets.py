"""Widgets whose values the app can change, protected against late reports from the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from rnnviz.ui.hand import Hand, Scale


@dataclass
class Widgets:
    """The keys of such widgets, by name.

    Each rerun that the browser asks for, also by itself (see ``channel``), carries its values of all widgets.
    A value sent before the browser heard that the app changed it would undo the change. Therefore a widget
    gets a new key whenever the app changes its value: late values arrive for a key that no longer exists.
    Changes by the visitor keep the key, and with it focus and dragging.

    hand : what the visitor drags.
    shown : the value of each widget. generations : how often the app changed it.
    """

    hand: Hand = field(default_factory=Hand)
    shown: dict[str, Any] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """Return the current key of a widget."""
        generation = self.generations.get(name, 0)
        return f"{name}__{generation}" if generation else name

    def bound(
        self, name: str, value: Any, choose: Callable[[Any], None], scale: Scale | None = None
    ) -> dict[str, Any]:
        """Return the arguments that make a widget show a value and report the visitor's changes of it.

        scale : of a slider that also reports while it is dragged; see ``Hand``.
        """
        if name in self.shown and self.shown[name] != value:
            self.generations[name] = self.generations.get(name, 0) + 1
        self.shown[name] = value
        key = self.key(name)
        if not self.hand.holds(key):
            st.session_state[key] = value

        def take(chosen: Any) -> None:
            # otherwise the widget was replaced before its value arrived, or Streamlit reports the app's own
            # change: it does so if the script was interrupted just then
            if key == self.key(name) and chosen != self.shown[name]:
                self.shown[name] = chosen
                choose(chosen)

        if scale:
            self.hand.watch(key, scale, take)
        return {"key": key, "on_change": lambda: take(st.session_state[key])}


def one_of(
    label: str,
    options: Iterable[str],
    title: Callable[[str], str] = str,
    *,
    key: str,
    on_change: Callable[[], None] | None = None,
) -> str:
    """Show options side by side and return the chosen one, in the beginning the first.

    label : for screen readers only. title : returns an option's name on screen.
    key, on_change : also what ``Widgets.bound`` returns.
    """
    offered = list(options)
    st.session_state.setdefault(key, offered[0])
    chosen = st.segmented_control(
        label,
        offered,
        format_func=title,
        required=True,
        label_visibility="collapsed",
        key=key,
        on_change=on_change,
    )
    return chosen or offered[0]
