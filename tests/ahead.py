"""Trainings that many tests of one file wait for, made on all cores from the first question on."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future

from rnnviz import Experiment, Run, train
from rnnviz.training.executor import local_pool

Wanted = tuple[Experiment, int, bool]
"""What ``train`` is given: the experiment, the number of updates, and whether to stop when solved."""


class TrainedAhead:
    """Gives the very runs that ``train`` gives: a run's numbers do not depend on the process."""

    def __init__(self, wanted: Iterable[Wanted]) -> None:
        self._wanted = list(dict.fromkeys(wanted))
        self._runs: dict[Wanted, Future[Run]] = {}

    def __call__(self, e: Experiment, steps: int, until_solved: bool = False) -> Run:
        if (e, steps, until_solved) not in self._wanted:
            return train(e, steps, until_solved)
        if not self._runs:
            pool = local_pool()
            self._runs = {wanted: pool.submit(train, *wanted) for wanted in self._wanted}
        return self._runs[e, steps, until_solved].result()

    def end(self) -> None:
        """Let go of what nobody asked for."""
        for run in self._runs.values():
            run.cancel()
