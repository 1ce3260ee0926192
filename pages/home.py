"""To come."""

from rnnviz.ui import story
from rnnviz.ui.visit import current

visit = current()
story.head("home", "To come.")
story.way_on(visit, "home")
