"""Two networks side by side: change one thing, and see what comes of it."""

from rnnviz.ui import side_by_side, story
from rnnviz.ui.session import current

session = current()
side_by_side.page(session)
side_by_side.sidebar(session)
story.way_on_beside_the_controls(session, "side_by_side")
