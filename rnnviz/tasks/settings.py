"""The experiment settings that tasks read; they depend on no others."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Settings(Protocol):
    """The settings that determine sequences. ``Experiment`` has all of them.

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

    # task-specific options
    @property
    def symbols(self) -> int: ...
    @property
    def noise(self) -> float: ...
    @property
    def delay(self) -> int: ...
    @property
    def items(self) -> int: ...
    @property
    def corpus(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def series(self) -> str: ...
    @property
    def data(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def target(self) -> str: ...

    def rng(self, stream: str) -> np.random.Generator:
        """Return the generator of "weights", "training", "held-out" or "probe"."""
