"""The states that a run keeps, in bounded memory, so that any earlier state can be computed again.

Training is deterministic: from a kept state, the changes of learning rate and threshold that followed, and a
number of updates, the same state comes again, bit for bit.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

from rnnviz.settings import SETTINGS
from rnnviz.training.history import History
from rnnviz.training.state import TrainingState, Tuning

MOST_BYTES = SETTINGS.run_megabytes * 1_000_000
"""Memory for the kept states of one run."""


_NO_HISTORY = History(1)
"""In place of the history of each kept state, which is the beginning of the newest one's."""


@dataclass(frozen=True, eq=False)
class _Kept:
    """A state without its history, and the newest row of that."""

    state: TrainingState
    latest: tuple[float, ...] | None

    @classmethod
    def of(cls, state: TrainingState) -> _Kept:
        return cls(replace(state, history=_NO_HISTORY), state.history.latest)


@dataclass(frozen=True, eq=False)
class Way:
    """How to come to a state: train a kept one so far (``retrace``).

    state : the kept state, with its history. step : the updates wanted, counted from the run's start.
    tunings : of the whole run.
    """

    state: TrainingState
    step: int
    tunings: tuple[Tuning, ...]


class Keyframes:
    """Kept states of one run, about evenly spaced over the updates made.

    A state is kept if it is ``spacing`` updates after the one before. When all of them would need more
    memory than ``most_bytes``, the spacing doubles and every state that is too close to the one before goes.

    spacing : updates between two kept states, at least. newest : the state after the most updates.
    """

    def __init__(self, first: TrainingState, most_bytes: int = MOST_BYTES) -> None:
        self.spacing = 1
        self.newest = first
        self._most = max(most_bytes // _size(first), 2)
        self._kept = [_Kept.of(first)]

    @property
    def steps(self) -> list[int]:
        """The updates of the kept states, ascending; the first is 0."""
        return [kept.state.step for kept in self._kept]

    @property
    def nbytes(self) -> int:
        """Memory of the kept states."""
        return sum(_size(kept.state) for kept in self._kept)

    def keep(self, state: TrainingState) -> None:
        """Hear of a state of the run; the newest one so far is what can be returned to."""
        if state.step <= self.newest.step and state.divergence is None:
            return
        self.newest = state
        if state.step - self._kept[-1].state.step >= self.spacing and state.divergence is None:
            self._kept.append(_Kept.of(state))
        while len(self._kept) > self._most:
            self.spacing *= 2
            self._thin()

    def _thin(self) -> None:
        spaced = self._kept[:1]
        for kept in self._kept[1:]:
            if kept.state.step - spaced[-1].state.step >= self.spacing:
                spaced.append(kept)
        self._kept = spaced

    def copy(self, most_bytes: int) -> Keyframes:
        """Return the same states in less memory, ``most_bytes``, if need be with fewer of them kept."""
        twin = Keyframes(self._kept[0].state, most_bytes)
        twin.spacing, twin.newest, twin._kept = self.spacing, self.newest, list(self._kept)
        while len(twin._kept) > twin._most:
            twin.spacing *= 2
            twin._thin()
        return twin

    def way_to(self, step: int) -> Way:
        """Return how to come to the state after so many updates, at most those of the newest state."""
        step = min(max(step, 0), self.newest.step)
        if step == self.newest.step:
            return Way(self.newest, step, self.newest.tunings)
        kept = self._kept[bisect_right(self.steps, step) - 1]
        history = self.newest.history.before(kept.state.step, kept.latest)
        return Way(replace(kept.state, history=history), step, self.newest.tunings)

    def end_at(self, state: TrainingState) -> None:
        """Forget what came after a state: the run goes on differently from there."""
        self.newest = state
        self._kept = [kept for kept in self._kept if kept.state.step <= state.step]


def _size(state: TrainingState) -> int:
    """Return the memory of a state's weights and moments."""
    return 8 * (state.params.count + state.moments.first.size + state.moments.second.size)
