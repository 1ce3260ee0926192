"""The run on the page: buttons, numbers, and the three live figures."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.analysis.gradient_flow import VERDICT_RULE
from rnnviz.analysis.snapshot import Snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures import (
    Answers,
    Progress,
    Timeline,
    answers_spec,
    progress_spec,
    timeline_spec,
)
from rnnviz.figures.timeline import change_in_words, gradient_span
from rnnviz.model.arrays import Array
from rnnviz.model.cells import CELLS
from rnnviz.tasks import TASKS
from rnnviz.teaching.glossary import explain, with_indices
from rnnviz.training.state import TrainingState
from rnnviz.ui.controls import remedies
from rnnviz.ui.live_figure import show
from rnnviz.ui.live_run import Look
from rnnviz.ui.style import theme
from rnnviz.ui.symbols import symbol
from rnnviz.ui.visit import Visit

TICK_SECONDS = 0.1
REMEDY_SPEED = 25.0
"""Training steps a second after a remedy: slow enough to follow, fast enough to learn."""

FULL_SPEED_TICK_SECONDS = 0.5
"""At full speed the lower pictures leave the browser's time to the main one."""

SPEEDS: dict[str, float | None] = {"1/s": 1.0, "5/s": 5.0, "25/s": 25.0, "max": None}
TIMELINE_HEIGHT, LOWER_HEIGHT = 370, 190
LEAST_WIDTH = 680
"""Pixels below which the nodes of the timeline would overlap."""
LEAST_LOWER_WIDTH = 440
"""Pixels below which the names of loss and metric would run into each other."""

SYMBOLS = {
    "x_t": "x", "h_t": "h", "y_t": "y", "A = W_xh": "A", "B = W_hh": "B", "C = W_hy": "C", "∂L/∂h_t": ""
}  # fmt: skip
"""Terms of the glossary that stand in the timeline, and how they are written there if not in full."""


def header(visit: Visit) -> None:
    """One line: what just changed, or what the scenario promises, or what the task asks."""
    task, preset = TASKS[visit.experiment.task], visit.preset
    title, text = (preset.title, preset.promise) if preset else (task.title, task.summary)
    hint = " <b>Press Play to train.</b>" if visit.run.state.step == 0 and not visit.run.playing else ""
    told = f"<b>{escape(title)}.</b> {with_indices(escape(text))}{hint}"
    line = f"<p class='story' title='{escape(text)}'>{told}</p>"
    st.html(notice(visit) or line)


def notice(visit: Visit) -> str:
    """Return what the visitor has to be told in one line of HTML, "" for nothing."""
    text = escape(" ".join(filter(None, [*visit.notices, visit.run.problem])))
    return f"<p class='story notice' role='status' title='{text}'>{text}</p>" if text else ""


def run_bar(visit: Visit) -> None:
    """Play, step, reset, new seed, speed."""
    run, playing = visit.run, visit.run.playing
    if run.ended:  # where a lesson stopped to explain; here it may go on
        run.until = None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_bar"):
        label, icon, press = ("Pause", "pause", run.pause) if playing else ("Play", "play_arrow", run.play)
        st.button(
            label,
            icon=f":material/{icon}:",
            type="primary",
            shortcut="P",
            on_click=press,
            disabled=run.finished and not playing,
            key="play",
        )
        st.button(
            "Step",
            icon=":material/skip_next:",
            shortcut="S",
            on_click=run.step,
            disabled=run.finished,
            key="step",
        )
        if "run" not in visit.view.hidden:
            _start_anew(visit)
            _speed(visit)
            _pause_when_solved(visit)


def _start_anew(visit: Visit) -> None:
    st.button(
        "Reset",
        icon=":material/replay:",
        shortcut="B",
        on_click=visit.restart,
        key="reset",
        help="Back to the same first weights",
    )
    st.button(
        "New seed",
        icon=":material/casino:",
        shortcut="N",
        on_click=lambda: visit.choose(seed=visit.experiment.seed + 1),
        key="new_seed",
    )


def _speed(visit: Visit) -> None:
    by_value = {speed: name for name, speed in SPEEDS.items()}
    st.session_state["speed"] = by_value[visit.run.speed]
    st.segmented_control(
        "Training steps a second",
        list(SPEEDS),
        required=True,
        key="speed",
        label_visibility="collapsed",
        on_change=lambda: setattr(visit.run, "speed", SPEEDS[st.session_state["speed"]]),
    )


def _pause_when_solved(visit: Visit) -> None:
    run = visit.run
    st.session_state["pause_when_solved"] = run.pause_when_solved
    st.toggle(
        "Pause when solved",
        key="pause_when_solved",
        on_change=lambda: setattr(run, "pause_when_solved", st.session_state["pause_when_solved"]),
    )


def live(visit: Visit) -> None:
    """Show the run, again and again while it plays; the page around it is drawn only once."""
    again(visit, TICK_SECONDS, timeline)
    again(visit, lower_tick(visit), _lower_pictures)


def lower_tick(visit: Visit) -> float:
    """Return how often the pictures below the timeline are redrawn, in seconds."""
    return FULL_SPEED_TICK_SECONDS if visit.run.speed is None else TICK_SECONDS


def again(visit: Visit, seconds: float, draw: Callable[[Visit], None]) -> None:
    """Draw a part of the page, and while the run plays draw it again every so many seconds."""
    playing = visit.run.playing

    @st.fragment(run_every=seconds if playing else None, key=f"live_{draw.__name__}")
    def part() -> None:
        draw(visit)
        if playing != visit.run.playing:  # it paused by itself, or a remedy started it
            st.rerun()

    # A tick on its way while the page is drawn makes Streamlit drop what it had not yet sent of that
    # fragment; without a container of its own there would be no place left to put the tick's pictures.
    with st.container():
        part()


