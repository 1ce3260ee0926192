"""Long work in independent parts, many seeds or many gains; results come as they are ready."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnviz.analysis.bench import Bench, decades, over_seeds
from rnnviz.analysis.gradient_flow import GradientFlow, gradient_flow
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array


class Sweep:
    """Parts of a computation in an executor, and what has come of them so far.

    Only as many parts as can run at once are handed over, each finished one followed by the next: what a
    pool has in its queue can no longer be cancelled. Anything with the ``concurrent.futures`` interface
    serves as executor; its workers need the library.

    results : one a part, None where there is none yet.
    cancelled : whether the rest was given up.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        parts: Sequence[Any],
        executor: Executor,
        at_once: int | None = None,
    ) -> None:
        self.parts = parts
        self.results: list[Any] = [None] * len(parts)
        self.cancelled = False
        self._function, self._executor = function, executor
        self._lock = threading.RLock()
        self._begun = self._done = 0
        self._failure: BaseException | None = None
        self._over = threading.Event()
        for _ in range(at_once or os.cpu_count() or 1):
            self._begin_next()

    @property
    def done(self) -> int:
        """How many parts are done."""
        return self._done

    @property
    def progress(self) -> float:
        """Share of the parts that are done, 0 to 1."""
        return self._done / max(1, len(self.parts))

    @property
    def running(self) -> bool:
        """Whether more results will come."""
        return not self._over.is_set()

    def cancel(self) -> None:
        """Give up all that is not done; parts that have begun end unseen."""
        with self._lock:
            if self.running:
                self.cancelled = True
                self._over.set()

    def wait(self) -> list[Any]:
        """Wait for every part and return the results.

        Raises
        ------
        Exception
            What a part raised, or what ended the executor.
        """
        self._over.wait()
        if self._failure is not None:
            raise self._failure
        return self.results

    def _begin_next(self) -> None:
        with self._lock:
            if self._done == len(self.parts):
                self._over.set()
            if self._over.is_set() or self._begun == len(self.parts):
                return
            number = self._begun
            self._begun += 1
            try:
                future = self._executor.submit(self._function, self.parts[number])
            except RuntimeError as failure:  # the executor was shut down, or its workers died
                self._failure = failure
                self.cancel()
                return
        future.add_done_callback(lambda done: self._receive(number, done))

    def _receive(self, number: int, future: Future[Any]) -> None:
        with self._lock:
            if self._over.is_set():
                return
            self._failure = future.exception()
            if self._failure is not None:
                self.cancel()
                return
            self.results[number] = future.result()
            self._done += 1
        self._begin_next()


# Many seeds ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SeedBand:
    """The last output's gradient over many seeds; S seeds, T steps.

    curves : (S, T), ||eps_t|| of the top layer, one row a seed. decades, verdicts : one a seed.
    """

    curves: Array
    decades: Array
    verdicts: list[str]

    def quantile(self, share: float) -> Array:
        """Return the curve (T,) that a share of the seeds stays below, step by step.

        NaN comes from numbers that overflowed, and counts as beyond all others.
        """
        sizes = np.where(np.isnan(self.curves), np.inf, self.curves)
        return np.quantile(sizes, share, axis=0, method="nearest")

    def share(self, verdict: str) -> float:
        """Return the share of seeds with this verdict."""
        return self.verdicts.count(verdict) / len(self.verdicts)

    @classmethod
    def of(cls, flows: Sequence[GradientFlow]) -> SeedBand:
        """Put the flows of several seeds side by side."""
        return cls(
            np.array([flow.per_output[-1] for flow in flows]),
            np.array([flow.decades for flow in flows]),
            [flow.verdict for flow in flows],
        )


def seed_parts(e: Experiment, seeds: int) -> list[Experiment]:
    """Return the experiment with ``seeds`` successive seeds, its own first."""
    return [replace(e, seed=(e.seed + k) % 2**31) for k in range(seeds)]


def seed_band(e: Experiment, seeds: int = 20, executor: Executor | None = None) -> SeedBand:
    """Measure the gradient at initialisation for several seeds (in this process without an executor)."""
    parts = seed_parts(e, seeds)
    flows = Sweep(gradient_flow, parts, executor).wait() if executor else [gradient_flow(p) for p in parts]
    return SeedBand.of(flows)


# Phase diagrams -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class PhasePart:
    """One gain of a phase diagram: the bench at every value of the other axis, with several seeds."""

    bench: Bench
    across: str  # the field of Bench on the other axis
    values: tuple[float, ...]
    seeds: int


def phase_row(part: PhasePart) -> Array:
    """Return the median decades over the seeds, one for each value, (V,)."""
    rows = []
    for value in part.values:
        long = part.across == "seq_len"
        bench = replace(part.bench, seq_len=int(value)) if long else replace(part.bench, input_std=value)
        rows.append(np.median([decades(b) for b in over_seeds(bench, part.seeds)]))
    return np.array(rows)


def phase_parts(
    base: Bench, gains: Iterable[float], across: str, values: Iterable[float], seeds: int
) -> list[PhasePart]:
    """Return the parts of a phase diagram, one a gain.

    Raises
    ------
    ValueError
        If ``across`` is not "seq_len" or "input_std".
    """
    if across not in ("seq_len", "input_std"):
        raise ValueError(f"across must be 'seq_len' or 'input_std'; got {across!r}.")
    steps = tuple(float(value) for value in values)
    return [PhasePart(replace(base, gain=float(gain)), across, steps, seeds) for gain in gains]


def phase_diagram(
    base: Bench,
    gains: Iterable[float],
    across: str,
    values: Iterable[float],
    seeds: int = 5,
    executor: Executor | None = None,
) -> Array:
    """Return decades lost (-) or gained (+) over gain and sequence length or input strength, (G, V)."""
    parts = phase_parts(base, gains, across, values, seeds)
    return np.array(Sweep(phase_row, parts, executor).wait() if executor else [phase_row(p) for p in parts])
