"""Five ways to read and to write, side by side."""

from rnnviz.ui import story, topologies
from rnnviz.ui.visit import current

visit = current()
story.head("Five ways to read and write", topologies.IDEA)
topologies.page(visit)
story.way_on(visit, "types")
