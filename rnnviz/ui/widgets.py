"""Widgets that show what the app itself may change, while the browser reports what they showed before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def pressed(call: Callable[[], object]) -> Callable[[], None]:
    """Return what a button outside all fragments does when it is pressed: once a press.

    The browser notes a press, and sends it a moment later with a rerun of the whole page. The tick of a
    fragment in between takes the note along, and the press would count twice: Pause would play on.
    """

    def press() -> None:
        context = get_script_run_ctx()
        if context is None or not context.fragment_ids_this_run:
            call()

    return press


@dataclass
class Widgets:
    """The keys of such widgets, by name.

    While a run plays, every tick brings the browser's values of all widgets along. One that was on its way
    when the app changed the value would undo the change. So a widget gets a new key, and with it a new place
    in the browser, whenever it is to show something else than it last showed or reported itself: late values
    arrive for a key that no longer exists. What visitors do with the widget leaves its key (and with it the
    focus, and a drag) alone.

    shown : what each widget shows. generations : how often the app changed it.
    """

    shown: dict[str, Any] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """Return the key of a widget."""
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
            if key == self.key(name):  # else it was replaced while its value was on its way
                self.shown[name] = st.session_state[key]
                choose(self.shown[name])

        return {"key": key, "on_change": report}
