"""Named scenarios with their promised outcomes; tests check every promise on several seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rnnviz.experiment import Experiment
from rnnviz.tasks import TASKS
from rnnviz.teaching.measured import MEASURED, Measured
from rnnviz.training.loop import Run

STUCK_WITHIN = 0.08
"""An accuracy within this distance of chance counts as chance: four standard errors on 512 sequences."""


@dataclass(frozen=True)
class Preset:
    """A scenario that opens with one click.

    promise : what will happen, in one sentence.
    steps : training steps within which it happens.
    outcome : "solved" (the task's goal is reached at least once), "stuck" (the metric is at chance at the
        end) or "diverged" (numbers overflow).
    speed : training steps per second; None for as fast as possible.
    share : the share of seeds that keep the promise, at least.
    """

    name: str
    title: str
    promise: str
    experiment: Experiment
    steps: int
    outcome: str
    speed: float | None = None
    share: float = 0.9

    @property
    def ends(self) -> int | None:
        """The number of updates in the promise, after which a run pauses; None if there is none."""
        return self.steps if self.outcome == "stuck" else None

    @property
    def measured(self) -> Measured | None:
        """The outcomes over many seeds, None if they were not measured."""
        return MEASURED.get(f"scenario/{self.name}")

    @property
    def record(self) -> str:
        """What became of it over many seeds, in one sentence; "" if that was not measured."""
        if self.measured is None:
            return ""
        told = self.measured.words()
        return {
            "solved": "Solved within {steps:,} updates: {seeds_solved}; still solved at the end: "
            "{seeds_solved_at_end}.",
            "stuck": "At chance after {steps:,} updates: {seeds_kept}.",
            "diverged": "Diverged: {seeds_diverged}, {diverged_after}.",
        }[self.outcome].format(steps=self.steps, **told)

    def kept_by(self, run: Run) -> bool:
        """Return whether a run of this scenario had the promised outcome."""
        if self.outcome == "diverged" or run.divergence is not None:
            return self.outcome == "diverged" and run.divergence is not None
        if self.outcome == "solved":
            return run.state.solved_at is not None
        return abs(run.metric - TASKS[run.experiment.task].chance(run.experiment)) < STUCK_WITHIN


_RECALL = Experiment(task="recall", topology="many-to-one", seq_len=50)
_SINE = Experiment(
    task="sine",
    topology="many-to-many",
    seq_len=40,
    activation="relu",
    init="scaled-gaussian",
    gain=2.0,
    optimizer="sgd",
    learning_rate=0.1,
    clip_norm=None,
)

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "short-memory",
            "Short memory, healthy",
            "Five steps are easy: the gradient arrives nearly whole, and recall is learned within seconds.",
            replace(_RECALL, seq_len=5),
            300,
            "solved",
            speed=5,
        ),
        Preset(
            "vanishing",
            "The gradient vanishes",
            "Tiny weights, fifty steps: hardly any gradient survives; 1,000 updates teach next to nothing.",
            replace(_RECALL, init="small-normal"),
            1000,
            "stuck",
        ),
        Preset(
            "orthogonal",
            "Orthogonal weights help",
            "The same fifty steps, orthogonal W_hh: the error arrives, and nearly every run learns recall.",
            _RECALL,
            300,
            "solved",
            speed=5,
        ),
        Preset(
            "exploding",
            "The gradient explodes",
            "ReLU with gain 2, unclipped: in nearly every run, one or two updates make numbers overflow.",
            _SINE,
            400,
            "diverged",
            speed=1,
        ),
        Preset(
            "clipping",
            "Clipping helps",
            "The same network with its gradient clipped at 1: it survives, and learns the sine.",
            replace(_SINE, clip_norm=1.0),
            1000,
            "solved",
        ),
        Preset(
            "adding",
            "Adding with the identity",
            "Two marked numbers to add: a ReLU network whose W_hh starts as the identity learns to.",
            Experiment(task="adding", topology="many-to-one", seq_len=30, activation="relu", init="identity"),
            1000,
            "solved",
        ),
        Preset(
            "echo",
            "Echo, ten steps late",
            "Repeat every symbol ten steps later: each output's own error must survive ten steps back.",
            Experiment(task="echo", topology="many-to-many", seq_len=20, delay=10),
            1000,
            "solved",
        ),
        Preset(
            "waves",
            "One code, a whole wave",
            "The network reads a code once, then draws one, two or three waves on its own.",
            Experiment(task="waves", topology="one-to-many", seq_len=24),
            1000,
            "solved",
            speed=25,
        ),
        Preset(
            "no-memory",
            "No recurrence at all",
            "One image in, one digit out: a single step, so nothing can vanish over time.",
            Experiment(task="digits", topology="one-to-one", seq_len=1),
            1000,
            "solved",
        ),
        Preset(
            "reverse",
            "Read, then write backwards",
            "Three symbols go in, then come out in reverse: their order has to be remembered as well.",
            Experiment(task="reverse", topology="sequence-to-sequence", seq_len=6, items=3),
            1000,
            "solved",
            speed=25,
        ),
    )
}
