"""The state of a run between two updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnviz.model.network import Params
from rnnviz.model.optimizers import Moments
from rnnviz.training.history import History


@dataclass(frozen=True)
class Divergence:
    """Where a run diverged: the first inf or NaN.

    step : updates made before the one that failed.
    what : what overflowed first: "hidden state", "loss", "gradient" or "weights".
    time_step : the step t at which it did, for states and gradients.
    value : "inf" or "nan".
    """

    step: int
    what: str
    value: str
    time_step: int | None = None

    def __str__(self) -> str:
        """Return the divergence as one sentence."""
        place = f" at time step {self.time_step}" if self.time_step else ""
        updates = "1 update" if self.step == 1 else f"{self.step:,} updates"
        fate = "overflowed (inf)" if self.value == "inf" else "became NaN"
        return f"After {updates} the {self.what} {fate}{place}."


@dataclass(frozen=True)
class Tuning:
    """The learning rate and the clipping threshold in force from the update after ``step`` on."""

    step: int
    learning_rate: float
    clip_norm: float | None


@dataclass(frozen=True, eq=False)
class TrainingState:
    """The complete state of a run between two updates; picklable.

    step : updates made so far.
    rng : state of the generator that draws the training batches.
    metric : the latest held-out measurement (NaN before the first update).
    solved_at : updates after which the task's goal was first reached.
    divergence : set once numbers overflowed; ``advance`` then returns the state unchanged.
    tunings : the learning rate and threshold at the start, then every change of them; with these ``train``
        replays the run exactly.
    """

    step: int
    params: Params
    moments: Moments
    rng: Mapping[str, Any]
    history: History
    metric: float
    solved_at: int | None = None
    divergence: Divergence | None = None
    tunings: tuple[Tuning, ...] = ()

    @property
    def retunings(self) -> tuple[Tuning, ...]:
        """The changes made during the run; empty if there were none."""
        return self.tunings[1:]
