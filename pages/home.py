"""Introduction, a live figure, and links to all other pages."""

from rnnviz.ui import home
from rnnviz.ui.session import current

session = current()
home.hero(session)
home.scenarios(session)
