"""See the two problems of learning over time, and what they do to training."""

from rnnviz.ui import problems, story
from rnnviz.ui.visit import current

visit = current()
story.head(
    "Two ways to lose a gradient",
    "At every step back, an error meets the same W<sub>hh</sub> and a slope φ′ once more.",
)
problems.page(visit)
story.way_on(visit, "problems")
