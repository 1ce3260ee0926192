"""What helps against which problem: the share of seeds that learn, for each problem and each cure.

``cures.json`` is written by ``python -m tests.benchmarks.cures``. A test compares its settings with those
here, and some of its counts with runs of further seeds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnnviz.analysis.shares import Share
from rnnviz.experiment import Experiment
from rnnviz.experiment.fitting import changed
from rnnviz.experiment.links import to_params
from rnnviz.teaching.presets import PRESETS

FILE = Path(__file__).with_name("cures.json")
FIRST_SEED, SEEDS = 3000, 20
"""Seeds that were measured: none for which an experiment was chosen."""


@dataclass(frozen=True)
class Problem:
    """A problem: its title, what it asks, the experiment without a cure, and the updates allowed."""

    title: str
    summary: str
    experiment: Experiment
    updates: int


@dataclass(frozen=True)
class Cure:
    """A cure: its title, the settings that it changes, and what it does not cure, in a sentence."""

    title: str
    changes: Mapping[str, Any]
    limits: str


_TANH = Experiment(seq_len=50, init="pytorch", clip_norm=None)

PROBLEMS: dict[str, Problem] = {
    "remember-20": Problem(
        "Remember 20 steps",
        "Recall, T = 20: the error must reach step 1 over 19 steps.",
        replace(_TANH, seq_len=20),
        1000,
    ),
    "remember-50": Problem(
        "Remember 50 steps",
        "Recall, T = 50: the error must reach step 1 over 49 steps.",
        _TANH,
        1000,
    ),
    "add": Problem(
        "Add over 30 steps",
        "Adding, T = 30: the sum of two marked numbers, an error below 0.01.",
        replace(_TANH, task="adding", seq_len=30),
        1000,
    ),
    "explode": Problem(
        "Solve the exploding sine",
        "ReLU with gain 2, SGD, unclipped: without a cure, numbers overflow.",
        PRESETS["exploding"].experiment,
        400,
    ),
}
"""The columns of the table."""

CURES: dict[str, Cure] = {
    "none": Cure("None", {}, "A simple RNN with PyTorch's initial weights."),
    "orthogonal": Cure(
        "Orthogonal W_hh",
        {"init": "orthogonal", "gain": 1.0},
        "Keeps lengths at the start only; slopes of tanh below 1 still shrink the error.",
    ),
    "irnn": Cure(
        "Identity and ReLU (IRNN)",
        {"cell": "irnn", "activation": "relu", "init": "identity", "gain": 1.0},
        "Nothing bounds its states: a large update can make them explode.",
    ),
    "clip": Cure(
        "Clip the gradient at 1",
        {"clip_norm": 1.0},
        "Bounds an update; it brings no error back that has vanished.",
    ),
    "truncate": Cure(
        "Truncated BPTT, K = 10",
        {"truncate": 10},
        "Errors go back 10 steps at most; what is older is learned by luck only. States overflow as before.",
    ),
    "rate": Cure(
        "Learning rate / 10",
        {},
        "Less noise and later divergence, but slower learning; nothing arrives from further back.",
    ),
    "lstm": Cure(
        "LSTM, PyTorch's start",
        {"cell": "lstm", "init": "pytorch"},
        "Its forget gates start half open: each step halves what the cell state keeps.",
    ),
    "forget": Cure(
        "LSTM, forget-gate bias 1",
        {"cell": "lstm", "init": "forget-1"},
        "Its forget gates start near 0.73, and 0.73 to the power of 49 is 2·10⁻⁷.",
    ),
    "chrono": Cure(
        "LSTM, chrono",
        {"cell": "lstm", "init": "chrono"},
        "The biases are drawn for one length; far longer sequences fade again.",
    ),
    "gru": Cure(
        "GRU, PyTorch's start",
        {"cell": "gru", "init": "pytorch"},
        "Its update gates start half open, as an LSTM's forget gates do.",
    ),
    "gru-chrono": Cure(
        "GRU, chrono",
        {"cell": "gru", "init": "chrono"},
        "As for the LSTM: the biases are drawn for one length.",
    ),
    "mingru": Cure(
        "minGRU, chrono",
        {"cell": "mingru", "init": "chrono"},
        "Its gates see the input alone: one layer cannot decide by what it remembers.",
    ),
    "lru": Cure(
        "LRU, near the unit circle",
        {"cell": "lru", "init": "ring"},
        "Its memory is linear: it fades at rates that do not depend on what is read.",
    ),
    "antisymmetric": Cure(
        "Antisymmetric RNN",
        {"cell": "antisymmetric", "init": "scaled-gaussian", "gain": 1.0},
        "It has no gate that could discard noise: all that comes in stays.",
    ),
}
"""The rows of the table."""


def treated(problem: Problem, cure: str) -> Experiment:
    """Return a problem's experiment with a cure."""
    e, changes = problem.experiment, dict(CURES[cure].changes)
    if cure == "rate":
        changes["learning_rate"] = float(f"{e.learning_rate / 10.0:g}")
    if "cell" in changes:
        changes.setdefault("activation", "tanh")
    return changed(e, **changes)[0]


@dataclass(frozen=True)
class Outcome:
    """What became of a cell of the table.

    settings : the experiment as URL parameters, without its seed. solved : seeds that reached the goal at
    least once. solved_at_end : whose last measurement reaches it. diverged : whose numbers overflowed.
    solved_after : median number of updates until then, None if none did.
    decades : median of what the gradient loses before training, in powers of ten.
    """

    settings: Mapping[str, str]
    solved: Share
    solved_at_end: Share
    diverged: Share
    solved_after: int | None
    decades: float

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Outcome:
        """Read an outcome from its JSON object."""
        shares = {name: Share(data[name], data["seeds"]) for name in ("solved", "solved_at_end", "diverged")}
        return cls(data["settings"], **shares, solved_after=data["solved_after"], decades=data["decades"])


def settings_of(e: Experiment) -> dict[str, str]:
    """Return an experiment as URL parameters, without its seed."""
    return {name: text for name, text in to_params(e).items() if name != "seed"}


def read_outcomes(file: Path = FILE) -> dict[tuple[str, str], Outcome]:
    """Return the outcomes by problem and cure; empty if none was measured."""
    if not file.exists():
        return {}
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return {
        (problem, cure): Outcome.read(data) for problem, row in cells.items() for cure, data in row.items()
    }


OUTCOMES = read_outcomes()
"""The outcomes that the file has."""
