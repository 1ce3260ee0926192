"""Measure the gradient, before or after training."""

from rnnviz.ui import controls, laboratory, story
from rnnviz.ui.session import current

session = current()
laboratory.page(session)
controls.sidebar(session)
story.way_on_beside_the_controls(session, "laboratory")
