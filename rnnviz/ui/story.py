"""Shared parts of the story pages: title and idea, links to other pages, link to the next page."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.experiment.links import to_params
from rnnviz.ui.catalogue import ENTRIES, after
from rnnviz.ui.session import Session
from rnnviz.ui.views import view_params


def head(title: str, idea: str) -> None:
    """Show the page's title and its idea in a sentence or two."""
    st.html(f"<h1 class='title'>{escape(title)}</h1><p class='idea'>{idea}</p>")


def door(
    session: Session, name: str, label: str, experiment: Experiment | None = None, application: str = ""
) -> None:
    """Show a link to another page, with an experiment to open there (default: the current one).

    application : which one, on the page Applications.
    """
    asked = to_params(experiment or session.experiment) | view_params(
        replace(session.view, application=application)
    )
    entry = ENTRIES[name]
    st.page_link(entry.page, label=label, icon=f":material/{entry.icon}:", query_params=asked)


def way_on(session: Session, name: str, label: str = "") -> None:
    """Show the link to the next page."""
    following = after(name)
    if following is None:
        return
    with st.container(horizontal=True, horizontal_alignment="right", key="way_on"):
        asked = to_params(session.experiment) | view_params(replace(session.view, application=""))
        st.page_link(
            following.page,
            label=label or f"Next: {following.promise}",
            icon=":material/arrow_forward:",
            icon_position="right",
            query_params=asked,
        )
