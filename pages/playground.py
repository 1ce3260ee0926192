"""Set up a network, train it, and watch its gradient."""

from rnnviz.ui import controls, run_view
from rnnviz.ui.session import current

session = current()
run_view.run_bar(session)
run_view.header(session)
run_view.live(session)
controls.sidebar(session)
