"""Vanishing and exploding gradients, and their effect on training."""

from rnnviz.ui import problems, story
from rnnviz.ui.session import current

session = current()
story.path(session, "problems")
story.head(
    "Two ways a gradient goes wrong",
    "At every step back, the error is multiplied by the same W<sub>hh</sub> and by a slope φ′.",
)
problems.page(session)
story.way_on(session, "problems")
