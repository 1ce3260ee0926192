"""The instrument Cliff: gradient descent near a wall, with and without clipping."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
import streamlit as st

from rnnviz.analysis.cliff import B_RANGE, W_RANGE, Descent, descend
from rnnviz.figures.cliff import cliff_spec
from rnnviz.teaching.numbers import number, plain
from rnnviz.ui.hand import Hand
from rnnviz.ui.instruments.reading import Reading
from rnnviz.ui.style import theme

UPDATES = 200
START = (5.0, -2.2)
"""Plain descent from here reaches the wall within sixty updates."""

RATES = (0.01, 0.03, 0.1, 0.3)
THRESHOLDS = (0.1, 0.3, 1.0, 3.0)


def cliff(hand: Hand) -> Reading:
    """Show the controls; return the loss surface with both descents."""
    w_box, b_box, rate_box, clip_box = st.columns(4, gap="medium")
    w = hand.slider("Start at w", *W_RANGE, START[0], step=0.05, key="cliff_w", box=w_box)
    b = hand.slider("Start at b", *B_RANGE, START[1], step=0.05, key="cliff_b", box=b_box)
    rate = hand.select_slider("Learning rate of the descent", RATES, 0.1, key="cliff_rate", box=rate_box)
    threshold = hand.select_slider("Clipping threshold θ", THRESHOLDS, 0.3, key="cliff_clip", box=clip_box)
    free, clipped = descend(w, b, rate, None, UPDATES), descend(w, b, rate, threshold, UPDATES)
    how = (
        "Height is the loss, colour the size of its gradient. Above w = 4, within a band of b, the unit "
        "can settle high or low; at the wall it switches. "
        f"{_tell(free)} {_compare(clipped, rate, threshold)}"
    )
    formula = (
        r"\begin{aligned} a_t &= w\,\operatorname{sigmoid}(a_{t-1}) + b,\quad a_0 = 0.5 \\"
        r" L &= (\operatorname{sigmoid}(a_{50}) - 0.7)^2 \\"
        rf" \|\nabla L\|&:\ {number(free.norm[0], 2)}\text{{ at the start, at most }}"
        rf"{number(free.norm.max(), 2)}"
        r"\end{aligned}"
    )
    label = (
        f"Loss of a one-unit network over w and b, with a wall, and two descents from w = {w:g}, b = {b:g}. "
        f"Longest step without clipping {plain(free.longest_step, 2)}, "
        f"with clipping {plain(clipped.longest_step, 2)}."
    )
    return Reading(cliff_spec(free, clipped, theme()), label, how, formula, _table(free, clipped))


def _tell(free: Descent) -> str:
    """Return a sentence on the descent without clipping."""
    if not (free.norm >= 1.0).any():
        return "From this start, descent without clipping never hits the wall."
    return (
        f"Unclipped, descent met a gradient of {plain(free.norm.max(), 2)} there, jumped a "
        f"distance of {plain(free.longest_step, 2)}, and ended at a loss of {plain(free.error[-1], 2)}."
    )


def _compare(clipped: Descent, rate: float, threshold: float) -> str:
    """Return a sentence on the descent with clipping."""
    if not (clipped.norm >= threshold).any():
        return "The threshold was never reached: both paths are the same."
    return (
        f"Clipped at {threshold:g}, no step is longer than {rate * threshold:g}, and the loss "
        f"ends at {plain(clipped.error[-1], 2)}."
    )


def _table(free: Descent, clipped: Descent) -> pd.DataFrame:
    parts = {"without clipping": free, "with clipping": clipped}
    return pd.concat(
        [
            pd.DataFrame(asdict(path)).rename_axis("update").reset_index().assign(descent=name)
            for name, path in parts.items()
        ]
    )
