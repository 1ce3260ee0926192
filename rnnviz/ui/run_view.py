"""The playground: the run's buttons, a one-line description, and three live figures."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.model.arrays import Array
from rnnviz.model.network import cut_rows, farthest_row
from rnnviz.tasks import TASKS
from rnnviz.teaching.glossary import with_indices, with_small_indices
from rnnviz.teaching.numbers import plain
from rnnviz.teaching.presets import Preset
from rnnviz.training.state import TrainingState
from rnnviz.ui import kept_runs, look_back, story
from rnnviz.ui.controls import remedies, remedies_for_vanishing, scenario
from rnnviz.ui.live_run import LiveRun
from rnnviz.ui.run_panel import RunPanel
from rnnviz.ui.session import Session

TIMELINE_HEIGHT, LOWER_HEIGHT = 356, 182
LOWER_TIMELINE, LOWER_ROW = 14, 18
"""Pixels that both rows of figures are lower in projector view, where the run's buttons are at the foot."""
REMEDIES_HEIGHT = 48
"""Pixels for the remedies above the answers."""


def panel(session: Session) -> RunPanel:
    """Return the panel of the current run."""
    return RunPanel(lambda: (session.run,), session.widgets, lambda: (session.restart(),))


def header(session: Session) -> None:
    """Show one line: a notice, the scenario's promise, or the task's summary."""
    task, preset = TASKS[session.experiment.task], session.preset
    title, text = (preset.title, _so_far(preset, session.run)) if preset else (task.title, task.summary)
    untouched = session.run.state.step == 0 and not session.run.playing
    press = "P" if session.view.projector else "Play"
    hint = f" <b class='hint'>Press {press} to train.</b>" if untouched else ""
    told = f"<span class='told'><b>{escape(title)}.</b> {with_indices(escape(text))}</span>{hint}"
    hint_text = f"{text} {preset.record}" if preset else text
    line = f"<p class='story' title='{escape(with_small_indices(hint_text))}'>{told}</p>"
    st.html(notice(session, session.restarted_by) or _retuned(session) or line)


def _so_far(preset: Preset, run: LiveRun) -> str:
    """Return a scenario's promise or, once the updates that it speaks of are made, what comes after it."""
    e, step = run.experiment, run.state.step
    if preset.ends is None or step < preset.ends:
        return preset.promise
    if step == preset.ends and not run.playing:
        task = TASKS[e.task]
        metric = f"{task.metric.title} {run.state.metric:.0%}, and {task.guess} gives {task.chance(e):.0%}"
        return f"Paused after {step:,} updates, as the scenario says: {metric}. Play goes on."
    return (
        f"That held for {preset.ends:,} updates. With more, the weights may grow until enough of the "
        "error arrives."
    )


def notice(session: Session, *more: str) -> str:
    """Return pending notices, and more sentences, as one line of HTML; "" if there are none."""
    text = escape(" ".join(filter(None, [*session.notices, *more, session.run.problem])))
    return f"<p class='story notice' role='status' title='{text}'>{text}</p>" if text else ""


def _retuned(session: Session) -> str:
    """Return a line of HTML if the run was retuned, so that its URL does not reproduce it; else ""."""
    changes = session.run.retunings
    if not changes:
        return ""
    last = changes[-1]
    steps = [f"{change.step:,}" for change in changes]
    at = f"update {steps[0]}" if len(steps) == 1 else f"{len(steps)} updates, the last one {steps[-1]}"
    clip = "no clipping" if last.clip_norm is None else f"clipping at {last.clip_norm:g}"
    values = f"learning rate {last.learning_rate:g}, {clip}"
    text = f"{values}. The address starts a new run with these values."
    return f"<p class='story retuned' title='{text}'><b>Retuned at {at}:</b> {text}</p>"


def run_bar(session: Session, shown: RunPanel) -> None:
    """Show the buttons: play, step, reset, new seed, speed."""
    _set_end(session)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_bar"):
        story.name("playground")
        if session.view.projector and "scenario" not in session.view.hidden:
            scenario(session, label_visibility="collapsed")
        shown.play_button()
        shown.step_button()
        if "run" not in session.view.hidden:
            shown.reset_button("Back to the same initial weights", "replay")
            _new_seed(session)
            shown.speed()
            shown.pause_when_solved()


def _set_end(session: Session) -> None:
    """Let a run pause after the updates that its scenario speaks of; Play then goes on."""
    run, preset = session.run, session.preset
    if run.ended:  # at its scenario's or its lesson's end
        run.until = None
    if run.until is None and preset and preset.ends and run.state.step < preset.ends:
        run.until = preset.ends


