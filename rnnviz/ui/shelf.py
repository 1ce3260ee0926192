"""The shelf: runs that a visitor has kept, to compare and to return to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from rnnviz.analysis.snapshot import Snapshot, take_snapshot
from rnnviz.figures.kept_runs import KeptRun
from rnnviz.figures.run_pictures import curves_only
from rnnviz.settings import SETTINGS
from rnnviz.ui.live_run import LiveRun

MOST = SETTINGS.kept_runs
"""Runs on the shelf."""
LONGEST_NAME = 40


@dataclass(eq=False)
class Kept:
    """A run on the shelf; nobody trains it."""

    name: str
    run: LiveRun

    @cached_property
    def _now(self) -> Snapshot:
        state = self.run.keyframes.newest
        return curves_only(take_snapshot(self.run.experiment, state.params, state.step))

    @property
    def drawn(self) -> KeptRun:
        """What is drawn of it."""
        e, state = self.run.experiment, self.run.keyframes.newest
        return KeptRun.of(self.name, e, state, self.run.initial, self._now)


@dataclass
class Shelf:
    """Up to ``MOST`` kept runs, in the order in which they were kept. made : counts all of them."""

    runs: list[Kept] = field(default_factory=list)
    made: int = 0

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
            raise ValueError(f"The shelf holds {MOST} runs: delete one of them first.")
        self.made += 1
        kept = Kept(f"Run {self.made}", run.copy())
        self.runs.append(kept)
        return kept

    def rename(self, kept: Kept, name: str) -> None:
        """Give a run another name; an empty one is ignored, a long one shortened."""
        kept.name = name.strip()[:LONGEST_NAME] or kept.name
