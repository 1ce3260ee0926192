"""To come."""

from rnnviz.ui import story
from rnnviz.ui.visit import current

visit = current()
story.head("types", "To come.")
story.way_on(visit, "types")
