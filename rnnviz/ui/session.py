"""Everything that the app remembers about one visitor, in one typed object."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st
from threadpoolctl import threadpool_limits

from rnnviz.experiment import Experiment, choices
from rnnviz.experiment.fitting import changed, nearest
from rnnviz.experiment.links import from_params, to_params, to_text
from rnnviz.teaching.presets import PRESETS, Preset
from rnnviz.training.executor import warm_up
from rnnviz.training.sweep import Sweep
from rnnviz.ui.address import Address
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.lesson_progress import LessonProgress
from rnnviz.ui.live_run import LiveRun, get_ready
from rnnviz.ui.run_registry import MAIN, RunRegistry
from rnnviz.ui.views import PARAMETERS, View, read_view, view_params
from rnnviz.ui.widgets import Widgets

# The server computes only short things itself. On busy cores a second BLAS thread makes them up to a
# hundred times slower: it waits for a core, and the first thread waits for it.
threadpool_limits(1)

TUNABLE = {"learning_rate", "clip_norm"}
"""Choices that may change during a run without losing its weights."""

FIRST_SPEED = 5.0
"""Training steps a second before the visitor chooses: slow enough to see each one."""


@dataclass
class Session:
    """One visitor's experiment, its run, and how they look at it.

    runs : every run of every page; ``run`` is the one whose experiment is in the address bar.
    view : how the app is shown. address : what the address bar shows. widgets : keys of the controls.
    notices : sentences to show once, until the next choice.
    layer : which layer the lower rows show; whole_loss, relative : see figures.Timeline.
    sweeps : long work of the laboratory, by what it measures; the newest few.
    applications : what the visitor gave the networks of the page Applications.
    lessons : what was answered in which lesson, by the lesson's name.
    """

    runs: RunRegistry = field(default_factory=RunRegistry)
    view: View = field(default_factory=View)
    address: Address = field(default_factory=Address)
    widgets: Widgets = field(default_factory=Widgets)
    notices: list[str] = field(default_factory=list)
    layer: int = 0
    whole_loss: bool = False
    relative: bool = False
    sweeps: dict[Hashable, Sweep] = field(default_factory=dict)
    applications: ApplicationsState = field(default_factory=ApplicationsState)
    lessons: dict[str, LessonProgress] = field(default_factory=dict)

    @property
    def run(self) -> LiveRun:
        """The run of the experiment that is shown."""
        return self.runs[MAIN]

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
        if not differing:
            return
        if differing <= TUNABLE and not self.run.finished:
            self.run.retune(after)
        else:
            if self.run.state.step:
                told = [f"{choices()[n].url} = {to_text(getattr(after, n))}" for n in sorted(differing)]
                self.notices.append(f"Restarted: {_listed(told)}. Press Play.")
            self.restart(after)

    def open_preset(self, preset: Preset) -> None:
        """Show a preset from its beginning, playing if the run before it was."""
        self.notices, playing = [], self.run.playing
        self.restart(preset.experiment)
        self.run.speed = preset.speed
        if playing:
            self.run.play()

    def restart(self, experiment: Experiment | None = None) -> LiveRun:
        """Start a new run, of the same experiment if none is given; the old one is paused for good."""
        old = self.run
        fresh = self.runs.start(MAIN, experiment or old.experiment)
        fresh.speed, fresh.pause_when_solved = old.speed, old.pause_when_solved
        self.layer = min(self.layer, fresh.experiment.layers - 1)
        return fresh

    def forget_sweep(self, key: Hashable) -> None:
        """Let a sweep be done anew."""
        self.sweeps.pop(key, None)

    def follow_url(self, page: str) -> None:
        """Open what the visitor asks for with the address; page : the page's own part of it."""
        asked = self.address.read(page)
        if not asked:
            return
        opened = from_params({name: value for name, value in asked.items() if name not in PARAMETERS})
        self.view, unclear = read_view(asked)
        if opened.experiment != self.experiment:
            self.restart(opened.experiment)
        self.notices = list(opened.adjusted)
        if ignored := opened.ignored + unclear:
            self.notices.insert(0, f"Ignored in the link: {_listed(ignored)}.")

    def write_url(self) -> None:
        """Let the address tell the whole experiment."""
        self.address.write(to_params(self.experiment) | view_params(self._shown()), self._opened_by)

    def _opened_by(self, url: dict[str, str]) -> bool:
        """Tell whether a URL opens what is shown."""
        own = {name: value for name, value in url.items() if name not in PARAMETERS}
        return from_params(own).experiment == self.experiment and read_view(url)[0] == self._shown()

    def _shown(self) -> View:
        """Return the view that the page's address states; only one page has an application in it."""
        return self.view if self.address.page == "applications" else replace(self.view, application="")


def _listed(phrases: list[str], most: int = 3) -> str:
    """Put phrases into one, the first few of them."""
    more = f" and {len(phrases) - most} more" if len(phrases) > most else ""
    return ", ".join(phrases[:most]) + more


def current() -> Session:
    """Return this visitor's state; a new visitor gets what the URL asks for."""
    if "session" not in st.session_state:
        warm_up(get_ready)
        asked = st.query_params.to_dict()
        first = from_params({name: value for name, value in asked.items() if name not in PARAMETERS})
        fresh = st.session_state["session"] = Session(view=read_view(asked)[0])
        fresh.runs.start(MAIN, first.experiment).speed = FIRST_SPEED
    session: Session = st.session_state["session"]
    return session
