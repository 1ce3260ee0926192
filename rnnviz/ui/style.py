"""The app's CSS, and the colours of the figures for the browser's light or dark theme."""

from pathlib import Path

import streamlit as st

from rnnviz.figures.theme import THEMES, Theme
from rnnviz.ui.catalogue import ENTRIES, MOVED
from rnnviz.ui.page_turn import ASKING
from rnnviz.ui.session import current

# On one line each: with every run of a page Streamlit looks through all lines for their common indentation.
_CSS, _PROJECTOR_CSS, _EMBEDDED_CSS = (
    " ".join(Path(__file__).with_name(f"{name}.css").read_text(encoding="utf-8").split())
    for name in ("style", "projector", "embedded")
)

# Streamlit restyles itself for a new theme without a rerun; the figures' colours need one.
_theme_watch = st.components.v2.component(
    "rnnviz_theme_watch",
    js=ASKING + Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)

# Projector view: the page's buttons show while the pointer moves, and a moment longer.
_pointer_watch = st.components.v2.component(
    "rnnviz_pointer_watch",
    js="""
    const SHOWN_MS = 3000;
    export default function () {
      const { classList } = document.documentElement;
      let fading;
      const show = () => {
        classList.add("pointing");
        clearTimeout(fading);
        fading = setTimeout(() => classList.remove("pointing"), SHOWN_MS);
      };
      show();
      addEventListener("pointermove", show);
      return () => {
        removeEventListener("pointermove", show);
        clearTimeout(fading);
      };
    }
    """,
    isolate_styles=False,
)


def inject(projector: bool) -> None:
    """Add the app's CSS to the page, and rerun the page when the theme changes; takes no space."""
    rules = [_CSS, *[_PROJECTOR_CSS] * projector, *[_EMBEDDED_CSS] * bool(st.context.is_embedded)]
    st.html(f"<style>{''.join(rules)}</style>")
    pages = [*(entry.path for entry in ENTRIES.values()), *MOVED]
    _theme_watch(key="theme_watch", data={"theme": st.context.theme.type, "pages": pages}, height=1)
    if projector:
        _pointer_watch(key="pointer_watch", height=1)


def theme() -> Theme:
    """Return the colours of the figures for the visitor's theme and view."""
    chosen = THEMES[st.context.theme.type or "light"]
    return chosen.high_contrast() if current().view.projector else chosen