def _lower_pictures(visit: Visit) -> None:
    look = visit.run.look()
    left, right = st.columns([0.58, 0.42], gap="small")
    with left:
        progress(visit, look.state)
    with right:
        if look.state.divergence:
            _lesson(visit, look.state)
        else:
            _answers(visit, look.snapshot)


def _numbers(visit: Visit, look: Look) -> str:
    """The figures of the run in one line of text."""
    now, layer = look.snapshot, visit.layer
    verdict = now.verdict[layer]
    rate = f"{look.rate:,.0f} steps/s" if look.rate else "training…" if visit.run.playing else "paused"
    cells = [
        ("step", f"{look.state.step:,}", "Updates of the weights so far"),
        ("", rate, "Training speed"),
        ("parameters", f"{now.parameters:,}", "Trainable weights, shared by all time steps"),
        (with_indices("ρ(W_hh)"), _size(now.spectral_radius[layer]), explain("ρ")),
        (with_indices("σ_max"), _size(now.sigma_max[layer]), explain("σ_max")),
    ]
    recurrent = CELLS[visit.experiment.cell].recurrent
    shown = cells if recurrent else cells[:3]  # without a W_hh there is nothing to say of it
    parts = [f"<span title='{escape(hint)}'>{name} <b>{value}</b></span>" for name, value, hint in shown]
    if recurrent:
        parts.append(f"<span class='symbols'>{' '.join(symbol(*named) for named in SYMBOLS.items())}</span>")
        parts.append(
            f"<span class='verdict {verdict}' tabindex='0' title='{escape(VERDICT_RULE)}'>"
            f"gradient <b>{verdict}</b></span>"
        )
    return f"<div class='numbers'>{''.join(parts)}</div>"


def _size(value: float) -> str:
    """Return a size that training may have thrown beyond all bounds."""
    return f"{value:.3f}" if value < 1e4 else f"{value:.1e}"


def timeline(visit: Visit, height: int = TIMELINE_HEIGHT, brief: bool = False) -> None:
    """Draw the timeline of the newest state; brief : with a short headline, where it is narrow."""
    look = visit.run.look()
    e, snapshot = visit.experiment, look.snapshot
    shown = {"layer": visit.layer, "relative": visit.relative, "whole_loss": visit.whole_loss}
    view = Timeline.of(e, snapshot, visit.run.initial, brief=brief, **shown)
    change = change_in_words(snapshot.decades[visit.layer], int(view.masks.write_steps[-1]))
    label = (
        f"Network unrolled over {e.seq_len} steps with its hidden states and its gradient: "
        f"{snapshot.verdict[visit.layer]}, {change}"
    )
    spec = timeline_spec(view, theme(), _held_still(visit, view))
    caption = _numbers(visit, look)
    show(spec, key="timeline", label=label, height=height, caption=caption, least_width=LEAST_WIDTH)


def _held_still(visit: Visit, view: Timeline) -> tuple[int, int]:
    """Widen the gradient axis if the curve leaves it, never narrow it during a run."""
    key = (view.layer, view.relative, view.whole_loss)
    shown = [s for s in (view.snapshot, view.initial) if s is not None]
    both = (True, False) if view.several_write else (False,)
    low, high = gradient_span(*(view.curve(s, view.layer, whole) for s in shown for whole in both))
    held = visit.spans.get(key, (low, high))
    visit.spans[key] = min(low, held[0]), max(high, held[1])
    return visit.spans[key]


def progress(visit: Visit, state: TrainingState, height: int = LOWER_HEIGHT) -> None:
    """Draw loss and metric over the training so far."""
    view = Progress.of(visit.experiment, state)
    now = "not yet measured" if np.isnan(state.metric) else f"now {state.metric:.3g}"
    label = f"Loss and {view.metric_title} over {state.step} training steps: {now}, chance {view.chance:.3g}"
    spec = progress_spec(view, theme())
    show(spec, key="progress", label=label, height=height, least_width=LEAST_LOWER_WIDTH)


def _answers(visit: Visit, snapshot: Snapshot) -> None:
    spec = answers_spec(Answers.of(visit.experiment, snapshot), theme())
    show(spec, key="answers", label="What the network answers beside what it should", height=LOWER_HEIGHT)


def _lesson(visit: Visit, state: TrainingState) -> None:
    """Explain a divergence with the run's own numbers, and offer remedies."""
    e, columns = visit.experiment, state.history.columns
    st.html(
        f"<div class='lesson' role='status'><b>{escape(str(state.divergence))}</b>"
        f"<p>{escape(_why(e, columns))}</p></div>"
    )
    with st.container(horizontal=True, gap="small"):
        for number, (label, cure) in enumerate(remedies(e, columns["grad_norm"]).items()):
            st.button(
                label,
                key=f"remedy_{number}",
                on_click=_apply,
                args=(visit, cure),
                type="primary" if number == 0 else "secondary",
            )


def _why(e: Experiment, columns: dict[str, Array]) -> str:
    sizes = columns["grad_norm"][np.isfinite(columns["grad_norm"])]
    if not sizes.size:
        return "Already the first forward pass overflowed: W_hh multiplies the state again at every step."
    clipped = " (clipping was off)" if e.clip_norm is None else ""
    return (
        f"The gradient had grown to {sizes.max():.1e} on its way back through {e.seq_len} steps{clipped}. "
        f"One update of that size throws the weights far away, and every later step multiplies by them again."
    )


def _apply(visit: Visit, cure: dict[str, Any]) -> None:
    visit.choose(**cure)
    visit.run.speed = REMEDY_SPEED
    visit.run.play()
