"""Topologies, defined by which steps read an input and which write an output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rnnviz.model.arrays import Indices, Mask


@dataclass(frozen=True, eq=False)
class Masks:
    """The two masks over time that define a topology.

    ``reads[t]`` is true where step t + 1 receives an input, ``writes[t]`` where it writes an
    output that enters the loss. Both have shape (T,).
    """

    reads: Mask
    writes: Mask

    @property
    def write_steps(self) -> Indices:
        """Rows (0-based) of the steps that write: the set S, K = len(S)."""
        return np.flatnonzero(self.writes)


@dataclass(frozen=True)
class Topology:
    """One of the five arrangements of inputs and outputs along the time axis."""

    name: str
    title: str
    meaning: str
    example: str
    can_feed_back: bool

    def masks(self, seq_len: int, written: int | None = None) -> Masks:
        """Return the masks for ``seq_len`` steps; the arrays are shared and read-only.

        ``written`` is the number of steps at the end that write, for sequence-to-sequence only
        (default: the second half).
        """
        return _masks(self.name, seq_len, written or max(1, seq_len // 2))


@lru_cache(maxsize=256)
def _masks(topology: str, seq_len: int, written: int) -> Masks:
    """Return a topology's masks; cached, since every training batch needs them."""
    t = np.arange(seq_len)
    every, first, last, tail = t >= 0, t == 0, t == seq_len - 1, t >= seq_len - written
    masks = {
        "one-to-one": Masks(first, last),
        "one-to-many": Masks(first, every),
        "many-to-one": Masks(every, last),
        "many-to-many": Masks(every, every),
        "sequence-to-sequence": Masks(~tail, tail),
    }[topology]
    masks.reads.flags.writeable = masks.writes.flags.writeable = False
    return masks


TOPOLOGIES: dict[str, Topology] = {
    topology.name: topology
    for topology in (
        Topology(
            "one-to-one",
            "One to one",
            "One input, one output, a single step: no recurrence, so nothing can vanish over time.",
            "classifying one image",
            can_feed_back=False,
        ),
        Topology(
            "one-to-many",
            "One to many",
            "One input at the first step, an output at every step.",
            "image captioning",
            can_feed_back=True,
        ),
        Topology(
            "many-to-one",
            "Many to one",
            "An input at every step, one output at the last.",
            "classifying a sentence",
            can_feed_back=False,
        ),
        Topology(
            "many-to-many",
            "Many to many",
            "At every step an input goes in and an output comes out.",
            "labelling every video frame",
            can_feed_back=True,
        ),
        Topology(
            "sequence-to-sequence",
            "Sequence to sequence",
            "Read everything first, then write everything.",
            "translating a sentence",
            can_feed_back=True,
        ),
    )
}
