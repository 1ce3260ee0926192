"""The session state of one visitor, as one typed object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import streamlit as st
from threadpoolctl import threadpool_limits

from rnnviz.experiment import Experiment, choices
from rnnviz.experiment.fitting import changed, nearest
from rnnviz.experiment.links import from_params, of_view, to_params, to_text
from rnnviz.teaching.presets import PRESETS, Preset
from rnnviz.training.loop import Run
from rnnviz.ui.address import Address
from rnnviz.ui.applications.state import ApplicationsState
from rnnviz.ui.chunk import get_ready
from rnnviz.ui.hand import Hand
from rnnviz.ui.lesson_progress import LessonProgress
from rnnviz.ui.live_run import LiveRun, Ticket
from rnnviz.ui.run_registry import MAIN, RunRegistry
from rnnviz.ui.screen import Screen
from rnnviz.ui.shelf import Shelf
from rnnviz.ui.sweep_registry import SweepRegistry
from rnnviz.ui.tour_progress import TourProgress
from rnnviz.ui.views import View, read_view, view_params
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


@dataclass(frozen=True)
class Told:
    """Sentences for the visitor. after : the run's newest command; with the next one they are out of date."""

    sentences: tuple[str, ...]
    after: Ticket


@dataclass
class Session:
    """One visitor's experiment, its run, and display settings.

    lines : where the visitor's work waits for workers.
    runs : all runs on all pages; ``run`` is the one whose experiment is in the address bar.
    screen : the pictures of running networks and sweeps on the page.
    view : display settings. address : state of the address bar. widgets : keys of the controls.
    told : what is shown on this page. restarted : what restarted the run; only the playground shows it.
    layer : the layer shown in the lower rows; units, whole_loss, relative : see figures.Timeline.
    sweeps : the newest sweeps, by what they measure.
    applications : the visitor's inputs on the page Real data.
    shelf : the runs that the visitor has kept.
    files_opened, file_problem : how many run files were read, and why the last one was rejected.
    lessons : progress by lesson name. tour : progress in the tour on the home page.
    """

    lines: Lines = field(default_factory=Lines)
    runs: RunRegistry = field(init=False)
    screen: Screen = field(default_factory=Screen)
    view: View = field(default_factory=View)
    address: Address = field(default_factory=Address)
    widgets: Widgets = field(default_factory=Widgets)
    told: Told | None = None
    restarted: Told | None = None
    layer: int = 0
    units: str = "h"
    whole_loss: bool = False
    relative: bool = False
    sweeps: SweepRegistry = field(init=False)
    applications: ApplicationsState = field(default_factory=ApplicationsState)
    lessons: dict[str, LessonProgress] = field(default_factory=dict)
    tour: TourProgress = field(default_factory=TourProgress)
    shelf: Shelf = field(default_factory=Shelf)
    files_opened: int = 0
    file_problem: str = ""

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
    def hand(self) -> Hand:
        """What the visitor drags."""
        return self.widgets.hand

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences for the visitor that are not out of date."""
        return self._current(self.told)

    @property
    def preset(self) -> Preset | None:
        """The preset that equals the current experiment apart from the seed, or None."""
        shown = to_params(self.experiment) | {"seed": ""}
        return next((p for p in PRESETS.values() if to_params(p.experiment) | {"seed": ""} == shown), None)

    def tell(self, *sentences: str) -> None:
        """Tell the visitor something, in place of what was told before."""
        self.told = self._now(*sentences)

    def _now(self, *sentences: str) -> Told:
        return Told(sentences, self.run.ticket)

    def _current(self, told: Told | None) -> tuple[str, ...]:
        """Return sentences, none if they are out of date."""
        return told.sentences if told and told.after == self.run.ticket else ()

    def choose(self, **changes: Any) -> None:
        """Change settings of the experiment; the run restarts unless all of them are in TUNABLE.

        A run that plays goes on playing.
        """
        before = self.experiment
        if "task" in changes or "topology" in changes:
            after, notes = nearest(changes, first=changes, base=before)
        else:
            after, notes = changed(before, **changes)
        differing = {name for name in choices() if getattr(before, name) != getattr(after, name)}
        if differing and (self.run.finished or not differing <= TUNABLE):
            trained = self.run.state.step or self.restarted_by
            self._go_on_with(after)
            if trained and not self.run.playing:
                told = [in_words(after, name) for name in choices() if name in differing]
                self.restarted = self._now(f"Restarted: {_listed(told)}. Press Play.")
        elif differing:
            self.run.retune(after)
        self.tell(*notes)

    def open_preset(self, preset: Preset) -> None:
        """Start a preset at its own speed; it plays if the previous run was playing."""
        self._open(preset.experiment)

    def _open(self, experiment: Experiment) -> None:
        self._go_on_with(experiment)
        if self.preset:
            self.run.speed = self.preset.speed

    def _go_on_with(self, experiment: Experiment) -> None:
        """Start an experiment; it plays on, for as many updates, if the previous run was playing."""
        playing, steps = self.run.plays_on, self.run.asked_for
        self.restart(experiment)
        if playing:
            self.run.play() if steps is None else self.run.train(steps)

    @property
    def restarted_by(self) -> str:
        """What restarted the run, "" once it goes on."""
        return " ".join(self._current(self.restarted))

    def restart(self, experiment: Experiment | None = None) -> LiveRun:
        """Start a new run of an experiment (default: the current one); the old run is paused for good."""
        old = self.run
        fresh = self.runs.start(MAIN, experiment or old.experiment)
        fresh.speed, fresh.pause_when_solved = old.speed, old.pause_when_solved
        self.layer = min(self.layer, fresh.experiment.layers - 1)
        return fresh

    def open_run(self, found: Run, name: str) -> None:
        """Show a run that was saved in a file; the current one is paused for good."""
        fresh = self.restart(found.experiment)
        self.runs.put(MAIN, fresh.opened(found.state))
        self.tell(f"Opened {name}: {found.state.step:,} updates. Play goes on with it.")

    def begin_anew(self) -> None:
        """Tell a visitor whose earlier session is gone where this one comes from."""
        self.restarted = self._now(BEGUN_ANEW)

    def follow_url(self, page: str) -> None:
        """Open what a URL asks for; page : the page's path."""
        if page != self.address.page:
            self.hand.let_go()
            self.told = None
            self.view = replace(self.view, tour="")  # another page's links lead to the first screen
        asked = self.address.read(page)
        if not asked:
            return
        opened = from_params({name: value for name, value in asked.items() if not of_view(name)})
        view, unclear = read_view(asked)
        self.view = view.on(page, others=self.view)
        if opened.experiment != self.experiment:
            self._follow(opened.experiment)
        ignored = opened.ignored + unclear
        self.tell(*([f"Ignored in the link: {_listed(ignored)}."] if ignored else []), *opened.adjusted)

    def _follow(self, experiment: Experiment) -> None:
        """Open an experiment that a link asks for: go on with a lesson's run of it, or start a new run."""
        lessons = [run for run in self.runs.at("lesson").values() if run.experiment == experiment]
        if lessons:
            self.runs.put(MAIN, lessons[-1])
        else:
            self._open(experiment)

    def write_url(self) -> None:
        """Write the experiment and the view to the address bar, once a slider that is dragged is released."""
        if self.hand.grip:
            return
        self.address.write(to_params(self.experiment) | view_params(self._shown()), self._opened_by)

    def _opened_by(self, url: dict[str, str]) -> bool:
        """Return whether a URL opens the current experiment and view."""
        own = {name: value for name, value in url.items() if not of_view(name)}
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
        first = from_params({name: value for name, value in asked.items() if not of_view(name)})
        fresh = st.session_state["session"] = Session(view=read_view(asked)[0])
        run = fresh.runs.start(MAIN, first.experiment)
        run.speed = fresh.preset.speed if fresh.preset else FIRST_SPEED
        fresh.lines.live.submit(get_ready)  # so that the first press of Play is answered at once
    session: Session = st.session_state["session"]
    return session
