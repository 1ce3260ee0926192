"""Everything that lessons, scenarios and the page Why claim of a run; see rnnviz/teaching/measured.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnnviz import PRESETS, Experiment, train
from rnnviz.experiment.links import to_params
from rnnviz.teaching.contest import ROUNDS, STEPS
from rnnviz.teaching.lessons import LESSONS, Outcome

PROMISED = {"solved": {"solved": True}, "stuck": {"near_chance": True}, "diverged": {"diverges": True}}
"""The claims behind a scenario's outcome."""


@dataclass(frozen=True)
class Trial:
    """What is claimed of an experiment, and for which share of the seeds at least."""

    name: str
    experiment: Experiment
    updates: int
    claims: Mapping[str, Any]
    share: float

    def with_seed(self, seed: int) -> Experiment:
        return replace(self.experiment, seed=seed)

    @property
    def settings(self) -> dict[str, str]:
        return {name: value for name, value in to_params(self.experiment).items() if name != "seed"}

    def seen(self, seed: int) -> Outcome:
        return Outcome.of(train(self.with_seed(seed), self.updates))


TRIALS = {
    trial.name: trial
    for trial in [
        *(
            Trial(f"{lesson.name}/{number}", step.experiment, step.updates, step.expect, step.share)
            for lesson in LESSONS.values()
            for number, step in enumerate(lesson.steps, start=1)
        ),
        *(
            Trial(f"scenario/{p.name}", p.experiment, p.steps, PROMISED[p.outcome], p.share)
            for p in PRESETS.values()
        ),
        *(
            Trial(f"why/{task}/{cell}", chosen.runner(cell), STEPS, claims, 0.9)
            for task, chosen in ROUNDS.items()
            for cell, claims in chosen.claims.items()
        ),
    ]
}
