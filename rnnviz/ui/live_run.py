"""A training run in worker processes, as a page sees it: play, pause, look."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import cached_property

from rnnviz.analysis.snapshot import Snapshot, observe
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array
from rnnviz.training.executor import local_pool
from rnnviz.training.loop import TrainingState, advance, start

CHUNK_SECONDS = 0.09
"""Training between two pictures: a little less than the page's tick, so that each tick has news."""

LEASE_SECONDS = 0.8
"""A run whose page has not looked for this long stops: the tab was closed."""

ALBUM_SIZE = 64
"""Gradient curves that a run keeps of its past; when there are more, every second one goes."""

MAX_FAILURES = 3
"""Workers may die; if this many chunks in a row are lost, the run stops and says so."""


def get_ready() -> None:
    """Do nothing; a worker that was asked to has imported all that ``advance_and_observe`` needs."""


def advance_and_observe(
    e: Experiment, state: TrainingState, seconds: float | None, steps: int | None
) -> tuple[TrainingState, Snapshot]:
    """One chunk of work, run in a worker process."""
    state = advance(e, state, seconds=seconds, steps=steps)
    return state, observe(e, state.params, state.step)


@dataclass(frozen=True, eq=False)
class Look:
    """A run at one moment: its newest state, the picture of it, and how fast it goes (steps a second)."""

    state: TrainingState
    snapshot: Snapshot
    rate: float


class LiveRun:
    """One run. Methods may be called from any thread; none of them waits for training.

    Chunks follow each other without the page: each one's done-callback submits the next, while the
    lease is fresh. So training never waits for drawing, and an abandoned run stops by itself.

    speed : training steps a second, None for as many as possible.
    pause_when_solved : stop when the task's goal is first reached.
    until : stop after this many updates in all; None for no end.
    album : the last output's gradient (T,) in the top layer, at some of the steps at which it was looked at.
    """

    def __init__(self, experiment: Experiment, pool: Callable[[], Executor] = local_pool) -> None:
        self.experiment = experiment
        self.speed: float | None = None
        self.pause_when_solved = False
        self.until: int | None = None
        self.playing = False
        self.problem: str | None = None
        self._newest: tuple[TrainingState, Snapshot | None] = start(experiment), None
        self._start = self.state
        self.album: dict[int, Array] = {}
        self._pool = pool
        self._lock = threading.RLock()
        self._in_flight = False
        self._failures = 0
        self._single = False
        self._timer: threading.Timer | None = None
        self._leased_until = 0.0
        self._due = 0.0
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)], maxlen=12)

    @property
    def state(self) -> TrainingState:
        """The newest state."""
        return self._newest[0]

    @cached_property
    def initial(self) -> Snapshot:
        """The picture of the network before training."""
        return observe(self.experiment, self._start.params, 0)

    @property
    def finished(self) -> bool:
        """Whether numbers overflowed, so that no further step can be made."""
        return self.state.divergence is not None

    @property
    def ended(self) -> bool:
        """Whether as many updates were made as were wanted."""
        return self.until is not None and self.state.step >= self.until

    def play(self) -> None:
        """Train until paused, diverged, abandoned, at its end, or (if wanted) solved."""
        with self._lock:
            self._begin(single=False)

    def pause(self) -> None:
        """Stop after the chunk that is running."""
        self.playing = False

    def step(self) -> None:
        """Make a single update, then pause."""
        with self._lock:
            self._begin(single=True)

    def _begin(self, single: bool) -> None:
        self.playing, self._single = not (self.finished or self.ended), single
        self.problem, self._failures = None, 0
        self._marks.clear()
        if self._timer is not None:  # slow motion was waiting for its next step
            self._timer.cancel()
            self._timer, self._in_flight = None, False
        self.look()

    def retune(self, experiment: Experiment) -> None:
        """Go on with another learning rate or clipping threshold, keeping the weights."""
        self.experiment = experiment

    def look(self) -> Look:
        """Renew the lease and return the newest picture; resubmits a chunk that was lost."""
        with self._lock:
            self._leased_until = time.monotonic() + LEASE_SECONDS
            if self.playing and not self._in_flight:
                self._submit(self._pool())
            state, snapshot = self._newest
            return Look(state, snapshot or self.initial, self._rate())

    def _rate(self) -> float:
        if not self.playing or len(self._marks) < 2:
            return 0.0
        (t0, first), (t1, last) = self._marks[0], self._marks[-1]
        return (last - first) / (t1 - t0) if t1 > t0 else 0.0

    def _submit(self, pool: Executor) -> None:
        """Hand the next chunk to the pool; call with the lock held."""
        one = self.speed is not None or self._single
        left = None if self.until is None else self.until - self.state.step
        seconds, steps = (None, 1) if one else (CHUNK_SECONDS, left)
        try:
            future = pool.submit(advance_and_observe, self.experiment, self.state, seconds, steps)
        except RuntimeError:  # the pool broke or was closed meanwhile: the next look asks for another
            return
        self._in_flight = True
        future.add_done_callback(lambda done: self._receive(done, pool))

    def _receive(self, future: Future[tuple[TrainingState, Snapshot]], pool: Executor) -> None:
        """Take a chunk's result and submit the next one; runs in one of the pool's threads."""
        with self._lock:
            self._in_flight = False
            failure = future.exception()
            if failure is not None:
                self._failures += 1  # the next look submits again: from here a pool can't be renewed
                if self._failures >= MAX_FAILURES:
                    self.playing, self.problem = False, f"Training stopped: {failure}"
                return
            self._failures = 0
            newest = future.result()
            solved_now = self.state.solved_at is None and newest[0].solved_at is not None
            self._newest = newest
            self._remember(newest[1])
            self._marks.append((time.monotonic(), self.state.step))
            if self._single or self.finished or self.ended or (solved_now and self.pause_when_solved):
                self.playing = False
            if self.playing and time.monotonic() < self._leased_until:
                self._schedule(pool)

    def _remember(self, snapshot: Snapshot) -> None:
        album = self.album | {snapshot.step: snapshot.last[-1]}
        self.album = dict(list(album.items())[::2]) if len(album) > ALBUM_SIZE else album

    def _schedule(self, pool: Executor) -> None:
        """Submit the next chunk now, or in slow motion when its time has come."""
        if self.speed is None:
            self._submit(pool)
            return
        now = time.monotonic()
        self._due = max(self._due + 1.0 / self.speed, now)
        self._in_flight = True
        self._timer = threading.Timer(self._due - now, self._wake, [pool])
        self._timer.daemon = True
        self._timer.start()

    def _wake(self, pool: Executor) -> None:
        with self._lock:
            if self._timer is not threading.current_thread():  # cancelled too late
                return
            self._timer, self._in_flight = None, False
            if self.playing and time.monotonic() < self._leased_until:
                self._submit(pool)
