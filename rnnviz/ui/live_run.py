"""A training run in worker processes: a state machine whose methods never wait for training.

A run *plays* while it is queued, running or waiting. ``-`` means: no change.

=========  ===========  ======  ===============  ===========  ====================  ================
phase      play, step   pause   resume           chunk done   chunk lost            its time comes
           look back
=========  ===========  ======  ===============  ===========  ====================  ================
idle       queued       -       -                dropped      dropped               dropped
queued     - (1)        paused  running (2)      dropped      dropped               dropped
running    - (1)        paused  -                next (3)     queued or failed (2)  dropped
waiting    - (1)        paused  -                dropped      dropped               queued
paused     queued       -       -                dropped      dropped               dropped
solved     queued       -       -                dropped      dropped               dropped
diverged   - (4)        -       -                dropped      dropped               dropped
failed     queued       -       -                dropped      dropped               dropped
=========  ===========  ======  ===============  ===========  ====================  ================

queued : the next chunk of updates is wanted. It is submitted at once if somebody watches, else when the run
    is resumed while somebody does. running : the chunk is submitted; it may have to wait for a worker.
(1) Except step while it plays continuously: queued, for a single update after the one that is shown.
(2) A chunk that the executor refuses counts as lost: the run stays queued, until it is resumed. The third
    loss in a row makes it fail. Play then continues from the newest state.
(3) diverged if numbers overflowed; solved if the goal was reached and the run is set to pause there; paused
    after a single step, at the state that is looked back at, after the updates of ``train`` (which is like
    play otherwise) or at the end (``until``); else waiting in slow motion, queued otherwise.
(4) Except looking back: queued.

Looking back makes an earlier state the one that is shown, and that training goes on from. The states after it
come again, unless the learning rate or the threshold has changed: then they are forgotten.

Each command (play, train, step, pause, look back, a new learning rate) has a number. A later event, such as
a finished chunk or a slow-motion timer, carries the run's id and its command's number, and is dropped if
either is outdated. So pause stops at the update that is shown, step makes exactly one after it, and a new
learning rate applies from it on. A dropped chunk costs only its time: the same chunk from the same state
gives the same result, bit for bit.

A chunk returns all that is wanted of the new state in one result: the snapshot, the measurement
(``measure``) and the pictures that are being watched, drawn by the worker. A state without a measurement (the
first one, or the newest one after ``measure`` was changed) is measured once, in the page's process.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar
from weakref import WeakSet

from rnnviz.analysis.snapshot import Snapshot, take_snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures.contest import Trained
from rnnviz.figures.run_pictures import Moment, Span, curves_only, union
from rnnviz.model.arrays import Array
from rnnviz.training.executor import in_a_line
from rnnviz.training.keyframes import Keyframes
from rnnviz.training.loop import start
from rnnviz.training.state import TrainingState, Tuning
from rnnviz.ui import events
from rnnviz.ui.chunk import Chunk, Measure, Result, chunk_seconds, compute
from rnnviz.ui.pictures import Drawn, Pictures, Watcher
from rnnviz.ui.workers import SHARED

ALBUM_SIZE = 64
"""Number of past gradient curves that a run keeps; when it is exceeded, every second one is dropped."""

COPY_BYTES = 4_000_000
"""Memory for the kept states of a run's copy."""

ALL_DRAWN = 30.0
"""Updates per second up to which each of them is drawn; browsers draw hardly more pictures."""

CROWD = 8
"""Chunks with the workers from which on pictures are drawn as rarely as at full speed."""

MAX_FAILURES = 3
"""A run fails after this many lost or refused chunks in a row."""

Later = Callable[[float, Callable[[], None]], Callable[[], object]]
"""Calls a function after some seconds, on any thread; returns a function that cancels the call."""

_with_workers: set[Future[Result]] = set()
"""The chunks of all runs that workers have or will get."""


