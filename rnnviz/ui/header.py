"""The header: the way home, the glossary and the projector view; on the playground, what to take home."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from rnnviz.ui import glossary, story, take_home, tour
from rnnviz.ui.catalogue import ENTRIES, LEARN, Entry
from rnnviz.ui.session import Session


def show(session: Session, entry: Entry) -> None:
    """Show what stands in the header beside Streamlit's own links; takes no space on the page.

    A page that is embedded in another site has no header. entry : the page that is shown.
    """
    if st.context.is_embedded:
        return
    if entry.name in LEARN:
        st.html(f"<style>[data-testid='stTopNavLink'][href$='/{LEARN[0]}'] {{ {CURRENT} }}</style>")
    with st.container(key="brand"):
        if session.view.tour:  # a link to the page that is open would do nothing
            home = (session, tour.HOME)
            st.button("rnnviz", type="tertiary", on_click=tour.turn, args=home, key="leave_tour")
        else:
            st.page_link(ENTRIES["home"].page, label="rnnviz", query_params=story.asked(session, "home"))
    with st.container(key="tools", horizontal=True, gap="xxsmall"):
        if entry.name == "playground" and not session.view.projector:
            take_home.popover(session)
        if entry.name != "glossary" and not session.view.projector:
            _drawer(session)
        _projector_switch(session)


CURRENT = "box-shadow: inset 0 -2px var(--accent); font-weight: 600"
"""The style of the tab Learn on those of its pages that have no tab of their own."""


def _drawer(session: Session) -> None:
    """Show the button that opens the glossary over the page, which goes on meanwhile."""
    drawer = st.popover(
        "Glossary", icon=":material/menu_book:", type="tertiary", on_change="rerun", key="glossary_drawer"
    )
    if drawer.open:
        with drawer:
            glossary.drawer(session)


def _projector_switch(session: Session) -> None:
    """Show the button that switches the projector view on and off."""

    def turn() -> None:
        session.view = replace(session.view, projector=not session.view.projector)

    label = "Leave projector view" if session.view.projector else "Projector"
    st.button(
        label,
        icon=":material/present_to_all:",
        on_click=turn,
        key="projector",
        shortcut="L",
        type="tertiary",
    )
