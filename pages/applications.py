"""Recurrent networks at work: captions, forecasts, text, sentiment, translation, and your own network."""

from rnnviz.ui import applications, story
from rnnviz.ui.visit import current

visit = current()
applications.page(visit)
story.way_on(visit, "applications")
