"""One picture, the tour, and links to all other pages."""

from rnnviz.ui import home
from rnnviz.ui.session import current

home.page(current())
