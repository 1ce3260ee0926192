"""All pages, in teaching order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

FOLDER = Path(__file__).parents[2] / "pages"


@dataclass(frozen=True)
class Entry:
    """One page: its file name, its title in the navigation bar, and what it offers."""

    name: str
    title: str
    icon: str
    promise: str

    @property
    def page(self) -> Page:
        """The page as a Streamlit page; the home page is served at `/`."""
        icon = f":material/{self.icon}:"
        return st.Page(FOLDER / f"{self.name}.py", title=self.title, icon=icon, default=self.name == "home")


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("home", "Home", "home", "Where to start"),
        Entry("why", "Why", "question_mark", "Why a network needs a memory"),
        Entry("how", "How", "conversion_path", "One loop, unfolded step by step"),
        Entry("types", "Types", "account_tree", "Five ways to read and to write"),
        Entry("problems", "Problems", "trending_down", "Vanishing and exploding gradients"),
        Entry("playground", "Playground", "play_circle", "Train a network and watch its memory"),
        Entry("laboratory", "Laboratory", "science", "Measure what happens to a gradient"),
        Entry("applications", "Jobs", "work", "What recurrent networks are used for"),
        Entry("lessons", "Lessons", "school", "Guess first, then let the network answer"),
        Entry("teacher", "Teach", "co_present", "Links and a lesson plan"),
        Entry("glossary", "Glossary", "menu_book", "Every symbol and every formula"),
    )
    if (FOLDER / f"{entry.name}.py").exists()
}


def after(name: str) -> Entry | None:
    """Return the page after ``name``, None after the last."""
    names = list(ENTRIES)
    following = names[names.index(name) + 1 :]
    return ENTRIES[following[0]] if following else None
