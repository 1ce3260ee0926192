"""One chunk of a run, as a worker computes it: train, measure, and draw what is being watched."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rnnviz.analysis.snapshot import Snapshot, take_snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures.contest import Trained
from rnnviz.figures.run_pictures import Draw, Moment, Span
from rnnviz.model.network import Params
from rnnviz.training.keyframes import Way
from rnnviz.training.loop import advance, retrace
from rnnviz.training.state import TrainingState

SHORTEST_CHUNK, LONGEST_CHUNK = 0.036, 0.06
"""Training time in a chunk, in seconds. Short chunks give more pictures; in long ones, less of the time is
lost between two chunks. The shortest one gives about twenty pictures a second."""

SECONDS_PER_RUN = 0.0017
"""Chunks grow by this for each run that trains at the same time, from 22 runs on: thirty on two workers then
wait 0.9 s for their turn."""

PAINTED_RATE = 3.0
"""Up to this many updates per second plotly draws every picture, so that its values can be read meanwhile. At
five a second that would take 0.7 of a processor of the visitor's machine at T = 50, and 0.9 at T = 200."""

Measure = Callable[[Experiment, Params], Any]
"""A measurement of every new state. It is pickled and sent to workers, so it must not need Streamlit."""


def chunk_seconds(training: int) -> float:
    """Return the training time of a chunk while this many runs have one with the workers."""
    return min(LONGEST_CHUNK, max(SHORTEST_CHUNK, SECONDS_PER_RUN * training))


@dataclass(frozen=True, eq=False)
class Chunk:
    """What a worker is asked for; picklable.

    way : how to come to an earlier state, in place of training on from ``state``.
    later : the state after the most updates, if ``state`` is not that one; see ``Moment``.
    seconds, steps, until_solved : when to stop, as in ``advance``.
    measure : evaluated on the new state. pictures : drawn of the new state, by name.
    initial : the snapshot before training; only its curves and numbers are used.
    rate, playing, spans, beside : for the pictures, see ``Moment``.
    """

    experiment: Experiment
    state: TrainingState
    initial: Snapshot
    seconds: float | None = None
    steps: int | None = None
    until_solved: bool = False
    measure: Measure | None = None
    pictures: Mapping[str, Draw] = field(default_factory=dict)
    rate: float = 0.0
    playing: bool = False
    spans: Mapping[Hashable, Span] = field(default_factory=dict)
    beside: Mapping[str, Trained] = field(default_factory=dict)
    way: Way | None = None
    later: TrainingState | None = None

    @property
    def painted(self) -> bool:
        """Whether the next pictures follow so fast that the browser paints these (``canvas.js``)."""
        return bool(self.way) or (self.playing and self.rate > PAINTED_RATE)


@dataclass(frozen=True, eq=False)
class Result:
    """What a worker returns: the new state, what was measured and drawn of it, and the widened axes."""

    state: TrainingState
    snapshot: Snapshot
    measured: Any
    messages: Mapping[str, bytes]
    spans: Mapping[Hashable, Span]


def get_ready() -> None:
    """Do nothing; running this in a worker imports everything that ``compute`` needs."""


def compute(chunk: Chunk) -> Result:
    """Compute a chunk in this process.

    Nothing is drawn of a run that diverged: its page is drawn anew.
    """
    e, way = chunk.experiment, chunk.way
    if way:
        state = retrace(e, way.state, way.step, way.tunings)
    else:
        state = advance(e, chunk.state, chunk.seconds, chunk.steps, chunk.until_solved)
    snapshot = take_snapshot(e, state.params, state.step)
    measured = None if chunk.measure is None else chunk.measure(e, state.params)
    spans = dict(chunk.spans)
    now = Moment(
        e,
        state,
        snapshot,
        chunk.initial,
        chunk.rate,
        chunk.playing,
        measured,
        spans,
        chunk.beside,
        chunk.painted,
        chunk.later if chunk.later and chunk.later.step > state.step else None,
    )
    pictures = {} if state.divergence else chunk.pictures
    return Result(state, snapshot, measured, {name: draw(now) for name, draw in pictures.items()}, spans)
