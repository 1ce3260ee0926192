"""rnnviz: see how a recurrent network remembers and why it forgets."""

from __future__ import annotations

import importlib
from types import ModuleType

from rnnviz.analysis.bench import Bench, decay
from rnnviz.analysis.contributions import Contributions, gradient_contributions
from rnnviz.analysis.decay_factors import DecayFactors, decay_factors
from rnnviz.analysis.gradient_flow import GradientFlow, gradient_flow
from rnnviz.analysis.jacobians import StateJacobians, state_jacobians
from rnnviz.analysis.lyapunov import LyapunovExponents, lyapunov_exponents
from rnnviz.analysis.mean_field import MeanField, critical_gain, mean_field
from rnnviz.analysis.snapshot import Snapshot, take_snapshot
from rnnviz.analysis.spectrum import Spectrum, spectrum
from rnnviz.analysis.sweeps import SeedBand, TrainingShares, phase_diagram, seed_band, training_shares
from rnnviz.experiment import Experiment
from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.batch import Batch
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.losses import LOSSES
from rnnviz.model.network import LossAndGradients, Network, Params
from rnnviz.model.optimizers import OPTIMIZERS, clip_by_norm
from rnnviz.tasks import TASKS
from rnnviz.tasks.topology import TOPOLOGIES
from rnnviz.teaching.presets import PRESETS, Preset
from rnnviz.training.fit import Fit, fit
from rnnviz.training.loop import Run, advance, start, train
from rnnviz.training.state import TrainingState

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "INITIALIZERS",
    "LOSSES",
    "OPTIMIZERS",
    "PRESETS",
    "TASKS",
    "TOPOLOGIES",
    "Batch",
    "Bench",
    "Contributions",
    "DecayFactors",
    "Experiment",
    "Fit",
    "GradientFlow",
    "LossAndGradients",
    "LyapunovExponents",
    "MeanField",
    "Network",
    "Params",
    "Preset",
    "Run",
    "SeedBand",
    "Snapshot",
    "Spectrum",
    "StateJacobians",
    "TrainingShares",
    "TrainingState",
    "advance",
    "clip_by_norm",
    "critical_gain",
    "decay",
    "decay_factors",
    "figures",
    "fit",
    "gradient_contributions",
    "gradient_flow",
    "lyapunov_exponents",
    "mean_field",
    "phase_diagram",
    "seed_band",
    "spectrum",
    "start",
    "state_jacobians",
    "take_snapshot",
    "train",
    "training_shares",
]


def __getattr__(name: str) -> ModuleType:
    """Import ``rnnviz.figures`` on first use: workers that only train never wait for plotly."""
    if name == "figures":
        return importlib.import_module("rnnviz.figures")
    raise AttributeError(f"module 'rnnviz' has no attribute {name!r}")
