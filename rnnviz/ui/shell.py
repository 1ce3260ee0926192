"""Streamlit's main script: the frame around every page."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from rnnviz.ui import channel, style
from rnnviz.ui.catalogue import ENTRIES
from rnnviz.ui.run_view import notice
from rnnviz.ui.session import Session, current

_LOGO = Path(__file__).with_name("logo.svg")
_ICON = Path(__file__).with_name("icon.svg")


def _projector_switch(session: Session) -> None:
    """Show the button that switches the projector view on and off."""

    def turn() -> None:
        session.view = replace(session.view, projector=not session.view.projector)

    label = "Leave projector view" if session.view.projector else "Projector"
    with st.container(key="projector_switch"):
        st.button(
            label,
            icon=":material/present_to_all:",
            on_click=turn,
            key="projector",
            shortcut="L",
            type="tertiary",
        )


st.set_page_config(
    page_icon=_ICON,  # instead of the pages' icons, which come from Google's servers
    layout="wide",
    initial_sidebar_state=300,  # px: fits a control with its label; leaves 980 of 1280 px for figures
)
page = st.navigation([entry.page for entry in ENTRIES.values()], position="top")
st.set_page_config(page_title=f"{page.title} · rnnviz")
st.logo(_LOGO, size="large")
session = current()
session.screen.begin(session.runs.stops)
session.follow_url(page.url_path)
style.inject(session.view.projector)
if page.url_path != "playground" and (line := notice(session)):  # the playground shows it itself
    st.html(line)
page.run()
_projector_switch(session)
session.write_url()
session.screen.show()
channel.mount(session.screen, session.begin_anew)
