"""The real server around one page with two figures: `streamlit run tests/browser/apps/figures.py`."""

import streamlit as st

from app import middleware, routes

app = st.App("figures_page.py", routes=routes, middleware=middleware)
