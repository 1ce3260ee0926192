"""Recurrent networks at work: captions, forecasts, text, sentiment, translation, and your own network."""

from rnnviz.ui import applications, story
from rnnviz.ui.session import current

session = current()
applications.page(session)
story.way_on(session, "applications")
