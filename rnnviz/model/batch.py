"""A batch of sequences: inputs, targets, the steps that write, and the loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rnnviz.model.arrays import Array, Indices, Mask
from rnnviz.model.losses import Loss


@dataclass(frozen=True, eq=False)
class Batch:
    """B sequences of T steps.

    inputs : (T, B, I); with output feedback the last O channels hold the target of the previous step.
    targets : Indices (T, B) for classes, Array (T, B, O) for values; ignored at steps that do not write.
    writes : (T,), true at the K steps whose outputs the loss compares with the targets.
    loss : compares outputs with targets.
    """

    inputs: Array
    targets: Array | Indices
    writes: Mask
    loss: Loss

    def parts(self, size: int) -> Iterator[Batch]:
        """Yield the batch in parts of at most ``size`` sequences; itself if it is no larger."""
        B = self.inputs.shape[1]
        if size >= B:
            yield self
            return
        for first in range(0, B, size):
            some = slice(first, first + size)
            yield replace(self, inputs=self.inputs[:, some], targets=self.targets[:, some])

    @cached_property
    def write_steps(self) -> Indices:
        """Rows (0-based) of the steps that write, (K,), ascending."""
        return np.flatnonzero(self.writes)

    @cached_property
    def written(self) -> slice | Indices:
        """``write_steps`` as an index into the time axis; a slice (no copy) if they are consecutive."""
        steps = self.write_steps
        first, last = int(steps[0]), int(steps[-1])
        return slice(first, last + 1) if len(steps) == last - first + 1 else steps
