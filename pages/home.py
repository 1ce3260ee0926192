"""What this is, one living picture, and doors to everything else."""

from rnnviz.ui import home
from rnnviz.ui.session import current

session = current()
home.hero(session)
home.scenarios(session)
