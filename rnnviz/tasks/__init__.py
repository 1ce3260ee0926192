"""The tasks that networks learn, by name, with their topologies and data.

May import ``model`` only.
"""

from __future__ import annotations

from rnnviz.model.batch import Batch
from rnnviz.tasks.base import Metric, Task
from rnnviz.tasks.captions import Captions
from rnnviz.tasks.digits import Digits
from rnnviz.tasks.memory import Adding, Copy, Echo, Parity, Recall, Reverse
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

__all__ = ["TASKS", "Batch", "Metric", "Task"]
