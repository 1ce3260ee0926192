"""Boxes with a sentence: why there is nothing to show, or why something was rejected."""

from __future__ import annotations

from html import escape

import streamlit as st

from rnnviz.teaching.glossary import with_indices


def note(sentence: str) -> None:
    """Show why there is nothing to show, with symbols typeset."""
    st.html(f"<p class='note' role='status'>{with_indices(escape(sentence))}</p>")


def refusal(sentence: str) -> None:
    """Show why something was rejected, as it is: it may quote file names and text."""
    st.html(f"<p class='note refusal' role='alert'>{escape(sentence)}</p>")
