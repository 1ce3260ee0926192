"""What tasks read of an experiment; they know nothing of its other choices."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Settings(Protocol):
    """The choices that shape sequences. ``Experiment`` has them all.

    rng(stream) : the random numbers of one purpose, always the same ones.
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

    # options of single tasks
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
