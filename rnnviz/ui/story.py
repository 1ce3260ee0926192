"""Shared parts of the story pages: title and idea, links to other pages, link to the next page."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.experiment.links import to_params
from rnnviz.ui.catalogue import ENTRIES, LEARN, after
from rnnviz.ui.session import Session
from rnnviz.ui.views import view_params


def head(title: str, idea: str) -> None:
    """Show the page's title and its idea in a sentence or two."""
    st.html(f"<h1 class='title'>{escape(title)}</h1><p class='idea'>{idea}</p>")


def name(entry: str) -> None:
    """Show the name of a page whose controls begin at the top, on their line."""
    st.html(f"<h1 class='title name'>{ENTRIES[entry].title}</h1>", width="content")


def path(session: Session, name: str) -> None:
    """Show the numbered path Learn, beside the title; name : the page that is open."""
    with st.container(key="path", horizontal=True, gap="xxsmall"):
        for number, step in enumerate(LEARN, start=1):
            entry = ENTRIES[step]
            with st.container(key=f"path_{'here' if step == name else step}", width="content"):
                st.page_link(entry.page, label=f"{number} {entry.title}", query_params=asked(session, step))


def asked(session: Session, name: str, experiment: Experiment | None = None, **opened: Any) -> dict[str, str]:
    """Return the URL parameters that carry an experiment (default: the current one) and the view to a page.

    opened : what is open there (see ``View``), e.g. instrument="causes"; by default what was open last.
    """
    view = replace(session.view.on(ENTRIES[name].path), **opened)
    return to_params(experiment or session.experiment) | view_params(view)


def door(
    session: Session, name: str, label: str, experiment: Experiment | None = None, **opened: Any
) -> None:
    """Show a link to another page; see ``asked``."""
    entry = ENTRIES[name]
    icon, query = f":material/{entry.icon}:", asked(session, name, experiment, **opened)
    st.page_link(entry.page, label=label, icon=icon, query_params=query)


def way_on(session: Session, name: str) -> None:
    """Show the link to the next page, unless this one is embedded in another site."""
    if st.context.is_embedded:
        return
    following = after(name)
    with st.container(horizontal=True, horizontal_alignment="right", key="way_on"):
        st.page_link(
            following.page,
            label=following.promise if following.name == "home" else f"Next: {following.promise}",
            icon=":material/arrow_forward:",
            icon_position="right",
            query_params=asked(session, following.name),
        )


def way_on_beside_the_controls(session: Session, name: str) -> None:
    """Show the link to the next page at the end of the sidebar, where it costs the figures no height."""
    with st.container(key="corner") if session.view.projector else st.sidebar:  # hidden in projector view
        way_on(session, name)
