"""The gradient over time as a ribbon in plain HTML, for cards and page headers."""

from __future__ import annotations

from functools import lru_cache

from rnnviz.analysis.gradient_flow import gradient_flow
from rnnviz.experiment import Experiment
from rnnviz.figures.theme import Theme, mix
from rnnviz.figures.timeline import strength
from rnnviz.model.arrays import Array

THINNEST, THICKEST = 2.0, 22.0
"""Height of the ribbon, in pixels, at the ends of the fixed gradient scale."""


@lru_cache(maxsize=64)
def at_start(e: Experiment) -> Array:
    """Return the last output's gradient (T,) before training."""
    return gradient_flow(e).per_output[-1]


def ribbon(values: Array, theme: Theme, label: str, height: int = 22) -> str:
    """Return a gradient (T,) as HTML: one segment per step, thicker and more intense where it is larger."""
    pieces = "".join(
        f"<i style='height:{THINNEST + share * (THICKEST - THINNEST):.1f}px;"
        f"background:{mix(theme.gradient, float(share))}'></i>"
        for share in strength(values)
    )
    return f"<div class='ribbon' role='img' aria-label='{label}' style='height:{height}px'>{pieces}</div>"


def of_experiment(e: Experiment, theme: Theme) -> str:
    """Return the ribbon of an untrained experiment, up to its last output."""
    last = int(e.masks.write_steps[-1])
    return ribbon(at_start(e)[: last + 1], theme, "the gradient before training, step by step")
