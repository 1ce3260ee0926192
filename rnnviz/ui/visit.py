"""Everything that the app remembers about one visitor, in one typed object."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st
from threadpoolctl import threadpool_limits

from rnnviz.analysis.sweeps import Sweep
from rnnviz.experiment import Experiment, choices
from rnnviz.experiment.fitting import changed, nearest
from rnnviz.experiment.links import from_params, to_params, to_text
from rnnviz.teaching.presets import PRESETS, Preset
from rnnviz.training.executor import warm_up
from rnnviz.ui.jobs.workbench import Workbench
from rnnviz.ui.lesson_progress import LessonProgress
from rnnviz.ui.live_run import LiveRun, get_ready
from rnnviz.ui.views import PARAMETERS, View, read_view, view_params

# The server computes only short things itself. On busy cores a second BLAS thread makes them up to a
# hundred times slower: it waits for a core, and the first thread waits for it.
threadpool_limits(1)

TUNABLE = {"learning_rate", "clip_norm"}
"""Choices that may change during a run without losing its weights."""

STALE_SECONDS = 4.0
"""A widget's value may come this late after the app itself changed it."""

LATE_URL_SECONDS = 0.7
"""A request may bring along, this late, the address from before the app wrote a new one."""

FIRST_SPEED = 5.0
"""Training steps a second before the visitor chooses: slow enough to see each one."""


