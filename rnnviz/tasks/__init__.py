"""The tasks that networks learn, by name, with their topologies and data.

May import ``model`` only.
"""

from __future__ import annotations

from typing import Any

from rnnviz.model.batch import Batch
from rnnviz.tasks.base import Metric, Task
from rnnviz.tasks.captions import Captions
from rnnviz.tasks.digits import Digits
from rnnviz.tasks.memory import Adding, Copy, Echo, Parity, Recall, Reverse
from rnnviz.tasks.options import Option
from rnnviz.tasks.sentiment import Sentiment
from rnnviz.tasks.series import Forecast, Sunspots
from rnnviz.tasks.signals import Sine, Waves
from rnnviz.tasks.text import Characters
from rnnviz.tasks.translation import Translation

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Recall(),
        Adding(),
        Parity(),
        Echo(),
        Copy(),
        Reverse(),
        Digits(),
        Waves(),
        Sine(),
        Sunspots(),
        Forecast(),
        Characters(),
        Captions(),
        Sentiment(),
        Translation(),
    )
}


def declared_options() -> dict[str, Option[Any]]:
    """Return the options of all tasks, by name, in order of first occurrence.

    Raises
    ------
    ValueError
        If two tasks declare different options of the same name.
    """
    found: dict[str, Option[Any]] = {}
    for task in TASKS.values():
        for name, option in task.options.items():
            if found.setdefault(name, option) is not option:
                raise ValueError(f"option {name!r} must be one object that its tasks share; got two.")
    return found


__all__ = ["TASKS", "Batch", "Metric", "Task", "declared_options"]
