"""Forecasts of a built-in series, or of the visitor's own from a CSV file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.applications.catalogue import APPLICATIONS, Variant
from rnnviz.applications.forecast import forecast, naive, series_of
from rnnviz.applications.tables import (
    MAX_BYTES,
    MAX_ROWS,
    guess_columns,
    labels_of,
    numeric_columns,
    read_table,
    values_of,
)
from rnnviz.experiment import Experiment
from rnnviz.experiment.links import tame
from rnnviz.figures.applications.forecasts import ChosenSeries
from rnnviz.figures.forecast import named_rows
from rnnviz.model.network import Params
from rnnviz.tasks import TASKS
from rnnviz.tasks.series import MIN_VALUES, SERIES, check_data, to_data
from rnnviz.ui.applications.state import ApplicationsState, Upload
from rnnviz.ui.downloads import csv_button
from rnnviz.ui.notes import refusal
from rnnviz.ui.uploads import taken

OWN_STEPS = 400
LONGEST_SEASON = 400
COLUMN_LENGTH = 30
"""Characters shown of a column's name."""

NUMBERED = "1, 2, 3, …"
"""Row labels without a column of their own."""


def variants(state: ApplicationsState) -> dict[str, Variant]:
    """Return the available series, including the visitor's own if there is one."""
    known = APPLICATIONS["forecasts"].variants
    if state.upload.data:
        known = known | {
            "own": Variant("Your series", _experiment(state.upload.data), OWN_STEPS, "Your own data.")
        }
    if state.single:
        known = {
            name: replace(v, experiment=replace(v.experiment, topology="many-to-one"))
            for name, v in known.items()
        }
    return known


