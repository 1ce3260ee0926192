"""A training run in worker processes, as a page sees it: a state machine that never waits for training.

A run *plays* while it is queued, running or waiting. ``-`` means: stays as it is.

=========  ===========  ======  ===============  ===========  ====================  ================
phase      play, step   pause   the page looks   chunk done   chunk lost, refused   its time comes
=========  ===========  ======  ===============  ===========  ====================  ================
idle       queued       -       -                dropped      dropped               dropped
queued     - (1)        paused  running          dropped      queued or failed (3)  dropped
running    - (1)        paused  -                next (2)     queued or failed (3)  dropped
waiting    - (1)        paused  -                dropped      dropped               queued
paused     queued       -       -                dropped      dropped               dropped
solved     queued       -       -                dropped      dropped               dropped
diverged   -            -       -                dropped      dropped               dropped
failed     queued       -       -                dropped      dropped               dropped
=========  ===========  ======  ===============  ===========  ====================  ================

queued : a chunk of updates is wanted, and no worker has it. It is handed over at once, or (while nobody
    looks, or after one was lost) the next time the page looks.
(1) Except step while it plays on: queued, for a single update after the one that is shown.
(2) diverged if numbers overflowed; solved if the goal was reached and the run is to pause there; paused
    after a single step or at the end (``until``); else waiting in slow motion, queued otherwise.
(3) failed when it is the third in a row. Play then starts again from the newest state.

Each command that changes what is wanted (play, step, pause, another learning rate) has a number. What arrives
later, a chunk or the time of slow motion, carries the run's id and the number it was ordered under, and is
dropped if either is no longer the current one. So pause stops at the update that is shown, step makes exactly
one after it, and another learning rate holds from it on: a chunk that is still with a worker costs its time,
nothing else (from the same state the same chunk comes again, bit for bit).

What a page wants measured on every new state (``measure``) is measured by the worker that trained it, and
comes with the chunk. Only a state that no chunk brought with the present ``measure`` (the first one, or the
newest one after ``measure`` was changed) is measured where it is looked at, once.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from rnnviz.analysis.snapshot import Snapshot, take_snapshot
from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array
from rnnviz.model.network import Params
from rnnviz.training.executor import local_pool
from rnnviz.training.loop import advance, start
from rnnviz.training.state import TrainingState, Tuning

CHUNK_SECONDS = 0.09
"""Training between two pictures: a little less than the page's tick, so that each tick has news."""

LEASE_SECONDS = 0.8
"""A run whose page has not looked for this long stops: the tab was closed."""

ALBUM_SIZE = 64
"""Gradient curves that a run keeps of its past; when there are more, every second one goes."""

MAX_FAILURES = 3
"""Workers may die; if this many chunks in a row are lost or refused, the run stops and says so."""

Measure = Callable[[Experiment, Params], Any]
"""What a page wants to know of every new state. It travels to the workers and must not need Streamlit."""

Later = Callable[[float, Callable[[], None]], Callable[[], object]]
"""Calls a function after some seconds, from any thread; returns a function that cancels the call."""


def get_ready() -> None:
    """Do nothing; a worker that was asked to has imported all that ``advance_and_snapshot`` needs."""


def advance_and_snapshot(
    e: Experiment,
    state: TrainingState,
    seconds: float | None,
    steps: int | None,
    until_solved: bool = False,
) -> tuple[TrainingState, Snapshot]:
    """Train for a while, and take the picture of the new state."""
    state = advance(e, state, seconds, steps, until_solved)
    return state, take_snapshot(e, state.params, state.step)


def advance_and_measure(
    measure: Measure | None,
    e: Experiment,
    state: TrainingState,
    seconds: float | None,
    steps: int | None,
    until_solved: bool = False,
) -> tuple[TrainingState, Snapshot, Any]:
    """One chunk of work, run in a worker process: new state, its picture and (if wanted) its measurement."""
    state, snapshot = advance_and_snapshot(e, state, seconds, steps, until_solved)
    return state, snapshot, None if measure is None else measure(e, state.params)


