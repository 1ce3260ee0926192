"""See the two problems of learning over time, and what they do to training."""

from rnnviz.ui import problems, story
from rnnviz.ui.visit import current

visit = current()
story.head(
    "Two ways to lose a gradient",
    "On its way back, an error goes through the same W<sub>hh</sub> again and again, once for every step.",
)
problems.page(visit)
story.way_on(visit, "problems")
