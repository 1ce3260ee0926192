"""The registry of all runs of a session, on all pages."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from rnnviz.experiment import Experiment
from rnnviz.settings import SETTINGS
from rnnviz.ui.live_run import LiveRun

MOST_RUNS = SETTINGS.runs
"""Runs kept per place, for visitors who return to them."""


class RunKey(NamedTuple):
    """Identifies a run by the place that shows it and a name within that place.

    place : "main" (the playground's, which the laboratory measures), "contest", "job",
        "lesson" or "tour".
    """

    place: str
    name: Hashable = None


MAIN = RunKey("main")


class RunRegistry:
    """Runs by key. Replaced runs are paused for good; the newest few of each place are kept.

    make : builds a run of an experiment.
    """

    def __init__(self, make: Callable[[Experiment], LiveRun] = LiveRun, most: int = MOST_RUNS) -> None:
        self._make, self._most = make, most
        self._runs: dict[RunKey, LiveRun] = {}  # the most recently asked for last

    def __getitem__(self, key: RunKey) -> LiveRun:
        return self._runs[key]

    def __contains__(self, key: RunKey) -> bool:
        return key in self._runs

    def get(self, key: RunKey) -> LiveRun | None:
        """Return the run at a key, or None."""
        return self._runs.get(key)

    @property
    def stops(self) -> dict[LiveRun, int]:
        """How often each run has stopped by itself."""
        return {run: run.stops for run in self._runs.values()}

    def at(self, place: str) -> dict[Hashable, LiveRun]:
        """Return all runs of a place by name, the most recently asked for last."""
        return {key.name: run for key, run in self._runs.items() if key.place == place}

    def start(self, key: RunKey, experiment: Experiment) -> LiveRun:
        """Replace the run at a key with a new one."""
        return self.put(key, self._make(experiment))

    def open(self, key: RunKey, experiment: Experiment) -> LiveRun:
        """Return the run of an experiment at a key, a new one if there is none."""
        kept = self.get(key)
        return self.put(key, kept) if kept and kept.experiment == experiment else self.start(key, experiment)

    def put(self, key: RunKey, run: LiveRun) -> LiveRun:
        """Store a run at a key; a different one that was there is paused unless another place shows it."""
        if self._runs.get(key) is not run:
            self.drop(key)
        self._runs.pop(key, None)
        self._runs[key] = run
        for name in list(self.at(key.place))[: -self._most]:
            self.drop(RunKey(key.place, name))
        return run

    def drop(self, key: RunKey) -> None:
        """Remove a run; it is paused unless another place shows it too."""
        run = self._runs.pop(key, None)
        if run is not None and run not in self._runs.values():
            run.pause()

    def drop_all(self, place: str) -> None:
        """Remove all runs of a place; they are large."""
        for name in self.at(place):
            self.drop(RunKey(place, name))
