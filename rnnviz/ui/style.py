"""The app's CSS, and pages that follow the visitor from light to dark."""

from pathlib import Path

import streamlit as st

_CSS = Path(__file__).with_suffix(".css")

# Streamlit repaints itself for a new theme, but runs no Python; the figures' colours come from Python.
_theme_watch = st.components.v2.component(
    "rnnviz_theme_watch",
    js="""
    export default function ({ parentElement, setTriggerValue }) {
      const before = parentElement.dataset.theme;
      const theme = (parentElement.dataset.theme = getComputedStyle(parentElement).colorScheme);
      // After this turn, when Streamlit itself knows the new theme.
      if (before && before !== theme) setTimeout(() => setTriggerValue("theme", theme));
    }
    """,
    isolate_styles=False,
)


def inject() -> None:
    """Add the app's CSS to the page, and run the page again whenever its theme changes; takes no room."""
    st.html(_CSS)
    _theme_watch(key="theme_watch", height=1)
