"""What a run did as one drawing: the gradient over time, before and after, and the metric over updates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from rnnviz.model.arrays import Array

INK, FAINT, GRID, HIDDEN, METRIC = "#1C1B2E", "#6A6678", "#E7E2D7", "#3B3578", "#0B7A6F"
"""The light colours of rnnviz/figures/theme.py; a test compares them."""

FONT = 11
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 20, 28
"""Room around a panel for its labels."""

MOST_POINTS = 200
Range = tuple[float, float]


class Panel:
    """One pair of axes at a place of the drawing, and the SVG elements drawn on it so far."""

    def __init__(self, x: float, width: float, height: float, title: str, below: str) -> None:
        self.left, self.right = x + LEFT, x + width - RIGHT
        self.top, self.bottom = float(TOP), height - BOTTOM
        self.parts = [
            f'<rect x="{self.left:g}" y="{self.top:g}" width="{self.right - self.left:g}" '
            f'height="{self.bottom - self.top:g}" fill="none" stroke="{FAINT}" stroke-width="0.8"/>',
            self._text(x + 2, self.top - 8, title, INK),
            self._text((self.left + self.right) / 2, height - 4, below, FAINT, "middle"),
        ]

    def _text(self, x: float, y: float, text: str, colour: str, anchor: str = "start") -> str:
        return f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'

    def scale(self, across: Range, up: Range, labels: tuple[str, str], ends: tuple[str, str]) -> None:
        """Fix the axes' ranges. labels : of the lower and the upper end. ends : of the left and right end."""
        self.across, self.up = across, up
        for y, label in zip((self.bottom, self.top + 9), labels, strict=True):
            self.parts.append(self._text(self.left - 4, y, label, FAINT, "end"))
        for x, label, anchor in zip((self.left, self.right), ends, ("start", "end"), strict=True):
            self.parts.append(self._text(x, self.bottom + 12, label, FAINT, anchor))

    def line(self, xs: Array, ys: Array, colour: str, dash: str = "", width: float = 1.8) -> None:
        """Draw a curve, with gaps where a value is inf or NaN."""
        (x0, x1), (y0, y1) = self.across, self.up
        at = self.left + (xs - x0) / max(x1 - x0, 1e-12) * (self.right - self.left)
        share = np.clip((ys - y0) / max(y1 - y0, 1e-12), 0.0, 1.0)
        high = self.bottom - share * (self.bottom - self.top)
        path, pen = [], "M"
        for x, y in zip(at.tolist(), high.tolist(), strict=True):
            if math.isfinite(y):
                path.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L" if math.isfinite(y) else "M"
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>'
        )


def empty_plot(metric: str, width: int, height: int) -> str:
    """Return the two pairs of axes with nothing on them, to draw on by hand."""
    return _svg(_panels(metric, width, height), width, height)


def plot(
    gradients: Sequence[Array],
    metrics: tuple[Array, Array],
    goal: float,
    metric: str,
    share: bool,
    width: int,
    height: int,
) -> str:
    """Return the drawing as SVG.

    gradients : ||dL/dh_t|| before and after training, (T,) each. metrics : the updates after which the
    metric was measured, and the metric, (n,) each. goal : of the task. metric : its name.
    share : whether the metric is a share, so that its axis ends at 1.
    """
    left, right = _panels(metric, width, height)
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = [np.log10(curve) for curve in gradients]
    seen = np.concatenate([p[np.isfinite(p)] for p in powers])
    low, high = (math.floor(seen.min()), math.ceil(seen.max())) if seen.size else (-1, 0)
    low -= low == high
    steps = np.arange(1.0, len(gradients[0]) + 1)
    left.scale((1.0, steps[-1]), (low, high), (_power(low), _power(high)), ("1", f"{len(steps)}"))
    for curve, dash in zip(powers, ("4 3", ""), strict=True):
        left.line(steps, curve, HIDDEN, dash)
    updates, values = metrics
    shown = [*values[np.isfinite(values)].tolist(), goal]
    lowest, highest = min(0.0, *shown), max(float(share), *shown)
    last = float(updates[-1]) if len(updates) else 1.0
    right.scale((0.0, last), (lowest, highest), (f"{lowest:.2g}", f"{highest:.2g}"), ("0", f"{last:,.0f}"))
    right.line(np.array([0.0, last]), np.array([goal, goal]), FAINT, "1 3", 1.2)
    right.line(updates, values, METRIC)
    return _svg((left, right), width, height)


def thinned(updates: Array, values: Array) -> tuple[Array, Array]:
    """Return as many points as a drawing can show, the last one among them."""
    rows = np.unique(np.linspace(0, max(len(updates) - 1, 0), min(len(updates), MOST_POINTS)).astype(int))
    return updates[rows], values[rows]


def _panels(metric: str, width: int, height: int) -> tuple[Panel, Panel]:
    half = width / 2
    left = Panel(0.0, half, height, "‖∂L/∂hₜ‖; dashed: at the start", "time step t")
    return left, Panel(half, half, height, f"{metric}; dotted: goal", "updates")


def _power(power: float) -> str:
    return "10" + f"{power:.0f}".translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _svg(panels: Sequence[Panel], width: int, height: int) -> str:
    parts = "".join(part for panel in panels for part in panel.parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="{FONT}">{parts}</svg>'
    )
