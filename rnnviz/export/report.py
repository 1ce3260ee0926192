"""A run as one HTML file that needs no server and no network.

A slider moves the hidden states and the gradient through the training; printed, the file shows the first and
the last state.
"""

from __future__ import annotations

import base64
import html
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode

import numpy as np

from rnnviz.analysis.snapshot import Snapshot, take_snapshot
from rnnviz.experiment import Experiment, choices
from rnnviz.experiment.links import to_params, to_text
from rnnviz.model.arrays import Array
from rnnviz.model.cells import CELLS
from rnnviz.tasks import TASKS
from rnnviz.teaching.numbers import plain
from rnnviz.training.keyframes import Keyframes
from rnnviz.training.loop import held_out_metric, retrace
from rnnviz.training.state import TrainingState, Tuning

MOST_FRAMES = 60
"""States of the network in a report."""

MOST_BYTES = 4_200_000
"""Bytes of all frames' hidden states, which base64 makes a third larger: the file stays below 8 MB."""

MOST_POINTS = 1000
"""Points of the curves of loss and metric."""

LONGEST_VALUE = 120
"""Characters of a setting in the table; the link has them all."""

BROKEN = 255
"""The byte of a state that is inf or NaN; 0 to 254 stand for -1 to 1."""


def report(e: Experiment, keyframes: Keyframes, most_frames: int = MOST_FRAMES) -> str:
    """Return the report of a run as HTML.

    Evenly spaced states are computed again from the kept ones, which can take as long as the run itself did,
    and each is measured, which takes a second or more for the largest networks.

    Raises
    ------
    ValueError
        If ``most_frames`` is below 2.
    """
    if most_frames < 2:
        raise ValueError(f"most_frames must be 2 or more; got {most_frames}.")
    newest, task = keyframes.newest, TASKS[e.task]
    seen = [take_snapshot(e, state.params, state.step) for state in _frames(e, keyframes, most_frames)]
    metric = held_out_metric(e, e.network(), newest.params)
    title = f"{task.title}: {CELLS[e.cell].title}, T = {e.seq_len}"
    parts = {
        "title": title,
        "summary": task.summary,
        "fate": fate(e, newest),
        "link": f"?{urlencode(to_params(e))}",
        "footer": "Made with rnnviz. All numbers come from this run; the file needs no network.",
    }
    return Template(_text("report.html")).substitute(
        {name: html.escape(part) for name, part in parts.items()},
        css=_text("report.css"),
        js=_text("report.js"),
        numbers=_numbers(e, seen[-1], metric),
        settings=_settings(e, newest.tunings),
        layer_choice=_layer_choice(e.layers),
        last=len(seen) - 1,
        data=json.dumps(_data(e, newest, seen), separators=(",", ":"), allow_nan=False).replace(
            "<", "\\u003c"
        ),
    )


def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8").rstrip()


def _frames(e: Experiment, keyframes: Keyframes, most: int) -> Iterator[TrainingState]:
    """Yield evenly spaced states of a run, the first and the last among them."""
    fitting = MOST_BYTES // (e.layers * e.seq_len * e.hidden_size)
    newest = keyframes.newest
    steps = np.unique(np.rint(np.linspace(0, newest.step, min(most, fitting))).astype(int)).tolist()
    state: TrainingState | None = None
    for step in steps:
        way = keyframes.way_to(step)
        if state is None or way.state.step > state.step:
            state = way.state
        state = retrace(e, state, way.step, way.tunings)
        yield state


def _data(e: Experiment, newest: TrainingState, seen: list[Snapshot]) -> dict[str, Any]:
    """Return what the report's script draws."""
    task = TASKS[e.task]
    states = np.stack([np.stack(snapshot.hidden) for snapshot in seen])  # (frames, layers, T, H)
    return {
        "T": e.seq_len,
        "H": e.hidden_size,
        "layers": e.layers,
        "beyond": bool((np.abs(states) > 1.0).any()),
        "states": base64.b64encode(_as_bytes(states)).decode(),
        "frames": [
            {
                "step": snapshot.step,
                "gradient": [_powers(curve) for curve in snapshot.last],
                "told": [_told(e, snapshot, layer) for layer in range(e.layers)],
            }
            for snapshot in seen
        ],
        "history": _history(newest),
        "goal": task.goal,
        "titles": {
            "loss": "Loss of the training batch",
            "metric": f"{task.measured_on(e).capitalize()} {task.metric.title}; dotted: the goal",
        },
    }


