"""What one visitor's page shows of running networks and sweeps, and the connection that carries it.

The page's script draws every picture once, through Streamlit. From then on workers draw those of runs, and
the browser asks for what is new. A rerun of the script is needed only if a run stopped by itself.

The results of a sweep are drawn by a fragment of the page, which *follows* it: when there are results that it
has not drawn, the browser is told so, and lets Streamlit run the fragment again.
"""

from __future__ import annotations

import itertools
import secrets
import struct
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakValueDictionary

import orjson
import streamlit as st

from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.pictures import Drawn, Frame

VERSION = 3
"""Version of the messages to the browser; channel.js knows the same."""

HIDDEN_SECONDS = 60.0
"""Runs stop when their tab has been hidden for this long."""

TOKEN_BYTES = 32
HEAD_SIZE = struct.Struct("<I")


class Link(Protocol):
    """A connection to a browser. Its methods are called on any thread, and must not wait."""

    @property
    def asking(self) -> bool:
        """Whether a question of the browser waits for its answer."""
        ...

    def wake(self) -> None:
        """Hear that there may be something new to send."""
        ...

    def replace(self) -> None:
        """End: a newer connection has taken this one's place."""
        ...


class Followed(Protocol):
    """Work whose results a fragment of the page shows as they arrive."""

    @property
    def version(self) -> int:
        """A number that grows with each result."""
        ...

    def resume(self) -> None:
        """Go on if it stands still and somebody sees it; must not wait."""
        ...


@dataclass(frozen=True, eq=False)
class Drawing:
    """The newest drawing of a fragment.

    work : what it follows. version : the version of it that is drawn. number : counts all drawings.
    """

    work: Followed
    version: int
    number: int

    @property
    def outdated(self) -> bool:
        """Whether there are results that it does not show."""
        return self.work.version != self.version


