"""The shelf: runs that a visitor has kept, to compare and to return to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from rnnviz.analysis.snapshot import Snapshot, take_snapshot
from rnnviz.figures.kept_runs import KeptRun
from rnnviz.figures.run_pictures import curves_only
from rnnviz.settings import SETTINGS
from rnnviz.tasks import TASKS
from rnnviz.training.loop import held_out_metric
from rnnviz.ui.live_run import LiveRun

MOST = SETTINGS.kept_runs
"""Runs on the shelf."""
LONGEST_NAME = 40
"""Characters."""


@dataclass(eq=False)
class Kept:
    """A run on the shelf; nobody trains it. number : its own, whatever it is called."""

    number: int
    name: str
    run: LiveRun

    @cached_property
    def _now(self) -> Snapshot:
        state = self.run.keyframes.newest
        return curves_only(take_snapshot(self.run.experiment, state.params, state.step))

    @cached_property
    def metric(self) -> float:
        """The held-out metric of its weights: training measures only after some of the updates."""
        e = self.run.experiment
        return held_out_metric(e, e.network(), self.run.keyframes.newest.params)

    @property
    def solved_at(self) -> int | None:
        """Updates after which the goal was first reached, be it only by its last weights."""
        state, task = self.run.keyframes.newest, TASKS[self.run.experiment.task]
        reached = state.divergence is None and bool(task.metric.reached(self.metric, task.goal))
        return state.step if reached and state.solved_at is None else state.solved_at

    @property
    def drawn(self) -> KeptRun:
        """What is drawn of it."""
        e, state = self.run.experiment, self.run.keyframes.newest
        return KeptRun.of(self.name, e, state, self.metric, self.run.initial, self._now)


@dataclass
class Shelf:
    """Up to ``MOST`` kept runs, in the order in which they were kept.

    made : names given so far, from which a new run takes its number. named : number of the run whose name
        stands in the field. problem : why the last renaming was refused, if it is not yet said. deleted :
        the run that was deleted last, and its place.
    """

    runs: list[Kept] = field(default_factory=list)
    made: int = 0
    named: int = 0
    problem: str = ""
    deleted: tuple[int, Kept] | None = None

    @property
    def full(self) -> bool:
        """Whether there is no room for another run."""
        return len(self.runs) >= MOST

    def keep(self, run: LiveRun) -> Kept:
        """Put a copy of a run on the shelf, as it stands.

        Raises
        ------
        ValueError
            If the shelf is full.
        """
        if self.full:
            raise ValueError(f"The shelf holds {MOST} runs: delete one under Side by side, Kept.")
        name = self._new_name()
        kept = Kept(self.made, name, run.copy())
        self.runs.append(kept)
        return kept

    def delete(self, kept: Kept) -> None:
        """Take a run off the shelf; the last one can be put back."""
        self.deleted = self.runs.index(kept), kept
        self.runs.remove(kept)

    @property
    def can_put_back(self) -> bool:
        """Whether there is a deleted run, and room for it."""
        return self.deleted is not None and not self.full

    def put_back(self) -> Kept | None:
        """Put the run that was deleted last back in its place, if there is room for it, and return it.

        If another run has its name by now, it gets a new one.
        """
        if self.deleted is None or self.full:
            return None
        place, kept = self.deleted
        self.deleted = None
        if self._taken(kept.name):
            kept.name = self._new_name()
        self.runs.insert(place, kept)
        return kept

    def rename(self, kept: Kept, name: str) -> None:
        """Give a run another name.

        Raises
        ------
        ValueError
            If the name is empty, too long, or that of another run.
        """
        name = " ".join(name.split())
        if not name:
            raise ValueError(f"A run needs a name: this one is still called {kept.name}.")
        if len(name) > LONGEST_NAME:
            raise ValueError(
                f"A name has at most {LONGEST_NAME} characters; got {len(name)}. "
                f"The run is still called {kept.name}."
            )
        if self._taken(name, besides=kept):
            raise ValueError(f"Another run is called {name}: this one is still called {kept.name}.")
        kept.name = name

    def _new_name(self) -> str:
        """Return a name that no run has."""
        self.made += 1
        while self._taken(f"Run {self.made}"):
            self.made += 1
        return f"Run {self.made}"

    def _taken(self, name: str, besides: Kept | None = None) -> bool:
        """Return whether a run has a name; small and capital letters are not told apart."""
        return any(run.name.casefold() == name.casefold() for run in self.runs if run is not besides)
