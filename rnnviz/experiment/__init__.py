"""One frozen configuration with every choice of a run, its form as a link, and how conflicts are resolved.

May import ``model`` and ``tasks``.
"""

from rnnviz.experiment.experiment import Experiment, choices
from rnnviz.tasks.choice import Choice, shorten

__all__ = ["Choice", "Experiment", "choices", "shorten"]
