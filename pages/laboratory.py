"""Measure the gradient, before or after training."""

from rnnviz.ui import controls, laboratory
from rnnviz.ui.session import current

session = current()
laboratory.page(session)
controls.sidebar(session)
