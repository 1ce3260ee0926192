"""Set up a network, train it, and watch its gradient."""

from rnnviz.ui import controls, run_view, story
from rnnviz.ui.session import current

session = current()
panel = run_view.panel(session)
run_view.run_bar(session, panel)
run_view.header(session)
run_view.live(session, panel)
controls.sidebar(session)
story.way_on_beside_the_controls(session, "playground")
