"""The result of a laboratory instrument, and its layout on the page."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from rnnviz.experiment import Experiment
from rnnviz.figures.theme import Spec
from rnnviz.model.cells import CELLS
from rnnviz.model.network import cut_rows
from rnnviz.teaching.glossary import with_small_indices
from rnnviz.ui.downloads import csv_button
from rnnviz.ui.live_figure import show
from rnnviz.ui.notes import note
from rnnviz.ui.run_view import notice
from rnnviz.ui.session import Session, current

FIGURE_HEIGHT = 404
NOTICE_HEIGHT = 34
"""Pixels of a notice above the page."""

LARGER_WORDS_HEIGHT = 60
"""Extra pixels for the text below the figure in projector view."""

LEAST_WIDTH = 640
"""Pixels below which the names of the curves would overlap."""


@dataclass(frozen=True)
class Reading:
    """The result of an instrument.

    figure : as plain data. label : description for screen readers, with the main result.
    how : two or three sentences on how to read it. formula : in TeX, with the current numbers.
    data : the plotted numbers. note : a line below the formula on the meaning of its letters.
    """

    figure: Spec
    label: str
    how: str
    formula: str
    data: pd.DataFrame
    note: str = ""


def cut_where(e: Experiment) -> str:
    """Return a sentence on the steps at which an experiment truncates its gradient; "" if it does not."""
    cuts = cut_rows(e.seq_len, e.truncate)
    if not (cuts and CELLS[e.cell].recurrent):
        return ""
    every = "at every step" if e.truncate == 1 else f"every {e.truncate} steps"
    return f"BPTT is cut {every}, counted back from T: no error goes from one block to the one before."


def uncut(e: Experiment) -> str:
    """Return a sentence on a measurement that leaves truncation out; "" if the experiment has none."""
    return "Measured without truncating BPTT." if cut_where(e) else ""


def present(reading: Reading | str, name: str, height: int = FIGURE_HEIGHT) -> None:
    """Show a reading, or a sentence if there is nothing to measure."""
    if isinstance(reading, str):
        note(reading)
        return
    label, pixels = with_small_indices(reading.label), room(current(), height)
    show(reading.figure, key=f"lab_{name}", label=label, height=pixels, least_width=LEAST_WIDTH)
    explain(reading.how, reading.formula, reading.data, name, reading.note)


def room(session: Session, height: int) -> int:
    """Return the pixels that are left of a figure's height, so that no scroll bar appears."""
    return height - NOTICE_HEIGHT * bool(notice(session)) - LARGER_WORDS_HEIGHT * session.view.projector


def explain(how: str, formula: str, data: pd.DataFrame, name: str, letters: str = "") -> None:
    """Show the text below a figure; see ``Reading`` for its parts (letters : its ``note``)."""
    text, formulas = st.columns([0.55, 0.45], gap="medium")
    with text:
        st.markdown(with_small_indices(f"**How to read this.** {how}"))
        csv_button("Data as CSV", lambda: data, f"rnnviz-{name}.csv", key="lab_csv")
    with formulas:
        st.latex(formula)
        if letters:
            st.caption(with_small_indices(letters))
