"""Pictures of a training run as messages for the browser, drawn by the worker that trains it.

Each picture is a picklable function from a ``Moment`` to bytes. Pictures are compared by value: one that is
built anew with the same settings is the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np

from rnnviz.analysis.gradient_flow import VERDICT_RULE
from rnnviz.analysis.snapshot import Snapshot
from rnnviz.experiment import Experiment
from rnnviz.figures.answers import Answers, answers_spec
from rnnviz.figures.contest import Trained
from rnnviz.figures.message import Place
from rnnviz.figures.progress import Progress, progress_spec
from rnnviz.figures.theme import Theme
from rnnviz.figures.timeline import (
    ONE_STEP,
    WIDTH,
    Timeline,
    change_in_words,
    cut_in_words,
    gradient_span,
    timeline_spec,
)
from rnnviz.figures.training_history import over_training_spec
from rnnviz.model.arrays import Array
from rnnviz.model.cells import CELLS
from rnnviz.model.network import cut_rows
from rnnviz.tasks import TASKS
from rnnviz.teaching.glossary import explain, with_indices
from rnnviz.teaching.numbers import percent, plain
from rnnviz.teaching.symbols import symbol
from rnnviz.training.state import TrainingState

SYMBOLS = {
    "x_t": "x", "h_t": "h", "y_t": "y", "A = W_xh": "A", "B = W_hh": "B", "C = W_hy": "C", "∂L/∂h_t": ""
}  # fmt: skip
"""Glossary terms used in the timeline, and their form there ("" for the full term)."""

Span = tuple[int, int]
"""A range of powers of ten."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A run at one moment.

    state, snapshot : its newest state and the snapshot of it. initial : the snapshot before training.
    rate : updates per second; 0 if unknown or if it does not play. playing : whether more updates follow.
    measured : the result of the run's ``measure`` for this state; None if the run has no measure.
    spans : the widest range of each gradient axis so far. Drawing widens them, so that axes stay still.
    beside : the measurements of the runs that play beside it, by name.
    painted : the browser paints its pictures, and nobody can hover over them.
    later : if the visitor looks back, the run's state after the most updates.
    """

    experiment: Experiment
    state: TrainingState
    snapshot: Snapshot
    initial: Snapshot
    rate: float = 0.0
    playing: bool = False
    measured: Any = None
    spans: dict[Hashable, Span] = field(default_factory=dict)
    beside: Mapping[str, Trained] = field(default_factory=dict)
    painted: bool = False
    later: TrainingState | None = None

    @property
    def solved(self) -> bool:
        """Whether the latest measurement reaches the task's goal."""
        task = TASKS[self.experiment.task]
        return bool(task.metric.reached(self.state.metric, task.goal))

    def widen(self, axis: Hashable, span: Span) -> Span:
        """Return the range of an axis that holds this span and all earlier ones."""
        self.spans[axis] = union(span, self.spans.get(axis, span))
        return self.spans[axis]


Draw = Callable[[Moment], bytes]
"""Draws a run; picklable, and compared by value."""


def union(one: Span, other: Span) -> Span:
    """Return the smallest range that holds both."""
    return min(one[0], other[0]), max(one[1], other[1])


