"""The panel that shows a run on any page: buttons, key numbers, and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.analysis.gradient_flow import VERDICT_RULE
from rnnviz.figures import Progress, Timeline, progress_spec, timeline_spec
from rnnviz.figures.timeline import change_in_words, gradient_span
from rnnviz.model.cells import CELLS
from rnnviz.teaching.glossary import explain, with_indices
from rnnviz.training.state import TrainingState
from rnnviz.ui.live_figure import show
from rnnviz.ui.live_run import LiveRun, Look
from rnnviz.ui.style import theme
from rnnviz.ui.symbols import symbol
from rnnviz.ui.widgets import Widgets, pressed

SPEEDS: dict[str, float | None] = {"1/s": 1.0, "5/s": 5.0, "25/s": 25.0, "max": None}
LEAST_WIDTH = 680
"""Pixels below which the nodes of the timeline would overlap."""
LEAST_LOWER_WIDTH = 440
"""Pixels below which the names of loss and metric would overlap."""

SYMBOLS = {
    "x_t": "x", "h_t": "h", "y_t": "y", "A = W_xh": "A", "B = W_hh": "B", "C = W_hy": "C", "∂L/∂h_t": ""
}  # fmt: skip
"""Glossary terms used in the timeline, and their form there ("" for the full term)."""


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
        """Whether any of the runs is playing."""
        return any(run.playing for run in self.runs)

    @cached_property
    def drawn_playing(self) -> bool:
        """Whether any was playing when this panel was first drawn: one answer for all parts of a page."""
        return self.playing

    # Buttons

    def play_button(self, label: str = "Play", again: str = "") -> None:
        """Show the play/pause button; again : its label at the end of a run, where it restarts."""
        playing = self.drawn_playing
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
            on_click=pressed(press),
            disabled=not playing and all(run.finished for run in self.runs),
            key=f"{self.prefix}play",
        )

    def step_button(self) -> None:
        """Show the button that makes one update."""
        st.button(
            "Step",
            icon=":material/skip_next:",
            shortcut="S",
            on_click=pressed(self.run.step),
            disabled=self.run.finished,
            key=f"{self.prefix}step",
        )

    def reset_button(self, help_text: str, icon: str = "skip_previous") -> None:
        """Show the reset button."""
        st.button(
            "Reset",
            icon=f":material/{icon}:",
            shortcut="B",
            on_click=pressed(self.restart),
            key=f"{self.prefix}reset",
            help=help_text,
        )

    def speed(self) -> None:
        """Show the choice of speed."""

        def choose(name: str | None) -> None:
            if name in SPEEDS:
                self.run.speed = SPEEDS[name]

        shown = next((name for name, speed in SPEEDS.items() if speed == self.run.speed), None)
        st.segmented_control(
            "Training steps a second",
            list(SPEEDS),
            required=True,
            label_visibility="collapsed",
            **self.widgets.bound(f"{self.prefix}speed", shown, choose),
        )

    def pause_when_solved(self) -> None:
        """Show the switch that pauses a run when the task's goal is first reached."""
        run, name = self.run, f"{self.prefix}pause_when_solved"
        bound = self.widgets.bound(
            name, run.pause_when_solved, lambda on: setattr(run, "pause_when_solved", on)
        )
        st.toggle("Pause when solved", **bound)

    # Pictures

    def repeat(
        self, name: str, seconds: float, draw: Callable[[], None], also: Callable[[], bool] = bool
    ) -> None:
        """Draw a part of the page; redraw it every ``seconds`` while the runs play.

        also : returns whether something else requires redrawing.
        """
        before = self.drawn_playing, also()

        @st.fragment(run_every=seconds if any(before) else None, key=name)
        def part() -> None:
            draw()
            if before != (self.playing, also()):  # it paused by itself, or a remedy started it
                st.rerun()

        # If a tick arrives while the page is drawn, Streamlit drops the unsent output of this fragment.
        # Without its own container the tick's output would have no place on the page.
        with st.container():
            part()

    def timeline(self, height: int, figures: bool = True, brief: bool = False, **view: Any) -> None:
        """Draw the timeline of the newest state.

        figures : show the run's key numbers above it. brief : use a short headline, for a narrow figure.
        view : layer, relative and whole_loss, as in figures.Timeline.
        """
        e, look = self.run.experiment, self.run.look()
        shown = Timeline.of(e, look.snapshot, self.run.initial, brief=brief, **view)
        change = change_in_words(look.snapshot.decades[shown.layer], int(shown.masks.write_steps[-1]))
        label = (
            f"Network unrolled over {e.seq_len} steps with its hidden states and its gradient: "
            f"{look.snapshot.verdict[shown.layer]}, {change}"
        )
        show(
            timeline_spec(shown, theme(), held_still(self.run, shown)),
            key=f"{self.prefix}timeline",
            label=label,
            height=height,
            caption=in_figures(self.run, look, shown.layer) if figures else "",
            least_width=LEAST_WIDTH,
        )

    def progress(self, view: Progress, state: TrainingState, height: int) -> None:
        """Draw loss and metric over the training so far."""
        now = "not yet measured" if np.isnan(state.metric) else f"now {state.metric:.3g}"
        label = (
            f"Loss and {view.metric_title} over {state.step} training steps: {now}, chance {view.chance:.3g}"
        )
        show(
            progress_spec(view, theme()),
            key=f"{self.prefix}progress",
            label=label,
            height=height,
            least_width=LEAST_LOWER_WIDTH,
        )


def held_still(run: LiveRun, view: Timeline) -> tuple[int, int]:
    """Return the range of the gradient axis; during a run it widens as needed and never narrows."""
    key = (view.layer, view.relative, view.whole_loss)
    shown = [s for s in (view.snapshot, view.initial) if s is not None]
    both = (True, False) if view.several_write else (False,)
    low, high = gradient_span(*(view.curve(s, view.layer, whole) for s in shown for whole in both))
    held = run.spans.get(key, (low, high))
    run.spans[key] = min(low, held[0]), max(high, held[1])
    return run.spans[key]


def in_figures(run: LiveRun, look: Look, layer: int) -> str:
    """Return the key numbers of a run as one line of HTML."""
    now, verdict = look.snapshot, look.snapshot.verdict[layer]
    rate = f"{look.rate:,.0f} steps/s" if look.rate else "training…" if run.playing else "paused"
    cells = [
        ("step", f"{look.state.step:,}", "Updates of the weights so far"),
        ("", rate, "Training speed"),
        ("parameters", f"{now.parameters:,}", "Trainable weights, shared by all time steps"),
        (with_indices("ρ(W_hh)"), _size(now.spectral_radius[layer]), explain("ρ")),
        (with_indices("σ_max"), _size(now.sigma_max[layer]), explain("σ_max")),
    ]
    cell = CELLS[run.experiment.cell]
    shown = cells if cell.recurrent and not cell.gate_names else cells[:3]  # only these have a single W_hh
    parts = [f"<span title='{escape(hint)}'>{name} <b>{value}</b></span>" for name, value, hint in shown]
    if cell.recurrent:
        parts.append(f"<span class='symbols'>{' '.join(symbol(*named) for named in SYMBOLS.items())}</span>")
        parts.append(
            f"<span class='verdict {verdict}' tabindex='0' title='{escape(VERDICT_RULE)}'>"
            f"gradient <b>{verdict}</b></span>"
        )
    return f"<div class='numbers'>{''.join(parts)}</div>"


def _size(value: float) -> str:
    """Return a value as text, in scientific notation if it is large."""
    return f"{value:.3f}" if value < 1e4 else f"{value:.1e}"
