"""The experiment settings that every task may read; those of single tasks are in ``options``."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Settings(Protocol):
    """The settings that determine sequences, whatever the task. ``Experiment`` has all of them.

    rng(stream) : the generator for one purpose, always with the same seed.
    """

    @property
    def topology(self) -> str: ...
    @property
    def seq_len(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def feedback(self) -> bool: ...

    def rng(self, stream: str) -> np.random.Generator:
        """Return the generator of "weights", "training", "held-out" or "probe"."""
