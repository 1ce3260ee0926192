"""Pictures of training runs, handed to a figure on the page as the frames of a run that plays."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
from _plotly_utils.utils import to_typed_array_spec
from playwright.sync_api import Page

from rnnviz import Experiment, take_snapshot, train
from rnnviz.figures import Answers, Progress, Timeline, answers_spec, progress_spec, timeline_spec
from rnnviz.figures.theme import Spec, Theme

FIGURES = ("timeline", "progress", "answers")


def pictures(e: Experiment, steps: int, theme: Theme) -> dict[str, Spec]:
    """The playground's figures of an experiment after some updates, by key, on one axis for all gradients."""
    run, start = train(e, steps), train(e, 0)
    before, now = take_snapshot(e, start.params, step=0), take_snapshot(e, run.params, step=steps)
    return {
        "timeline": timeline_spec(Timeline.of(e, now, before), theme, (-16, 8)),
        "progress": progress_spec(Progress.of(e, run.state), theme),
        "answers": answers_spec(Answers.of(e, now), theme),
    }


def message(spec: Spec, playing: bool) -> str:
    """A picture as JSON, its arrays packed, its empty traces left out."""
    drawn = [trace for trace in spec["data"] if np.size(trace.get("x", trace.get("z"))) > 0]
    return orjson.dumps({**spec, "data": drawn, "playing": playing}, default=_packed).decode()


def _packed(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    spec = to_typed_array_spec(value)
    return spec.tolist() if isinstance(spec, np.ndarray) else spec


def show(page: Page, key: str, spec: Spec, playing: bool) -> None:
    """Hand a picture to a figure of the open page, and wait until it is drawn."""
    page.evaluate(
        """([key, message]) => new Promise(done => {
          const figure = window.rnnvizFigures[key], before = figure.node.dataset.draws;
          figure.show(JSON.parse(message));
          const wait = () => figure.node.dataset.draws !== before && !figure.drawing
            ? requestAnimationFrame(() => done()) : setTimeout(wait, 5);
          wait();
        })""",
        [key, message(spec, playing)],
    )
