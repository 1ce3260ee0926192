"""See what becomes of a gradient, and why, before or after any training."""

from rnnviz.ui import controls, laboratory
from rnnviz.ui.visit import current

visit = current()
laboratory.page(visit)
controls.sidebar(visit)
