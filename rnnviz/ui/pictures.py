"""The pictures of a run that somebody watches: which of them are due, and the newest frame of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from rnnviz.figures.run_pictures import Draw
from rnnviz.training.state import TrainingState

REFRESH_SECONDS = 0.25
"""At full speed, pictures that nobody has fetched are drawn anew this often."""


class Watcher(Protocol):
    """Shows pictures to somebody. Its methods are called on any thread, and must not wait."""

    @property
    def open(self) -> bool:
        """Whether somebody sees the pictures."""
        ...

    @property
    def asking(self) -> bool:
        """Whether the next picture will be fetched at once."""
        ...

    def wake(self) -> None:
        """Hear that the run has changed."""
        ...


@dataclass(frozen=True)
class Picture:
    """A picture of a run that is being watched; at full speed drawn every ``seconds`` at most."""

    draw: Draw
    seconds: float = 0.0


@dataclass(eq=False)
class Frame:
    """A picture of one state.

    message : for the browser; None if the page has drawn it itself. taken : whether it was sent.
    playing : whether the next ones follow so fast that the browser should paint it (``canvas.js``).
    """

    draw: Draw
    state: TrainingState
    message: bytes | None
    drawn_at: float
    taken: bool = False
    playing: bool = False


Drawn = Mapping[str, tuple[Picture, TrainingState]]
"""Pictures by name, each with the state of which the page has drawn it."""


class Pictures:
    """The watched pictures of one run; changed under the run's lock only.

    frames : the newest frame of each picture, by name; replaced as a whole, so it is read without a lock.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.frames: Mapping[str, Frame] = {}
        self._clock = clock
        self._watched: Mapping[str, Picture] = {}
        self._watcher: Watcher | None = None

    def watch(self, watcher: Watcher, drawn: Drawn, newest: TrainingState) -> None:
        """Watch these pictures, in place of earlier ones; newest : the run's state by now."""
        self._watcher = watcher
        self._watched = {name: picture for name, (picture, _) in drawn.items()}
        self.frames = {name: self._newest(name, *shown, newest) for name, shown in drawn.items()}

    def _newest(self, name: str, picture: Picture, state: TrainingState, newest: TrainingState) -> Frame:
        """Return the newest frame of a picture: a worker's, or the one that the page has just drawn.

        The run's newest state may have fewer updates than what the page has drawn: somebody looks back.
        """
        known = self.frames.get(name)
        usable = known is not None and known.draw == picture.draw and state is not newest
        if known and usable and (known.state is newest or known.state.step > state.step):
            return replace(known, taken=False)
        return Frame(picture.draw, state, None, self._clock(), taken=True)

    def leave(self, watcher: Watcher) -> None:
        """End watching, unless somebody else watches by now."""
        if self._watcher is watcher:
            self._watcher, self._watched, self.frames = None, {}, {}

    @property
    def seen(self) -> bool:
        """Whether somebody sees them."""
        return self._watcher is not None and self._watcher.open

    def show(self, state: TrainingState) -> bool:
        """Return whether all of them show this state."""
        return all(frame.state is state for frame in self.frames.values())

    def due(self, every: bool) -> dict[str, Draw]:
        """Return what the next chunk draws: every picture, or only what the browser will fetch."""
        if every:
            return {name: picture.draw for name, picture in self._watched.items()}
        now, frames, watcher = self._clock(), self.frames, self._watcher
        asking = watcher is not None and watcher.asking
        fetched = asking or all(frame.taken for frame in frames.values())
        if not fetched and now - max(frame.drawn_at for frame in frames.values()) < REFRESH_SECONDS:
            return {}
        return {
            name: picture.draw
            for name, picture in self._watched.items()
            if now - frames[name].drawn_at >= picture.seconds
        }

    def keep(
        self, asked: Mapping[str, Draw], messages: Mapping[str, bytes], state: TrainingState, playing: bool
    ) -> None:
        """Keep what a chunk has drawn of a state, if it is still watched.

        asked : what it was to draw. playing : see ``Frame``.
        """
        now = self._clock()
        fresh = {
            name: Frame(asked[name], state, message, now, playing=playing)
            for name, message in messages.items()
            if name in self._watched and self._watched[name].draw == asked[name]
        }
        self.frames = {**self.frames, **fresh}

    def wake(self) -> None:
        """Tell whoever watches that the run has changed."""
        watcher = self._watcher
        if watcher is not None:
            watcher.wake()