@dataclass
class Visit:
    """One visitor's experiment, its run, and how they look at it.

    view : how the app is shown.
    notices : sentences to show once, until the next choice.
    layer : which layer the lower rows show; whole_loss, relative : see figures.Timeline.
    spans : ends of the gradient axis per view, so that it holds still during a run.
    url : the URL parameters as last read or written; went_back : read after others had been written.
    replaced : the URL parameters that the app has just replaced, and until when they are of no interest.
    page : the page's own part of the URL.
    sweeps : long work of the laboratory, by what it measures; the newest few.
    contest : the runs of the page Why, one a cell; empty before it is first opened.
    workbench : the networks of the page Applications, and what the visitor gave them.
    lessons : what was answered in which lesson, by the lesson's name.
    superseded : the choices before the app last changed them, and when (see ``is_stale``).
    """

    run: LiveRun
    view: View = field(default_factory=View)
    notices: list[str] = field(default_factory=list)
    layer: int = 0
    whole_loss: bool = False
    relative: bool = False
    spans: dict[tuple[int, bool, bool], tuple[int, int]] = field(default_factory=dict)
    url: dict[str, str] = field(default_factory=dict)
    went_back: bool = False
    replaced: list[tuple[dict[str, str], float]] = field(default_factory=list)
    page: str = ""
    sweeps: dict[Hashable, Sweep] = field(default_factory=dict)
    contest: dict[str, LiveRun] = field(default_factory=dict)
    workbench: Workbench = field(default_factory=Workbench)
    lessons: dict[str, LessonProgress] = field(default_factory=dict)
    superseded: dict[str, Any] = field(default_factory=dict)
    superseded_at: float = -STALE_SECONDS

    @property
    def experiment(self) -> Experiment:
        """The experiment that is shown."""
        return self.run.experiment

    @property
    def preset(self) -> Preset | None:
        """The preset that the experiment is, whatever its seed, or None."""
        shown = to_params(self.experiment) | {"seed": ""}
        return next((p for p in PRESETS.values() if to_params(p.experiment) | {"seed": ""} == shown), None)

    def choose(self, **changes: Any) -> None:
        """Change choices of the experiment; only what changes the network starts the run anew."""
        before = self.experiment
        if "task" in changes or "topology" in changes:
            after, notes = nearest(changes, first=changes, base=before)
        else:
            after, notes = changed(before, **changes)
        self.notices = notes
        differing = {name for name in choices() if getattr(before, name) != getattr(after, name)}
        if differing <= TUNABLE and not self.run.finished:
            self.run.retune(after)
        elif differing:
            if self.run.state.step:
                told = [f"{choices()[n].url} = {to_text(getattr(after, n))}" for n in sorted(differing)]
                self.notices.append(f"Started anew with {_listed(told)}. Press Play.")
            self.restart(after)

    def open_preset(self, preset: Preset) -> None:
        """Show a preset from its beginning, playing if the run before it was."""
        self.notices, playing = [], self.run.playing
        self.restart(preset.experiment)
        self.run.speed = preset.speed
        if playing:
            self.run.play()

    def restart(self, experiment: Experiment | None = None) -> None:
        """Start a new run, of the same experiment if none is given; the old one is paused for good."""
        if self.run.playing or self.run.finished:  # its last ticks may still be on their way
            self.superseded = vars(self.experiment) | {"scenario": self.preset.name if self.preset else None}
            self.superseded_at = time.monotonic()
        self.run.pause()
        fresh = LiveRun(experiment or self.experiment)
        fresh.speed, fresh.pause_when_solved = self.run.speed, self.run.pause_when_solved
        self.run, self.spans = fresh, {}
        self.layer = min(self.layer, fresh.experiment.layers - 1)

    def is_stale(self, name: str, value: Any) -> bool:
        """Tell whether a widget reports what it showed before the app itself changed it.

        While a run plays, every tick brings the browser's values of all widgets along. Those that were on
        their way when a scenario or a remedy changed the experiment would undo the change.
        """
        if name in choices():
            try:
                choices()[name].check(name, value)
            except ValueError:  # what an option was called, where the options have changed since
                return True
        recent = time.monotonic() - self.superseded_at < STALE_SECONDS
        return recent and name in self.superseded and self.superseded[name] == value

    def forget_sweep(self, key: Hashable) -> None:
        """Let a sweep be done anew."""
        self.sweeps.pop(key, None)

    def follow_url(self, page: str) -> None:
        """Open what the URL asks for, if it is not what was last read or written.

        page : the page's own part of the URL. A click in the navigation bar drops all parameters.
        """
        asked = st.query_params.to_dict()
        turned, self.page = page != self.page, page
        self.replaced = [(url, until) for url, until in self.replaced if time.monotonic() < until]
        late = asked in [url for url, _ in self.replaced]
        if asked == self.url or late or (turned and not asked and self.url):
            self.url = asked
            return
        opened = from_params({name: value for name, value in asked.items() if name not in PARAMETERS})
        self.view, unclear = read_view(asked)
        self.went_back, self.url = bool(self.url), asked
        if opened.experiment != self.experiment:
            self.restart(opened.experiment)
        self.notices = list(opened.adjusted)
        if ignored := opened.ignored + unclear:
            self.notices.insert(0, f"Ignored in the link: {_listed(ignored)}.")

    def write_url(self) -> None:
        """Let the URL tell the whole experiment.

        Every write is a page to go back to. An address that the visitor went back to is left alone as
        long as it opens what is shown: else there would be no way out of the app.
        """
        wanted = to_params(self.experiment) | view_params(self._shown())
        if wanted != self.url and not (self.went_back and self._opened_by(self.url)):
            st.query_params.from_dict(wanted)
            self.replaced.append((self.url, time.monotonic() + LATE_URL_SECONDS))
            self.url = wanted

    def _opened_by(self, url: dict[str, str]) -> bool:
        """Tell whether a URL opens what is shown."""
        own = {name: value for name, value in url.items() if name not in PARAMETERS}
        return from_params(own).experiment == self.experiment and read_view(url)[0] == self._shown()

    def _shown(self) -> View:
        """Return the view as the page's address tells it: the job only where there are jobs."""
        return self.view if self.page == "applications" else replace(self.view, job="")


def _listed(phrases: list[str], most: int = 3) -> str:
    """Put phrases into one, the first few of them."""
    more = f" and {len(phrases) - most} more" if len(phrases) > most else ""
    return ", ".join(phrases[:most]) + more


def current() -> Visit:
    """Return this visitor's state; a new visitor gets what the URL asks for."""
    if "visit" not in st.session_state:
        warm_up(get_ready)
        asked = st.query_params.to_dict()
        first = from_params({name: value for name, value in asked.items() if name not in PARAMETERS})
        st.session_state["visit"] = Visit(LiveRun(first.experiment), read_view(asked)[0])
        st.session_state["visit"].run.speed = FIRST_SPEED
    visit: Visit = st.session_state["visit"]
    return visit
