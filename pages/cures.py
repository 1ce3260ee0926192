"""What helps against which problem, measured over seeds."""

from rnnviz.ui import cures, story
from rnnviz.ui.session import current

session = current()
story.path(session, "cures")
story.head("What helps against what", cures.IDEA)
cures.page(session)
story.way_on(session, "cures")
