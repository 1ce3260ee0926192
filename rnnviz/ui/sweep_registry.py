"""The registry of all sweeps of a session."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor
from typing import Any

from rnnviz.settings import SETTINGS
from rnnviz.training.sweep import Sweep
from rnnviz.ui.screen import Screen
from rnnviz.ui.workers import SHARED

MOST_SWEEPS = SETTINGS.sweeps
"""Sweeps kept, for visitors who return to them."""


class SweepRegistry:
    """Sweeps by what they measure. One at a time measures: the one on the screen, while somebody sees it.

    A sweep that leaves the screen (another page, another setting, a closed tab) begins no further part. It
    keeps its results, and goes on when it is shown again. The next one begins when the parts under way are
    done, so that a slider dragged over many settings leaves no queue.
    """

    def __init__(self, screen: Screen, executor: Executor = SHARED.sweeps, most: int = MOST_SWEEPS) -> None:
        self._screen, self._executor, self._most = screen, executor, most
        self._sweeps: dict[Hashable, Sweep] = {}  # the most recently asked for last
        self._measuring: Sweep | None = None

    def get(self, key: Hashable) -> Sweep | None:
        """Return the sweep at a key, or None."""
        return self._sweeps.get(key)

    def open(
        self, key: Hashable, function: Callable[[Any], Any], parts: Callable[[], Sequence[Any]]
    ) -> Sweep:
        """Return the sweep at a key, a new one if there is none; it measures once it is on the screen."""
        sweep = self.get(key) or self._new(key, function, parts())
        others = [(k, other) for k, other in self._sweeps.items() if k != key and not other.cancelled]
        self._sweeps = dict([*others, (key, sweep)][-self._most :])
        return sweep

    def forget(self, key: Hashable) -> None:
        """Remove a sweep, so that it will be measured again."""
        self._sweeps.pop(key, None)

    def _new(self, key: Hashable, function: Callable[[Any], Any], parts: Sequence[Any]) -> Sweep:
        return Sweep(
            function, parts, self._executor, wanted=lambda: self._has_turn(key), changed=self._screen.wake
        )

    def _has_turn(self, key: Hashable) -> bool:
        """Return whether the sweep at a key may begin a part, and let no other begin one meanwhile."""
        sweep, before = self.get(key), self._measuring
        if sweep is None or not self._screen.sees(sweep):
            return False
        if before is not None and before is not sweep and before.under_way:
            return False
        self._measuring = sweep
        return True
