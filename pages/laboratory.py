"""Measure the gradient, before or after training."""

from rnnviz.ui import laboratory, story
from rnnviz.ui.session import current

session = current()
laboratory.page(session)
laboratory.sidebar(session)
story.way_on_beside_the_controls(session, "laboratory")
