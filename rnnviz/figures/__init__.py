"""Arrays in, plotly figures out. ``*_spec`` functions give the same figure as plain data, for live use."""

from __future__ import annotations

from rnnviz.figures.answers import Answers, answers, answers_spec
from rnnviz.figures.progress import Progress, progress, progress_spec
from rnnviz.figures.theme import DARK, LIGHT, THEMES, Theme
from rnnviz.figures.timeline import Timeline, timeline, timeline_spec

__all__ = [
    "DARK",
    "LIGHT",
    "THEMES",
    "Answers",
    "Progress",
    "Theme",
    "Timeline",
    "answers",
    "answers_spec",
    "progress",
    "progress_spec",
    "timeline",
    "timeline_spec",
]
