"""See the two problems of learning over time, and what they do to training."""

from rnnviz.ui import problems, story
from rnnviz.ui.session import current

session = current()
story.head(
    "Two ways to lose a gradient",
    "At every step back, an error meets the same W<sub>hh</sub> and a slope φ′ once more.",
)
problems.page(session)
story.way_on(session, "problems")
