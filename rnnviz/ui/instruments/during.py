"""The instrument During training: the gradient over the whole run, which can be trained here too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.figures.run_pictures import TrainingHistoryPicture
from rnnviz.teaching.numbers import number, percent
from rnnviz.ui.instruments.reading import FIGURE_HEIGHT, LEAST_WIDTH, explain, room
from rnnviz.ui.notes import note
from rnnviz.ui.run_panel import RunPanel
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme

STEPS = 300
"""Updates that a press of the button makes."""

BAR_HEIGHT = 46
"""Pixels of the button above the figure."""

SECONDS = 0.5
"""While it trains the figure is redrawn this often at most."""


def during_training(session: Session) -> None:
    """Show the gradient at every update, and the weight gradient before and after clipping."""
    panel = RunPanel(lambda: (session.run,), session.widgets, lambda: (session.restart(),), "lab_")
    _train_button(session)
    history = session.run.state.history
    norms = history.frame()
    if norms.empty and not session.run.playing:
        note("Not trained yet. Each update will add a column: the gradient's curve at that moment.")
        return
    place = panel.place("training", room(session, FIGURE_HEIGHT - BAR_HEIGHT), LEAST_WIDTH)
    panel.picture(place, TrainingHistoryPicture(place, theme()), seconds=SECONDS)
    how, formula = _in_words(session.experiment, norms)
    explain(how, formula, norms, "training")
    panel.live(session.screen)


def _train_button(session: Session) -> None:
    """Show the button that trains for some updates; while the run plays, it pauses it."""
    run = session.run
    if run.ended:  # set by a lesson; here the run may go on
        run.until = None
    playing = run.playing
    st.button(
        "Pause" if playing else f"Train {STEPS} updates" if not run.state.step else f"Train {STEPS} more",
        icon=":material/pause:" if playing else ":material/fast_forward:",
        type="primary",
        shortcut="P",
        on_click=run.pause if playing else lambda: run.train(STEPS),
        disabled=run.finished,
        key="train_here",
    )


def _in_words(e: Experiment, norms: pd.DataFrame) -> tuple[str, str]:
    """Return how to read the figure, and a formula with the newest numbers."""
    raw, limit = norms["grad_norm"].to_numpy(), e.clip_norm
    how = (
        "Each column is the gradient's curve at one update, t = 1 at the bottom: a band that "
        "fades downwards is a gradient that vanishes on its way back. Below: the norm of the full gradient. "
    )
    if not len(raw):
        return how, r"\|g\|"
    norm = rf"\|g\|={number(float(raw[-1]))}" if np.isfinite(raw[-1]) else r"\|g\|\ \text{overflowed}"
    if limit is None:
        return f"{how}Clipping is off.", rf"{norm}\qquad\text{{clipping is off}}"
    share = percent(float(np.mean(raw >= limit)))
    reached = f"It reached the threshold in {share} of the updates shown, and was clipped there."
    formula = (
        r"\text{if } \|g\|\ge\theta:\quad g \leftarrow \frac{\theta}{\|g\|}\,g \qquad "
        rf"{norm},\ \theta={limit:g}"
    )
    return how + (reached if (raw >= limit).any() else "It never reached the threshold."), formula
