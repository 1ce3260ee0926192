"""The loop unfolded step by step, and one pass through a small network, number by number."""

from rnnviz.ui import how, story
from rnnviz.ui.session import current

session = current()
story.path(session, "how")
story.head("How it works", how.IDEA)
how.page(session)
story.way_on(session, "how")
