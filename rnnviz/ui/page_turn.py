"""Links and buttons that are obeyed even if a component asks for a rerun just before or after the click."""

from pathlib import Path

import streamlit as st

ASKING = Path(__file__).with_name("asking.js").read_text(encoding="utf-8")
"""Goes before the script of a component that asks for reruns."""

_component = st.components.v2.component(
    "rnnviz_page_turn", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"), isolate_styles=False
)


def mount() -> None:
    """Let components ask for reruns one by one, and know while a page is being turned; takes no space."""
    _component(key="page_turn", height=1)
