"""Recurrent networks at work: captions, forecasts, text, sentiment, translation, and your own network."""

from rnnviz.ui import story
from rnnviz.ui.applications import page
from rnnviz.ui.session import current

session = current()
page.page(session)
story.way_on(session, "real_data")
