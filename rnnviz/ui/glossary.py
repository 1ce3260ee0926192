"""The glossary page: one group of symbols at a time, or the results of a search."""

from __future__ import annotations

import streamlit as st

from rnnviz.teaching.glossary import GROUPS, TERMS, Term, with_indices

COLUMNS = 2


def page() -> None:
    """Show the chosen group or the search results: symbols, meanings and formulas."""
    left, right = st.columns([0.68, 0.32], vertical_alignment="bottom")
    group = left.segmented_control(
        "Group", GROUPS, default=GROUPS[0], required=True, key="glossary_group", label_visibility="collapsed"
    )
    asked = right.text_input(
        "Search all symbols", placeholder="Search: gradient, rho, clip …", key="search", max_chars=40
    )
    found = search(asked) if asked.strip() else [term for term in TERMS.values() if term.group == group]
    if not found:
        st.info(
            f"No symbol or word here contains “{asked}”. Try a shorter word.", icon=":material/search_off:"
        )
    columns = st.columns(COLUMNS, gap="medium")
    for number, term in enumerate(found):
        with columns[number % COLUMNS]:
            _entry(term)


SPELLINGS = {"rho": "ρ", "sigma": "σ", "gamma": "γ", "chi": "χ", "eta": "η", "theta": "θ", "epsilon": "ε"}
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
