"""rnnviz: see how a recurrent network remembers and why it forgets."""

from __future__ import annotations

import importlib
from types import ModuleType

from rnnviz.activations import ACTIVATIONS
from rnnviz.bench import Bench, decay
from rnnviz.causes import Causes, causes
from rnnviz.cells import CELLS
from rnnviz.experiment import Experiment
from rnnviz.gradient_flow import GradientFlow, gradient_flow
from rnnviz.initializers import INITIALIZERS
from rnnviz.mean_field import MeanField, critical_gain, mean_field
from rnnviz.network import Network, Params, Pass
from rnnviz.optimizers import OPTIMIZERS, clip_by_norm
from rnnviz.presets import PRESETS, Preset
from rnnviz.snapshot import Snapshot, observe
from rnnviz.spectrum import Spectrum, spectrum
from rnnviz.sweeps import SeedBand, phase_diagram, seed_band
from rnnviz.tasks import TASKS
from rnnviz.topology import TOPOLOGIES
from rnnviz.training import Run, TrainingState, advance, start, train
from rnnviz.triangle import Triangle, triangle

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