def _as_bytes(states: Array) -> bytes:
    """Return states as a byte each."""
    with np.errstate(invalid="ignore"):
        levels = np.rint((np.clip(states, -1.0, 1.0) + 1.0) * ((BROKEN - 1) / 2))
    return np.where(np.isfinite(states), levels, BROKEN).astype(np.uint8).tobytes()


def _powers(curve: Array) -> list[float | None]:
    """Return log10 of a curve; None where it is 0, inf or NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return [round(power, 3) if math.isfinite(power) else None for power in np.log10(curve).tolist()]


def _history(newest: TrainingState) -> dict[str, list[float | None]]:
    """Return steps, losses and metrics, thinned to what a picture can show, and the metric at the end."""
    columns = newest.history.columns
    count = len(columns["step"])
    rows = np.unique(np.linspace(0, max(count - 1, 0), min(count, MOST_POINTS)).astype(int))
    end = {"step": float(newest.step), "loss": math.nan, "metric": newest.metric}
    return {
        name: [float(f"{v:.6g}") if math.isfinite(v) else None for v in [*columns[name][rows].tolist(), last]]
        for name, last in end.items()
    }


def _told(e: Experiment, snapshot: Snapshot, layer: int) -> str:
    """Return a frame in one sentence."""
    updates = "1 update" if snapshot.step == 1 else f"{snapshot.step:,} updates"
    when = f"After {updates}" if snapshot.step else "Before training"
    return f"{when}: {_gradient(e, snapshot, layer)}"


def _gradient(e: Experiment, snapshot: Snapshot, layer: int) -> str:
    """Return the verdict on a gradient, with the factor behind it."""
    if e.seq_len == 1:
        return "a single step, so no gradient through time"
    factor = factor_of(snapshot.decades[layer])
    return f"gradient {snapshot.verdict[layer]}, × {factor} on its way from the last output to the first step"


def factor_of(decades: float) -> str:
    """Return a change in powers of ten as a factor."""
    written = -300 < decades < 300 or not math.isfinite(decades)
    return plain(10.0**decades, 2) if written else f"10^{decades:.0f}"


def fate(e: Experiment, newest: TrainingState) -> str:
    """Return what became of the run."""
    goal = TASKS[e.task].goal
    solved = (
        f"The goal ({goal:g}) was reached after {newest.solved_at:,} updates."
        if newest.solved_at is not None
        else ""
    )
    if newest.divergence:
        return f"The run diverged. {newest.divergence} {solved}".rstrip()
    return solved or f"The goal ({goal:g}) was not reached."


def _numbers(e: Experiment, last: Snapshot, metric: float) -> str:
    """Return the key numbers of the top layer as the entries of a list."""
    task = TASKS[e.task]
    shown = {
        "updates": f"{last.step:,}",
        f"{task.measured_on(e)} {task.metric.title}": plain(metric),
        "gradient": last.verdict[-1] if e.seq_len > 1 else "not applicable",
        "parameters": f"{last.parameters:,}",
    }
    if np.isfinite(last.spectral_radius[-1]):
        shown["spectral radius of W_hh"] = plain(last.spectral_radius[-1])
        shown["largest singular value"] = plain(last.sigma_max[-1])
    return "\n".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in shown.items()
    )


def _settings(e: Experiment, tunings: Sequence[Tuning]) -> str:
    """Return the experiment's settings, and their changes during the run, as rows of a table."""
    urls = {choice.url: name for name, choice in choices().items()}
    rows: list[tuple[str, str]] = []
    for url, value in to_params(e).items():
        choice = choices()[urls[url]]
        named = choice.names.get(value, value) if hasattr(choice.names, "get") else value
        text = str(getattr(named, "title", value) if not isinstance(named, str) else named)
        shown = text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
        rows.append((choice.title, shown))
    if len(tunings) > 1:
        for tuning in tunings:
            when = f"Changed after {tuning.step:,} updates" if tuning.step else "At the start of the run"
            rate, clip = to_text(tuning.learning_rate), to_text(tuning.clip_norm)
            rows.append((when, f"learning rate {rate}, clipping {clip}"))
    return "\n".join(
        f"<tr><th scope='row'>{html.escape(title)}</th><td>{html.escape(value)}</td></tr>"
        for title, value in rows
    )


def _layer_choice(layers: int) -> str:
    """Return a list of the layers if there are several; the top one is chosen."""
    if layers == 1:
        return ""
    options = "".join(
        f"<option value='{i}'{' selected' * (i == layers - 1)}>{i + 1}</option>" for i in range(layers)
    )
    return f"<label for='layer'>Layer</label> <select id='layer'>{options}</select>"
