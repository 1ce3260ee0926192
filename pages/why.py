"""The same problem for a network with a memory and for one without, side by side."""

from rnnviz.ui import story, why
from rnnviz.ui.visit import current

visit = current()
story.head("Why recurrence", why.IDEA)
why.page(visit)
story.way_on(visit, "why")
