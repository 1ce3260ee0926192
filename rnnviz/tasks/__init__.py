"""The problems that the networks learn, by name."""

from __future__ import annotations

from rnnviz.tasks.base import Batch, Metric, Task
from rnnviz.tasks.digits import Digits
from rnnviz.tasks.memory import Adding, Copy, Echo, Parity, Recall, Reverse
from rnnviz.tasks.signals import Sine, Sunspots, Waves
from rnnviz.tasks.text import Characters

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
        Characters(),
    )
}

__all__ = ["TASKS", "Batch", "Metric", "Task"]
