"""Symbols that explain themselves."""

from __future__ import annotations

from html import escape

from rnnviz.teaching.glossary import explain, with_indices


def symbol(term: str, shown: str = "") -> str:
    """Return a term of the glossary as HTML that tells its meaning on hover."""
    return hint(shown or with_indices(term), explain(term))


def hint(shown: str, meaning: str) -> str:
    """Return HTML that tells ``meaning``, in plain text, on hover."""
    return f"<abbr title='{escape(meaning)}'>{shown}</abbr>"
