"""Buttons that download tables as CSV files, and worksheets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from rnnviz.export.sheet_blocks import Sheet

_FORMULA = re.compile(r"[=+\-@\t\r]")
"""How a cell begins that spreadsheets run as a formula."""

_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")


def csv_button(label: str, table: Callable[[], pd.DataFrame], file: str, key: str) -> None:
    """Show a button that downloads a table; the table is only made on download."""
    st.download_button(
        label,
        lambda: csv_of(table()),
        file,
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )


def sheet_buttons(sheet: Callable[[], Sheet], file: str) -> None:
    """Show the buttons that download a worksheet; it is only made on download. file : without its ending."""
    for label, kind, mime, made in (
        ("Worksheet (.html)", "html", "text/html", lambda: sheet().html()),
        ("Worksheet (.md)", "md", "text/markdown", lambda: sheet().markdown()),
    ):
        st.download_button(
            label,
            made,
            f"{file}.{kind}",
            mime,
            icon=":material/download:",
            on_click="ignore",
            key=f"worksheet_{kind}",
        )


def csv_of(table: pd.DataFrame) -> str:
    """Return a table as CSV, with an apostrophe before text that a spreadsheet would run as a formula.

    Numbers stay as they are, even those in columns of text.
    """
    safe = pd.DataFrame({n: table.iloc[:, n].map(_without_formula) for n in range(table.shape[1])})
    return str(safe.to_csv(index=False, header=[_without_formula(str(name)) for name in table.columns]))


def _without_formula(cell: Any) -> Any:
    """Return a cell, with an apostrophe in front if it is text that begins like a formula."""
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
