"""A feed-forward and a recurrent network on the same problem, side by side."""

from rnnviz.ui import story, why
from rnnviz.ui.session import current

session = current()
story.path(session, "why")
story.head("Why recurrence?", why.IDEA)
why.page(session)
story.way_on(session, "why")
