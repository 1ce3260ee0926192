"""The five topologies side by side."""

from rnnviz.ui import story, topologies
from rnnviz.ui.session import current

session = current()
story.path(session, "types")
story.head("Five ways to read and write", topologies.IDEA)
topologies.page(session)
story.way_on(session, "types")
