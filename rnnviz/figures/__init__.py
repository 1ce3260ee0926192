"""Arrays in, plotly figures out; ``*_spec`` functions return the same figure as plain data, for live use.

May import ``teaching`` and every package below it; never Streamlit.
"""

from __future__ import annotations

from rnnviz.figures.answers import Answers, answers, answers_spec
from rnnviz.figures.cliff import cliff
from rnnviz.figures.contest import Contest, contest
from rnnviz.figures.curves import Curve, curves, decay_factors, seeds
from rnnviz.figures.directions import directions, lyapunov
from rnnviz.figures.forecast import Forecasts, forecast
from rnnviz.figures.gates import gates
from rnnviz.figures.matrices import contributions, spectrum
from rnnviz.figures.passage import Judged, Written, judged, letters, written
from rnnviz.figures.phase import phase_diagram
from rnnviz.figures.progress import Progress, progress, progress_spec
from rnnviz.figures.theme import DARK, LIGHT, THEMES, Theme
from rnnviz.figures.timeline import Timeline, timeline, timeline_spec
from rnnviz.figures.training_history import over_training
from rnnviz.figures.unrolled import Unrolled, unrolled

__all__ = [
    "DARK",
    "LIGHT",
    "THEMES",
    "Answers",
    "Contest",
    "Curve",
    "Forecasts",
    "Judged",
    "Progress",
    "Theme",
    "Timeline",
    "Unrolled",
    "Written",
    "answers",
    "answers_spec",
    "cliff",
    "contest",
    "contributions",
    "curves",
    "decay_factors",
    "directions",
    "forecast",
    "gates",
    "judged",
    "letters",
    "lyapunov",
    "over_training",
    "phase_diagram",
    "progress",
    "progress_spec",
    "seeds",
    "spectrum",
    "timeline",
    "timeline_spec",
    "unrolled",
    "written",
]