def curves_only(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot with its gradient curves and numbers, without states, inputs and outputs."""
    nothing = np.empty(0)
    return replace(snapshot, hidden=(), others=(), inputs=nothing, targets=nothing, outputs=nothing)


WHY_SOLVED = (
    "The task is solved all the same. Units may saturate once it is learned; a loss that is nearly 0 leaves "
    "little error; or the memory that is needed is shorter than the sequence."
)


WHERE_CUT = (
    "Truncated BPTT: instead of the first step it is the first one that the error reaches before it is cut."
)


@dataclass(frozen=True)
class TimelinePicture:
    """The timeline of the newest state, with the run's key numbers above it if ``figures``.

    brief : use a short headline, for a narrow figure. layer, relative, whole_loss, units, width : as in
    ``Timeline``.
    """

    place: Place
    theme: Theme
    figures: bool = True
    brief: bool = False
    layer: int = 0
    relative: bool = False
    whole_loss: bool = False
    units: str = "h"
    width: float = WIDTH

    def __call__(self, now: Moment) -> bytes:
        """Return the timeline of a moment as a message."""
        e, layer = now.experiment, self.layer
        view = Timeline.of(
            e,
            now.snapshot,
            now.initial,
            layer=layer,
            relative=self.relative,
            whole_loss=self.whole_loss,
            units=self.units,
            width=self.width,
            brief=self.brief,
            solved=now.solved,
            hover=not now.painted,
        )
        last, first = int(view.masks.write_steps[-1]), view.first_reached
        change = change_in_words(now.snapshot.decades[layer], last - first, first + 1)
        label = (
            f"Network unrolled over {e.seq_len} steps with its hidden states and its gradient: "
            f"{now.snapshot.verdict[layer]}, {change}{cut_in_words(view)}"
        )
        span = now.widen((layer, self.relative, self.whole_loss), _span(view))
        caption = in_figures(now, layer) if self.figures else ""
        return self.place.message(timeline_spec(view, self.theme, span), label, caption)


def _span(view: Timeline) -> Span:
    """Return the range of the gradient axis that holds the curves now and before training."""
    shown = [s for s in (view.snapshot, view.initial) if s is not None]
    both = (True, False) if view.several_write else (False,)
    return gradient_span(*(view.curve(s, view.layer, whole) for s in shown for whole in both))


@dataclass(frozen=True)
class ProgressPicture:
    """Loss and metric over the training so far.

    view : returns the data of the figure; a function of a module, so that it can be pickled.
    """

    place: Place
    theme: Theme
    view: Callable[[Experiment, TrainingState], Progress] = Progress.of

    def __call__(self, now: Moment) -> bytes:
        """Return the progress at a moment as a message."""
        state, view = now.state, self.view(now.experiment, now.later or now.state)
        if now.later:
            view = replace(view, cursor=state.step)
        metric = "not yet measured" if np.isnan(state.metric) else f"now {state.metric:.3g}"
        label = f"Loss and {view.metric_title} over {state.step} updates: {metric}"
        label += f", {view.level} {view.chance:.3g}"
        return self.place.message(progress_spec(view, self.theme), label)


@dataclass(frozen=True)
class AnswersPicture:
    """The network's answers beside the targets."""

    place: Place
    theme: Theme

    def __call__(self, now: Moment) -> bytes:
        """Return the answers at a moment as a message."""
        view = Answers.of(now.experiment, now.snapshot)
        label = "The network's answers beside the targets"
        return self.place.message(answers_spec(view, self.theme), label)


@dataclass(frozen=True)
class TrainingHistoryPicture:
    """The gradient at every training step, and the weight gradient's norm before and after clipping."""

    place: Place
    theme: Theme

    def __call__(self, now: Moment) -> bytes:
        """Return the history of a moment as a message."""
        norms, limit = now.state.history.frame(), now.experiment.clip_norm
        figure = over_training_spec(now.state.history.curves(), norms, limit, self.theme)
        return self.place.message(figure, _history_in_words(norms["grad_norm"].to_numpy(), limit))


def _history_in_words(raw: Array, limit: float | None) -> str:
    """Describe a run's history; raw : (n,), the gradient's norm before clipping."""
    told = f"Gradient over {len(raw)} updates"
    if limit is None or not len(raw):
        return f"{told}, not clipped"
    return f"{told}; clipped in {percent(float(np.mean(raw >= limit)))} of them"


def in_figures(now: Moment, layer: int) -> str:
    """Return the key numbers of a run as one line of HTML."""
    seen, verdict = now.snapshot, now.snapshot.verdict[layer]
    rate = f"{now.rate:,.0f} updates/s" if now.rate else "training…" if now.playing else "paused"
    cells = [
        ("update", f"{now.state.step:,}", "Updates of the weights so far"),
        ("", rate, "Training speed"),
        ("parameters", f"{seen.parameters:,}", "Trainable weights, shared by all time steps"),
        (with_indices("ρ(W_hh)"), _size(seen.spectral_radius[layer]), explain("ρ")),
        (with_indices("σ_max"), _size(seen.sigma_max[layer]), explain("σ_max")),
    ]
    cell = CELLS[now.experiment.cell]
    shown = cells if cell.matrices == 1 else cells[:3]  # only these have a single W_hh
    parts = [f"<span title='{escape(hint)}'>{name} <b>{value}</b></span>" for name, value, hint in shown]
    if cell.recurrent:
        parts.append(f"<span class='symbols'>{' '.join(symbol(*named) for named in SYMBOLS.items())}</span>")
        kind, told, hint = _fate(now, verdict)
        cut = bool(cut_rows(now.experiment.seq_len, now.experiment.truncate))
        hint = f"{hint} {WHERE_CUT}" if cut else hint
        parts.append(
            f"<span class='verdict {kind}' tabindex='0' title='{escape(hint)}'>"
            f"gradient <b>{told}</b>{', cut' * cut}</span>"
        )
    return f"<div class='numbers'>{''.join(parts)}</div>"


def _fate(now: Moment, verdict: str) -> tuple[str, str, str]:
    """Return the kind of a verdict, which decides its colour, the verdict on screen, and a hint."""
    if now.experiment.seq_len == 1:
        return "", "not applicable", ONE_STEP
    if now.solved and verdict != "healthy":
        return "solved", verdict, f"{VERDICT_RULE} {WHY_SOLVED}"
    return verdict, verdict, VERDICT_RULE


def _size(value: float) -> str:
    """Return a value as text, in scientific notation if it is large."""
    return f"{value:.3f}" if value < 1e4 else plain(value, 2)
