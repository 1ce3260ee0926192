"""Does the gradient matter? Success against the sequence length, for several cells and initialisations."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from rnnviz.analysis.by_length import ByLength, LengthPart, by_length, by_length_parts, length_result
from rnnviz.experiment import Experiment
from rnnviz.figures.by_length import by_length_spec
from rnnviz.ui.instruments.reading import Reading
from rnnviz.ui.instruments.slow import UPDATES, Measurement, show_measurement
from rnnviz.ui.session import Session
from rnnviz.ui.style import theme

LENGTHS = (5, 10, 15, 20, 30, 40, 50, 70)
SEEDS, MOST = 10, 3
HEIGHT = 352

CHOICES: dict[str, dict[str, Any]] = {
    "simple RNN, PyTorch": {"cell": "vanilla", "activation": "tanh", "init": "pytorch"},
    "simple RNN, orthogonal": {"cell": "vanilla", "activation": "tanh", "init": "orthogonal", "gain": 1.0},
    "IRNN": {"cell": "irnn", "activation": "relu", "init": "identity", "gain": 1.0},
    "antisymmetric": {"cell": "antisymmetric", "activation": "tanh", "init": "scaled-gaussian", "gain": 1.0},
    "LSTM, PyTorch": {"cell": "lstm", "activation": "tanh", "init": "pytorch"},
    "LSTM, forget bias 1": {"cell": "lstm", "activation": "tanh", "init": "forget-1"},
    "LSTM, chrono": {"cell": "lstm", "activation": "tanh", "init": "chrono"},
    "GRU, chrono": {"cell": "gru", "activation": "tanh", "init": "chrono"},
    "minGRU, chrono": {"cell": "mingru", "activation": "tanh", "init": "chrono"},
    "LRU": {"cell": "lru", "activation": "tanh", "init": "ring"},
}
FIRST = ("simple RNN, PyTorch", "simple RNN, orthogonal", "LSTM, chrono")


def outcome(session: Session) -> None:
    """Train the chosen networks at several lengths, and show what came of it above their gradients."""
    e = session.experiment
    chosen = st.multiselect(
        "Networks to compare",
        list(CHOICES),
        default=list(FIRST),
        max_selections=MOST,
        label_visibility="collapsed",
        key="outcome_of",
    )

    def parts() -> list[LengthPart]:
        wanted = {name: CHOICES[name] for name in chosen}
        return by_length_parts(e, wanted, LENGTHS, SEEDS, UPDATES)

    def read(results: list[Any]) -> Reading | str:
        rows = by_length(results)
        if not chosen:
            return f"Choose up to {MOST} networks."
        if not results:
            return "This task has a single length. Choose a type of network with many steps."
        return _reading(e, rows, complete=None not in results)

    key = ("outcome", e, tuple(chosen), UPDATES)
    show_measurement(session, Measurement("outcome", key, length_result, parts, read, HEIGHT, "runs"))


def _reading(e: Experiment, rows: list[ByLength], complete: bool) -> Reading:
    waits = f"No verdict before all runs of {SEEDS} seeds are done."
    told = [_reach(row) for row in rows] if complete else [waits]
    how = (
        f"{' '.join(told)} Bars: the middle half of {SEEDS} seeds, up to {UPDATES} updates each. Training "
        "changes the gradient, so the upper line need not fall at the T at which the lower one does."
    )
    table = pd.concat(
        [
            pd.DataFrame(
                {"network": row.name, "T": row.lengths, "decades": row.decades, "median": row.metric[1]}
                | {"solved": [s.count for s in row.solved], "seeds": [s.seeds for s in row.solved]}
            )
            for row in rows
        ]
        or [pd.DataFrame()]
    )
    formula = (
        r"\log_{10}\frac{\|\varepsilon_1\|}{\|\varepsilon_T\|}\ \text{ before, and success after training}"
    )
    figure = by_length_spec(e, rows, LENGTHS, theme())
    return Reading(
        figure, f"Success against T for {len(rows)} networks. {' '.join(told)}", how, formula, table
    )


def _reach(row: ByLength) -> str:
    """Return up to which length most seeds of a network solved the task."""
    most = [int(T) for T, share in zip(row.lengths, row.solved, strict=True) if share.value > 0.5]
    lengths = [int(T) for T in row.lengths]
    without = [T for T in lengths if T not in most]
    if not most:
        return f"{row.name}: half of the seeds or fewer solve the task at every T."
    if not without:
        return f"{row.name}: most seeds solve the task at every T."
    reach = max((T for T in most if min(without) > T), default=0)
    return (
        f"{row.name}: most seeds solve the task up to T = {reach}."
        if reach
        else f"{row.name}: at some T only."
    )
