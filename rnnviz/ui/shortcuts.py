"""Keys of buttons that work whenever no text is being typed."""

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "rnnviz_shortcuts", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"), isolate_styles=False
)


def mount() -> None:
    """Let the keys work wherever Streamlit itself ignores them; takes no space."""
    _component(key="shortcuts", height=1)
