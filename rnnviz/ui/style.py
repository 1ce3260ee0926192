"""The app's CSS, and pages that follow the visitor from light to dark."""

from pathlib import Path

import streamlit as st

_CSS = Path(__file__).with_suffix(".css")

# Streamlit repaints itself for a new theme, but runs no Python; the figures' colours come from Python.
_theme_watch = st.components.v2.component(
    "rnnviz_theme_watch",
    js="""
    export default function ({ data, parentElement, setTriggerValue }) {
      const theme = getComputedStyle(parentElement).colorScheme;
      if (!data || theme === data) return;
      // After this turn, when Streamlit itself knows the new theme; again if another rerun swallowed it.
      let tries = 0;
      const tell = () => setTriggerValue("theme", theme + tries);
      setTimeout(tell);
      const insist = setInterval(() => (++tries < 5 ? tell() : clearInterval(insist)), 1000);
      return () => clearInterval(insist);
    }
    """,
    isolate_styles=False,
)


def inject() -> None:
    """Add the app's CSS to the page, and run the page again whenever its theme changes; takes no room."""
    st.html(_CSS)
    _theme_watch(key="theme_watch", data=st.context.theme.type, height=1)
