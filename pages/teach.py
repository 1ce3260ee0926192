"""Build a link for a class; lesson plan and misconceptions."""

from rnnviz.ui import story, teach
from rnnviz.ui.session import current

session = current()
story.head(
    "For teachers", "One link opens the right page, experiment and lesson, with only the controls you want."
)
teach.page(session)
story.way_on(session, "teach")
