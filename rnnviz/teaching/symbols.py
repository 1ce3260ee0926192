"""Symbols with an explanation on hover."""

from __future__ import annotations

from html import escape

from rnnviz.teaching.glossary import explain, with_indices


def symbol(term: str, shown: str = "") -> str:
    """Return a glossary term as HTML with its meaning on hover."""
    return hint(shown or with_indices(term), explain(term))


def hint(shown: str, meaning: str) -> str:
    """Return HTML with a plain-text tooltip."""
    return f"<abbr title='{escape(meaning)}'>{shown}</abbr>"
