"""What an instrument of the laboratory gives, and how it stands on the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.figures.theme import Spec
from rnnviz.ui.live_figure import show

FIGURE_HEIGHT = 424


@dataclass(frozen=True)
class Reading:
    """What an instrument shows.

    figure : as plain data. label : what it shows, in words, with its main result.
    how : two or three sentences on how to read it. formula : in TeX, with the current numbers.
    data : the plotted numbers. note : a sentence below the formula, on how far it holds.
    """

    figure: Spec
    label: str
    how: str
    formula: str
    data: pd.DataFrame
    note: str = ""


def present(reading: Reading | str, name: str, height: int = FIGURE_HEIGHT) -> None:
    """Show a reading, or the sentence that stands for one where there is nothing to measure."""
    if isinstance(reading, str):
        st.info(reading, icon=":material/info:")
        return
    show(reading.figure, key=f"lab_{name}", label=reading.label, height=height)
    text, formula = st.columns([0.55, 0.45], gap="medium")
    with text:
        st.markdown(f"**How to read this.** {reading.how}")
        st.download_button(
            "Data as CSV",
            reading.data.to_csv(index=False),
            f"rnnviz-{name}.csv",
            "text/csv",
            icon=":material/download:",
            key="lab_csv",
        )
    with formula:
        st.latex(reading.formula)
        if reading.note:
            st.caption(reading.note)


def number(value: float) -> str:
    """Return a number in TeX, with a power of ten where it is very small or large."""
    if np.isinf(value):
        return r"\infty"
    if 1e-2 <= value < 1e4 or value == 0:
        return f"{value:.3f}"
    mantissa, power = f"{value:.2e}".split("e")
    return rf"{mantissa}\cdot 10^{{{int(power)}}}"