def after(seconds: float, call: Callable[[], None]) -> Callable[[], object]:
    """Call a function after some seconds of real time; return a function that cancels the call."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer.cancel


def _nothing() -> None:
    """Do nothing; the cancellation while nothing is pending."""


class Phase(Enum):
    """The phase of a run; see the table at the top of this module."""

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
    """Identifies the command that a chunk belongs to: the run's id and the command's number."""

    run: int
    command: int


@dataclass(frozen=True, eq=False)
class Measured:
    """A measurement, with the state and the function that gave it."""

    state: TrainingState
    measure: Measure
    value: Any


class LiveRun:
    """One run. Methods may be called from any thread; none of them waits for training.

    Each chunk's done-callback submits the next one while somebody watches. So training never waits for the
    browser, and an abandoned run stops by itself.

    speed : training steps per second, None for as many as possible.
    pause_when_solved : stop when the task's goal is first reached.
    until : stop after this many updates in total; None for no limit.
    asked_for : while it plays, the updates that the command ``train`` asked for, and train_to the total at
        which it stops for that; None for other commands.
    measure : evaluated on every new state, from the next chunk on; None for nothing. Measures are compared by
        equality, so set the same function again rather than a new partial of it.
    beside : runs that play beside it, by name; its pictures show their measurements, too.
    phase, problem : the current phase, and why the run failed.
    stops : how often it stopped by itself: diverged, solved, ended or failed. The page must show that.
    pictures : those that somebody watches.
    album : the last output's gradient (T,) in the top layer, by training step, for some past steps.
    keyframes : the states that it can look back at, up to the one after the most updates.
    spans : range of the gradient axis in each of its figures, so that the axis stays still.
    executor : where chunks are computed; its submit must not wait.
    clock, later : the time in seconds, and the timer for slow motion; tests replace both.
    """

    _ids = itertools.count(1)
    _all: ClassVar[WeakSet[LiveRun]] = WeakSet()

    def __init__(
        self,
        experiment: Experiment,
        executor: Executor = SHARED.live,
        clock: Callable[[], float] = time.monotonic,
        later: Later = after,
    ) -> None:
        self.experiment = experiment
        self.id = next(self._ids)
        self._all.add(self)
        self.speed: float | None = None
        self.pause_when_solved = False
        self.until: int | None = None
        self.measure: Measure | None = None
        self.beside: Mapping[str, LiveRun] = {}
        self.phase = Phase.IDLE
        self.problem: str | None = None
        self.stops = 0
        self.pictures = Pictures(clock)
        self.album: dict[int, Array] = {}
        self.spans: dict[Hashable, Span] = {}
        self._newest: tuple[TrainingState, Snapshot | None] = start(experiment), None
        self._measured: Measured | None = None
        self._start = self.state
        self.keyframes = Keyframes(self.state)
        self._back_to: int | None = None
        self._executor, self._clock, self._later = executor, clock, later
        self._lock = threading.RLock()
        self._command = 0
        self._single = False
        self.asked_for: int | None = None
        self.train_to: int | None = None
        self._failures = 0
        self._cancel: Callable[[], object] = _nothing
        self._next_update = 0.0
        self._marks: deque[tuple[float, int]] = deque([(clock(), 0)], maxlen=12)

    @classmethod
    def all(cls) -> list[LiveRun]:
        """Return all runs that are in memory."""
        return list(cls._all)

    def opened(self, state: TrainingState) -> LiveRun:
        """Return this run in a later state, which was saved; the states between come again from the start."""
        twin = LiveRun(self.experiment, self._executor, self._clock, self._later)
        twin._newest = state, take_snapshot(self.experiment, state.params, state.step)
        twin.keyframes.keep(state)
        twin.phase = twin._at_rest
        return twin

    def copy(self) -> LiveRun:
        """Return a run that has come as far, paused, in less memory; this one goes on as it is."""
        with self._lock:
            twin = LiveRun(self.experiment, self._executor, self._clock, self._later)
            twin._start, twin._newest = self._start, self._newest
            twin.keyframes = self.keyframes.copy(COPY_BYTES)
            twin.spans, twin.album, twin.speed = dict(self.spans), dict(self.album), self.speed
            twin.phase = twin._at_rest
            return twin

    @property
    def _at_rest(self) -> Phase:
        """The phase in which a run waits that nobody has asked for anything."""
        return Phase.DIVERGED if self.finished else Phase.PAUSED if self.state.step else Phase.IDLE

    @property
    def state(self) -> TrainingState:
        """The newest state."""
        return self._newest[0]

    @cached_property
    def initial(self) -> Snapshot:
        """The snapshot of the network before training."""
        return take_snapshot(self.experiment, self._start.params, 0)

    @property
    def playing(self) -> bool:
        """Whether it trains, or is about to."""
        return self.phase in PLAYING

    @property
    def plays_on(self) -> bool:
        """Whether it trains, or is about to, for more than a single step."""
        return self.playing and not self._single and self._back_to is None

    @property
    def outdated(self) -> bool:
        """Whether it has come to rest on a state that a watched picture does not show."""
        return not self.playing and not self.pictures.show(self.state)

    @property
    def finished(self) -> bool:
        """Whether numbers overflowed, so that no further update is possible."""
        return self.state.divergence is not None

    @property
    def ended(self) -> bool:
        """Whether ``until`` was reached."""
        return self.until is not None and self.state.step >= self.until

    @property
    def _pace(self) -> float | None:
        """Updates per second, None for as many as possible."""
        return self.speed if self.train_to is None else None

    @property
    def _left(self) -> int | None:
        """The number of updates until it stops by itself, None if there is no limit."""
        ends = [end for end in (self.until, self.train_to) if end is not None]
        return min(ends) - self.state.step if ends else None

    @property
    def retunings(self) -> tuple[Tuning, ...]:
        """The changes of learning rate and threshold during this run, including a pending one."""
        e, known = self.experiment, self.state.tunings
        now = Tuning(self.state.step, e.learning_rate, e.clip_norm)
        changed = known and (known[-1].learning_rate, known[-1].clip_norm) != (e.learning_rate, e.clip_norm)
        return (*known[1:], now) if changed else known[1:]

    @property
    def ticket(self) -> Ticket:
        """Identifies the newest command."""
        return Ticket(self.id, self._command)

    # Commands

    def play(self) -> None:
        """Train until paused, diverged, abandoned, ended, or (if ``pause_when_solved``) solved."""
        with self._lock:
            if not self.playing or self._back_to is not None:
                self._train_on()
            self._single, self.asked_for, self.train_to = False, None, None
        self.resume()

    def train(self, steps: int) -> None:
        """Make so many updates as fast as possible, whatever ``speed`` is, then pause."""
        with self._lock:
            self._train_on()
            self._single, self.asked_for, self.train_to = False, steps, self.state.step + steps
        self.resume()

    def step(self) -> None:
        """Make a single update after the one that is shown, then pause."""
        with self._lock:
            if not (self.playing and self._single):
                self._train_on()
            self._single, self.asked_for, self.train_to = True, None, None
        self.resume()

    def look_back(self, step: int) -> None:
        """Show the state after so many updates, at most those made; does nothing while it plays on."""
        with self._lock:
            if self.plays_on:
                return
            self._back_to = min(max(step, 0), self.keyframes.newest.step)
            self._order(Phase.QUEUED)
            self._single, self.asked_for, self.train_to = False, None, None
        self.resume()

    def _train_on(self) -> None:
        """Start a command that trains on from the state that is shown. Needs the lock."""
        if self.phase is Phase.IDLE:
            events.run_began(self.id, self.experiment)
        self._back_to = None
        self._order(Phase.QUEUED)
        self._forget_what_will_not_come()

    def _forget_what_will_not_come(self) -> None:
        """Forget later states that the run would not come to from here, as it was retuned. Needs the lock."""
        e, state, tunings = self.experiment, self.state, self.keyframes.newest.tunings
        in_force = [(t.learning_rate, t.clip_norm) for t in tunings if t.step <= state.step]
        if len(in_force) < len(tunings) or (tunings and in_force[-1] != (e.learning_rate, e.clip_norm)):
            self.keyframes.end_at(state)

    def pause(self) -> None:
        """Stop at the update that is shown."""
        with self._lock:
            if self.playing:
                self._back_to = None
                self._order(Phase.PAUSED)

    def retune(self, experiment: Experiment) -> None:
        """Continue from the update that is shown with another learning rate or clipping threshold."""
        with self._lock:
            self.experiment = experiment
            if self.playing and self._back_to is None:
                self._forget_what_will_not_come()
                if self.phase is Phase.RUNNING:
                    self._order(Phase.QUEUED)
        self.resume()

    # Watching

    def watch(self, watcher: Watcher, drawn: Drawn) -> None:
        """Let workers draw these pictures, in place of earlier ones."""
        with self._lock:
            self.pictures.watch(watcher, drawn, self.state)

    def leave(self, watcher: Watcher) -> None:
        """Draw nothing more for a watcher."""
        with self._lock:
            self.pictures.leave(watcher)

    def resume(self) -> None:
        """Submit a chunk if one is queued and somebody watches."""
        if self.phase is Phase.QUEUED and self.pictures.seen:
            self._submit()

    def moment(self) -> Moment:
        """Return the newest state, with all that its pictures show."""
        with self._lock:
            (state, snapshot), rate, known = self._newest, self._rate(), self._measured
        seen, measured = snapshot or self.initial, self._measurement(state, known)
        e, spans, later = self.experiment, self._shared_spans, self.keyframes.newest
        return Moment(
            e,
            state,
            seen,
            self.initial,
            rate,
            self.plays_on,
            measured,
            spans,
            self._known_beside(),
            later=later if later.step > state.step else None,
        )

    def _known_beside(self) -> dict[str, Trained]:
        return {name: run.trained(name) for name, run in self.beside.items()}

    def trained(self, name: str) -> Trained:
        """Return its measurements under a name, for the pictures of runs beside it."""
        state, snapshot = self._newest
        return Trained.of(name, state, snapshot or self.initial)

    @property
    def _shared_spans(self) -> dict[Hashable, Span]:
        """The ranges of its gradient axes, widened to those of the runs beside it."""
        for run in self.beside.values():
            for axis, span in list(run.spans.items()):
                self.spans[axis] = union(span, self.spans.get(axis, span))
        return self.spans

    def _measurement(self, state: TrainingState, known: Measured | None) -> Any:
        """Return the measurement of a state; measure it now if it is not ``known``."""
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
        """Start a new command; later results of older ones will be dropped."""
        self._command += 1
        self._cancel()
        self._cancel = _nothing
        if phase is Phase.PAUSED or self._back_to is not None or not (self.finished or self.ended):
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
        return ticket == self.ticket

    def _submit(self) -> None:
        """Submit the next chunk if one is queued; if that fails, the chunk counts as lost."""
        with self._lock:
            if self.phase is not Phase.QUEUED:
                return
            ticket, chunk = self.ticket, self._chunk()
            try:
                future = self._executor.submit(compute, chunk)
            except Exception as failure:
                self._lose(failure)
                self.pictures.wake()  # whoever watches resumes it
                return
            self.phase, self._cancel = Phase.RUNNING, future.cancel
        _with_workers.add(future)
        future.add_done_callback(_with_workers.discard)
        future.add_done_callback(lambda done: self._receive(done, ticket, chunk))

    def _chunk(self) -> Chunk:
        """Return the next chunk: a single update, or as many as its time allows."""
        one, back = self._pace is not None or self._single, self._back_to is not None
        slow = self._pace is not None and self._pace <= ALL_DRAWN and len(_with_workers) < CROWD
        every = self._single or back or slow
        pictures, newest = self.pictures.due(every), self.keyframes.newest
        return Chunk(
            self.experiment,
            self.state,
            self._initial_curves,
            seconds=None if one else chunk_seconds(len(_with_workers) + 1),
            steps=1 if one else self._left,
            until_solved=self.pause_when_solved,
            measure=self.measure,
            pictures=pictures,
            rate=self._rate(),
            playing=self.plays_on,
            spans=self._shared_spans,
            beside=self._known_beside() if pictures else {},
            way=None if self._back_to is None else self.keyframes.way_to(self._back_to),
            later=newest if back or newest.step > self.state.step else None,
        )

    @cached_property
    def _initial_curves(self) -> Snapshot:
        return curves_only(self.initial)

    def _receive(self, done: Future[Result], ticket: Ticket, chunk: Chunk) -> None:
        """Store a chunk's result and continue; runs on one of the executor's threads."""
        with self._lock:
            if not self._wanted(ticket):
                return
            failure = RuntimeError("a worker was stopped") if done.cancelled() else done.exception()
            if failure is None:
                was_solved = self.state.solved_at is not None
                self._store(done.result(), chunk)
                self.phase = self._following(was_solved)
                if self.phase is Phase.DIVERGED and self._back_to is None:
                    events.run_diverged(self.id, self.state.step)
                self._back_to = None
                if not self.playing and (self.phase is not Phase.PAUSED or self._left == 0):
                    self.stops += 1
            else:
                self._lose(failure)
            if self.pictures.seen:
                self._go_on(ticket)
        self.pictures.wake()

    def _store(self, result: Result, chunk: Chunk) -> None:
        """Keep what a chunk returned."""
        state, measure = result.state, chunk.measure
        if chunk.way is None:
            self.keyframes.keep(state)
            self._remember(result.snapshot)
        self._newest, self._failures = (state, result.snapshot), 0
        self._measured = None if measure is None else Measured(state, measure, result.measured)
        self.spans = {axis: union(span, self.spans.get(axis, span)) for axis, span in result.spans.items()}
        self.pictures.keep(chunk.pictures, result.messages, state, playing=chunk.painted)
        self._marks.append((self._clock(), state.step))

    def _following(self, was_solved: bool) -> Phase:
        """Return the phase after a chunk was received."""
        if self.finished:
            return Phase.DIVERGED
        if self._back_to is not None:
            return Phase.PAUSED
        if self.pause_when_solved and self.state.solved_at is not None and not was_solved:
            return Phase.SOLVED
        return Phase.PAUSED if self._single or self._left == 0 else Phase.QUEUED

    def _lose(self, failure: BaseException) -> None:
        """Queue a lost chunk again; after MAX_FAILURES in a row, fail with the reason. Needs the lock."""
        self._failures += 1
        self.phase = Phase.QUEUED if self._failures < MAX_FAILURES else Phase.FAILED
        if self.phase is Phase.FAILED:
            events.run_failed(self.id, self.state.step, failure)
            self.problem = f"Training stopped: {in_a_line(failure)}"
            self.stops += 1

    def _go_on(self, ticket: Ticket) -> None:
        """Submit the next chunk now, or after a delay in slow motion. Needs the lock."""
        if self.phase is not Phase.QUEUED:
            return
        if self._pace is None:
            self._submit()
            return
        now = self._clock()
        self._next_update = max(self._next_update + 1.0 / self._pace, now)
        try:
            self._cancel = self._later(self._next_update - now, lambda: self._wake(ticket))
            self.phase = Phase.WAITING
        except RuntimeError as failure:  # no thread can be started
            self._lose(failure)

    def _wake(self, ticket: Ticket) -> None:
        """Continue after a slow-motion delay, unless there was another command meanwhile."""
        with self._lock:
            if not self._wanted(ticket) or self.phase is not Phase.WAITING:
                return
            self.phase = Phase.QUEUED
        self.resume()

    def _remember(self, snapshot: Snapshot) -> None:
        if snapshot.step in self.album:
            return
        album = dict(sorted({**self.album, snapshot.step: snapshot.last[-1]}.items()))
        self.album = dict(list(album.items())[::2]) if len(album) > ALBUM_SIZE else album
