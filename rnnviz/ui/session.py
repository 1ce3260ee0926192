"""The session state of one visitor, as one typed object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st
from threadpoolctl import threadpool_limits

from rnnviz.experiment import Experiment, choices
from rnnviz.experiment.fitting import changed, nearest
from rnnviz.experiment.links import from_params, to_params, to_text
from rnnviz.teaching.presets import PRESETS, Preset
from rnnviz.ui.address import Address
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.chunk import get_ready
from rnnviz.ui.lesson_progress import LessonProgress
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_registry import MAIN, RunRegistry
from rnnviz.ui.screen import Screen
from rnnviz.ui.sweep_registry import SweepRegistry
from rnnviz.ui.tour_progress import TourProgress
from rnnviz.ui.views import PARAMETERS, View, read_view, view_params
from rnnviz.ui.widgets import Widgets
from rnnviz.ui.workers import Lines

# The server computes only short things itself. On busy cores a second BLAS thread makes them up to a
# hundred times slower: it waits for a core, and the first thread waits for it.
threadpool_limits(1)

TUNABLE = {"learning_rate", "clip_norm"}
"""Settings that can change during a run without resetting its weights."""

BEGUN_ANEW = "The page was reloaded, or the server restarted: a new run from the address. Press Play."

FIRST_SPEED = 5.0
"""Default speed in training steps per second: slow enough to see each one."""


@dataclass
class Session:
    """One visitor's experiment, its run, and display settings.

    lines : where the visitor's work waits for workers.
    runs : all runs on all pages; ``run`` is the one whose experiment is in the address bar.
    screen : the pictures of running networks and sweeps on the page.
    view : display settings. address : state of the address bar. widgets : keys of the controls.
    notices : sentences shown until the next change. restarted : what restarted the run, "" if nothing did;
    shown in the playground until the run goes on.
    layer : the layer shown in the lower rows; whole_loss, relative : see figures.Timeline.
    sweeps : the newest sweeps, by what they measure.
    applications : the visitor's inputs on the page Real data.
    lessons : progress by lesson name. tour : progress in the tour on the home page.
    """

    lines: Lines = field(default_factory=Lines)
    runs: RunRegistry = field(init=False)
    screen: Screen = field(default_factory=Screen)
    view: View = field(default_factory=View)
    address: Address = field(default_factory=Address)
    widgets: Widgets = field(default_factory=Widgets)
    notices: list[str] = field(default_factory=list)
    restarted: str = ""
    layer: int = 0
    whole_loss: bool = False
    relative: bool = False
    sweeps: SweepRegistry = field(init=False)
    applications: ApplicationsState = field(default_factory=ApplicationsState)
    lessons: dict[str, LessonProgress] = field(default_factory=dict)
    tour: TourProgress = field(default_factory=TourProgress)

    def __post_init__(self) -> None:
        self.runs = RunRegistry(partial(LiveRun, executor=self.lines.live))
        self.sweeps = SweepRegistry(self.screen, self.lines.sweeps)

    @property
    def run(self) -> LiveRun:
        """The run of the current experiment."""
        return self.runs[MAIN]

    @property
    def experiment(self) -> Experiment:
        """The current experiment."""
        return self.run.experiment

    @property
    def preset(self) -> Preset | None:
        """The preset that equals the current experiment apart from the seed, or None."""
        shown = to_params(self.experiment) | {"seed": ""}
        return next((p for p in PRESETS.values() if to_params(p.experiment) | {"seed": ""} == shown), None)

    def choose(self, **changes: Any) -> None:
        """Change settings of the experiment; the run restarts unless all of them are in TUNABLE."""
        before = self.experiment
        if "task" in changes or "topology" in changes:
            after, notes = nearest(changes, first=changes, base=before)
        else:
            after, notes = changed(before, **changes)
        self.notices = notes
        differing = {name for name in choices() if getattr(before, name) != getattr(after, name)}
        if not differing:
            return
        if differing <= TUNABLE and not self.run.finished:
            self.run.retune(after)
        else:
            told = [in_words(after, name) for name in choices() if name in differing]
            line = f"Restarted: {_listed(told)}. Press Play." if self.run.state.step else ""
            self.restart(after)
            self.restarted = line

    def open_preset(self, preset: Preset) -> None:
        """Start a preset; it plays if the previous run was playing."""
        self.notices, playing = [], self.run.playing
        self.restart(preset.experiment)
        self.run.speed = preset.speed
        if playing:
            self.run.play()

    def restart(self, experiment: Experiment | None = None) -> LiveRun:
        """Start a new run of an experiment (default: the current one); the old run is paused for good."""
        old = self.run
        fresh = self.runs.start(MAIN, experiment or old.experiment)
        fresh.speed, fresh.pause_when_solved = old.speed, old.pause_when_solved
        self.restarted = ""
        self.layer = min(self.layer, fresh.experiment.layers - 1)
        return fresh

    def begin_anew(self) -> None:
        """Tell a visitor whose earlier session is gone where this one comes from."""
        self.restarted = BEGUN_ANEW

    def follow_url(self, page: str) -> None:
        """Open what a URL asks for; page : the page's path."""
        asked = self.address.read(page)
        if not asked:
            return
        opened = from_params({name: value for name, value in asked.items() if name not in PARAMETERS})
        view, unclear = read_view(asked)
        self.view = view.on(page, others=self.view)
        if opened.experiment != self.experiment:
            self._open(opened.experiment)
        self.notices = list(opened.adjusted)
        if ignored := opened.ignored + unclear:
            self.notices.insert(0, f"Ignored in the link: {_listed(ignored)}.")

    def _open(self, experiment: Experiment) -> None:
        """Open an experiment that a link asks for: go on with a lesson's run of it, or start a new run."""
        lessons = [run for run in self.runs.at("lesson").values() if run.experiment == experiment]
        if lessons:
            self.runs.put(MAIN, lessons[-1])
        else:
            self.restart(experiment)

    def write_url(self) -> None:
        """Write the experiment and the view to the address bar."""
        self.address.write(to_params(self.experiment) | view_params(self._shown()), self._opened_by)

    def _opened_by(self, url: dict[str, str]) -> bool:
        """Return whether a URL opens the current experiment and view."""
        own = {name: value for name, value in url.items() if name not in PARAMETERS}
        return from_params(own).experiment == self.experiment and read_view(url)[0] == self._shown()

    def _shown(self) -> View:
        """Return the view as written to the URL: without what applies to other pages."""
        return self.view.on(self.address.page or "")


def in_words(e: Experiment, name: str) -> str:
    """Return a setting of an experiment as sentences name it: "Parity", "T = 8"."""
    choice, value = choices()[name], getattr(e, name)
    if choice.kind == "text":  # it may be long
        return choice.title.lower()
    if choice.kind == "name" and isinstance(choice.names, Mapping):
        named = choice.names[value]
        return named if isinstance(named, str) else str(named.title)
    return f"{choice.url} = {to_text(value)}"


def _listed(phrases: list[str], most: int = 3) -> str:
    """Join the first few phrases."""
    more = f" and {len(phrases) - most} more" if len(phrases) > most else ""
    return ", ".join(phrases[:most]) + more


def current() -> Session:
    """Return this visitor's session; a new one opens what the URL asks for."""
    if "session" not in st.session_state:
        asked = st.query_params.to_dict()
        first = from_params({name: value for name, value in asked.items() if name not in PARAMETERS})
        fresh = st.session_state["session"] = Session(view=read_view(asked)[0])
        fresh.runs.start(MAIN, first.experiment).speed = FIRST_SPEED
        fresh.lines.live.submit(get_ready)  # so that the first press of Play is answered at once
    session: Session = st.session_state["session"]
    return session
