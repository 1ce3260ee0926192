"""The frame around every page; Streamlit's main script."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from rnnviz.ui import style
from rnnviz.ui.visit import current

_PAGES = Path(__file__).parents[2] / "pages"
_LOGO = Path(__file__).with_name("logo.svg")
_ICON = Path(__file__).with_name("icon.svg")


def _pages() -> list[Page]:
    """Every page, in the order of the navigation bar; the first one also answers at `/`."""
    return [
        st.Page(_PAGES / "playground.py", title="Playground", icon=":material/play_circle:"),
        st.Page(_PAGES / "laboratory.py", title="Laboratory", icon=":material/science:"),
    ]


st.set_page_config(
    page_icon=_ICON,  # set before the pages' own icons would be: those come from Google's servers
    layout="wide",
    initial_sidebar_state=300,  # px: a control and its label on one line, 980 px left for figures at 1280
)
page = st.navigation(_pages(), position="top")
st.set_page_config(page_title=f"{page.title} · rnnviz")
style.inject()
st.logo(_LOGO, size="large")
visit = current()
visit.follow_url(page.url_path)
page.run()
visit.write_url()
