"""Recurrent layers with one protocol: vanilla, LSTM, GRU, and one without recurrence."""

from __future__ import annotations

from typing import Any

from rnnviz.model.activations import Activation
from rnnviz.model.cells.base import Backward, Cell, LayerWeights, State, StepBack, Trace, Workspace
from rnnviz.model.cells.gru import GRU, GRUWeights
from rnnviz.model.cells.lstm import LSTM, LSTMWeights
from rnnviz.model.cells.vanilla import FeedForward, FeedForwardWeights, Vanilla, VanillaWeights

CELLS: dict[str, type[Vanilla | FeedForward | LSTM | GRU]] = {
    "vanilla": Vanilla,
    "feed-forward": FeedForward,
    "lstm": LSTM,
    "gru": GRU,
}
"""Cell classes by name; ``make_cell`` creates an instance."""


def make_cell(name: str, activation: Activation) -> Cell:
    """Return a cell; gated cells have activations of their own and take no other."""
    kind: Any = CELLS[name]
    return kind() if kind.gate_names else kind(activation)


__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "Backward",
    "Cell",
    "FeedForward",
    "FeedForwardWeights",
    "GRUWeights",
    "LSTMWeights",
    "LayerWeights",
    "State",
    "StepBack",
    "Trace",
    "Vanilla",
    "VanillaWeights",
    "Workspace",
    "make_cell",
]
