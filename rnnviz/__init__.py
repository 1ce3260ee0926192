"""rnnviz: see how a recurrent network remembers and why it forgets."""

from __future__ import annotations

import importlib
from types import ModuleType

from rnnviz.analysis.bench import Bench, decay
from rnnviz.analysis.contributions import Triangle, triangle
from rnnviz.analysis.decay_factors import Causes, causes
from rnnviz.analysis.gradient_flow import GradientFlow, gradient_flow
from rnnviz.analysis.mean_field import MeanField, critical_gain, mean_field
from rnnviz.analysis.snapshot import Snapshot, observe
from rnnviz.analysis.spectrum import Spectrum, spectrum
from rnnviz.analysis.sweeps import SeedBand, phase_diagram, seed_band
from rnnviz.experiment import Experiment
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.network import Network, Params, Pass
from rnnviz.model.optimizers import OPTIMIZERS, clip_by_norm
from rnnviz.tasks import TASKS
from rnnviz.tasks.topology import TOPOLOGIES
from rnnviz.teaching.presets import PRESETS, Preset
from rnnviz.training.loop import Run, TrainingState, advance, start, train

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "INITIALIZERS",
    "OPTIMIZERS",
    "PRESETS",
    "TASKS",
    "TOPOLOGIES",
    "Bench",
    "Causes",
    "Experiment",
    "GradientFlow",
    "MeanField",
    "Network",
    "Params",
    "Pass",
    "Preset",
    "Run",
    "SeedBand",
    "Snapshot",
    "Spectrum",
    "TrainingState",
    "Triangle",
    "advance",
    "causes",
    "clip_by_norm",
    "critical_gain",
    "decay",
    "figures",
    "gradient_flow",
    "mean_field",
    "observe",
    "phase_diagram",
    "seed_band",
    "spectrum",
    "start",
    "train",
    "triangle",
]


def __getattr__(name: str) -> ModuleType:
    """Import ``rnnviz.figures`` on first use: workers that only train never wait for plotly."""
    if name == "figures":
        return importlib.import_module("rnnviz.figures")
    raise AttributeError(f"module 'rnnviz' has no attribute {name!r}")
