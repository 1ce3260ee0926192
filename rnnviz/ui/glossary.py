"""The glossary, as a page and as a drawer over any page: a group of symbols, or the results of a search."""

from __future__ import annotations

from html import escape

import streamlit as st

from rnnviz.teaching.glossary import GROUPS, TERMS, Term, with_indices, with_small_indices
from rnnviz.ui import story
from rnnviz.ui.session import Session
from rnnviz.ui.widgets import one_of

DRAWER_HEIGHT = 480
"""Pixels of the list in the drawer."""
COLUMNS = 2


_focus = st.components.v2.component(
    "rnnviz_focus",
    js="""
    export default function ({ parentElement }) {
      const drawer = parentElement.closest("[data-testid=stPopoverBody]");
      if (!drawer || drawer.contains(document.activeElement)) return;
      const begin = () => drawer.querySelector("input")?.focus();
      const watch = new MutationObserver(begin); // Streamlit loads its text fields late
      watch.observe(drawer, { childList: true, subtree: true });
      drawer.addEventListener("focusin", () => watch.disconnect(), { once: true });
      begin();
      return () => watch.disconnect();
    }
    """,
    isolate_styles=False,
)


@st.fragment
def drawer(session: Session) -> None:
    """Show a search over all terms, and what it finds; beside it the way to the page."""
    asked = st.text_input(
        "Search the glossary",
        placeholder="Search: gradient, rho, clip …",
        key="drawer_search",
        max_chars=40,
        live=True,
        label_visibility="collapsed",
    )
    found = search(asked) if asked.strip() else list(TERMS.values())
    with st.container(height=DRAWER_HEIGHT, border=False, key="drawer_terms"):
        for term in found:
            st.html(with_indices(f"<p class='term'><b>{term.symbol}</b> · {term.name}<br>{term.meaning}</p>"))
        if not found:
            st.html(f"<p class='term'>{_nothing(asked)}</p>")
    _focus(key="drawer_focus", height=1)
    story.door(session, "glossary", "Open the glossary, with all formulas")


def _nothing(asked: str) -> str:
    return f"No symbol or word here contains “{escape(asked)}”. Try a shorter word."


def page() -> None:
    """Show the chosen group or the search results: symbols, meanings and formulas."""
    left, right = st.columns([0.68, 0.32], vertical_alignment="bottom")
    with left:
        group = one_of("Group", GROUPS, with_small_indices, key="glossary_group")
    asked = right.text_input(
        "Search all symbols", placeholder="Search: gradient, rho, clip …", key="search", max_chars=40
    )
    found = search(asked) if asked.strip() else [term for term in TERMS.values() if term.group == group]
    if not found:
        st.html(f"<p class='story' role='status'>{_nothing(asked)}</p>")
    columns = st.columns(COLUMNS, gap="medium")
    for number, term in enumerate(found):
        with columns[number % COLUMNS]:
            _entry(term)


SPELLINGS = {
    "alpha": "α",
    "rho": "ρ",
    "sigma": "σ",
    "gamma": "γ",
    "chi": "χ",
    "eta": "η",
    "theta": "θ",
    "epsilon": "ε",
}
"""Greek letters by their typed names."""


def search(asked: str) -> list[Term]:
    """Return the terms whose symbol, name or meaning contains the search text."""
    word = asked.strip().lower()
    letter = SPELLINGS.get(word, word)
    return [
        term
        for term in TERMS.values()
        if letter in term.symbol.lower() or word in f"{term.name} {term.meaning}".lower()
    ]


def _entry(term: Term) -> None:
    with st.container(border=True, key=f"term_{list(TERMS).index(term.symbol)}"):
        st.html(with_indices(f"<b>{term.symbol}</b> · {term.name}<br>{term.meaning}"))
        if term.formula:
            st.latex(term.formula)
