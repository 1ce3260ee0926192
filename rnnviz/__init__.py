"""rnnviz: see how a recurrent network remembers and why it forgets."""

from __future__ import annotations

from rnnviz.activations import ACTIVATIONS
from rnnviz.cells import CELLS
from rnnviz.experiment import Experiment
from rnnviz.gradient_flow import GradientFlow, gradient_flow
from rnnviz.initializers import INITIALIZERS
from rnnviz.network import Network, Params, Pass
from rnnviz.optimizers import OPTIMIZERS, clip_by_norm
from rnnviz.tasks import TASKS
from rnnviz.topology import TOPOLOGIES
from rnnviz.training import Run, TrainingState, advance, start, train

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "INITIALIZERS",
    "OPTIMIZERS",
    "TASKS",
    "TOPOLOGIES",
    "Experiment",
    "GradientFlow",
    "Network",
    "Params",
    "Pass",
    "Run",
    "TrainingState",
    "advance",
    "clip_by_norm",
    "gradient_flow",
    "start",
    "train",
]
