"""Tables that visitors download: nothing in them is run by a spreadsheet."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.ui.downloads import csv_of

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)
CELLS = st.builds(str.__add__, st.sampled_from(["", "=", "+", "-", "@", "\t"]), TEXTS)


@given(header=CELLS, cells=st.lists(CELLS, min_size=1, max_size=5))
def test_no_cell_begins_like_a_formula_and_none_is_lost(header: str, cells: list[str]) -> None:
    numbers = np.linspace(-1.5, 2.0, len(cells))
    table = pd.DataFrame({header: cells, "number": numbers})
    if header == "number":
        return
    rows = list(csv.reader(io.StringIO(csv_of(table), newline="")))
    assert [float(row[-1]) for row in rows[1:]] == list(numbers), "numbers are untouched"
    for shown, cell in zip([row[0] for row in rows], [header, *cells], strict=True):
        assert shown in (cell, f"'{cell}")
        if shown.startswith(("=", "+", "-", "@", "\t", "\r")):
            float(shown.replace(",", "."))  # a number, nothing more


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("+1", "+1"),
        ("-44", "-44"),
        ("-1,5", '"-1,5"'),
        ("\t=1", "'\t=1"),
        ("a=1", "a=1"),
    ],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(cell: str, written: str) -> None:
    assert csv_of(pd.DataFrame({"a": [cell]})) == f"a\n{written}\n"
    assert csv_of(pd.DataFrame({cell: [0.5]})) == f"{written}\n0.5\n"
