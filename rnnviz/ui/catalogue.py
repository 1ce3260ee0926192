"""All pages, in teaching order, with their place in the header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

FOLDER = Path(__file__).parents[2] / "pages"


@dataclass(frozen=True)
class Entry:
    """One page.

    name : of its file. title : on the page's tab and in links. icon : a Material symbol.
    promise : what it offers. tab : its name in the header, "" if it is reached otherwise.
    """

    name: str
    title: str
    icon: str
    promise: str
    tab: str = ""

    @property
    def path(self) -> str:
        """The page's path; the home page is served at the root."""
        return "" if self.name == "home" else self.name.replace("_", "-")

    @property
    def page(self) -> Page:
        """The page as a Streamlit page: made once in a visit, because each one looks for its file."""
        made: dict[str, Page] = st.session_state.setdefault("pages", {})
        if self.name not in made:
            made[self.name] = st.Page(
                FOLDER / f"{self.name}.py",
                title=self.tab or self.title,
                icon=f":material/{self.icon}:",
                url_path=self.path or self.name,
                default=self.name == "home",
                visibility="visible" if self.tab else "hidden",
            )
        return made[self.name]


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("home", "Home", "home", "Back to the start"),
        Entry("why", "Why", "school", "Why a network needs a memory", tab="Learn"),
        Entry("how", "How", "conversion_path", "One loop, unfolded step by step"),
        Entry("types", "Types", "account_tree", "Five ways to read and to write"),
        Entry("problems", "Problems", "trending_down", "Vanishing and exploding gradients"),
        Entry("cures", "Cures", "healing", "What helps against what"),
        Entry("lessons", "Lessons", "quiz", "Guess first, then let the network answer", tab="Lessons"),
        Entry(
            "playground",
            "Playground",
            "play_circle",
            "Train a network and watch its memory",
            tab="Playground",
        ),
        Entry("side_by_side", "Side by side", "compare", "Change one thing and compare"),
        Entry("laboratory", "Laboratory", "science", "Measure what happens to a gradient", tab="Laboratory"),
        Entry("real_data", "Real data", "work", "What recurrent networks are used for", tab="Real data"),
        Entry("teach", "Teach", "co_present", "Links and a lesson plan", tab="Teach"),
        Entry("glossary", "Glossary", "menu_book", "The symbols and formulas of the app"),
    )
}
"""The pages by name; each one's link at the bottom leads to the next."""

LEARN = ("why", "how", "types", "problems", "cures")
"""The pages of the path Learn; the header has one tab for them."""

MOVED = {"applications": "real_data", "teacher": "teach"}
"""Earlier paths of pages; links to them still open."""


def after(name: str) -> Entry:
    """Return the page after ``name``, the first one after the last."""
    names = list(ENTRIES)
    return ENTRIES[names[(names.index(name) + 1) % len(names)]]


def at(path: str) -> Entry:
    """Return the page at a path."""
    return next(entry for entry in ENTRIES.values() if path in (entry.path, entry.name))


def moved() -> list[Page]:
    """Return a page for each earlier path; none of them is ever shown."""
    return [
        st.Page(lambda: None, title=ENTRIES[name].title, url_path=path, visibility="hidden")
        for path, name in MOVED.items()
    ]
