"""Choose a topology, a length and an initialisation; train; see the gradient live or die."""

from rnnviz.ui import controls, run_view
from rnnviz.ui.visit import current

visit = current()
run_view.run_bar(visit)
run_view.header(visit)
run_view.live(visit)
controls.sidebar(visit)
