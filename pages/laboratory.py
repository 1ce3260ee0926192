"""See what becomes of a gradient, and why, before or after any training."""

from rnnviz.ui import controls, laboratory
from rnnviz.ui.session import current

session = current()
laboratory.page(session)
controls.sidebar(session)