def _experiment(data: str) -> Experiment:
    """Return an experiment on a visitor's series; windows are as for the other series, or shorter to fit."""
    e = APPLICATIONS["forecasts"].variants["stock"].experiment.replace(seq_len=2, series="own", data=data)
    s = series_of(e)
    return replace(e, seq_len=max(2, min(24, len(s.values) - s.held_out - 1, s.held_out // 3)))


def season_of(state: ApplicationsState, e: Experiment) -> int:
    """Return the season length of the seasonal baseline; the visitor sets it for their own series."""
    return min(state.upload.season, series_of(e).held_out) if _is_own(e) else series_of(e).season


def _is_own(e: Experiment) -> bool:
    """Return whether an experiment is on the visitor's own series."""
    return e.task == "series" and SERIES.of(e) == "own"


def ask(state: ApplicationsState, e: Experiment, params: Callable[[], Params]) -> None:
    """Show the training mode, the split, the download and the upload."""
    st.session_state["single_forecast"] = state.single

    def single() -> None:
        state.single = st.session_state["single_forecast"]

    st.toggle(
        "Learn from the last step only (many to one)",
        key="single_forecast",
        on_change=single,
        help="Off: every step forecasts the next value, and every forecast is trained on (many to many).",
    )
    s = series_of(e)
    sees = {
        "level": "the values themselves",
        "change": "the changes from value to value",
        "log-change": "the relative changes from value to value",
        "root": "the square roots of the values",
        "seasonal-log-change": "how each relative change differs from the same one a season before",
    }[s.sees]
    held_out = len(s.values) - s.held_out
    st.html(
        f"<p class='ask'><b>{len(s.values):,} values:</b> trained on the first {s.held_out:,}, measured on "
        f"the last {held_out:,}. The split is in time order. The network reads {sees}, in windows of "
        f"{e.seq_len}.</p>"
    )
    csv_button(
        "Forecast as CSV", lambda: table_of(state, e, params()), "rnnviz-forecast.csv", key="forecast_csv"
    )
    with st.expander("Your own series", expanded=bool(state.upload.refusal)):
        _upload(state)


def _upload(state: ApplicationsState) -> None:
    """Show the upload of a CSV file and the choice of its columns."""
    own = state.upload
    key = f"own_series_{own.uploads}"
    st.file_uploader(
        f"A CSV file: at most {MAX_BYTES // 1_000_000} MB and {MAX_ROWS:,} rows, at least {MIN_VALUES}",
        type=["csv", "txt", "tsv"],
        key=key,
        on_change=lambda: _take(state, key),
    )
    if own.refusal:
        refusal(own.refusal)
    if own.table is None:
        return
    names = [str(name) for name in own.table.columns]
    shown = _short(names)
    for field, label, choices in (
        ("value", "Forecast this column", names),
        ("time", "Row labels", [None, *names]),
    ):
        st.selectbox(
            label,
            choices,
            format_func=lambda name: NUMBERED if name is None else shown[name],
            **state.widgets.bound(f"own_{field}", getattr(own, field), partial(_pick, state, field)),
        )
    st.number_input(
        "Season length (0 = none)",
        0,
        LONGEST_SEASON,
        help="Only for the seasonal baselines: 12 for monthly values, 7 for daily ones.",
        **state.widgets.bound("own_season", own.season, lambda season: setattr(own, "season", int(season))),
    )


def _short(names: list[str]) -> dict[str, str]:
    """Return a safe, short and unique label for each column; Streamlit knows an option by its label."""
    labels = {name: tame(name, COLUMN_LENGTH) for name in names}
    often = Counter([NUMBERED, *labels.values()])
    numbers = {name: number for number, name in enumerate(names, start=1)}
    return {
        name: label if often[label] == 1 else f"{label} (column {numbers[name]})"
        for name, label in labels.items()
    }


def _take(state: ApplicationsState, key: str) -> None:
    """Read the file that was just uploaded; if it is rejected, the earlier one is kept."""
    file = taken(key)
    if file is None:
        return
    name, content = file
    old = state.upload
    fresh = Upload(file=tame(name, 40), uploads=old.uploads + 1)
    try:
        fresh.table = read_table(content)
        fresh.time, fresh.value = guess_columns(fresh.table)
        if not numeric_columns(fresh.table):
            values_of(fresh.table, fresh.value)  # raises an error about the likeliest column
        _read(fresh)
    except ValueError as problem:
        old.refusal, old.uploads = f"{fresh.file} was rejected. {problem}", fresh.uploads
        return
    state.upload = fresh
    state.variants["forecasts"] = "own"


def _pick(state: ApplicationsState, field: str, column: str | None) -> None:
    """Choose another column; if it cannot be forecast, the earlier one is kept."""
    chosen: dict[str, Any] = {field: column}
    fresh = replace(state.upload, refusal="", **chosen)
    try:
        _read(fresh)
    except ValueError as problem:
        state.upload.refusal = str(problem)
        return
    state.upload = fresh
    state.variants["forecasts"] = "own"


def _read(own: Upload) -> None:
    """Read the chosen columns from the table.

    Raises
    ------
    ValueError
        If the column cannot be forecast.
    """
    table = own.table if own.table is not None else pd.DataFrame()
    data = to_data(values_of(table, own.value))
    check_data(data)
    e = replace(_experiment(data), topology="many-to-one")
    if TASKS[e.task].chance(e) == 0.0:  # the naive forecast has no error
        raise ValueError(
            f"A series must also change at its end, which is held out; the last values are all "
            f"{series_of(e).values[-1]:g}. Delete these rows, or choose another column."
        )
    own.data, own.labels = data, labels_of(table, own.time)


def question(state: ApplicationsState, e: Experiment) -> ChosenSeries:
    """Return the series as a question; a visitor's own has their season and the names of their rows."""
    s, own = series_of(e), state.upload
    if not _is_own(e):
        return ChosenSeries(s.season, s.unit)
    names = None
    if own.time:
        names = tuple(tame(own.labels[row]) for row in named_rows(s, len(naive(s))))
    return ChosenSeries(season_of(state, e), tame(own.value, COLUMN_LENGTH), names)


def table_of(state: ApplicationsState, e: Experiment, params: Params) -> pd.DataFrame:
    """Return measurements and forecasts, one row per value, the future last."""
    s, own = series_of(e), _is_own(e)
    made = forecast(e, params)
    ahead, free, n, steps = made.ahead, made.free, len(s.values), len(made.future)
    columns = {name: np.full(n + steps, np.nan) for name in ("measured", "naive", "one_step", "free_running")}
    columns["measured"][:n] = s.values
    columns["naive"][s.held_out : s.held_out + len(ahead)] = naive(s)
    columns["one_step"][s.held_out : s.held_out + len(ahead)] = ahead
    columns["free_running"][s.held_out : s.held_out + len(free)] = free
    columns["free_running"][n:] = made.future
    times = np.append(s.times, s.times[-1] + (s.times[-1] - s.times[-2]) * np.arange(1, steps + 1))
    names = [*state.upload.labels[:n], *[f"+{k}" for k in range(1, steps + 1)]] if own else times.round(4)
    part = np.where(np.arange(n + steps) < s.held_out, "training", "held out")
    part[n:] = "future"
    return pd.DataFrame({"time": names, "part": part, **columns})
