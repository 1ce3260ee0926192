"""Streamlit's main script: the frame around every page."""

from pathlib import Path

import streamlit as st

from rnnviz.ui import channel, header, page_turn, shortcuts, style
from rnnviz.ui.catalogue import ENTRIES, MOVED, at, moved
from rnnviz.ui.run_view import notice
from rnnviz.ui.session import current

_ICON = Path(__file__).with_name("icon.svg")


st.set_page_config(
    page_icon=_ICON,  # instead of the pages' icons, which come from Google's servers
    layout="wide",
    initial_sidebar_state=300,  # px: fits a control with its label; leaves 980 of 1280 px for figures
)
page = st.navigation([entry.page for entry in ENTRIES.values()] + moved(), position="top")
if page.url_path in MOVED:
    st.switch_page(ENTRIES[MOVED[page.url_path]].page, query_params=st.query_params.to_dict())
entry = at(page.url_path)
st.set_page_config(page_title=f"{entry.title} · rnnviz")
session = current()
session.screen.begin(session.runs.stops)
session.follow_url(page.url_path)
style.inject(session.view.projector)
if page.url_path != "playground" and (line := notice(session)):  # the playground shows it itself
    st.html(line)
with session.hand.follows("page"):
    page.run()
    header.show(session, entry)
    session.write_url()
    session.screen.show()
    page_turn.mount()
    shortcuts.mount()
    channel.mount(session.screen, session.begin_anew)