def _new_seed(session: Session) -> None:
    st.button(
        "New seed",
        icon=":material/casino:",
        shortcut="N",
        on_click=lambda: session.choose(seed=session.experiment.seed + 1),
        key="new_seed",
    )


def live(session: Session, shown: RunPanel) -> None:
    """Show the run; while it plays, the pictures move without a rerun of the page."""
    projector = session.view.projector
    lower = LOWER_HEIGHT - LOWER_ROW * projector
    timeline(session, shown, TIMELINE_HEIGHT - LOWER_TIMELINE * projector)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="look_back_bar"):
        look_back.slider(shown.run, "timeline", session.screen.page + 1)
        kept_runs.keep_button(session)
        if kept := len(session.shelf.runs):
            story.door(session, "side_by_side", f"{kept} kept", beside="kept")
    left, right = st.columns([0.58, 0.42], gap="small")
    with left:
        shown.progress(lower)
    with right:
        if session.run.finished:
            _lesson(session, session.run.state)
        elif cures := _against_vanishing(session):
            _vanished(session, cures)
            shown.answers(lower - REMEDIES_HEIGHT)
        else:
            shown.answers(lower)
    shown.live(session.screen)


def timeline(session: Session, shown: RunPanel, height: int = TIMELINE_HEIGHT, brief: bool = False) -> None:
    """Draw the timeline of the newest state; brief : with a short headline, for a narrow figure."""
    shown.timeline(
        height,
        brief=brief,
        layer=session.layer,
        relative=session.relative,
        whole_loss=session.whole_loss,
        units=session.units,
    )


def _against_vanishing(session: Session) -> dict[str, dict[str, Any]]:
    """Return remedies if the run stands still with a gradient that vanishes and a task that is not solved."""
    run = session.run
    now = run.moment()
    if run.retunings:  # the new learning rate or threshold may be to blame
        return {}
    if run.playing or now.solved or now.snapshot.verdict[session.layer] != "vanishing":
        return {}
    return remedies_for_vanishing(session.experiment)


def _vanished(session: Session, cures: dict[str, dict[str, Any]]) -> None:
    """Show remedies for a gradient that vanishes."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="vanished"):
        st.html("<b class='try'>It vanishes. Try:</b>", width="content")
        for number, (label, cure) in enumerate(cures.items()):
            st.button(
                with_small_indices(label), key=f"remedy_{number}", on_click=_apply, args=(session, cure)
            )


def _lesson(session: Session, state: TrainingState) -> None:
    """Explain a divergence with the run's numbers, and offer remedies."""
    e, columns = session.experiment, state.history.columns
    st.html(
        f"<div class='lesson' role='status'><b>{escape(str(state.divergence))}</b>"
        f"<p>{with_indices(escape(_why(e, columns, session.run.initial.decades[-1])))}</p></div>"
    )
    with st.container(horizontal=True, gap="small"):
        for number, (label, cure) in enumerate(remedies(e, columns["grad_norm"]).items()):
            st.button(
                label,
                key=f"remedy_{number}",
                on_click=_apply,
                args=(session, cure),
                type="primary" if number == 0 else "secondary",
            )


def _why(e: Experiment, columns: dict[str, Array], decades: float) -> str:
    """Return why a run diverged; decades : of its error before training, back to step 1."""
    sizes = columns["grad_norm"][np.isfinite(columns["grad_norm"])]
    if not sizes.size:
        return "The very first forward pass overflowed: W_hh multiplies the state again at every step."
    clipped = " (clipping was off)" if e.clip_norm is None else ""
    last, largest = int(e.masks.write_steps[-1]), plain(sizes.max(), 2)
    back = last - farthest_row(last, cut_rows(e.seq_len, e.truncate))
    change = "shrank" if decades < 0 else "grew"
    way = f"{abs(decades):.1f} powers of ten over {back} steps"
    grew = f"Before training, the error {change} by {way}. " if back and np.isfinite(decades) else ""
    return (
        f"{grew}The largest gradient of all weights had norm {largest}{clipped}. "
        "One update of that size throws the weights far off, and every later time step multiplies by them "
        "again."
    )


def _apply(session: Session, cure: dict[str, Any]) -> None:
    before = session.run
    session.choose(**cure)
    if not before.finished:  # over the same axis, before and after can be compared
        session.run.spans = dict(before.spans)
    session.run.play()
