"""Shared parts of the story pages: title and idea, links to other pages, link to the next page."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.experiment.links import to_params
from rnnviz.ui.catalogue import ENTRIES, LEARN, after
from rnnviz.ui.session import Session
from rnnviz.ui.views import view_params


def head(title: str, idea: str) -> None:
    """Show the page's title and its idea in a sentence or two."""
    st.html(f"<h1 class='title'>{escape(title)}</h1><p class='idea'>{idea}</p>")


def path(session: Session, name: str) -> None:
    """Show the numbered path Learn, beside the title; name : the page that is open."""
    with st.container(key="path", horizontal=True, gap="xxsmall"):
        for number, step in enumerate(LEARN, start=1):
            entry = ENTRIES[step]
            with st.container(key=f"path_{'here' if step == name else step}", width="content"):
                st.page_link(entry.page, label=f"{number} {entry.title}", query_params=asked(session))


def asked(session: Session, experiment: Experiment | None = None, application: str = "") -> dict[str, str]:
    """Return the URL parameters that carry an experiment (default: the current one) and the view to a page.

    application : which one, on the page Real data.
    """
    return to_params(experiment or session.experiment) | view_params(
        replace(session.view, application=application)
    )


def door(
    session: Session, name: str, label: str, experiment: Experiment | None = None, application: str = ""
) -> None:
    """Show a link to another page; see ``asked``."""
    entry = ENTRIES[name]
    icon, query = f":material/{entry.icon}:", asked(session, experiment, application)
    st.page_link(entry.page, label=label, icon=icon, query_params=query)


def way_on(session: Session, name: str, label: str = "") -> None:
    """Show the link to the next page."""
    following = after(name)
    if following is None:
        return
    with st.container(horizontal=True, horizontal_alignment="right", key="way_on"):
        st.page_link(
            following.page,
            label=label or f"Next: {following.promise}",
            icon=":material/arrow_forward:",
            icon_position="right",
            query_params=asked(session),
        )
