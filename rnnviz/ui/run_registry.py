"""The one owner of all runs of a session, whatever page shows them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from rnnviz.experiment import Experiment
from rnnviz.ui.live_run import LiveRun

MOST_RUNS = 8
"""Runs that are kept at each place for a visitor who comes back to them."""


class RunKey(NamedTuple):
    """Which run is which: the place that shows it, and its name among those of that place.

    place : "main" (the playground's, which the lessons borrow and the laboratory measures), "contest",
        "job" or "lesson".
    """

    place: str
    name: Hashable = None


MAIN = RunKey("main")


class RunRegistry:
    """Runs by key. What is replaced is paused for good; of each place the newest few are kept.

    make : builds a run of an experiment.
    """

    def __init__(self, make: Callable[[Experiment], LiveRun] = LiveRun, most: int = MOST_RUNS) -> None:
        self._make, self._most = make, most
        self._runs: dict[RunKey, LiveRun] = {}  # the most recently asked for last

    def __getitem__(self, key: RunKey) -> LiveRun:
        return self._runs[key]

    def get(self, key: RunKey) -> LiveRun | None:
        """Return the run at a key, None if there is none."""
        return self._runs.get(key)

    def at(self, place: str) -> dict[Hashable, LiveRun]:
        """Return all runs of a place by name, the most recently asked for last."""
        return {key.name: run for key, run in self._runs.items() if key.place == place}

    def start(self, key: RunKey, experiment: Experiment) -> LiveRun:
        """Put a new run in the place of the one that is there."""
        return self.put(key, self._make(experiment))

    def open(self, key: RunKey, experiment: Experiment) -> LiveRun:
        """Return the run of an experiment as it was left; a new one if there is none at that key."""
        kept = self.get(key)
        return self.put(key, kept) if kept and kept.experiment == experiment else self.start(key, experiment)

    def put(self, key: RunKey, run: LiveRun) -> LiveRun:
        """Show a run at a key; another one that was there is paused for good."""
        replaced = self._runs.pop(key, None)
        if replaced is not None and replaced is not run:
            replaced.pause()
        self._runs[key] = run
        for name in list(self.at(key.place))[: -self._most]:
            self.drop(RunKey(key.place, name))
        return run

    def drop(self, key: RunKey) -> None:
        """Forget a run; it is paused unless it is shown at another place too."""
        run = self._runs.pop(key, None)
        if run is not None and run not in self._runs.values():
            run.pause()

    def drop_all(self, place: str) -> None:
        """Forget all runs of a place, which are large."""
        for name in self.at(place):
            self.drop(RunKey(place, name))
