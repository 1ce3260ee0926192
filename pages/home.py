"""What this is, one living picture, and doors to everything else."""

from rnnviz.ui import home
from rnnviz.ui.visit import current

visit = current()
home.hero(visit)
home.scenarios(visit)
