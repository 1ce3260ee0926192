"""The panel that shows a run on any page: buttons, key numbers, and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.figures import Progress
from rnnviz.figures.message import Place
from rnnviz.figures.run_pictures import AnswersPicture, Draw, ProgressPicture, TimelinePicture
from rnnviz.training.state import TrainingState
from rnnviz.ui.live_figure import in_projector_view, send
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.pictures import Picture
from rnnviz.ui.screen import Screen
from rnnviz.ui.style import theme
from rnnviz.ui.widgets import Widgets, one_of

SPEEDS: dict[str, float | None] = {"1/s": 1.0, "5/s": 5.0, "25/s": 25.0, "max": None}
LEAST_WIDTH = 680
"""Pixels below which the nodes of the timeline would overlap."""
LEAST_LOWER_WIDTH = 500
"""Pixels below which the names of loss and metric would overlap."""

LOWER_SECONDS = 0.5
"""At full speed the figures below the timeline are redrawn this often at most."""


@dataclass(frozen=True)
class RunPanel:
    """The panel of one run, or of several that play together.

    find : returns the current runs; buttons on the page may replace them.
    widgets : keys of the controls. restart : replaces the runs with new ones and returns these.
    prefix : of the keys of all buttons and figures.
    """

    find: Callable[[], Sequence[LiveRun]]
    widgets: Widgets
    restart: Callable[[], Sequence[LiveRun]]
    prefix: str = ""
    _drawn: dict[LiveRun, dict[str, tuple[Picture, TrainingState]]] = field(default_factory=dict)

    @property
    def runs(self) -> Sequence[LiveRun]:
        """The current runs."""
        return self.find()

    @property
    def run(self) -> LiveRun:
        """The first run."""
        return self.runs[0]

    @property
    def playing(self) -> bool:
        """Whether any of the runs is playing, for more than a single step."""
        return any(run.plays_on for run in self.runs)

    # Buttons

    def play_button(self, label: str = "Play", again: str = "") -> None:
        """Show the play/pause button; again : its label at the end of a run, where it restarts."""
        playing = self.playing
        ended = bool(again) and all(run.ended for run in self.runs)

        def press() -> None:
            for run in self.restart() if ended and not playing else self.runs:
                run.pause() if playing else run.play()

        icon, label = ("replay", again) if ended else ("play_arrow", label)
        icon, label = ("pause", "Pause") if playing else (icon, label)
        st.button(
            label,
            icon=f":material/{icon}:",
            type="primary",
            shortcut="P",
            on_click=press,
            disabled=not playing and all(run.finished for run in self.runs),
            key=f"{self.prefix}play",
        )

    def step_button(self) -> None:
        """Show the button that makes one update."""

        def press() -> None:
            for run in self.runs:
                run.step()

        st.button(
            "Step",
            icon=":material/skip_next:",
            shortcut="S",
            on_click=press,
            disabled=all(run.finished for run in self.runs),
            key=f"{self.prefix}step",
        )

    def reset_button(self, help_text: str, icon: str = "skip_previous") -> None:
        """Show the reset button."""

        def press() -> None:
            self.restart()

        st.button(
            "Reset",
            icon=f":material/{icon}:",
            shortcut="B",
            on_click=press,
            key=f"{self.prefix}reset",
            help=help_text,
        )

    def speed(self) -> None:
        """Show the choice of speed."""

        def choose(name: str | None) -> None:
            if name in SPEEDS:
                for run in self.runs:
                    run.speed = SPEEDS[name]

        shown = next((name for name, speed in SPEEDS.items() if speed == self.run.speed), None)
        bound = self.widgets.bound(f"{self.prefix}speed", shown, choose)
        one_of("Updates a second", SPEEDS, **bound)

    def pause_when_solved(self) -> None:
        """Show the switch that pauses a run when the task's goal is first reached."""
        run, name = self.run, f"{self.prefix}pause_when_solved"
        bound = self.widgets.bound(
            name, run.pause_when_solved, lambda on: setattr(run, "pause_when_solved", on)
        )
        st.toggle("Pause when solved", **bound)

    # Pictures

    def place(self, name: str, height: int, least_width: int = 1) -> Place:
        """Return the place of a figure; see ``Place``."""
        return Place(f"{self.prefix}{name}", height, least_width, in_projector_view())

    def picture(
        self,
        place: Place,
        draw: Draw,
        *,
        seconds: float = 0.0,
        captioned: bool = False,
        footed: bool = False,
        run: int = 0,
    ) -> None:
        """Draw a picture of a run; once the panel is ``live``, workers draw it anew while the run plays.

        seconds : at full speed it is redrawn this often at most. captioned, footed : it has a line above it,
        text below it. run : the run's number in this panel.
        """
        shown = self.runs[run]
        now = shown.moment()
        send(place, draw(now), captioned, footed)
        self._drawn.setdefault(shown, {})[place.key] = Picture(draw, seconds), now.state

    def live(self, screen: Screen) -> None:
        """Keep all pictures of this panel up to date, without reruns of the page."""
        for run, drawn in self._drawn.items():
            screen.add(run, drawn)

    def timeline(
        self,
        height: int,
        seconds: float = 0.0,
        run: int = 0,
        key: str = "timeline",
        least_width: int = LEAST_WIDTH,
        **look: Any,
    ) -> None:
        """Draw the timeline of a run's newest state.

        seconds, run : see ``picture``. key, least_width : see ``place``. look : see ``TimelinePicture``.
        """
        place = self.place(key, height, least_width)
        draw = TimelinePicture(place, theme(), **look)
        self.picture(place, draw, seconds=seconds, captioned=draw.figures, run=run)

    def progress(
        self, height: int, view: Callable[[Experiment, TrainingState], Progress] = Progress.of
    ) -> None:
        """Draw loss and metric over the training so far; see ``ProgressPicture``."""
        place = self.place("progress", height, LEAST_LOWER_WIDTH)
        self.picture(place, ProgressPicture(place, theme(), view), seconds=LOWER_SECONDS)

    def answers(self, height: int) -> None:
        """Draw the network's answers beside the targets."""
        place = self.place("answers", height)
        self.picture(place, AnswersPicture(place, theme()), seconds=LOWER_SECONDS)
