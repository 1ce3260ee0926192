"""Recurrent layers with one protocol, and one without recurrence."""

from __future__ import annotations

from typing import Any

from rnnviz.model.activations import ACTIVATIONS
from rnnviz.model.cells.antisymmetric import Antisymmetric
from rnnviz.model.cells.base import Backward, Cell, LayerWeights, State, StepBack, Trace, Workspace
from rnnviz.model.cells.gru import GRU, GRUWeights
from rnnviz.model.cells.lru import LRU, LRUWeights
from rnnviz.model.cells.lstm import LSTM, LSTMWeights
from rnnviz.model.cells.min_gru import MinGRU, MinGRUWeights
from rnnviz.model.cells.vanilla import IRNN, FeedForward, FeedForwardWeights, Vanilla, VanillaWeights

CELLS: dict[str, type[Vanilla | IRNN | FeedForward | Antisymmetric | LSTM | GRU | MinGRU | LRU]] = {
    "vanilla": Vanilla,
    "irnn": IRNN,
    "antisymmetric": Antisymmetric,
    "lstm": LSTM,
    "gru": GRU,
    "mingru": MinGRU,
    "lru": LRU,
    "feed-forward": FeedForward,
}
"""Cell classes by name; ``make_cell`` creates an instance."""


def make_cell(name: str, activation: str = "") -> Cell:
    """Return a cell; one that has a single activation of its own takes no other.

    Raises
    ------
    ValueError
        If the name is unknown, or the cell cannot have this activation.
    """
    if name not in CELLS:
        raise ValueError(f"cell must be one of {', '.join(CELLS)}; got {name!r}.")
    kind: Any = CELLS[name]
    activation = activation or kind.activations[0]
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}; got {activation!r}.")
    if activation not in kind.activations:
        raise ValueError(f"activation must be {kind.activations[0]!r} for cell {name!r}; got {activation!r}.")
    return kind(ACTIVATIONS[activation]) if len(kind.activations) > 1 else kind()


__all__ = [
    "CELLS",
    "GRU",
    "IRNN",
    "LRU",
    "LSTM",
    "Antisymmetric",
    "Backward",
    "Cell",
    "FeedForward",
    "FeedForwardWeights",
    "GRUWeights",
    "LRUWeights",
    "LSTMWeights",
    "LayerWeights",
    "MinGRU",
    "MinGRUWeights",
    "State",
    "StepBack",
    "Trace",
    "Vanilla",
    "VanillaWeights",
    "Workspace",
    "make_cell",
]
