"""The playground: its run's buttons, what it is about in a line, and three live pictures."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.analysis.snapshot import Snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures import Answers, Progress, answers_spec
from rnnviz.model.arrays import Array
from rnnviz.tasks import TASKS
from rnnviz.teaching.glossary import with_indices
from rnnviz.training.state import TrainingState
from rnnviz.ui.controls import remedies
from rnnviz.ui.live_figure import show
from rnnviz.ui.run_panel import RunPanel
from rnnviz.ui.style import theme
from rnnviz.ui.visit import Visit
from rnnviz.ui.widgets import pressed

TICK_SECONDS = 0.1
REMEDY_SPEED = 25.0
"""Training steps a second after a remedy: slow enough to follow, fast enough to learn."""

FULL_SPEED_TICK_SECONDS = 0.5
"""At full speed the lower pictures leave the browser's time to the main one."""

TIMELINE_HEIGHT, LOWER_HEIGHT = 370, 190


def panel(visit: Visit) -> RunPanel:
    """Return the panel of the run that is shown."""
    return RunPanel(lambda: (visit.run,), visit.widgets, lambda: (visit.restart(),))


def header(visit: Visit) -> None:
    """One line: what just changed, or what the scenario promises, or what the task asks."""
    task, preset = TASKS[visit.experiment.task], visit.preset
    title, text = (preset.title, preset.promise) if preset else (task.title, task.summary)
    hint = " <b>Press Play to train.</b>" if visit.run.state.step == 0 and not visit.run.playing else ""
    told = f"<b>{escape(title)}.</b> {with_indices(escape(text))}{hint}"
    line = f"<p class='story' title='{escape(text)}'>{told}</p>"
    st.html(notice(visit) or _retuned(visit) or line)


def notice(visit: Visit) -> str:
    """Return what the visitor has to be told in one line of HTML, "" for nothing."""
    text = escape(" ".join(filter(None, [*visit.notices, visit.run.problem])))
    return f"<p class='story notice' role='status' title='{text}'>{text}</p>" if text else ""


def _retuned(visit: Visit) -> str:
    """Return in a line of HTML that the address no longer repeats this run, "" if it does."""
    changes = visit.run.retunings
    if not changes:
        return ""
    last = changes[-1]
    steps = [f"{change.step:,}" for change in changes]
    at = f"step {steps[0]}" if len(steps) == 1 else f"{len(steps)} steps, the last one {steps[-1]}"
    clip = "no clipping" if last.clip_norm is None else f"clipping at {last.clip_norm:g}"
    values = f"learning rate {last.learning_rate:g}, {clip}"
    text = f"{values}. The address starts a new run with these values."
    return f"<p class='story retuned' title='{text}'><b>Retuned at {at}:</b> {text}</p>"


def run_bar(visit: Visit) -> None:
    """Play, step, reset, new seed, speed."""
    shown = panel(visit)
    if visit.run.ended:  # where a lesson stopped to explain; here it may go on
        visit.run.until = None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_bar"):
        shown.play_button()
        shown.step_button()
        if "run" not in visit.view.hidden:
            shown.reset_button("Back to the same first weights", "replay")
            _new_seed(visit)
            shown.speed()
            shown.pause_when_solved()


def _new_seed(visit: Visit) -> None:
    st.button(
        "New seed",
        icon=":material/casino:",
        shortcut="N",
        on_click=pressed(lambda: visit.choose(seed=visit.experiment.seed + 1)),
        key="new_seed",
    )


def live(visit: Visit) -> None:
    """Show the run, again and again while it plays; the page around it is drawn only once."""
    shown = panel(visit)
    shown.repeat("live_timeline", TICK_SECONDS, lambda: timeline(visit))
    shown.repeat("live_lower_pictures", lower_tick(visit), lambda: _lower_pictures(visit))


def lower_tick(visit: Visit) -> float:
    """Return how often the pictures below the timeline are redrawn, in seconds."""
    return FULL_SPEED_TICK_SECONDS if visit.run.speed is None else TICK_SECONDS


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


def timeline(visit: Visit, height: int = TIMELINE_HEIGHT, brief: bool = False) -> None:
    """Draw the timeline of the newest state; brief : with a short headline, where it is narrow."""
    view: dict[str, Any] = {name: getattr(visit, name) for name in ("layer", "relative", "whole_loss")}
    panel(visit).timeline(height, brief=brief, **view)


def progress(visit: Visit, state: TrainingState, height: int = LOWER_HEIGHT) -> None:
    """Draw loss and metric over the training so far."""
    panel(visit).progress(Progress.of(visit.experiment, state), state, height)


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