def after(seconds: float, call: Callable[[], None]) -> Callable[[], object]:
    """Call a function after some seconds by the real clock."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer.cancel


def _nothing() -> None:
    """Stand in for a cancellation while nothing is under way."""


class Phase(Enum):
    """Where a run stands; see the table at the top of this module."""

    IDLE = "idle"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    SOLVED = "solved"
    DIVERGED = "diverged"
    FAILED = "failed"


PLAYING = {Phase.QUEUED, Phase.RUNNING, Phase.WAITING}


@dataclass(frozen=True)
class Ticket:
    """What a chunk was ordered for: the run by its id, and the number of its command."""

    run: int
    command: int


@dataclass(frozen=True, eq=False)
class Look:
    """A run at one moment: its newest state, the picture of it, and how fast it goes (steps a second).

    measured : what the run's ``measure`` returns for exactly this state; None if the run has no measure.
    """

    state: TrainingState
    snapshot: Snapshot
    rate: float
    measured: Any = None


@dataclass(frozen=True, eq=False)
class Measured:
    """A measurement, and what was measured how."""

    state: TrainingState
    measure: Measure
    value: Any


class LiveRun:
    """One run. Methods may be called from any thread; none of them waits for training.

    Chunks follow each other without the page: each one's done-callback submits the next, while the
    lease is fresh. So training never waits for drawing, and an abandoned run stops by itself.

    speed : training steps a second, None for as many as possible.
    pause_when_solved : stop when the task's goal is first reached.
    until : stop after this many updates in all; None for no end.
    measure : what is measured on every new state, from the next chunk on; None for nothing. Two that compare
        equal are the same one, so set the same function again rather than a new partial of it.
    phase, problem : where it stands, and why it failed.
    album : the last output's gradient (T,) in the top layer, at some of the steps at which it was looked at.
    spans : ends of the gradient axis in each of its pictures, so that it holds still.
    clock, later : the time in seconds, and what waits in slow motion; tests drive both by hand.
    """

    _ids = itertools.count(1)

    def __init__(
        self,
        experiment: Experiment,
        pool: Callable[[], Executor] = local_pool,
        clock: Callable[[], float] = time.monotonic,
        later: Later = after,
    ) -> None:
        self.experiment = experiment
        self.id = next(self._ids)
        self.speed: float | None = None
        self.pause_when_solved = False
        self.until: int | None = None
        self.measure: Measure | None = None
        self.phase = Phase.IDLE
        self.problem: str | None = None
        self.album: dict[int, Array] = {}
        self.spans: dict[Hashable, tuple[int, int]] = {}
        self._newest: tuple[TrainingState, Snapshot | None] = start(experiment), None
        self._measured: Measured | None = None
        self._start = self.state
        self._pool, self._clock, self._later = pool, clock, later
        self._lock = threading.RLock()
        self._command = 0
        self._single = False
        self._failures = 0
        self._cancel: Callable[[], object] = _nothing
        self._leased_until = 0.0
        self._due = 0.0
        self._marks: deque[tuple[float, int]] = deque([(clock(), 0)], maxlen=12)

    @property
    def state(self) -> TrainingState:
        """The newest state."""
        return self._newest[0]

    @cached_property
    def initial(self) -> Snapshot:
        """The picture of the network before training."""
        return take_snapshot(self.experiment, self._start.params, 0)

    @property
    def playing(self) -> bool:
        """Whether it trains, or will as soon as a worker or its time comes."""
        return self.phase in PLAYING

    @property
    def finished(self) -> bool:
        """Whether numbers overflowed, so that no further step can be made."""
        return self.state.divergence is not None

    @property
    def ended(self) -> bool:
        """Whether as many updates were made as were wanted."""
        return self.until is not None and self.state.step >= self.until

    @property
    def retunings(self) -> tuple[Tuning, ...]:
        """The changes of learning rate and threshold during this run, one to come included."""
        e, known = self.experiment, self.state.tunings
        now = Tuning(self.state.step, e.learning_rate, e.clip_norm)
        changed = known and (known[-1].learning_rate, known[-1].clip_norm) != (e.learning_rate, e.clip_norm)
        return (*known[1:], now) if changed else known[1:]

    # Commands

    def play(self) -> None:
        """Train until paused, diverged, abandoned, at its end, or (if wanted) solved."""
        with self._lock:
            if not self.playing:
                self._order(Phase.QUEUED)
            self._single = False
        self.look()

    def step(self) -> None:
        """Make a single update after the one that is shown, then pause."""
        with self._lock:
            if not (self.playing and self._single):
                self._order(Phase.QUEUED)
            self._single = True
        self.look()

    def pause(self) -> None:
        """Stop at the update that is shown."""
        with self._lock:
            if self.playing:
                self._order(Phase.PAUSED)

    def retune(self, experiment: Experiment) -> None:
        """Go on with another learning rate or clipping threshold from the update that is shown."""
        with self._lock:
            self.experiment = experiment
            if self.phase is Phase.RUNNING:
                self._order(Phase.QUEUED)
        self.look()

    def look(self) -> Look:
        """Renew the lease, hand over a chunk if one is wanted, and return the newest picture."""
        with self._lock:
            self._leased_until = self._clock() + LEASE_SECONDS
        self._submit(self._pool)
        with self._lock:
            (state, snapshot), rate, known = self._newest, self._rate(), self._measured
        return Look(state, snapshot or self.initial, rate, self._measurement(state, known))

    def _measurement(self, state: TrainingState, known: Measured | None) -> Any:
        """Return what is measured on a state; measure it now if neither its chunk nor an earlier look did."""
        measure = self.measure
        if measure is None:
            return None
        if known is None or known.state is not state or known.measure != measure:
            known = Measured(state, measure, measure(self.experiment, state.params))
            with self._lock:
                if self.state is state:
                    self._measured = known
        return known.value

    def _order(self, phase: Phase) -> None:
        """Begin a new command: whatever an older one still brings is dropped."""
        self._command += 1
        self._cancel()
        self._cancel = _nothing
        if phase is Phase.PAUSED or not (self.finished or self.ended):
            self.phase = phase
        self.problem, self._failures = None, 0
        self._marks.clear()

    def _rate(self) -> float:
        if not self.playing or len(self._marks) < 2:
            return 0.0
        (t0, first), (t1, last) = self._marks[0], self._marks[-1]
        return (last - first) / (t1 - t0) if t1 > t0 else 0.0

    # Chunks

    def _wanted(self, ticket: Ticket) -> bool:
        return ticket == Ticket(self.id, self._command)

    def _submit(self, pool: Callable[[], Executor]) -> None:
        """Hand the next chunk to a worker if one is wanted; if that fails, the chunk counts as lost.

        The pool is asked for without the lock: starting a new one waits for the threads of a broken one,
        and these may be waiting to deliver a loss here.
        """
        ticket = Ticket(self.id, self._command)
        if self.phase is not Phase.QUEUED:
            return
        try:
            executor = pool()
            with self._lock:
                if not self._wanted(ticket) or self.phase is not Phase.QUEUED:
                    return
                measure = self.measure
                future = executor.submit(advance_and_measure, measure, *self._chunk())
                self.phase, self._cancel = Phase.RUNNING, future.cancel
        except Exception as failure:
            self._lose(ticket, failure)
            return
        future.add_done_callback(lambda done: self._receive(done, ticket, executor, measure))

    def _chunk(self) -> tuple[Experiment, TrainingState, float | None, int | None, bool]:
        """Return what the next chunk is made of: a single update, or as many as its time allows."""
        one = self.speed is not None or self._single
        left = None if self.until is None else self.until - self.state.step
        seconds, steps = (None, 1) if one else (CHUNK_SECONDS, left)
        return self.experiment, self.state, seconds, steps, self.pause_when_solved

    def _receive(
        self,
        done: Future[tuple[TrainingState, Snapshot, Any]],
        ticket: Ticket,
        executor: Executor,
        measure: Measure | None,
    ) -> None:
        """Take a chunk's result and go on; runs in one of the pool's threads."""
        with self._lock:
            if not self._wanted(ticket):
                return
            failure = RuntimeError("a worker was stopped") if done.cancelled() else done.exception()
            if failure is not None:
                self._lose(ticket, failure)  # the next look submits again: from here a pool can't be renewed
                return
            was_solved = self.state.solved_at is not None
            state, snapshot, value = done.result()
            self._newest, self._failures = (state, snapshot), 0
            self._measured = None if measure is None else Measured(state, measure, value)
            self._remember(snapshot)
            self._marks.append((self._clock(), self.state.step))
            self.phase = self._following(was_solved)
            if self._clock() < self._leased_until:
                self._go_on(ticket, executor)

    def _following(self, was_solved: bool) -> Phase:
        """Return the phase after a chunk was received."""
        if self.finished:
            return Phase.DIVERGED
        if self.pause_when_solved and self.state.solved_at is not None and not was_solved:
            return Phase.SOLVED
        return Phase.PAUSED if self._single or self.ended else Phase.QUEUED

    def _lose(self, ticket: Ticket, failure: BaseException) -> None:
        """Have a chunk done again that was lost or refused, a few times; then give up and say why."""
        with self._lock:
            if not self._wanted(ticket):
                return
            self._failures += 1
            self.phase = Phase.QUEUED if self._failures < MAX_FAILURES else Phase.FAILED
            if self.phase is Phase.FAILED:
                reason = str(failure).strip() or type(failure).__name__
                self.problem = f"Training stopped: {reason.splitlines()[0]}"

    def _go_on(self, ticket: Ticket, executor: Executor) -> None:
        """Submit the next chunk now, or in slow motion when its time has come; call with the lock held."""
        if self.phase is not Phase.QUEUED:
            return
        if self.speed is None:
            self._submit(lambda: executor)
            return
        now = self._clock()
        self._due = max(self._due + 1.0 / self.speed, now)
        try:
            self._cancel = self._later(self._due - now, lambda: self._wake(ticket, executor))
            self.phase = Phase.WAITING
        except RuntimeError as failure:  # no thread can be started
            self._lose(ticket, failure)

    def _wake(self, ticket: Ticket, executor: Executor) -> None:
        """Go on after a pause of slow motion, unless another command came meanwhile."""
        with self._lock:
            if not self._wanted(ticket) or self.phase is not Phase.WAITING:
                return
            self.phase = Phase.QUEUED
            leased = self._clock() < self._leased_until
        if leased:
            self._submit(lambda: executor)

    def _remember(self, snapshot: Snapshot) -> None:
        album = self.album | {snapshot.step: snapshot.last[-1]}
        self.album = dict(list(album.items())[::2]) if len(album) > ALBUM_SIZE else album