class Screen:
    """The live pictures of one visitor.

    token : proves that a connection comes from the visitor's own page; unguessable, never in an address.
    page : counts the pages shown. A browser asks for the page that it shows, so no picture of an earlier
        page reaches a later one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.page = 0
        self._clock = clock
        self._runs: Mapping[LiveRun, int] = {}  # with the number of its stops that the page shows
        self._added: dict[LiveRun, Drawn] = {}
        self._stops: Mapping[LiveRun, int] = {}  # when the page's script began
        self._followed: Mapping[str, Drawing] = {}  # by the fragment's name
        self._newly_followed: dict[str, Drawing] = {}
        self._drawings = itertools.count(1)
        self._drawing = False
        self._link: Link | None = None
        self._hidden_since: float | None = None
        self._sent: dict[str, Frame] = {}
        self._told = -1  # the page of which the browser knows that it is out of date
        self._told_of: dict[str, Drawing] = {}  # the drawings of which it knows that
        screens()[self.token] = self

    # The page's script

    def begin(self, runs: Mapping[LiveRun, int]) -> None:
        """Send nothing until the script has ended: the browser may show parts of either page.

        runs : the session's runs, each with its number of stops.
        """
        self._drawing, self._added, self._newly_followed, self._stops = True, {}, {}, runs

    def add(self, run: LiveRun, drawn: Drawn) -> None:
        """Show a run's pictures on the page that is being drawn."""
        self._added[run] = {**self._added.get(run, {}), **drawn}

    def follow(self, name: str, work: Followed, version: int) -> int:
        """Hear that a fragment has drawn this version of its work; return the number of the drawing.

        A fragment that runs by itself, without the page's script, is followed at once.
        """
        drawing = Drawing(work, version, next(self._drawings))
        if self._drawing:
            self._newly_followed[name] = drawing
        else:
            self._followed = {**self._followed, name: drawing}
            self.wake()
        return drawing.number

    def show(self) -> None:
        """End the script: from now on send what was added."""
        for run in self._runs:
            if run not in self._added:
                run.leave(self)
        for run, drawn in self._added.items():
            run.watch(self, drawn)
        self._runs = {run: self._stops.get(run, 0) for run in self._added}
        self._followed = self._newly_followed
        self.page += 1
        self._drawing = False
        self.wake()

    @property
    def live(self) -> bool:
        """Whether the page shows any run, or follows any work."""
        return bool(self._runs) or bool(self._followed)

    # Its runs and sweeps

    @property
    def open(self) -> bool:
        """Whether somebody sees the pictures."""
        hidden = self._hidden_since
        return self._link is not None and (hidden is None or self._clock() - hidden < HIDDEN_SECONDS)

    @property
    def asking(self) -> bool:
        """Whether the next picture will be fetched at once."""
        link = self._link
        return link is not None and link.asking

    def wake(self) -> None:
        """Hear that a run or a sweep has changed."""
        link = self._link
        if link is not None:
            link.wake()

    def resume(self) -> None:
        """Resume all runs and sweeps that stand still, if somebody sees them; never waits."""
        for run in self._runs:
            run.resume()
        for drawing in self._followed.values():
            drawing.work.resume()

    def sees(self, work: Followed) -> bool:
        """Return whether somebody sees the results of this work as they arrive."""
        return self.open and any(drawing.work is work for drawing in self._followed.values())

    # Its connection

    def take(self, link: Link) -> None:
        """Send over this connection from now on; the newest one wins."""
        before, self._link = self._link, link
        self._hidden_since, self._sent, self._told, self._told_of = None, {}, -1, {}
        if before is not None:
            before.replace()

    def drop(self, link: Link) -> None:
        """Hear that a connection has ended."""
        if self._link is link:
            self._link = None

    def hide(self, hidden: bool) -> None:
        """Hear that the tab was hidden, or is seen again."""
        if hidden != (self._hidden_since is not None):
            self._hidden_since = self._clock() if hidden else None

    def answer(self, asked: int) -> bytes | None:
        """Return what is new for a browser that shows a page, or None; never waits.

        The answer has a head, and after it the messages of the pictures that changed. The head says, once,
        whether the page is out of date, and which drawings of its fragments are.
        """
        if self._drawing or asked != self.page:
            return None
        fresh = {
            name: frame
            for run in self._runs
            for name, frame in run.pictures.frames.items()
            if frame.message is not None and frame is not self._sent.get(name)
        }
        stale = self.stale and self._told != asked
        news = {
            name: drawing
            for name, drawing in self._followed.items()
            if drawing.outdated and self._told_of.get(name) is not drawing
        }
        if not fresh and not stale and not news:
            return None
        for frame in fresh.values():
            frame.taken = True
        self._sent.update(fresh)
        self._told = asked if stale else self._told
        self._told_of.update(news)
        head = {
            "page": asked,
            "stale": stale,
            "news": {name: drawing.number for name, drawing in news.items()},
        }
        return packed(head, fresh)

    def look_back(self, picture: str, step: int) -> None:
        """Let the run that a picture is of show an earlier state; ignored if there is no such picture."""
        for run in self._runs:
            if picture in run.pictures.frames:
                run.look_back(step)

    @property
    def stale(self) -> bool:
        """Whether the page must be drawn anew: a run stopped by itself, or on a state that is not shown."""
        return any(run.stops != stops or run.outdated for run, stops in self._runs.items())


def packed(told: Mapping[str, Any], frames: Mapping[str, Frame]) -> bytes:
    """Return an answer as bytes: the head's size (4 bytes, little-endian), the head as JSON, the messages.

    told : what the head says: the page, whether it is out of date ("stale"), and the numbers of the drawings
        that are ("news").
    """
    messages = {name: frame.message or b"" for name, frame in frames.items()}
    pictures = [
        {"name": name, "size": len(messages[name]), "playing": frame.playing, "step": frame.state.step}
        for name, frame in frames.items()
    ]
    head = orjson.dumps({"version": VERSION, **told, "pictures": pictures})
    return b"".join([HEAD_SIZE.pack(len(head)), head, *messages.values()])


def screens() -> MutableMapping[str, Screen]:
    """Return all screens of this process by token.

    They are kept with Streamlit: a hot reload replaces this module, but not the route that was built with it.
    """
    found: MutableMapping[str, Screen] = vars(st).setdefault("_rnnviz_screens", WeakValueDictionary())
    return found
