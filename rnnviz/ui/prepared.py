"""The home page's picture for every value of its slider: prepared once, and drawn by the browser on its own.

The pictures are the same for all visitors. The browser fetches them when the page is shown and keeps them;
``hand.js`` draws them while the slider is dragged, without a word to the server.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256

from rnnviz.analysis.snapshot import take_snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures import Timeline, timeline_spec
from rnnviz.figures.message import Place
from rnnviz.figures.theme import THEMES, Theme
from rnnviz.ui.run_panel import LEAST_WIDTH

SEQ_LEN = 14
LOWEST, HIGHEST, STEP = 0.3, 3.0, 0.05
"""Gains of the slider."""

SPAN = (-8, 4)
"""Powers of ten of the gradient axis, fixed while the gain changes."""

FIGURE = "home"
HEIGHT = 407
"""Pixels: with the words above it, the picture fills the first screen."""

URL = "pictures/{theme}-{view}-{version}.json"


@dataclass(frozen=True)
class Pictures:
    """The pictures for one theme.

    theme : "light" or "dark". view : "page" or "projector".
    """

    theme: str
    view: str

    @property
    def colours(self) -> Theme:
        """The colours of the pictures."""
        colours = THEMES[self.theme]
        return colours.high_contrast() if self.view == "projector" else colours

    def at(self, gain: float, playing: bool = False) -> bytes:
        """Return the network before training at a gain, as ``live_figure.js`` reads it."""
        e = Experiment(seq_len=SEQ_LEN, init="scaled-gaussian", gain=gain)
        snapshot = take_snapshot(e, e.init(e.rng("weights")), 0)
        spec = timeline_spec(Timeline.of(e, snapshot, brief=True), self.colours, SPAN)
        verdict = snapshot.verdict[0]
        label = f"A network unrolled over {SEQ_LEN} steps at gain {gain:g}: its gradient is {verdict}"
        return self.place.message(spec, label, playing=playing)

    @property
    def place(self) -> Place:
        """Where the picture stands on the page."""
        return Place(FIGURE, HEIGHT, LEAST_WIDTH, projector=self.view == "projector")

    @cached_property
    def all(self) -> bytes:
        """The pictures of all values of the slider, in their order: a JSON array, compressed by gzip."""
        count = 1 + round((HIGHEST - LOWEST) / STEP)
        gains = (round(LOWEST + i * STEP, 10) for i in range(count))
        return gzip.compress(b"[" + b",".join(map(self.at, gains)) + b"]", mtime=0)

    @property
    def url(self) -> str:
        """The URL of ``all``; browsers may keep it for ever, as it names the content."""
        version = sha256(self.all).hexdigest()[:12]
        return URL.format(theme=self.theme, view=self.view, version=version)


@lru_cache
def pictures(theme: str, view: str) -> Pictures:
    """Return the pictures for a theme, the same ones at every call.

    Raises
    ------
    ValueError
        If there is no such theme or view.
    """
    if theme not in THEMES or view not in ("page", "projector"):
        known = ", ".join(THEMES)
        raise ValueError(f"expected one of {known} and page or projector; got {theme!r} and {view!r}.")
    return Pictures(theme, view)
