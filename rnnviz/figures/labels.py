"""Labels inside a panel: each stands where the fewest lines cross it, on a background that hides the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnviz.figures.theme import Spec, Theme, note
from rnnviz.model.arrays import Array

LETTER, LINE = 0.46, 1.4
"""Mean width of a letter and height of a line of text, in font sizes."""

OUTSIDE = 1e3
"""A label that leaves the panel counts as crossed by a line of so many pixels."""

FURTHER = 8.0
"""Pixels by which a label may stand off its line, where noise surrounds the line."""

Line = tuple[Array, Array]
"""The x (n,) and y (n,) of a line; NaN where it has a gap."""


@dataclass(frozen=True)
class Spot:
    """A place for a label: a point, the side of the text that is there, and a shift in pixels."""

    x: float
    y: float
    xanchor: str
    yanchor: str
    xshift: float = 0.0
    yshift: float = 0.0


@dataclass(frozen=True, eq=False)
class Panel:
    """A panel of a figure.

    x, y : ranges of its axes, linear. width, height : its least size in pixels. axes : its ``xref`` and
        ``yref``. lines : what labels should not cover, in the units of the axes; each label becomes one.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: float
    height: float
    lines: list[Line]
    axes: Spec = field(default_factory=lambda: {"xref": "x", "yref": "y"})

    def label(self, theme: Theme, text: str, spots: Sequence[Spot], size: int, colour: str) -> Spec:
        """Return a label at the first of the spots that the fewest lines cross."""
        best = spots[int(np.argmin(self._crossed(spots, text, size)))]
        left, low, right, top = self._box(best, text, size)
        across = np.array([left, right, right, left, left, right]), np.array([low, low, top, top, low, top])
        self.lines.append(self._from_pixels(*across))
        place: dict[str, Any] = {name: value for name, value in vars(best).items() if name not in "xy"}
        look = {"font": {"size": size, "color": colour}, "bgcolor": theme.panel, "borderpad": 0}
        return note(theme, text, best.x, best.y, **place, **look, **self.axes)

    def has_room(self, text: str, spots: Sequence[Spot], size: int) -> bool:
        """Return whether at one of the spots fewer than two lines cross a label from top to bottom.

        A label that leaves the least panel may still do so: the panel is usually wider.
        """
        return bool(self._crossed(spots, text, size).min() % OUTSIDE < 2 * LINE * size)

    def _crossed(self, spots: Sequence[Spot], text: str, size: int) -> Array:
        """Return how many pixels of lines a label covers at each spot; more if it leaves the panel there."""
        boxes = np.array([self._box(spot, text, size) for spot in spots])
        most = np.array([self.width, self.height])
        beyond = np.maximum(-boxes[:, :2], 0.0).sum(axis=1) + np.maximum(boxes[:, 2:] - most, 0.0).sum(axis=1)
        lines = [self._to_pixels(*line) for line in self.lines]
        return np.round(_lengths_within(lines, boxes) + OUTSIDE * (beyond > 0.5), 3)

    def _box(self, spot: Spot, text: str, size: int) -> tuple[float, float, float, float]:
        """Return the left, lower, right and upper end of a label in pixels from the lower left corner."""
        width, height = LETTER * size * len(text), LINE * size
        x, y = (float(at[0]) for at in self._to_pixels(np.array([spot.x]), np.array([spot.y])))
        left = x + spot.xshift - {"left": 0.0, "center": 0.5, "right": 1.0}[spot.xanchor] * width
        low = y + spot.yshift - {"bottom": 0.0, "middle": 0.5, "top": 1.0}[spot.yanchor] * height
        return left, low, left + width, low + height

    def _to_pixels(self, x: Array, y: Array) -> Line:
        (left, right), (low, high) = self.x, self.y
        return (x - left) / (right - left) * self.width, (y - low) / (high - low) * self.height

    def _from_pixels(self, x: Array, y: Array) -> Line:
        (left, right), (low, high) = self.x, self.y
        return left + x / self.width * (right - left), low + y / self.height * (high - low)


def beside_level(panel: Panel, level: float, above: bool) -> list[Spot]:
    """Return spots for a level's label: near its line, then further, at either end and on either side."""
    (left, right), (first, second) = panel.x, ((1, -1) if above else (-1, 1))
    return [
        Spot(x, level, side, "bottom" if sign > 0 else "top", inwards, sign * off)
        for off in (2.0, FURTHER)
        for x, side, inwards in ((right, "right", -4.0), (left, "left", 4.0))
        for sign in (first, second)
    ]


def _lengths_within(lines: Sequence[Line], boxes: Array) -> Array:
    """Return the length of all lines together inside each box (Liang & Barsky 1984).

    boxes : (n, 4), left, lower, right and upper ends; all at once: every picture of a run needs this.
    """
    if not lines:
        return np.zeros(len(boxes))
    begin = np.concatenate([np.stack([x[:-1], y[:-1]]) for x, y in lines], axis=1)
    end = np.concatenate([np.stack([x[1:], y[1:]]) for x, y in lines], axis=1)
    there = np.isfinite(begin).all(axis=0) & np.isfinite(end).all(axis=0)
    begin, way = begin[:, there], (end - begin)[:, there]
    enters, leaves = np.zeros((len(boxes), begin.shape[1])), np.ones((len(boxes), begin.shape[1]))
    for axis in range(2):
        low, high = boxes[:, axis, None], boxes[:, axis + 2, None]
        still = way[axis] == 0.0
        step = np.where(still, 1.0, way[axis])
        ends = (low - begin[axis]) / step, (high - begin[axis]) / step
        outside = still & ((begin[axis] < low) | (begin[axis] > high))
        enters = np.maximum(enters, np.where(still, np.where(outside, np.inf, 0.0), np.minimum(*ends)))
        leaves = np.minimum(leaves, np.where(still, 1.0, np.maximum(*ends)))
    return np.clip(leaves - enters, 0.0, None) @ np.hypot(*way)
