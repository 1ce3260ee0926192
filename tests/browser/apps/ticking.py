"""The real server around one page that ticks: `streamlit run tests/browser/apps/ticking.py`."""

import streamlit as st

from app import middleware, routes

app = st.App("ticking_page.py", routes=routes, middleware=middleware)
